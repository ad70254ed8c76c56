#include "web/conn.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
	FCGX_Request fcgi;
	bool is_cgi;
	size_t left;	/* plain CGI: bytes of the announced body not yet read */
	bool chunked;	/* plain CGI: no length announced, read to the end */
};

static struct conn the_conn;	/* one process serves one request at a time */
static int listen_sock = -1, epoll_fd = -1;
static volatile sig_atomic_t stopping;
static sigset_t wait_mask;	/* the mask while waiting: the only time at which SIGTERM is let in */

bool
conn_is_fastcgi(void)
{
	int on = 0;
	socklen_t sz = sizeof on;

	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &on, &sz) == 0 && on;
}

static void
on_term(int sig)
{
	(void)sig;
	stopping = 1;
	FCGX_ShutdownPending();
}

/*
 * The accept is made nonblocking and waits in epoll: a blocking accept could not wake up for the flush of records or for idle
 * connections.  EPOLLEXCLUSIVE wakes one of the workers that share the socket, not all.  SIGTERM is let in only while waiting, so a
 * request that has begun is finished and no signal slips in between the test of the flag and the wait.
 */
bool
conn_open(int sock)
{
	struct sigaction sa = { .sa_handler = on_term };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	sigset_t term;
	int flags;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigaddset(&term, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &term, &wait_mask) < 0)
		return false;
	sigdelset(&wait_mask, SIGTERM);
	sigdelset(&wait_mask, SIGUSR1);
	if (FCGX_Init() != 0 || FCGX_InitRequest(&the_conn.fcgi, sock, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return false;
	if (sigaction(SIGTERM, &sa, NULL) < 0 || sigaction(SIGUSR1, &sa, NULL) < 0)
		return false;
	if ((flags = fcntl(sock, F_GETFL)) < 0 || fcntl(sock, F_SETFL, flags | O_NONBLOCK) < 0)
		return false;
	if ((epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, sock, &ev) < 0)
		return false;
	listen_sock = sock;
	return true;
}

enum conn_event
conn_accept(struct conn **out, int timeout_ms)
{
	struct epoll_event ev;
	int n, rc;

	for (;;) {
		n = stopping ? -1 : epoll_pwait(epoll_fd, &ev, 1, timeout_ms, &wait_mask);
		if (stopping)
			return CONN_STOP;
		if (n == 0)
			return CONN_TICK;
		if (n < 0 && errno != EINTR)
			return CONN_STOP;
		if (n < 0)
			continue;
		rc = FCGX_Accept_r(&the_conn.fcgi);
		if (rc == 0) {
			*out = &the_conn;
			return CONN_REQUEST;
		}
		if (stopping)
			return CONN_STOP;
		if (rc != -EAGAIN && rc != -EWOULDBLOCK && rc != -EINTR && rc != -ECONNABORTED)
			return CONN_STOP;	/* the socket is gone: the web server has left */
	}
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
