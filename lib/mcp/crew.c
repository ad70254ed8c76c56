#include "mcp/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "store/db.h"
#include "store/kv.h"
#include "tool/record.h"

#define HANDS_MAX 256
#define READ_STEP 65536
#define SEND_MS 2000	/* a worker that takes nothing for so long is ended */
#define STOP_MS 6000	/* work that has begun may end; then by force */
#define BIRTHS_S 20	/* at most so many workers are started in a second: they may die as fast */

struct crew_hand {
	pid_t pid;		/* 0: none */
	int fd;
	void *owner;		/* NULL: the job was dropped */
	bool busy, outside;
	int64_t jobs;		/* so far */
	char *in;		/* what has come of its frames */
	size_t n, cap;
};

static struct {
	int epoll, most;
	struct crew_ears ears;
	struct crew_hand hands[HANDS_MAX];
	struct crew_hand doorman;	/* for crew_ask_now() alone */
	int64_t second;			/* in which the last workers were started, */
	int births;			/* and how many */
} crew = { .epoll = -1 };

bool
crew_init(int workers, const struct crew_ears *ears)
{
	crew.most = workers < HANDS_MAX / 2 ? workers : HANDS_MAX / 2 - 1;
	crew.ears = *ears;
	crew.epoll = epoll_create1(EPOLL_CLOEXEC);
	return crew.epoll >= 0;
}

int
crew_fd(void)
{
	return crew.epoll;
}

/* As many as may work, as many as may wait for somebody outside, and the one that watches for changes. */
static int
places(void)
{
	return 2 * crew.most + 1;
}

/* The child has nothing of its parent's but standard error and its end of the pair. */
static _Noreturn void
be_worker(int fd, pid_t parent)
{
	sigset_t none;
	int null;

	if (fd != 3) {
		(void)dup2(fd, 3);
		fd = 3;
	}
	(void)close_range(4, ~0u, 0);
	null = open("/dev/null", O_RDWR);
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)close(null);
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)signal(SIGINT, SIG_IGN);	/* Ctrl-C reaches the whole terminal group; the holder decides */
	(void)signal(SIGTERM, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	log_reopen();
	db_forget();
	kv_forget();
	record_forget();
	_exit(getppid() == parent ? crew_work(fd) : 0);
}

static bool
may_be_born(void)
{
	int64_t second = now_ms() / 1000;

	if (second != crew.second) {
		crew.second = second;
		crew.births = 0;
	}
	return crew.births++ < BIRTHS_S;
}

