/*
 * One lasting connection of the protocol (a pipe, a WebSocket), as whoever holds it sees it: which requests are being answered, which wait, what the client is
 * asked, what it has subscribed to, what its session remembers.  It answers nothing itself, but gives messages to the crew (crew.h).
 *
 * Messages are begun in the order in which they came.  Up to `most` are answered at a time; one that changes what the connection is (initialize,
 * subscriptions, log level) is answered before the next begins.  A client may have CHANNEL_WAITING more on the way; further ones are refused at once.
 */
#ifndef SOUK_MCP_CHANNEL_H
#define SOUK_MCP_CHANNEL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ctx.h"
#include "mcp/crew.h"
#include "mcp/mcp.h"

#define CHANNEL_WAITING 64		/* messages that wait to be begun */
#define CHANNEL_WAITING_SZ (4u << 20)	/* and their bytes */
#define CHANNEL_SUBSCRIPTIONS 16	/* subscriptions/listen at a time */

struct flight;
struct subscription;

struct channel {
	/* set by the holder; texts have to outlive the channel */
	enum transport via;
	const char *token, *remote_ip, *server, *locale, *base;	/* as in struct crew_job; "" for none */
	bool orchestrator;
	int most;		/* messages answered at a time */
	bool (*send)(struct channel *ch, const char *json, size_t n);	/* false: the connection is to be closed */
	void (*refused)(struct channel *ch);	/* the token is not good any more: close */
	/* own */
	bool modern;
	char *kept;
	json_object *session;	/* what kept says */
	struct flight *flights, *waiting, *last_waiting;
	struct subscription *subscriptions;
	int nflights, nwaiting, nsubscriptions;
	size_t waitingsz;
	struct channel *next, *prev;	/* all channels */
	int64_t messages;
};

/* Workers for all channels: at most so many, see crew_init(). */
bool channels_init(int workers);
/* Take in what workers have said, and begin what waits. */
void channels_read(void);

void channel_open(struct channel *ch);
/* End it: what is being answered is given up. */
void channel_close(struct channel *ch);

/* A message of the client. */
void channel_take(struct channel *ch, const char *text, size_t n);
/* Something that is no message came (a line that is too long): tell the client so. */
void channel_refuse(struct channel *ch, int code, const char *why);

/* Is anything still to be answered that does not need the client?  After the end of its input. */
bool channel_busy(const struct channel *ch);
/* The client will send nothing more: its subscriptions end, and what it was asked stays unanswered. */
void channel_finish(struct channel *ch);

#endif
