/*
 * Streams of changes: subscriptions/listen (modern), and the stream of a legacy session.  Both occupy their process until their time is over, so their number
 * is limited; PostgreSQL tells what other processes and programs have changed.
 */
#include <string.h>
#include <time.h>

#include "auth/subject.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/random.h"
#include "mcp/listen.h"
#include "mcp/methods.h"
#include "mcp/notify.h"
#include "mcp/resources.h"
#include "mcp/session.h"
#include "mcp/slots.h"
#include "store/db.h"
#include "store/kv.h"
#include "tool/record.h"

#define BEAT_MS 500		/* web servers notice a client that has left when they write to it */
#define LOOK_MS 250		/* between two looks whether the client is still there */
#define URIS_MAX 100
#define STREAM_NAME 16
#define GIVE_WAY_MS 2500	/* for a stream that nobody reads any more to end */

struct watch {
	struct mcp_call *call;
	struct mcp_watch what;		/* uris NULL: those of the session */
	unsigned tokens;		/* generation of the tokens: with it the list of tools may change */
	const char *name;		/* of the stream of a session, NULL: it has no session */
};

/* ---- the one stream of a session ---------------------------------------------------- */

/*
 * No message may go to two streams, so the stream that was opened last is the session's, and those before it end.  It is named in the key-value store, where
 * every process finds it.
 */
static const char *
stream_key(const struct mcp_call *call)
{
	return session_key(call->c, call->session, "g", "stream");
}

/* *others: the session had another one. */
static enum err
name_stream(struct watch *w, bool *others)
{
	struct mcp_call *call = w->call;
	const char *key = stream_key(call), *before = NULL;
	char *name = arena_alloc(call->c->a, STREAM_NAME + 1);
	size_t n;
	enum err e = kv_get(call->c, key, &before, &n);

	*others = before != NULL;
	random_base62(name, STREAM_NAME);
	w->name = name;
	return e != E_OK ? e : kv_set(call->c, key, name, STREAM_NAME, cfg_int("MCP_STREAM_S") + 60, false, NULL);
}

/* Is it still the session's?  When that cannot be told it goes on: there is nobody to open another one. */
static bool
is_current(const struct watch *w)
{
	const char *now = NULL;
	size_t n;

	if (w->name == NULL)
		return true;
	if (kv_get(w->call->c, stream_key(w->call), &now, &n) == E_OK)
		return now == NULL || strcmp(now, w->name) == 0;
	ctx_clear_error(w->call->c);
	return true;
}

/* ---- what has changed ----------------------------------------------------------------- */

/* {"jsonrpc":"2.0","method":METHOD,"params":{MEMBERS and _meta}} */
static bool
tell(struct ctx *c, struct mcp_stream *stream, const struct mcp_watch *w, const char *method, const char *member, const char *value)
{
	struct buf b;

	buf_init(&b, c->a, 256, 65536);
	buf_printf(&b, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/%s\"", method);
	if (member != NULL || w->id != NULL)
		buf_puts(&b, ",\"params\":{");
	if (member != NULL) {
		buf_printf(&b, "\"%s\":", member);
		buf_puts(&b, value);
	}
	if (w->id != NULL) {
		buf_puts(&b, member != NULL ? ",\"_meta\":{\"" META_SUBSCRIPTION "\":" : "\"_meta\":{\"" META_SUBSCRIPTION "\":");
		rpc_put_id(&b, w->id);
		buf_putc(&b, '}');
	}
	buf_puts(&b, member != NULL || w->id != NULL ? "}}" : "}");
	return stream->send(stream, b.p, b.n);
}

/* Is the URI meant by what was told to have changed? */
static bool
meant(const char *change, const char *uri)
{
	size_t n = strlen(change);

	return n > 0 && change[n - 1] == '*' ? strncmp(change, uri, n - 1) == 0 : strcmp(change, uri) == 0;
}

static bool
tell_updates(struct ctx *c, struct mcp_stream *stream, const struct mcp_watch *w, const char *change)
{
	size_t n = json_object_is_type(w->uris, json_type_array) ? json_object_array_length(w->uris) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *uri = json_object_get_string(json_object_array_get_idx(w->uris, i));
		struct buf b;

		if (!meant(change, resource_canonical(c, uri)))
			continue;
		buf_init(&b, c->a, 128, 65536);
		buf_json_cstr(&b, uri);
		if (!tell(c, stream, w, "resources/updated", "uri", b.p))
			return false;
	}
	return true;
}

