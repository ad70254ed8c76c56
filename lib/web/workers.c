#include "web/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
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

struct worker {
	pid_t pid;	/* 0: none */
	int64_t born_ms;
};

static struct worker workers[WORKERS_MAX];
static sigset_t watched;

/*
 * When memory runs out the kernel shall take a worker, which is replaced, and not the parent: lighttpd finds the socket still in use then, by
 * workers that are about to end, and starts no other.
 */
static void
offer_to_oom_killer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "200", 3) < 0)
		log_event(LOG_DEBUG_, NULL, "oom_score_adj is not for us", LOG_I("errno", errno));
	(void)close(fd);
}

static void
spawn(struct worker *w, int sock, int (*work)(int))
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0) {
		log_event(LOG_ERROR_, NULL, "cannot start a worker", LOG_I("errno", errno));
		return;
	}
	if (pid > 0) {
		w->pid = pid;
		w->born_ms = now_ms();
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &watched, NULL);
	signal(SIGINT, SIG_IGN);	/* Ctrl-C reaches the whole terminal group; the parent decides */
	db_forget();
	kv_forget();
	record_forget();
	offer_to_oom_killer();
	exit(getppid() == parent ? work(sock) : 0);
}

static struct worker *
find(pid_t pid, int n)
{
	for (int i = 0; i < n; i++)
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

	for (int i = 0; i < n; i++)
		k += workers[i].pid != 0;
	return k;
}

static void
stop_all(int n)
{
	const struct timespec step = { 0, 20 * 1000 * 1000 };
	int64_t end = now_ms() + STOP_MS;

	for (int i = 0; i < n; i++)
		if (workers[i].pid)
			kill(workers[i].pid, SIGTERM);
	for (reap(n); alive(n) && now_ms() < end; reap(n))
		nanosleep(&step, NULL);
	for (int i = 0; i < n; i++)
		if (workers[i].pid)
			kill(workers[i].pid, SIGKILL);
}

/* Keep n workers; the time until the next one may be started again, milliseconds. */
static int
keep(int n, int sock, int (*work)(int))
{
	int wait_ms = 60000;

	for (int i = 0; i < n; i++) {
		int64_t again = workers[i].born_ms ? workers[i].born_ms + 1000 - now_ms() : 0;

		if (workers[i].pid)
			continue;
		if (again <= 0)
			spawn(&workers[i], sock, work);
		else if (again < wait_ms)
			wait_ms = (int)again;
	}
	return wait_ms;
}

int
workers_run(int sock, int n, int (*work)(int sock))
{
	struct timespec ts;
	int sig, ms;

	if (n > WORKERS_MAX)
		n = WORKERS_MAX;
	sigemptyset(&watched);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGUSR1);
	sigaddset(&watched, SIGCHLD);
	sigprocmask(SIG_BLOCK, &watched, NULL);
	for (;;) {
		ms = keep(n, sock, work);
		ts = (struct timespec){ ms / 1000, (ms % 1000) * 1000000L };
		sig = sigtimedwait(&watched, NULL, &ts);
		reap(n);
		if (sig == SIGTERM || sig == SIGINT || sig == SIGUSR1)
			break;
	}
	stop_all(n);
	log_event(LOG_INFO_, NULL, "stopped");
	return 0;
}
