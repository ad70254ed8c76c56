/*
 * Streams of changes: subscriptions/listen (modern), and the stream of a legacy session.  Both occupy their process until their time is over, so their number
 * is limited; PostgreSQL tells what other processes and programs have changed.
 */
#include <string.h>

#include "auth/subject.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
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

struct watch {
	struct mcp_call *call;
	bool tools, prompts, resources;
	json_object *uris;		/* as the client wrote them; NULL: those of its session */
	bool subscription;		/* messages carry the id of the request */
	unsigned tokens;		/* generation of the tokens: with it the list of tools may change */
};

/* {"jsonrpc":"2.0","method":METHOD,"params":{MEMBERS and _meta}} */
static bool
tell(const struct watch *w, const char *method, const char *member, const char *value)
{
	struct buf b;

	buf_init(&b, w->call->c->a, 256, 65536);
	buf_printf(&b, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/%s\"", method);
	if (member != NULL || w->subscription)
		buf_puts(&b, ",\"params\":{");
	if (member != NULL) {
		buf_printf(&b, "\"%s\":", member);
		buf_puts(&b, value);
	}
	if (w->subscription) {
		buf_puts(&b, member != NULL ? ",\"_meta\":{\"" META_SUBSCRIPTION "\":" : "\"_meta\":{\"" META_SUBSCRIPTION "\":");
		rpc_put_id(&b, w->call->m->id);
		buf_putc(&b, '}');
	}
	buf_puts(&b, member != NULL || w->subscription ? "}}" : "}");
	return mcp_send(w->call, b.p, b.n);
}

/* Is the URI meant by what was told to have changed? */
static bool
meant(const char *change, const char *uri)
{
	size_t n = strlen(change);

	return n > 0 && change[n - 1] == '*' ? strncmp(change, uri, n - 1) == 0 : strcmp(change, uri) == 0;
}

/* The URIs that are watched now: those of a session change while its stream is open. */
static json_object *
watched(const struct watch *w)
{
	struct mcp_session s;
	json_object *uris = NULL;

	if (w->uris != NULL)
		return w->uris;
	if (session_load(w->call->c, w->call->io, w->call->session->id, &s) != E_OK)
		ctx_clear_error(w->call->c);
	else
		(void)json_object_object_get_ex(s.record, "uris", &uris);
	return uris;
}

static bool
tell_updates(const struct watch *w, const char *change)
{
	json_object *uris = watched(w);
	size_t n = json_object_is_type(uris, json_type_array) ? json_object_array_length(uris) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *uri = json_object_get_string(json_object_array_get_idx(uris, i));
		struct buf b;

		if (!meant(change, resource_canonical(w->call->c, uri)))
			continue;
		buf_init(&b, w->call->c->a, 128, 65536);
		buf_json_cstr(&b, uri);
		if (!tell(w, "resources/updated", "uri", b.p))
			return false;
	}
	return true;
}

static bool
tell_change(const struct watch *w, const char *change)
{
	if (strcmp(change, "tools") == 0)
		return !w->tools || tell(w, "tools/list_changed", NULL, NULL);
	if (strcmp(change, "prompts") == 0)
		return !w->prompts || tell(w, "prompts/list_changed", NULL, NULL);
	if (strcmp(change, "resources") == 0)
		return !w->resources || tell(w, "resources/list_changed", NULL, NULL);
	return tell_updates(w, change);
}

/* What one look has found; false: the client has left. */
static bool
look(struct watch *w)
{
	char change[512];
	bool missed;

	if (db_changes_wait(w->call->c, LOOK_MS, change, sizeof(change), &missed) != E_OK)
		return false;
	if (missed && !tell_updates(w, "*"))
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

		if (!w->call->io->stream->alive(w->call->io->stream, beats))
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

/* What of the filter can be honoured, as the member "notifications" of the acknowledgement. */
static const char *
honour(struct watch *w, json_object *filter)
{
	json_object *wanted;
	struct buf b;
	size_t n = 0;

	w->tools = wants(filter, "toolsListChanged");
	w->prompts = wants(filter, "promptsListChanged");
	w->resources = wants(filter, "resourcesListChanged");
	w->uris = json_object_new_array();
	arena_defer(w->call->c->a, release, w->uris);
	if (json_get_array(filter, "resourceSubscriptions", &wanted) == JSON_OK)
		n = json_object_array_length(wanted);
	for (size_t i = 0; i < n && json_object_array_length(w->uris) < URIS_MAX; i++) {
		json_object *uri = json_object_array_get_idx(wanted, i);

		if (json_object_is_type(uri, json_type_string) && resource_allowed(w->call, json_object_get_string(uri)))
			json_object_array_add(w->uris, json_object_get(uri));
	}
	buf_init(&b, w->call->c->a, 256, 65536);
	buf_putc(&b, '{');
	buf_puts(&b, w->tools ? "\"toolsListChanged\":true," : "");
	buf_puts(&b, w->prompts ? "\"promptsListChanged\":true," : "");
	buf_puts(&b, w->resources ? "\"resourcesListChanged\":true," : "");
	if (json_object_array_length(w->uris) > 0)
		buf_printf(&b, "\"resourceSubscriptions\":%s,", json_object_to_json_string_ext(w->uris,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	if (b.n > 1)
		b.n--;
	buf_putc(&b, '}');
	return b.p;
}

bool
mcp_listen(struct mcp_call *call)
{
	struct watch w = { .call = call, .subscription = true };
	json_object *filter = NULL;
	const char *honoured;

	if (call->m->params == NULL || json_get_object(call->m->params, "notifications", &filter) != JSON_OK)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "notifications: must be an object");
	if (call->io->stream == NULL)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "Accept: must include text/event-stream");
	honoured = honour(&w, filter);
	if (!slot_take(false))
		return mcp_fail(call, RPC_INTERNAL, 200, "too many streams are open; try again later");
	if (db_changes_begin(call->c) != E_OK) {
		slot_give();
		return mcp_refuse(call, call->c->err, NULL);
	}
	if (tell(&w, "subscriptions/acknowledged", "notifications", honoured))
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
	struct watch w = { .call = &call, .tools = true, .prompts = true, .resources = true };
	enum err e = session_load(c, io, io->headers->session, &session);

	if (e != E_OK)
		return e;
	if (last_id != NULL && (e = resume(&call, last_id)) != E_NOT_FOUND)
		return e;
	if (!slot_take(false))
		return fail(c, E_CONFLICT, "too many streams are open");
	e = db_changes_begin(c);
	if (e == E_OK && io->stream->alive(io->stream, true))
		watch(&w);
	slot_give();
	return e;
}

enum err
mcp_session_close(struct ctx *c, struct mcp_io *io)
{
	struct mcp_session session;
	enum err e = session_load(c, io, io->headers->session, &session);

	return e != E_OK ? e : session_close(c, &session);
}
