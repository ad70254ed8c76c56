/*
 * Channels: how a row of souk.outbox leaves the house.  A channel is one function of the table in channels.c; it makes one attempt and says what came of
 * it.  It must be safe to make the same attempt twice: a process may be killed between the provider's answer and our note of it.  Where the
 * provider takes an idempotency key, it is delivery.key, the same at every attempt; where it does not, it is asked whether it has the message (delivery.unsure).
 */
#ifndef SOUK_NOTIFY_CHANNEL_H
#define SOUK_NOTIFY_CHANNEL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/ctx.h"
#include "notify/catalog.h"

#define CHANNEL_TIMEOUT_MS 20000	/* of one attempt */

struct delivery {
	const char *id;			/* of the row, decimal */
	const char *channel, *template, *recipient, *locale;	/* template and recipient may be "" */
	const char *key;		/* a UUID: the same at every attempt */
	int attempt;			/* 1 is the first */
	int64_t age_s;			/* since it was queued */
	bool unsure;			/* the provider may have it already: nobody knows what it answered last */
	json_object *data;
};

enum outcome_kind {
	OUTCOME_SENT,
	OUTCOME_RETRY,		/* later it may work */
	OUTCOME_HOLD,		/* nothing was tried: a breaker, a limit; does not count as an attempt */
	OUTCOME_PARK,		/* it will not work until somebody changes something */
	OUTCOME_OPT_OUT		/* the recipient wants nothing on this channel, the provider says */
};

struct outcome {
	enum outcome_kind kind;
	const char *reason;	/* why not, for people; nothing personal and no secret */
	const char *provider_id;	/* what the provider calls the message; NULL */
	bool lost;		/* with RETRY: no answer came, so the provider may have it */
	int wait_s;		/* what the provider asks to wait; 0: as usual */
};

typedef void channel_fn(struct ctx *c, const struct delivery *d, struct outcome *out);

/* The function of a channel; NULL when this program has none of that name. */
channel_fn *channel_find(const char *name);

void mail_send(struct ctx *c, const struct delivery *d, struct outcome *out);
void sms_send(struct ctx *c, const struct delivery *d, struct outcome *out);
void whatsapp_send(struct ctx *c, const struct delivery *d, struct outcome *out);
void webhook_send(struct ctx *c, const struct delivery *d, struct outcome *out);

/* The message of the row, filled in; false: *out says why not. */
bool channel_message(struct ctx *c, const struct delivery *d, struct notify_message *m, struct outcome *out);

/* Write text into MAIL_DIR as ID-NAME.EXT, whole or not at all.  false: there is no such folder set; *out says what came of it else. */
bool channel_write(struct ctx *c, const struct delivery *d, const char *ext, const char *text, size_t n, struct outcome *out);

struct fetch_reply;
/* What an HTTP request without a usable answer means: a retry, or holding back. */
void channel_no_answer(const struct fetch_reply *reply, struct outcome *out);

/*
 * How many text messages (segments) a text becomes: GSM 03.38 of 160, or 153 each of several, septets (the extension table counts twice); otherwise UCS-2 of 70, or
 * 67 each.  3GPP TS 23.038 and 23.040.
 */
int sms_segments(const char *text);

#endif
