/* The mapping itself, and generation counters; see shm.h. */
#include "store/shm.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/failstop.h"
#include "core/log.h"
#include "core/owner.h"
#include "store/shm_map.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_WAIT_MS 2000

_Static_assert(SHM__GENERATIONS <= 16 && BREAKER__MAX <= SHM_BREAKERS, "the layout has room for 16 of each");

int64_t (*shm_clock)(void) = now_ms;

static struct shm *map;
static bool shared;

static void
read_boot_id(char *out, size_t outsz)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, outsz - 1);

	memset(out + (n > 0 ? n : 0), 0, outsz - (size_t)(n > 0 ? n : 0));
	if (fd >= 0)
		(void)close(fd);
}

static void
fill_head(struct shm_head *h)
{
	memset(h, 0, sizeof *h);
	h->magic = SHM_MAGIC;
	h->version = SHM_VERSION;
	h->size = sizeof(struct shm);
	read_boot_id(h->boot, sizeof h->boot);
	randombytes_buf(h->hash_key, sizeof h->hash_key);
}

/* Is fd a file of this layout, written since the machine started? */
static bool
fits(int fd)
{
	struct shm_head have, want;
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != (off_t)sizeof(struct shm))
		return false;
	if (pread(fd, &have, sizeof have, 0) != (ssize_t)sizeof have)
		return false;
	fill_head(&want);
	memcpy(want.hash_key, have.hash_key, sizeof want.hash_key);
	return memcmp(&have, &want, sizeof have) == 0;
}

/* A complete new file under a name of its own, then renamed.  Blocks are allocated now, as a full disk would later be a SIGBUS. */
static int
create(const char *path)
{
	char beside[PATH_MAX];
	struct shm_head head;
	int fd, failed = 0;

	if (snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid()) >= (int)sizeof beside) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)unlink(beside);
	fd = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (fd < 0)
		return -1;
	owner_as_folder(fd, beside);
	fill_head(&head);
	failed = posix_fallocate(fd, 0, (off_t)sizeof(struct shm));
	if (failed == 0 && pwrite(fd, &head, sizeof head, 0) != (ssize_t)sizeof head)
		failed = EIO;
	if (failed == 0 && rename(beside, path) != 0)
		failed = errno;
	if (failed == 0)
		return fd;
	(void)close(fd);
	(void)unlink(beside);
	errno = failed;
	return -1;
}

/* Programs that start together must end up with one file: whoever holds the folder's lock looks and creates. */
static int
lock_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t end = now_ms() + LOCK_WAIT_MS;

	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK && now_ms() < end)
		(void)poll(NULL, 0, 5);
	return fd;
}

static int
open_file(const char *dir)
{
	char path[PATH_MAX];
	int lock, fd;

	if (snprintf(path, sizeof path, "%s/souk.shm", dir) >= (int)sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	lock = lock_folder(dir);
	if (lock < 0)
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && !fits(fd)) {
		(void)close(fd);
		fd = -1;
		errno = ENOENT;
	}
	if (fd < 0 && errno == ENOENT)
		fd = create(path);
	int saved = errno;

	(void)close(lock);
	errno = saved;
	return fd;
}

/* Takes fd over. */
static bool
map_file(int fd)
{
	int why;

	map = mmap(NULL, sizeof(struct shm), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	why = errno;
	(void)close(fd);
	errno = why;
	return map != MAP_FAILED && map != NULL;
}

static void
map_private(int why)
{
	map = mmap(NULL, sizeof(struct shm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || map == NULL)
		failstop("no memory for counters");
	fill_head(&map->head);
	log_event(LOG_WARN_, NULL, "STATE_DIR cannot be used, limits and metrics hold for this program only",
		LOG_S("path", cfg_str("STATE_DIR")), LOG_S("reason", strerror(why)));
}

void
shm_open_state(void)
{
	const char *dir = cfg_str("STATE_DIR");
	int fd;

	if (map != NULL)
		return;
	if (sodium_init() < 0)
		failstop("libsodium cannot start");
	fd = dir[0] != '\0' ? open_file(dir) : (errno = ENOENT, -1);
	shared = fd >= 0 && map_file(fd);
	if (!shared)
		map_private(errno);
}

struct shm *
shm_map(void)
{
	if (map == NULL)
		shm_open_state();
	return map;
}

bool
shm_is_shared(void)
{
	return shared;
}

uint64_t
shm_hash(const void *p, size_t n)
{
	unsigned char out[crypto_shorthash_BYTES];
	uint64_t h;

	_Static_assert(crypto_shorthash_BYTES == sizeof h && crypto_shorthash_KEYBYTES == sizeof map->head.hash_key, "SipHash-2-4");
	(void)crypto_shorthash(out, p, n, shm_map()->head.hash_key);
	memcpy(&h, out, sizeof h);
	return h != 0 ? h : 1;
}

uint64_t
shm_generation(enum shm_generation g)
{
	return atomic_load(&shm_map()->generations[g]);
}

void
shm_bump(enum shm_generation g)
{
	(void)atomic_fetch_add(&shm_map()->generations[g], 1);
}

/* The time first: whoever finds the key finds a time that is not older. */
void
shm_note(const char *key)
{
	uint64_t h = shm_hash(key, strlen(key));
	struct shm_note *n = &shm_map()->notes[h & (SHM_NOTES - 1)];

	atomic_store(&n->left_ms, now_ms());
	atomic_store(&n->key, h);
}

bool
shm_noted(const char *key, int64_t since_ms)
{
	uint64_t h = shm_hash(key, strlen(key));
	struct shm_note *n = &shm_map()->notes[h & (SHM_NOTES - 1)];

	return atomic_load(&n->key) == h && atomic_load(&n->left_ms) >= since_ms;
}
