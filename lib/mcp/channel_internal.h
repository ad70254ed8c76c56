/* What channel.c and channel_watch.c share. */
#ifndef SOUK_MCP_CHANNEL_INTERNAL_H
#define SOUK_MCP_CHANNEL_INTERNAL_H

#include "mcp/channel.h"

/* A message that is being answered, or waits to be. */
struct flight {
	struct flight *next;
	struct channel *channel;
	struct crew_hand *hand;	/* NULL: it waits */
	json_object *id;	/* NULL: a batch, or no valid message */
	bool alone;		/* nothing of its connection begins before it has ended */
	bool answered;		/* its reply was sent */
	bool checks;		/* no message: only whether the token is still good */
	char *asked;		/* id of the question that the client is to answer, or NULL */
	size_t n;
	char text[];
};


struct channels {
	struct arena scratch;		/* for what is at hand: reset whenever it is done */
	struct channel *first;
	struct channel *turn;		/* who may begin next */
	struct crew_hand *watcher;	/* tells what has changed, once somebody wants to know */
	bool wanted;			/* somebody does */
	int nwaiting;			/* messages of all channels that wait */
	int64_t again_ms;		/* when another watcher may be started */
};

extern struct channels all_channels;

void channel_send_error(struct channel *ch, json_object *id, int code, const char *why);
bool ids_equal(json_object *a, json_object *b);
/* Put a message behind those that wait. */
void channel_wait(struct channel *ch, struct flight *f);
/* Begin what waits, channel by channel in turn, while workers are free. */
void channels_begin(void);

/* One worker tells the changes for all channels: see that there is one. */
void watch_begin(void);
/* It has gone. */
void watch_ended(void);
/* Keep a subscription, JSON text as in listen.h. */
void watch_add(struct channel *ch, const char *text, size_t n);
/* End the subscription of that id, of any when it is NULL.  false: there is none. */
bool watch_remove(struct channel *ch, json_object *id);
bool watch_has(const struct channel *ch, json_object *id);
/* Tell all channels what has changed. */
void watch_tell(const char *change);

#endif
