#include "mcp/channel_internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/json.h"
#include "mcp/era.h"
#include "mcp/rpc.h"

#define SCRATCH_MAX (32u << 20)

struct channels all_channels;

/* ---- sending ----------------------------------------------------------------------- */

void
channel_send_error(struct channel *ch, json_object *id, int code, const char *why)
{
	struct rpc_error e = { .code = code, .message = why };
	struct buf b;

	buf_init(&b, &all_channels.scratch, 256, 4096);
	rpc_put_error(&b, id, &e);
	(void)ch->send(ch, b.p, b.n);
	arena_reset(&all_channels.scratch);
}

void
channel_refuse(struct channel *ch, int code, const char *why)
{
	channel_send_error(ch, NULL, code, why);
}

/* ---- flights ----------------------------------------------------------------------- */

static void
flight_free(struct flight *f)
{
	json_object_put(f->id);
	free(f->asked);
	free(f);
}

/* Take it out of the list of flights. */
static void
land(struct flight *f)
{
	struct flight **p = &f->channel->flights;

	while (*p != NULL && *p != f)
		p = &(*p)->next;
	if (*p == f) {
		*p = f->next;
		f->channel->nflights--;
	}
}

bool
ids_equal(json_object *a, json_object *b)
{
	return a != NULL && b != NULL && json_object_get_type(a) == json_object_get_type(b) && json_object_equal(a, b);
}

/* The message that waits behind *p is none any more. */
static void
unwait(struct channel *ch, struct flight **p)
{
	struct flight *f = *p;

	*p = f->next;
	ch->nwaiting--;
	all_channels.nwaiting--;
	ch->waitingsz -= f->n;
	ch->last_waiting = NULL;
	for (struct flight *q = ch->waiting; q != NULL; q = q->next)
		ch->last_waiting = q;
}

/* Begin it; false: no worker is free. */
static bool
begin(struct channel *ch, struct flight *f)
{
	const struct crew_job job = {
		.task = f->checks ? CREW_VERIFY : CREW_MESSAGE, .via = ch->via, .modern = ch->modern, .orchestrator = ch->orchestrator,
		.token = ch->token, .remote_ip = ch->remote_ip, .server = ch->server, .locale = ch->locale, .base = ch->base, .kept = ch->kept,
		.text = f->text, .n = f->n,
	};

	f->hand = crew_give(&job, f);
	return f->hand != NULL;
}

/* The next message of this channel, if it may begin. */
static bool
begin_next(struct channel *ch)
{
	struct flight *f = ch->waiting;

	if (f == NULL || ch->nflights >= ch->most)
		return false;
	for (const struct flight *q = ch->flights; q != NULL; q = q->next)
		if (q->alone)
			return false;
	if (!begin(ch, f))
		return false;
	unwait(ch, &ch->waiting);
	f->next = ch->flights;
	ch->flights = f;
	ch->nflights++;
	return true;
}

/* Begin what waits, channel by channel in turn, while workers are free. */
void
channels_begin(void)
{
	bool begun = all_channels.nwaiting > 0;

	while (begun && all_channels.nwaiting > 0) {
		struct channel *start = all_channels.turn != NULL ? all_channels.turn : all_channels.first, *ch = start;

		begun = false;
		do {
			struct channel *next = ch->next != NULL ? ch->next : all_channels.first;

			if (ch->waiting != NULL && begin_next(ch)) {
				begun = true;
				all_channels.turn = next;
			}
			ch = next;
		} while (ch != start);
	}
}

void
channel_wait(struct channel *ch, struct flight *f)
{
	if (ch->last_waiting != NULL)
		ch->last_waiting->next = f;
	else
		ch->waiting = f;
	ch->last_waiting = f;
	ch->nwaiting++;
	all_channels.nwaiting++;
	ch->waitingsz += f->n;
}

/* ---- what workers say ---------------------------------------------------------------- */

