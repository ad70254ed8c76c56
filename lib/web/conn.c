#include "web/conn.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "web/workers.h"

#define ENV_MAX 128

struct conn {
	FCGX_Request fcgi;
	uint32_t keys[ENV_MAX];	/* of fcgi.envp, in its order; 0: the end */
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

	if (workers_orphaned())
		return true;
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

/* Length, first and last letter of a name, which rule out all other names: each request asks for twenty of thirty. */
static uint32_t
key_of(const char *name, size_t n)
{
	return n == 0 ? 1 : (uint32_t)n << 16 | (uint32_t)(unsigned char)name[0] << 8 | (unsigned char)name[n - 1];
}

static void
note_keys(struct conn *k)
{
	char **env = k->fcgi.envp;
	size_t i;

	for (i = 0; i < ENV_MAX - 1 && env != NULL && env[i] != NULL; i++)
		k->keys[i] = key_of(env[i], strcspn(env[i], "="));
	k->keys[i] = 0;
}

enum conn_event
conn_accept(struct conn **out)
{
	int rc;

	if (stop_asked())
		return CONN_STOP;
	rc = FCGX_Accept_r(&the_conn.fcgi);
	if (rc == 0) {
		note_keys(&the_conn);
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
	size_t n = strlen(name), i;
	uint32_t key = key_of(name, n);

	if (k->is_cgi)
		return getenv(name);
	for (i = 0; k->keys[i] != 0; i++)
		if (k->keys[i] == key && memcmp(k->fcgi.envp[i], name, n) == 0 && k->fcgi.envp[i][n] == '=')
			return k->fcgi.envp[i] + n + 1;
	return i == ENV_MAX - 1 ? FCGX_GetParam(name, k->fcgi.envp) : NULL;
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

bool
conn_stopping(void)
{
	return stop_asked();
}

/*
 * End the response and close.  libfcgi closes like a TCP peer: shutdown, wait for the other's end, close.  On a local socket nothing is under
 * way once the whole body was read, so closing is enough.
 */
static void
finish_fcgi(FCGX_Request *q)
{
	int fd = q->ipcFd;

	if (q->in == NULL || !FCGX_HasSeenEOF(q->in) || q->keepConnection) {
		FCGX_Finish_r(q);
		return;
	}
	(void)FCGX_FClose(q->err);
	(void)FCGX_FClose(q->out);
	FCGX_Free(q, 0);
	q->ipcFd = -1;
	(void)close(fd);
}

/* The answer ends here, not when the process does: what is folded into the database afterwards is not on the caller's time. */
static void
end_output(void)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fflush(stdout);
	if (nowhere >= 0) {
		dup2(nowhere, STDOUT_FILENO);
		close(nowhere);
	}
}

void
conn_finish(struct conn *k)
{
	if (k->is_cgi)
		end_output();
	else
		finish_fcgi(&k->fcgi);
}
