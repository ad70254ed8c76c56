/*
 * A server that says nothing: is it slow, or stopped?  A slow statement may take what the request's deadline leaves it; for a server that is stopped
 * nobody should wait so long, and those who queue behind the waiting worker still less.  So the server is asked on a second connection
 * whether it speaks TLS, which needs no log-in, no slot and no line in its log, and which whoever accepts connections answers with one byte.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "store/db_internal.h"

/* PostgreSQL's SSLRequest: length 8, code 80877103. */
static const unsigned char tls_request[8] = { 0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F };

/* A connection on its way to where the one of the process goes; -1: that cannot be. */
static int
connect_beside(void)
{
	struct sockaddr_storage to = { 0 };
	socklen_t tosz = sizeof(to);
	int fd;

	if (getpeername(PQsocket(db.pg), (struct sockaddr *)&to, &tosz) != 0)
		return -1;
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, tosz) != 0 && errno != EINPROGRESS) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Ask on fd and wait for a word there or on the connection of the process; false: none until end_ms. */
static bool
ask(int fd, int64_t end_ms)
{
	bool asked = false;

	for (;;) {
		struct pollfd p[2] = { { fd, asked ? POLLIN : POLLOUT, 0 }, { PQsocket(db.pg), POLLIN, 0 } };
		int64_t left = end_ms - now_ms();

		if (left <= 0)
			return false;
		if (poll(p, 2, (int)left) <= 0)
			continue;
		if (p[1].revents != 0 || asked || (p[0].revents & (POLLERR | POLLHUP)) != 0)
			return true;
		if (send(fd, tls_request, sizeof(tls_request), MSG_NOSIGNAL) != (ssize_t)sizeof(tls_request))
			return true;
		asked = true;
	}
}

bool
db_answers(int64_t end_ms)
{
	int fd = connect_beside();
	bool yes = fd < 0 || ask(fd, end_ms);

	if (fd >= 0)
		(void)close(fd);
	return yes;
}
