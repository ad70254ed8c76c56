#include "mcp/slots.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/config.h"

/* Open file descriptions of this process's own: locks of the fcntl family "OFD" belong to them. */
static int slots_fd = -1;
static int queue_fd = -1;

#define QUEUE 65536	/* the byte of who waits; there are fewer slots */

/*
 * Streams leave two workers free, calls that wait one: the answer that they wait for has to be taken in.  Where a process manager starts the
 * processes (WORKERS = 1), only its administrator knows how many there are.
 */
static int64_t
slots(bool waiting)
{
	int64_t n = cfg_int("MCP_STREAMS"), workers = cfg_int("WORKERS"), most = workers > 2 && !waiting ? workers - 2 : workers - 1;

	if (n == 0 || (workers == 1 && strcmp(cfg_origin("MCP_STREAMS"), "default") == 0))
		return 0;
	if (waiting)
		n++;
	return workers > 1 && n > most ? most : n;
}

/* Lock one of these bytes of the file.  Its descriptor; -1: all are taken, or there is no file. */
static int
lock_byte(int64_t first, int64_t behind)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/streams", cfg_str("STATE_DIR"));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	for (int64_t i = first; fd >= 0 && i < behind; i++) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i, .l_len = 1 };

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return fd;
	}
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

bool
slot_take(bool waiting)
{
	slot_give();
	slots_fd = lock_byte(0, slots(waiting));
	return slots_fd >= 0;
}

void
slot_give(void)
{
	if (slots_fd >= 0)
		(void)close(slots_fd);
	slots_fd = -1;
}

bool
slot_queue(void)
{
	if (queue_fd < 0)
		queue_fd = lock_byte(QUEUE, QUEUE + 1);
	return queue_fd >= 0;
}

void
slot_unqueue(void)
{
	if (queue_fd >= 0)
		(void)close(queue_fd);
	queue_fd = -1;
}