static void
keep(struct channel *ch, const char *text, size_t n)
{
	struct ctx c = { .a = &all_channels.scratch, .deadline_ms = INT64_MAX };
	json_object *o, *uris;

	if (json_parse(&c, text, n, &o) != E_OK)
		return;
	free(ch->kept);
	ch->kept = strndup(text, n);
	json_object_put(ch->session);
	ch->session = json_object_get(o);
	arena_reset(&all_channels.scratch);
	if (json_object_object_get_ex(ch->session, "uris", &uris) && json_object_array_length(uris) > 0)
		watch_begin();
}

static void
heard(void *owner, struct crew_hand *h, enum crew_frame type, char *text, size_t n)
{
	struct flight *f = owner;

	if (owner == &all_channels) {
		if (type == FRAME_CHANGE)
			watch_tell(text);
		return;
	}
	switch (type) {
	case FRAME_REPLY:
		f->answered = true;
		(void)f->channel->send(f->channel, text, n);
		break;
	case FRAME_MESSAGE:
		(void)f->channel->send(f->channel, text, n);
		break;
	case FRAME_KEPT:
		keep(f->channel, text, n);
		break;
	case FRAME_WATCH:
		f->answered = true;	/* not before it ends */
		watch_add(f->channel, text, n);
		break;
	case FRAME_ASK:
		free(f->asked);
		f->asked = n > 0 ? strndup(text, n) : NULL;
		if (n == 0)
			crew_outside(h, false);
		else
			(void)crew_may_ask(h);
		break;
	default:
		break;
	}
}

static void
ended(void *owner, struct crew_hand *h, enum crew_end end)
{
	struct flight *f = owner;
	struct channel *ch;

	(void)h;
	if (owner == &all_channels) {
		watch_ended();
		return;
	}
	ch = f->channel;
	land(f);
	if (end == CREW_REFUSED) {
		if (f->id != NULL)
			channel_send_error(ch, f->id, RPC_API_ERROR, "the access token is not valid (any more)");
		flight_free(f);
		ch->refused(ch);
		return;
	}
	if (end == CREW_DOWN && f->id != NULL)
		channel_send_error(ch, f->id, RPC_UNAVAILABLE, "the service is not available for the moment; try again");
	else if (end == CREW_DIED && f->id != NULL && !f->answered)
		channel_send_error(ch, f->id, RPC_INTERNAL, "internal error");
	flight_free(f);
}

static void
freed(void)
{
	channels_begin();
}

bool
channels_init(int workers)
{
	const struct crew_ears ears = { heard, ended, freed };

	arena_init(&all_channels.scratch, SCRATCH_MAX);
	return crew_init(workers, &ears);
}

void
channels_read(void)
{
	crew_read();
	channels_begin();
	if (all_channels.wanted && all_channels.watcher == NULL)
		watch_begin();
}

/* ---- what the client says ------------------------------------------------------------- */

/* The client gives up a request: no answer follows. */
static void
cancel(struct channel *ch, json_object *params)
{
	json_object *id;

	if (params == NULL || !json_object_object_get_ex(params, "requestId", &id) || watch_remove(ch, id))
		return;
	for (struct flight **p = &ch->waiting; *p != NULL; p = &(*p)->next)
		if (ids_equal((*p)->id, id)) {
			struct flight *f = *p;

			unwait(ch, p);
			flight_free(f);
			return;
		}
	for (struct flight *f = ch->flights; f != NULL; f = f->next)
		if (ids_equal(f->id, id) && !f->alone) {
			land(f);
			crew_drop(f->hand);
			flight_free(f);
			channels_begin();
			return;
		}
}

static void
take_answer(struct channel *ch, const struct rpc *m, const char *text, size_t n)
{
	const char *id = json_object_is_type(m->id, json_type_string) ? json_object_get_string(m->id) : NULL;

	for (struct flight *f = ch->flights; f != NULL && id != NULL; f = f->next)
		if (f->asked != NULL && strcmp(f->asked, id) == 0) {
			free(f->asked);
			f->asked = NULL;
			crew_answer(f->hand, text, n);
			return;
		}
}