bool
mcp_tell_change(struct ctx *c, struct mcp_stream *stream, const struct mcp_watch *w, const char *change)
{
	if (strcmp(change, "tools") == 0)
		return !w->tools || tell(c, stream, w, "tools/list_changed", NULL, NULL);
	if (strcmp(change, "prompts") == 0)
		return !w->prompts || tell(c, stream, w, "prompts/list_changed", NULL, NULL);
	if (strcmp(change, "resources") == 0)
		return !w->resources || tell(c, stream, w, "resources/list_changed", NULL, NULL);
	return tell_updates(c, stream, w, change);
}

/* The URIs of a session change while its stream is open. */
static bool
tell_change(const struct watch *w, const char *change)
{
	struct ctx *c = w->call->c;
	struct mcp_watch what = w->what;
	struct mcp_session s;

	if (!is_current(w))
		return false;
	if (w->name != NULL) {
		if (session_load(c, w->call->io, w->call->session->id, &s) != E_OK)
			ctx_clear_error(c);
		else
			(void)json_object_object_get_ex(s.record, "uris", &what.uris);
	}
	return mcp_tell_change(c, w->call->io->stream, &what, change);
}

/* What one look has found; false: the client has left. */
static bool
look(struct watch *w)
{
	char change[512];
	bool missed;

	if (db_changes_wait(w->call->c, LOOK_MS, change, sizeof(change), &missed) != E_OK)
		return false;
	if (missed && !tell_change(w, "*"))
		return false;
	if (db_generation_tokens() != w->tokens) {
		/* another token, or the same with other scopes: the caller may see other tools */
		w->tokens = db_generation_tokens();
		if (subject_known(w->call->io->who) && !tell_change(w, "tools"))
			return false;
	}
	return change[0] == '\0' || tell_change(w, change);
}

/* Until the stream's time is over, the client has left, this process is to end, or the database cannot be asked. */
static void
watch(struct watch *w)
{
	struct ctx *c = w->call->c;
	int64_t end = now_ms() + cfg_int("MCP_STREAM_S") * 1000, beat = now_ms() + BEAT_MS;
	bool ok = true;

	c->deadline_ms = end + 5000;
	w->tokens = db_generation_tokens();
	while (ok && now_ms() < end) {
		bool beats = now_ms() >= beat;

		if (!w->call->io->stream->alive(w->call->io->stream, beats) || (beats && !is_current(w)))
			ok = false;
		else
			ok = look(w);
		record_flush(false);	/* what this process did before must not wait for the stream's end */
		if (beats)
			beat = now_ms() + BEAT_MS;
	}
	db_changes_end(c);
	ctx_clear_error(c);
}

/*
 * A place for the stream.  A client's former stream ends when the web server has noticed that nobody reads it, so one that is about to be free is waited
 * for: by all whose session has another stream, and by one of the others.
 */
static bool
take_place(bool others)
{
	const struct timespec step = { 0, 50 * 1000 * 1000 };
	int64_t end = now_ms() + GIVE_WAY_MS;
	bool taken;

	while (!(taken = slot_take(false)) && now_ms() < end && (others || slot_queue()))
		(void)nanosleep(&step, NULL);
	slot_unqueue();
	return taken;
}

/* ---- modern ----------------------------------------------------------------------- */

static void
release(void *o)
{
	json_object_put(o);
}

static bool
wants(json_object *filter, const char *key)
{
	bool v = false;

	return json_get_bool(filter, key, &v) == JSON_OK && v;
}

/* What of the filter can be honoured. */
static void
honour(struct mcp_call *call, json_object *filter, struct mcp_watch *w)
{
	json_object *wanted;
	size_t n = 0;

	w->id = call->m->id;
	w->tools = wants(filter, "toolsListChanged");
	w->prompts = wants(filter, "promptsListChanged");
	w->resources = wants(filter, "resourcesListChanged");
	w->uris = json_object_new_array();
	arena_defer(call->c->a, release, w->uris);
	if (json_get_array(filter, "resourceSubscriptions", &wanted) == JSON_OK)
		n = json_object_array_length(wanted);
	for (size_t i = 0; i < n && json_object_array_length(w->uris) < URIS_MAX; i++) {
		json_object *uri = json_object_array_get_idx(wanted, i);

		if (json_object_is_type(uri, json_type_string) && resource_allowed(call, json_object_get_string(uri)))
			json_object_array_add(w->uris, json_object_get(uri));
	}
}

static void
put_true(struct buf *b, bool v, const char *name)
{
	if (v)
		buf_printf(b, "%s\"%s\":true", b->p[b->n - 1] == '{' ? "" : ",", name);
}

