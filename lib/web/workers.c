#include "web/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "store/db.h"
#include "store/kv.h"
#include "tool/record.h"

#define WORKERS_MAX 256
#define STOP_MS 10000	/* a worker that still serves after this is killed */
#define HEIR_MS 500	/* how often a parent that web servers do not know looks whether it is still wanted */
#define REFUSED_MAX 3	/* so often, HEIR_MS apart, nobody listens: then the guard does */
#define YOUNG_MS 10000	/* what ends this soon after it started the pool was no web server, but spawn-fcgi or the like */

struct worker {
	pid_t pid;	/* 0: none */
	int64_t born_ms;
};

static struct worker workers[WORKERS_MAX + 1];	/* the last that is used: the guard */
static sigset_t watched;

struct common {
	_Atomic pid_t parent;	/* the one that watches */
	atomic_bool alone;	/* nobody's: the program that started it has ended */
};

/* Which file is at a path.  A socket that is made anew often gets the inode of the one before: it was born later. */
struct place {
	uint64_t ino, dev;
	struct statx_timestamp born;	/* zero where the file system does not know */
};

/* What the pool is, from its start on; its workers and their heirs know it by fork(). */
static struct {
	struct common *common;	/* in memory that all share; NULL: none to be had */
	int server;	/* pidfd of the web server that started it, -1: none */
	struct place path;	/* of the socket; ino 0: it has none */
	struct sockaddr_un at;
	char argv0[256], comm[16];	/* what it is called */
} pool = { .server = -1 };

static pid_t my_parent;	/* 0: not a worker */

/*
 * When memory runs out the kernel shall take a worker, which costs one request, and not the parent, which costs a change of all workers.
 * Written as digits; the parent's own is 0, as for any program.
 */
static void
offer_to_oom_killer(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, score, strlen(score)) < 0)
		log_event(LOG_DEBUG_, NULL, "oom_score_adj is not for us", LOG_I("errno", errno));
	(void)close(fd);
}

static bool
look_at_path(struct place *out)
{
	struct statx st;

	if (pool.at.sun_family != AF_UNIX || pool.at.sun_path[0] != '/' || statx(AT_FDCWD, pool.at.sun_path, 0, STATX_INO | STATX_BTIME, &st) != 0)
		return false;
	*out = (struct place){ .ino = st.stx_ino, .dev = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor };
	if ((st.stx_mask & STATX_BTIME) != 0)
		out->born = st.stx_btime;
	return true;
}

static bool
same_place(const struct place *a, const struct place *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->born.tv_sec == b->born.tv_sec && a->born.tv_nsec == b->born.tv_nsec;
}

/* Note what tells later whether the pool is still wanted, and share the parent's place. */
static void
found(int sock)
{
	socklen_t sz = sizeof pool.at - 1;	/* the last byte stays 0 */
	void *shared = mmap(NULL, sizeof *pool.common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)snprintf(pool.argv0, sizeof pool.argv0, "%s", program_invocation_name);
	(void)prctl(PR_GET_NAME, pool.comm);
	if (getsockname(sock, (struct sockaddr *)&pool.at, &sz) < 0 || !look_at_path(&pool.path))
		pool.path.ino = 0;
	/* Who runs --listen, a shell perhaps, may go; a web server that hands a socket over keeps it for its own use. */
	if (sock == STDIN_FILENO)
		pool.server = (int)syscall(SYS_pidfd_open, getppid(), 0);
	if (shared == MAP_FAILED)
		return;
	pool.common = shared;
	atomic_store(&pool.common->parent, getpid());
}

static bool
server_gone(void)
{
	struct pollfd p = { pool.server, POLLIN, 0 };

	return pool.server >= 0 && poll(&p, 1, 0) > 0;
}

static bool
still_wanted(void)
{
	struct place now;

	return (atomic_load(&pool.common->alone) || !server_gone()) &&
		(pool.path.ino == 0 || (look_at_path(&now) && same_place(&now, &pool.path)));
}

bool
workers_orphaned(void)
{
	return my_parent != 0 && getppid() != my_parent;
}

/* A worker whose parent has gone takes its place, if it is the first.  One that was asked to end itself leaves it to the others. */
static bool
inherit(void)
{
	sigset_t pending;
	pid_t before = my_parent;

	if (!workers_orphaned() || pool.common == NULL || (sigpending(&pending) == 0 && sigismember(&pending, SIGTERM)))
		return false;
	if (!atomic_compare_exchange_strong(&pool.common->parent, &before, getpid()))
		return false;
	my_parent = 0;
	memset(workers, 0, sizeof workers);
	signal(SIGINT, SIG_DFL);
	offer_to_oom_killer("0");
	log_event(LOG_WARN_, NULL, "the workers' parent was killed; another process of the pool takes its place", LOG_I("parent", before));
	return true;
}

static int supervise(int sock, int n, int (*work)(int), bool heir);

/* The life of a worker. */
_Noreturn static void
serve(int sock, int n, int (*work)(int), pid_t parent)
{
	int status;

	my_parent = parent;
	sigprocmask(SIG_UNBLOCK, &watched, NULL);
	signal(SIGINT, SIG_IGN);	/* Ctrl-C reaches the whole terminal group; the parent decides */
	db_forget();
	kv_forget();
	record_forget();
	offer_to_oom_killer("200");
	status = work(sock);
	exit(inherit() ? supervise(sock, n, work, true) : status);
}

