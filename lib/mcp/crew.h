/*
 * Processes that answer messages for one that holds lasting connections (souk-stdio, souk-ws).  Whoever holds connections must never wait for a database; so it
 * gives each message to a process of its own, which waits instead, over a pair of sockets:
 *
 *   holder -> worker   FRAME_JOB      a message to answer, with all that the worker has to know of the connection
 *                      FRAME_CANCEL   give up: nobody waits for the answer
 *                      FRAME_MAY      one byte, not 0: the client may be asked now
 *                      FRAME_ANSWER   what the client has answered to the worker's question
 *   worker -> holder   FRAME_MESSAGE  JSON text for the client: a notification, or a question
 *                      FRAME_REPLY    the same: the reply to the job's message
 *                      FRAME_KEPT     the session has changed: its text, to be given along with the next job
 *                      FRAME_WATCH    a subscription, see listen.h
 *                      FRAME_ASK      the id of the question that the client is to answer; "" when the answer is no longer expected
 *                      FRAME_CHANGE   what has changed, see db_changes_wait()
 *                      FRAME_DONE     the job has ended; the caller's errors that concern the connection: CREW_*
 *
 * Each frame is a struct crew_head and n bytes.  A worker has one job at a time; workers are started when there is work and none is free, end with the holder,
 * and are replaced when they die.  All functions here but crew_work() are the holder's, which has one crew.
 */
#ifndef SOUK_MCP_CREW_H
#define SOUK_MCP_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tool/tool.h"

enum crew_frame {
	FRAME_JOB = 1, FRAME_CANCEL, FRAME_MAY, FRAME_ANSWER,
	FRAME_MESSAGE, FRAME_REPLY, FRAME_KEPT, FRAME_WATCH, FRAME_ASK, FRAME_CHANGE, FRAME_DONE
};

/* How a job has ended. */
enum crew_end {
	CREW_OK,
	CREW_REFUSED,		/* the token is not good (any more) */
	CREW_DOWN,		/* who it is cannot be found out now */
	CREW_DIED		/* the worker has: the client has no answer */
};

enum crew_task {
	CREW_MESSAGE,		/* answer text */
	CREW_VERIFY,		/* is the token good? */
	CREW_WATCH		/* tell all changes of the shop's data, without end */
};

#define CREW_FRAME_MAX (16u << 20)

struct crew_head {
	uint32_t type, n;
};

/* What a worker has to know.  Texts are copied; NULL and "" are the same but for kept. */
struct crew_job {
	enum crew_task task;
	enum transport via;
	bool modern;		/* the connection has spoken the modern revision */
	bool orchestrator;	/* messages of the orchestrator's protocol are understood too */
	const char *token, *remote_ip, *server, *locale;
	const char *base;	/* the address under which we were called, "https://shop.example"; PUBLIC_URL where that is set */
	const char *kept;	/* the session, NULL: none */
	const char *text;	/* the message */
	size_t n;
};

struct crew_hand;	/* a worker with a job */

/* What the holder does with what workers say; called from crew_read() only. */
struct crew_ears {
	void (*frame)(void *owner, struct crew_hand *h, enum crew_frame type, char *text, size_t n);	/* text[n] is '\0' */
	void (*done)(void *owner, struct crew_hand *h, enum crew_end end);	/* the hand is gone then */
	void (*free)(void);	/* a worker may be had again */
};

/*
 * Set up: at most that many workers, not counting those that wait for a client's answer, of which there may be as many again.  Starts none.
 * false: errno.
 */
bool crew_init(int workers, const struct crew_ears *ears);

/* A descriptor that can be read when a worker has said something. */
int crew_fd(void);
/* Take in what workers have said.  A worker that says much is heard in turns, so that others are not kept waiting. */
void crew_read(void);

/* Give a job to a worker; owner is handed to the ears.  NULL: all are busy. */
struct crew_hand *crew_give(const struct crew_job *job, void *owner);
/* Nobody waits for this job any more: it is told to give up, and its owner hears nothing of it. */
void crew_drop(struct crew_hand *h);
/* The client's answer to the question of this job. */
void crew_answer(struct crew_hand *h, const char *text, size_t n);
/* Tell a job that wants to ask the client whether it may: not when as many wait already as there are workers. */
bool crew_may_ask(struct crew_hand *h);
/* Note whether a worker waits for somebody outside; it does not count then. */
void crew_outside(struct crew_hand *h, bool outside);

/* Do a job at once, and wait for its end at most that long.  For CREW_VERIFY: nothing else is heard of meanwhile. */
enum crew_end crew_ask_now(const struct crew_job *job, int wait_ms);

/* Begin new work no more; how many jobs are not done yet (dropped ones do not count). */
int crew_busy(void);
/* End all workers, those that do not end by themselves by force.  Never fails. */
void crew_stop(void);

/* The worker's life on its end of the pair of sockets; returns its exit status. */
int crew_work(int fd);

#endif
