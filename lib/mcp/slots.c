#include "mcp/slots.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/config.h"

/* An open file description of this process's own: locks of the fcntl family "OFD" belong to it. */
static int slots_fd = -1;

bool
slot_take(bool waiting)
{
	int64_t n = cfg_int("MCP_STREAMS");
	char path[4096];

	slot_give();
	if (n == 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/streams", cfg_str("STATE_DIR"));
	slots_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	if (slots_fd < 0)
		return false;
	for (int64_t i = 0; i < n + (waiting ? 1 : 0); i++) {
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
