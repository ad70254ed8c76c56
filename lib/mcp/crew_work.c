/* The worker's end of crew.h. */
#include "mcp/crew.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/subject.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "core/random.h"
#include "mcp/mcp.h"
#include "mcp/orchestrator.h"
#include "store/db.h"
#include "tool/record.h"
#include "web/app.h"

#define LOOK_MS 1000	/* between two looks whether the holder still wants to know of changes */
#define AGAIN_MS 2000	/* until a database that is away is tried again */

/* The way back to the client, by way of the holder. */
struct link {
	struct mcp_stream stream;	/* first member */
	int fd;
	bool gone;			/* the job was cancelled, or there is no holder any more */
	const char *answer;		/* in the arena */
	int may;			/* ask the client: 1 yes, 0 no, -1 not told yet */
	size_t n;
};

static bool
read_all(int fd, void *p, size_t n)
{
	char *s = p;

	while (n > 0) {
		ssize_t k = recv(fd, s, n, 0);

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
send_frame(int fd, enum crew_frame type, const char *text, size_t n)
{
	struct crew_head head = { (uint32_t)type, (uint32_t)n };
	const char *parts[] = { (const char *)&head, text };
	const size_t sizes[] = { sizeof(head), n };

	for (size_t i = 0; i < 2; i++)
		for (size_t at = 0; at < sizes[i];) {
			ssize_t k = send(fd, parts[i] + at, sizes[i] - at, MSG_NOSIGNAL | (i == 0 && n > 0 ? MSG_MORE : 0));

			if (k < 0 && errno == EINTR)
				continue;
			if (k <= 0)
				return false;
			at += (size_t)k;
		}
	return true;
}

static struct ctx *job_ctx;	/* of the job at hand */

/* ---- the stream --------------------------------------------------------------------- */

/* Take in what the holder has said about the job, waiting at most so long for its first word.  c NULL: answers are not kept. */
static void
listen_to_holder(struct link *l, struct ctx *c, int wait_ms)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	struct crew_head head;
	char *text;

	while (!l->gone && poll(&p, 1, wait_ms) > 0) {
		wait_ms = 0;
		if (!read_all(l->fd, &head, sizeof(head)) || head.n > CREW_FRAME_MAX || c == NULL || head.type == FRAME_JOB) {
			l->gone = true;
			return;
		}
		text = arena_alloc(c->a, (size_t)head.n + 1);
		if (!read_all(l->fd, text, head.n))
			l->gone = true;
		text[head.n] = '\0';
		if (head.type == FRAME_CANCEL)
			l->gone = true;
		if (head.type == FRAME_MAY && head.n == 1)
			l->may = text[0] != 0;
		if (head.type == FRAME_ANSWER) {
			l->answer = text;
			l->n = head.n;
		}
	}
}

static bool
link_send(struct mcp_stream *s, const char *json, size_t n)
{
	struct link *l = (struct link *)s;

	s->open = true;
	if (!l->gone && !send_frame(l->fd, FRAME_MESSAGE, json, n))
		l->gone = true;
	return !l->gone;
}

static bool
link_alive(struct mcp_stream *s, bool beat)
{
	struct link *l = (struct link *)s;

	(void)beat;	/* the holder sees to the connection */
	listen_to_holder(l, job_ctx, 0);
	return !l->gone;
}

static bool
link_ask(struct mcp_stream *s, const char *id)
{
	struct link *l = (struct link *)s;

	l->answer = NULL;
	l->may = id != NULL ? -1 : 0;
	if (!send_frame(l->fd, FRAME_ASK, id != NULL ? id : "", id != NULL ? strlen(id) : 0))
		l->gone = true;
	while (!l->gone && l->may < 0)
		listen_to_holder(l, job_ctx, -1);
	return !l->gone && l->may > 0;
}

static const char *
link_answer(struct mcp_stream *s, struct ctx *c, int wait_ms, size_t *n)
{
	struct link *l = (struct link *)s;

	if (l->answer == NULL)
		listen_to_holder(l, c, wait_ms);
	*n = l->n;
	return l->answer;
}

static bool
link_watch(struct mcp_stream *s, const char *watch, size_t n)
{
	struct link *l = (struct link *)s;

	if (!send_frame(l->fd, FRAME_WATCH, watch, n))
		l->gone = true;
	return !l->gone;
}

/* ---- jobs --------------------------------------------------------------------------- */

/* The job that the frame holds; its texts point into it.  false: it is none. */
static bool
read_job(const char *p, size_t n, struct crew_job *job)
{
	const char *end = p + n, **const texts[] = { &job->token, &job->remote_ip, &job->server, &job->locale, &job->base, &job->kept };

	if (n < 5)
		return false;
	*job = (struct crew_job){ .task = (enum crew_task)p[0], .via = (enum transport)p[1], .modern = p[2], .orchestrator = p[3] };
	n = (size_t)p[4];
	p += 5;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *nul = memchr(p, '\0', (size_t)(end - p));

		if (nul == NULL)
			return false;
		*texts[i] = p;
		p = nul + 1;
	}
	if (n == 0)
		job->kept = NULL;
	job->text = p;
	job->n = (size_t)(end - p);
	return true;
}