static bool
hire(struct crew_hand *h)
{
	const struct timeval limit = { SEND_MS / 1000, 0 };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = h };
	pid_t parent = getpid();
	int pair[2];

	if (!may_be_born() || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	*h = (struct crew_hand){ .fd = pair[0] };
	h->pid = fork();
	if (h->pid == 0)
		be_worker(pair[1], parent);
	(void)close(pair[1]);
	(void)setsockopt(h->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (h->pid < 0 || epoll_ctl(crew.epoll, EPOLL_CTL_ADD, h->fd, &ev) != 0) {
		log_event(LOG_ERROR_, NULL, "cannot start a worker", LOG_I("errno", errno));
		(void)close(h->fd);
		*h = (struct crew_hand){ 0 };
		return false;
	}
	return true;
}

/* A worker has ended, or is to. */
static void
dismiss(struct crew_hand *h, bool force)
{
	struct crew_hand was = *h;
	int status = 0;

	(void)close(was.fd);
	if (force)
		(void)kill(was.pid, SIGKILL);
	(void)waitpid(was.pid, &status, force ? 0 : WNOHANG);
	if (was.busy && !force)
		log_event(LOG_ERROR_, NULL, "worker died", LOG_I("pid", was.pid), LOG_I("status", status));
	free(was.in);
	*h = (struct crew_hand){ 0 };
	if (was.busy && was.owner != NULL)
		crew.ears.done(was.owner, NULL, CREW_DIED);
}

static bool
send_all(struct crew_hand *h, const void *p, size_t n, int flags)
{
	const char *s = p;

	while (n > 0) {
		ssize_t k = send(h->fd, s, n, MSG_NOSIGNAL | flags);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		s += k;
		n -= (size_t)k;
	}
	return true;
}

static bool
tell(struct crew_hand *h, enum crew_frame type, const char *text, size_t n)
{
	const struct crew_head head = { (uint32_t)type, (uint32_t)n };

	return send_all(h, &head, sizeof(head), n > 0 ? MSG_MORE : 0) && send_all(h, text, n, 0);
}

/* Flags, then texts that end with NUL, then the message; crew_work.c reads the same. */
static bool
give(struct crew_hand *h, const struct crew_job *job)
{
	const char *const texts[] = { job->token, job->remote_ip, job->server, job->locale, job->base, job->kept };
	const char flags[] = { (char)job->task, (char)job->via, (char)job->modern, (char)job->orchestrator, (char)(job->kept != NULL) };
	struct crew_head head = { FRAME_JOB, (uint32_t)(sizeof(flags) + job->n) };
	bool ok;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		head.n += (uint32_t)(texts[i] != NULL ? strlen(texts[i]) : 0) + 1;
	ok = send_all(h, &head, sizeof(head), MSG_MORE) && send_all(h, flags, sizeof(flags), MSG_MORE);
	for (size_t i = 0; ok && i < sizeof(texts) / sizeof(texts[0]); i++)
		ok = send_all(h, texts[i] != NULL ? texts[i] : "", (texts[i] != NULL ? strlen(texts[i]) : 0) + 1, job->n > 0 ? MSG_MORE : 0);
	return ok && send_all(h, job->text, job->n, 0);
}

/* ---- jobs --------------------------------------------------------------------------- */

/* A worker that is free, or a place for a new one; NULL: all have work. */
static struct crew_hand *
find_free(void)
{
	struct crew_hand *place = NULL;
	int working = 0;

	for (int i = 0; i < places(); i++) {
		struct crew_hand *h = &crew.hands[i];

		if (h->pid != 0 && !h->busy)
			return h;
		working += h->busy && !h->outside;
		if (h->pid == 0 && place == NULL)
			place = h;
	}
	return working < crew.most && place != NULL && hire(place) ? place : NULL;
}

struct crew_hand *
crew_give(const struct crew_job *job, void *owner)
{
	struct crew_hand *h;

	/* one that has died in the meantime takes nothing */
	while ((h = find_free()) != NULL && !give(h, job))
		dismiss(h, true);
	if (h == NULL)
		return NULL;
	h->busy = true;
	h->outside = false;
	h->owner = owner;
	h->jobs++;
	return h;
}

void
crew_drop(struct crew_hand *h)
{
	h->owner = NULL;
	h->outside = false;
	if (!tell(h, FRAME_CANCEL, NULL, 0))
		dismiss(h, true);
}

void
crew_answer(struct crew_hand *h, const char *text, size_t n)
{
	if (!tell(h, FRAME_ANSWER, text, n))
		dismiss(h, true);
}

bool
crew_may_ask(struct crew_hand *h)
{
	int outside = 0;
	char may;

	for (int i = 0; i < places(); i++)
		outside += crew.hands[i].outside && &crew.hands[i] != h;
	may = outside <= crew.most;
	h->outside = may;
	if (tell(h, FRAME_MAY, &may, 1))
		return may;
	dismiss(h, true);
	return false;
}

void
crew_outside(struct crew_hand *h, bool outside)
{
	h->outside = outside;
}

int
crew_busy(void)
{
	int n = 0;

	for (int i = 0; i < places(); i++)
		n += crew.hands[i].busy && crew.hands[i].owner != NULL;
	return n;
}

/* ---- what workers say --------------------------------------------------------------- */

static void
finished(struct crew_hand *h, enum crew_end end)
{
	void *owner = h->owner;
	int64_t most = cfg_int("WORKER_REQUESTS");

	h->busy = h->outside = false;
	h->owner = NULL;
	if (owner != NULL)
		crew.ears.done(owner, h, end);
	if (!h->busy && most > 0 && h->jobs >= most)
		dismiss(h, false);	/* it ends when its socket does */
	if (h != &crew.doorman)
		crew.ears.free();
}

/* One frame; false: it is none, and the worker has gone mad. */
static bool
hear(struct crew_hand *h, const struct crew_head *head, char *text)
{
	char after = text[head->n];
	pid_t pid = h->pid;

	if (head->type < FRAME_MESSAGE || head->type > FRAME_DONE)
		return false;
	text[head->n] = '\0';
	if (head->type != FRAME_DONE && h->owner != NULL)
		crew.ears.frame(h->owner, h, (enum crew_frame)head->type, text, head->n);
	if (h->pid == pid)
		text[head->n] = after;
	return true;
}

/* All whole frames of what has come.  false: the worker is gone. */
static bool
hear_all(struct crew_hand *h)
{
	size_t at = 0;

	while (h->n - at >= sizeof(struct crew_head)) {
		struct crew_head head;
		pid_t pid = h->pid;

		memcpy(&head, h->in + at, sizeof(head));
		if (head.n > CREW_FRAME_MAX || h->n - at - sizeof(head) < head.n)
			break;
		at += sizeof(head);
		if (!hear(h, &head, h->in + at)) {
			dismiss(h, true);
			return false;
		}
		if (h->pid != pid)
			return false;
		at += head.n;
		if (head.type == FRAME_DONE) {
			/* it says no more until it has another job */
			enum crew_end end = head.n == 1 ? (enum crew_end)h->in[at - 1] : CREW_OK;

			h->n = 0;
			finished(h, end);
			return h->pid == pid;
		}
	}
	memmove(h->in, h->in + at, h->n - at);
	h->n -= at;
	return true;
}

static void
read_from(struct crew_hand *h)
{
	size_t want = READ_STEP;
	struct crew_head head;
	ssize_t k;

	if (h->n >= sizeof(head)) {
		memcpy(&head, h->in, sizeof(head));
		want = head.n > CREW_FRAME_MAX ? 0 : sizeof(head) + head.n;
	}
	if (h->cap < want || h->cap - h->n < READ_STEP) {
		h->cap = (h->n > want ? h->n : want) + READ_STEP;
		h->in = realloc(h->in, h->cap + 1);
	}
	k = want > 0 ? recv(h->fd, h->in + h->n, h->cap - h->n, MSG_DONTWAIT) : 0;
	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (k <= 0) {
		dismiss(h, want == 0);
		crew.ears.free();
		return;
	}
	h->n += (size_t)k;
	if (hear_all(h) && h->n == 0 && h->cap > 4 * READ_STEP) {
		free(h->in);
		h->in = NULL;
		h->cap = 0;
	}
}

void
crew_read(void)
{
	struct epoll_event ev[32];
	int n = epoll_wait(crew.epoll, ev, 32, 0);

	for (int i = 0; i < n; i++) {
		struct crew_hand *h = ev[i].data.ptr;

		if (h->pid != 0)
			read_from(h);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;	/* those that were told to end, and have */
}

enum crew_end
crew_ask_now(const struct crew_job *job, int wait_ms)
{
	struct crew_hand *h = &crew.doorman;
	struct pollfd p;
	int64_t end = now_ms() + wait_ms;
	struct { struct crew_head head; char end; } __attribute__((packed)) reply;

	if (h->busy || (h->pid == 0 && !hire(h)))
		return CREW_DOWN;
	if (!give(h, job)) {
		dismiss(h, true);
		return CREW_DOWN;
	}
	h->busy = true;
	p = (struct pollfd){ .fd = h->fd, .events = POLLIN };
	while (now_ms() < end && poll(&p, 1, (int)(end - now_ms())) < 0 && errno == EINTR)
		;
	if (p.revents == 0)
		return CREW_DOWN;	/* crew_read() hears of its end */
	h->busy = false;
	if (recv(h->fd, &reply, sizeof(reply), MSG_WAITALL) != (ssize_t)sizeof(reply) || reply.head.type != FRAME_DONE) {
		dismiss(h, true);
		return CREW_DOWN;
	}
	return (enum crew_end)reply.end;
}

void
crew_stop(void)
{
	const struct timespec step = { 0, 10 * 1000 * 1000 };
	int64_t end = now_ms() + STOP_MS;

	for (int i = 0; i <= HANDS_MAX; i++) {
		struct crew_hand *h = i < HANDS_MAX ? &crew.hands[i] : &crew.doorman;

		if (h->pid != 0)
			(void)close(h->fd);
	}
	for (int i = 0; i <= HANDS_MAX; i++) {
		struct crew_hand *h = i < HANDS_MAX ? &crew.hands[i] : &crew.doorman;

		while (h->pid != 0 && waitpid(h->pid, NULL, WNOHANG) == 0 && now_ms() < end)
			(void)nanosleep(&step, NULL);
		if (h->pid != 0 && now_ms() >= end)
			(void)kill(h->pid, SIGKILL);
		free(h->in);
		*h = (struct crew_hand){ 0 };
	}
	if (crew.epoll >= 0)
		(void)close(crew.epoll);
	crew.epoll = -1;
}
