#include "mcp/slots.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/config.h"

/* An open file description of this process's own: locks of the fcntl family "OFD" belong to it. */
static int slots_fd = -1;

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

bool
slot_take(bool waiting)
{
	int64_t n = slots(waiting);
	char path[4096];

	slot_give();
	if (n == 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/streams", cfg_str("STATE_DIR"));
	slots_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	if (slots_fd < 0)
		return false;
	for (int64_t i = 0; i < n; i++) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i, .l_len = 1 };

		if (fcntl(slots_fd, F_OFD_SETLK, &lock) == 0)
			return true;
	}
	slot_give();
	return false;
}

void
slot_give(void)
{
	if (slots_fd >= 0)
		(void)close(slots_fd);
	slots_fd = -1;
}