/* The subscription as an object, with the names of the acknowledgement or those of listen.h. */
static void
put_watch(struct ctx *c, struct buf *b, const struct mcp_watch *w, bool acknowledged)
{
	size_t n;

	buf_init(b, c->a, 256, 65536);
	buf_putc(b, '{');
	put_true(b, w->tools, acknowledged ? "toolsListChanged" : "tools");
	put_true(b, w->prompts, acknowledged ? "promptsListChanged" : "prompts");
	put_true(b, w->resources, acknowledged ? "resourcesListChanged" : "resources");
	if (json_object_array_length(w->uris) > 0) {
		buf_puts(b, b->n > 1 ? "," : "");
		buf_puts(b, acknowledged ? "\"resourceSubscriptions\":" : "\"uris\":");
		buf_puts(b, json_text(c, w->uris, &n));
	}
	if (!acknowledged) {
		buf_puts(b, b->n > 1 ? ",\"id\":" : "\"id\":");
		rpc_put_id(b, w->id);
	}
	buf_putc(b, '}');
}

void
mcp_watch_read(json_object *o, struct mcp_watch *w)
{
	*w = (struct mcp_watch){ .tools = wants(o, "tools"), .prompts = wants(o, "prompts"), .resources = wants(o, "resources") };
	(void)json_object_object_get_ex(o, "id", &w->id);
	(void)json_object_object_get_ex(o, "uris", &w->uris);
}

static bool
acknowledge(struct mcp_call *call, const struct mcp_watch *w)
{
	struct buf b;

	put_watch(call->c, &b, w, true);
	return tell(call->c, call->io->stream, w, "subscriptions/acknowledged", "notifications", b.p);
}

/* Whoever holds a lasting connection goes on from here, and answers when the subscription ends: not now. */
static bool
hand_over(struct mcp_call *call, const struct mcp_watch *w)
{
	struct buf b;

	put_watch(call->c, &b, w, false);
	if (acknowledge(call, w) && !call->io->stream->watch(call->io->stream, b.p, b.n))
		return mcp_fail(call, RPC_INTERNAL, 200, "too many subscriptions are open on this connection");
	call->left = true;
	return true;
}

bool
mcp_listen(struct mcp_call *call)
{
	struct watch w = { .call = call };
	json_object *filter = NULL;

	if (call->m->params == NULL || json_get_object(call->m->params, "notifications", &filter) != JSON_OK)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "notifications: must be an object");
	if (call->io->stream == NULL)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "Accept: must include text/event-stream");
	honour(call, filter, &w.what);
	if (call->io->stream->watch != NULL)
		return hand_over(call, &w.what);
	if (!take_place(false))
		return mcp_fail(call, RPC_INTERNAL, 200, "too many streams are open; try again later");
	if (db_changes_begin(call->c) != E_OK) {
		slot_give();
		return mcp_refuse(call, call->c->err, NULL);
	}
	if (acknowledge(call, &w.what))
		watch(&w);
	slot_give();
	call->listened = true;	/* the end is told whatever its reason; to a client that has left it is nothing */
	return true;
}

/* ---- legacy ------------------------------------------------------------------------ */

/* The reply that was put aside when its stream was closed; E_NOT_FOUND: there is none, or not yet. */
static enum err
resume(struct mcp_call *call, const char *last_id)
{
	const char *key, *text = NULL;
	size_t n;

	if (!session_id_valid(last_id))
		return E_NOT_FOUND;
	key = session_key(call->c, call->session, "e", last_id);
	if (kv_get(call->c, key, &text, &n))
		return call->c->err;
	if (text == NULL)
		return E_NOT_FOUND;
	(void)mcp_send(call, text, n);
	return kv_del(call->c, key);
}

enum err
mcp_session_stream(struct ctx *c, struct mcp_io *io, const char *last_id)
{
	struct mcp_session session;
	struct mcp_call call = { .c = c, .io = io, .era = ERA_LEGACY, .session = &session };
	struct watch w = { .call = &call, .what = { .tools = true, .prompts = true, .resources = true } };
	enum err e = session_load(c, io, io->headers->session, &session);
	bool others;

	if (e != E_OK)
		return e;
	if (last_id != NULL && (e = resume(&call, last_id)) != E_NOT_FOUND)
		return e;
	if ((e = name_stream(&w, &others)) != E_OK)
		return e;
	if (!take_place(others))
		return fail(c, E_CONFLICT, "too many streams are open");
	e = db_changes_begin(c);
	if (e == E_OK && io->stream->alive(io->stream, true))
		watch(&w);
	slot_give();
	if (is_current(&w) && kv_del(c, stream_key(&call)) != E_OK)
		ctx_clear_error(c);	/* it expires */
	return e;
}

enum err
mcp_session_close(struct ctx *c, struct mcp_io *io)
{
	struct mcp_session session;
	enum err e = session_load(c, io, io->headers->session, &session);

	return e != E_OK ? e : session_close(c, &session);
}