static bool
id_in_use(const struct channel *ch, json_object *id)
{
	for (const struct flight *f = ch->flights; f != NULL; f = f->next)
		if (ids_equal(f->id, id))
			return true;
	for (const struct flight *f = ch->waiting; f != NULL; f = f->next)
		if (ids_equal(f->id, id))
			return true;
	return watch_has(ch, id);
}

static bool
changes_connection(const char *method)
{
	static const char *const methods[] = { "initialize", "logging/setLevel", "resources/subscribe", "resources/unsubscribe" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i], method) == 0)
			return true;
	return false;
}

/* m NULL: a batch, or what is no message; a worker finds the words for it. */
static void
take_call(struct channel *ch, const struct rpc *m, const char *text, size_t n)
{
	struct flight *f;

	if (m != NULL && id_in_use(ch, m->id)) {
		channel_send_error(ch, m->id, RPC_REQUEST_INVALID, "id: a request with this id is not answered yet");
		return;
	}
	if (ch->nwaiting >= CHANNEL_WAITING || ch->waitingsz + n > CHANNEL_WAITING_SZ) {
		channel_send_error(ch, m != NULL ? m->id : NULL, RPC_UNAVAILABLE, "too many requests are waiting on this connection");
		return;
	}
	f = calloc(1, sizeof(*f) + n + 1);
	f->channel = ch;
	f->n = n;
	memcpy(f->text, text, n);
	f->id = m != NULL ? json_object_get(m->id) : NULL;
	f->alone = m == NULL || changes_connection(m->method);
	channel_wait(ch, f);
	/* to ask with server/discover first binds a connection to nothing */
	if (m != NULL && ch->kept == NULL && era_has_claim(m->message) && strcmp(m->method, "server/discover") != 0)
		ch->modern = true;
	channels_begin();
}

void
channel_take(struct channel *ch, const char *text, size_t n)
{
	struct ctx c = { .a = &all_channels.scratch, .deadline_ms = INT64_MAX };
	struct rpc_error e = { 0 };
	json_object *o;
	struct rpc m;

	ch->messages++;
	if (json_parse(&c, text, n, &o) != E_OK || !json_object_is_type(o, json_type_object) || !rpc_read(o, &m, &e))
		take_call(ch, NULL, text, n);
	else if (m.kind == RPC_RESPONSE)
		take_answer(ch, &m, text, n);
	else if (m.kind == RPC_CALL)
		take_call(ch, &m, text, n);
	else if (strcmp(m.method, "notifications/cancelled") == 0)
		cancel(ch, m.params);
	arena_reset(&all_channels.scratch);
}

/* ---- life ---------------------------------------------------------------------------- */

void
channel_open(struct channel *ch)
{
	ch->prev = NULL;
	ch->next = all_channels.first;
	if (all_channels.first != NULL)
		all_channels.first->prev = ch;
	all_channels.first = ch;
}

void
channel_close(struct channel *ch)
{
	while (ch->waiting != NULL) {
		struct flight *f = ch->waiting;

		unwait(ch, &ch->waiting);
		flight_free(f);
	}
	while (ch->flights != NULL) {
		struct flight *f = ch->flights;

		ch->flights = f->next;
		ch->nflights--;
		crew_drop(f->hand);
		flight_free(f);
	}
	while (watch_remove(ch, NULL))
		;
	free(ch->kept);
	json_object_put(ch->session);
	if (ch->prev != NULL)
		ch->prev->next = ch->next;
	else
		all_channels.first = ch->next;
	if (ch->next != NULL)
		ch->next->prev = ch->prev;
	if (all_channels.turn == ch)
		all_channels.turn = ch->next;
}

bool
channel_busy(const struct channel *ch)
{
	return ch->flights != NULL || ch->waiting != NULL;
}

void
channel_finish(struct channel *ch)
{
	while (watch_remove(ch, NULL))
		;
	for (struct flight *f = ch->flights, *next; f != NULL; f = next) {
		next = f->next;
		if (f->asked != NULL) {
			land(f);
			crew_drop(f->hand);
			flight_free(f);
		}
	}
}
