#include "web/conn.h"

#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct conn {
	FCGX_Request fcgi;
	bool is_cgi;
	size_t left;	/* plain CGI: bytes of the announced body not yet read */
	bool chunked;	/* plain CGI: no length announced, read to the end */
};

static struct conn the_conn;	/* one process serves one request at a time */

bool
conn_is_fastcgi(void)
{
	int on = 0;
	socklen_t sz = sizeof on;

	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &on, &sz) == 0 && on;
}

/* SIGTERM and SIGUSR1 stay blocked, so a request that has begun is finished; between requests they are asked for. */
static void
stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGUSR1);
}

static bool
stop_asked(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGUSR1));
}

/*
 * A blocking accept wakes one of the workers that share the socket; poll or epoll would wake several for each request.  The time limit lets an
 * idle worker fold records, close connections and notice a signal.
 */
bool
conn_open(int sock)
{
	const struct timeval tick = { CONN_TICK_MS / 1000, (CONN_TICK_MS % 1000) * 1000 };
	sigset_t stop;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&the_conn.fcgi, sock, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return false;
	stop_signals(&stop);
	if (sigprocmask(SIG_BLOCK, &stop, NULL) < 0)
		return false;
	return setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick) == 0;
}

enum conn_event
conn_accept(struct conn **out)
{
	int rc;

	if (stop_asked())
		return CONN_STOP;
	rc = FCGX_Accept_r(&the_conn.fcgi);
	if (rc == 0) {
		*out = &the_conn;
		return CONN_REQUEST;
	}
	if (rc == -EAGAIN || rc == -EWOULDBLOCK || rc == -EINTR || rc == -ECONNABORTED)
		return CONN_TICK;
	return CONN_STOP;	/* the socket is gone: the web server has left */
}

struct conn *
conn_cgi(void)
{
	const char *len = getenv("CONTENT_LENGTH");

	the_conn.is_cgi = true;
	if (len && *len)
		the_conn.left = strtoul(len, NULL, 10);
	else
		the_conn.chunked = true;
	return &the_conn;
}

const char *
conn_env(const struct conn *k, const char *name)
{
	return k->is_cgi ? getenv(name) : FCGX_GetParam(name, k->fcgi.envp);
}

size_t
conn_read(struct conn *k, char *p, size_t n)
{
	ssize_t got;

	if (!k->is_cgi) {
		int want = n > 1u << 30 ? 1 << 30 : (int)n;
		int k_read = FCGX_GetStr(p, want, k->fcgi.in);

		return k_read > 0 ? (size_t)k_read : 0;
	}
	if (!k->chunked && n > k->left)
		n = k->left;
	if (n == 0)
		return 0;
	do
		got = read(STDIN_FILENO, p, n);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return 0;
	if (!k->chunked)
		k->left -= (size_t)got;
	return (size_t)got;
}

bool
conn_write(struct conn *k, const char *p, size_t n)
{
	if (k->is_cgi)
		return fwrite(p, 1, n, stdout) == n;
	while (n > 0) {
		int step = n > 1u << 30 ? 1 << 30 : (int)n;

		if (FCGX_PutStr(p, step, k->fcgi.out) != step)
			return false;
		p += step;
		n -= (size_t)step;
	}
	return true;
}

bool
conn_flush(struct conn *k)
{
	return k->is_cgi ? fflush(stdout) == 0 : FCGX_FFlush(k->fcgi.out) == 0;
}

bool
conn_gone(const struct conn *k)
{
	struct pollfd p = { k->is_cgi ? STDOUT_FILENO : k->fcgi.ipcFd, POLLRDHUP, 0 };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

void
conn_finish(struct conn *k)
{
	if (k->is_cgi)
		fflush(stdout);
	else
		FCGX_Finish_r(&k->fcgi);
}