/* Who speaks on the connection: asked anew for each message, so that a revocation holds at once.  The token was sent along, never its result. */
static enum crew_end
find_speaker(struct ctx *c, const struct crew_job *job, struct subject *who)
{
	const struct bearer b = { .text = job->token, .remote_ip = job->remote_ip, .base_url = job->base,
		.path = job->server[0] != '\0' ? arena_printf(c->a, "/mcp/%s", job->server) : "/mcp" };
	enum err e;

	subject_anonymous(c, job->remote_ip, who);
	if (job->via == VIA_STDIO)
		who->principal = "stdio";
	if (job->token[0] == '\0')
		return CREW_OK;
	e = subject_resolve(c, &b, who);
	if (e == E_OK)
		return CREW_OK;
	ctx_clear_error(c);
	return e == E_UNAUTHENTICATED ? CREW_REFUSED : CREW_DOWN;
}

static enum crew_end
answer_message(struct ctx *c, const struct crew_job *job, struct link *l)
{
	struct mcp_io io = {
		.server = job->server, .via = job->via, .locale = job->locale[0] != '\0' ? job->locale : NULL, .remote_ip = job->remote_ip,
		.base_url = job->base, .stream = &l->stream, .lasting = true, .modern = job->modern, .kept = job->kept,
	};
	struct subject who;
	enum crew_end end = find_speaker(c, job, &who);

	if (end != CREW_OK)
		return end;
	io.who = &who;
	if (job->orchestrator && orchestrator_is_message(c, job->text, job->n)) {
		io.reply = orchestrator_answer(c, &io, job->text, job->n, &io.n);
	} else if (mcp_message(c, &io, job->text, job->n) != E_OK) {
		return CREW_DIED;
	}
	if (io.kept != job->kept && io.kept != NULL && !send_frame(l->fd, FRAME_KEPT, io.kept, strlen(io.kept)))
		l->gone = true;
	if (io.reply != NULL && !l->gone)
		(void)send_frame(l->fd, FRAME_REPLY, io.reply, io.n);
	return CREW_OK;
}

/* Until the holder has gone. */
static void
watch_changes(struct ctx *c, struct link *l)
{
	unsigned tokens = db_generation_tokens();
	char change[512];
	bool missed;

	while (!l->gone) {
		c->deadline_ms = now_ms() + LOOK_MS + cfg_int("API_TIMEOUT_MS");
		if (db_changes_begin(c) == E_OK) {
			while (!l->gone && db_changes_wait(c, LOOK_MS, change, sizeof(change), &missed) == E_OK) {
				if (missed)
					(void)send_frame(l->fd, FRAME_CHANGE, "*", 1);
				if (db_generation_tokens() != tokens && !send_frame(l->fd, FRAME_CHANGE, "tokens", 6))
					l->gone = true;
				tokens = db_generation_tokens();
				if (change[0] != '\0' && !send_frame(l->fd, FRAME_CHANGE, change, strlen(change)))
					l->gone = true;
				listen_to_holder(l, NULL, 0);
				c->deadline_ms = now_ms() + LOOK_MS + cfg_int("API_TIMEOUT_MS");
				arena_reset(c->a);
			}
			db_changes_end(c);
		}
		ctx_clear_error(c);
		if (l->gone)
			return;
		listen_to_holder(l, NULL, AGAIN_MS);
		if (!l->gone)
			(void)send_frame(l->fd, FRAME_CHANGE, "*", 1);
	}
}

static enum crew_end
do_job(struct ctx *c, int fd, const char *frame, size_t n)
{
	struct link l = { .stream = { .send = link_send, .alive = link_alive, .there = link_alive, .ask = link_ask, .answer = link_answer, .watch = link_watch },
		.fd = fd };
	struct crew_job job;
	struct subject who;

	job_ctx = c;
	if (!read_job(frame, n, &job))
		return CREW_DIED;
	switch (job.task) {
	case CREW_VERIFY:
		return find_speaker(c, &job, &who);
	case CREW_WATCH:
		watch_changes(c, &l);
		return CREW_OK;
	default:
		return answer_message(c, &job, &l);
	}
}

/* The frame of the next job, to be freed; NULL: the holder has gone. */
static char *
next_job(int fd, size_t *n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct crew_head head;
	char *frame;

	for (;;) {
		int due = record_due_ms();

		if (poll(&p, 1, due >= 0 && due < 1000 ? due : 1000) == 0) {
			token_flush_uses();
			log_flush();
			app_tick();
			continue;
		}
		if (!read_all(fd, &head, sizeof(head)) || head.n > CREW_FRAME_MAX)
			return NULL;
		frame = malloc((size_t)head.n + 1);
		if (!read_all(fd, frame, head.n)) {
			free(frame);
			return NULL;
		}
		*n = head.n;
		if (head.type == FRAME_JOB)
			return frame;
		free(frame);	/* it came too late for the job before */
	}
}

int
crew_work(int fd)
{
	static struct arena arena;
	struct ctx c;
	jmp_buf overflow;
	char *frame;
	size_t n;

	arena_init(&arena, (size_t)cfg_int("REQUEST_MEMORY_MAX"));
	arena.overflow = &overflow;
	log_keep_back();
	while ((frame = next_job(fd, &n)) != NULL) {
		char end = CREW_DIED;

		c = (struct ctx){ .a = &arena, .deadline_ms = now_ms() + cfg_int("API_TIMEOUT_MS") };
		random_uuid(c.id);
		if (setjmp(overflow) == 0)
			end = (char)do_job(&c, fd, frame, n);
		db_rollback(&c);
		arena_reset(&arena);
		free(frame);
		if (!send_frame(fd, FRAME_DONE, &end, 1))
			break;
		app_tick();
	}
	arena.overflow = NULL;
	app_stop();
	return 0;
}