/* A listening socket in place of the one that ended with its pool; -1: it cannot be. */
static int
listen_again(void)
{
	mode_t old = umask(0117);
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = sock >= 0 && unlink(pool.at.sun_path) == 0 && bind(sock, (struct sockaddr *)&pool.at, sizeof pool.at) == 0 && listen(sock, 1024) == 0;

	(void)umask(old);
	if (good && look_at_path(&pool.path))
		return sock;
	(void)close(sock);
	return -1;
}

static bool
somebody_listens(void)
{
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool yes = connect(sock, (struct sockaddr *)&pool.at, sizeof pool.at) == 0 || errno != ECONNREFUSED;

	(void)close(sock);
	return yes;
}

/* Of another name than the pool, so that what kills all of that name leaves it; of the pool's again when it has become that. */
static void
go_by(const char *argv0, const char *comm)
{
	size_t room = strlen(pool.argv0);	/* not more than there is, for it was taken from there */

	memset(program_invocation_name, 0, room);
	(void)snprintf(program_invocation_name, room + 1, "%s", argv0);
	(void)prctl(PR_SET_NAME, comm);
}

/* The life of the guard: while its parent lives it sleeps.  It does not hold the socket, or nobody would see that the pool has gone. */
_Noreturn static void
guard(int sock, int n, int (*work)(int), pid_t parent)
{
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC), refused = 0;

	my_parent = parent;
	sigprocmask(SIG_UNBLOCK, &watched, NULL);
	signal(SIGINT, SIG_IGN);
	if (nowhere < 0 || dup2(nowhere, sock) < 0 || pool.common == NULL || pool.path.ino == 0)
		exit(0);
	go_by("souk-guard", "souk-guard");
	while (refused < REFUSED_MAX) {
		(void)poll(NULL, 0, HEIR_MS);
		if (!workers_orphaned())
			continue;
		if (atomic_load(&pool.common->parent) != parent || !still_wanted())
			exit(0);
		refused = somebody_listens() ? 0 : refused + 1;
	}
	go_by(pool.argv0, pool.comm);
	sock = inherit() ? listen_again() : -1;
	exit(sock < 0 ? 0 : supervise(sock, n, work, true));
}

static void
spawn(struct worker *w, int sock, int n, int (*work)(int))
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0 && w == &workers[n])
		guard(sock, n, work, parent);
	if (pid == 0)
		serve(sock, n, work, parent);
	if (pid < 0) {
		log_event(LOG_ERROR_, NULL, "cannot start a worker", LOG_I("errno", errno));
		return;
	}
	w->pid = pid;
	w->born_ms = now_ms();
}

static struct worker *
find(pid_t pid, int n)
{
	for (int i = 0; i <= n; i++)
		if (workers[i].pid == pid)
			return &workers[i];
	return NULL;
}

/* Collect ended workers. */
static void
reap(int n)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct worker *w = find(pid, n);

		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM)
			log_event(LOG_ERROR_, NULL, "worker died", LOG_I("pid", pid), LOG_I("signal", WTERMSIG(status)));
		else if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
			log_event(LOG_ERROR_, NULL, "worker failed", LOG_I("pid", pid), LOG_I("status", WEXITSTATUS(status)));
		if (w)
			w->pid = 0;
	}
}

static int
alive(int n)
{
	int k = 0;

	for (int i = 0; i <= n; i++)
		k += workers[i].pid != 0;
	return k;
}

static void
stop_all(int n)
{
	const struct timespec step = { 0, 20 * 1000 * 1000 };
	int64_t end = now_ms() + STOP_MS;

	for (int i = 0; i <= n; i++)
		if (workers[i].pid)
			kill(workers[i].pid, SIGTERM);
	for (reap(n); alive(n) && now_ms() < end; reap(n))
		nanosleep(&step, NULL);
	for (int i = 0; i <= n; i++)
		if (workers[i].pid)
			kill(workers[i].pid, SIGKILL);
}

/* Keep n workers; the time until the next one may be started again, milliseconds. */
static int
keep(int n, int sock, int (*work)(int))
{
	int wait_ms = 60000;

	for (int i = 0; i <= n; i++) {
		int64_t again = workers[i].born_ms ? workers[i].born_ms + 1000 - now_ms() : 0;

		if (workers[i].pid)
			continue;
		if (again <= 0)
			spawn(&workers[i], sock, n, work);
		else if (again < wait_ms)
			wait_ms = (int)again;
	}
	return wait_ms;
}

static int
supervise(int sock, int n, int (*work)(int), bool heir)
{
	int64_t grown_ms = now_ms() + YOUNG_MS;
	struct timespec ts;
	int sig, ms;

	sigprocmask(SIG_BLOCK, &watched, NULL);
	do {
		bool young = !heir && now_ms() < grown_ms;

		if (young && pool.common && server_gone())
			atomic_store(&pool.common->alone, true);
		ms = keep(n, sock, work);
		ms = (heir || young) && ms > HEIR_MS ? HEIR_MS : ms;
		log_flush();
		ts = (struct timespec){ ms / 1000, (ms % 1000) * 1000000L };
		sig = sigtimedwait(&watched, NULL, &ts);
		reap(n);
	} while (sig != SIGTERM && sig != SIGINT && sig != SIGUSR1 && (!heir || still_wanted()));
	stop_all(n);
	log_event(LOG_INFO_, NULL, "stopped");
	log_flush();
	return 0;
}

int
workers_run(int sock, int n, int (*work)(int sock))
{
	if (n > WORKERS_MAX)
		n = WORKERS_MAX;
	found(sock);
	sigemptyset(&watched);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGUSR1);
	sigaddset(&watched, SIGCHLD);
	return supervise(sock, n, work, false);
}
