/* From a text to its reply: parse, batch or single message, era, headers, method, result. */
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/random.h"
#include "mcp/ask.h"
#include "mcp/headers.h"
#include "mcp/methods.h"
#include "mcp/notify.h"
#include "mcp/session.h"
#include "store/kv.h"

#define REPLY_MAX (8u << 20)
#define BATCH_MAX 20
#define REPLY_KEEP_S 300	/* a reply that was put aside */

bool
mcp_server_known(const char *server)
{
	if (server[0] == '\0')
		return true;
	for (size_t i = 0; tool_servers[i] != NULL; i++)
		if (strcmp(tool_servers[i], server) == 0)
			return true;
	return false;
}

const char *
mcp_plain_error(struct ctx *c, int code, const char *message, size_t *n)
{
	struct rpc_error e = { .code = code, .message = message };
	struct buf b;

	buf_init(&b, c->a, 256, REPLY_MAX);
	rpc_put_error(&b, NULL, &e);
	*n = b.n;
	return b.p;
}

/* Check what a modern request repeats in its headers, then find the method. */
static const struct mcp_method *
find_method(struct mcp_call *call)
{
	const struct mcp_method *method;

	if (call->era == ERA_MODERN && call->io->headers != NULL &&
	    !headers_match(call->c, call->m, call->io->headers, mcp_method_named(call->m->method), &call->error))
		return NULL;
	method = mcp_method_find(call->m->method, call->era);
	if (method == NULL)
		(void)mcp_fail(call, RPC_METHOD_UNKNOWN, call->era == ERA_MODERN ? 404 : 200, "Method not found: %.100s", call->m->method);
	return method;
}

/* What the modern era adds to every result. */
static void
put_meta(struct mcp_call *call)
{
	mcp_member(call, "_meta");
	buf_puts(call->out, "{\"" META_SERVER_INFO "\":");
	mcp_server_info(call);
	if (call->listened) {
		buf_puts(call->out, ",\"" META_SUBSCRIPTION "\":");
		rpc_put_id(call->out, call->m->id);
	}
	buf_putc(call->out, '}');
}

static void
begin_result(struct mcp_call *call, const char *type)
{
	rpc_put_head(call->out, call->m->id);
	buf_puts(call->out, ",\"result\":{");
	call->started = false;
	if (call->era != ERA_MODERN)
		return;
	mcp_member(call, "resultType");
	buf_printf(call->out, "\"%s\"", type);
}

static bool
put_result(struct mcp_call *call, const struct mcp_method *method)
{
	size_t start = call->out->n;

	begin_result(call, "complete");
	if (!mcp_read_log_level(call) || !mcp_read_answers(call) || !method->run(call))
		return false;
	if (mcp_asking(call)) {
		/* what was written cannot be the result: the client has to answer first */
		call->out->n = start;
		begin_result(call, "input_required");
		mcp_put_asked(call);
	}
	if (call->era == ERA_MODERN)
		put_meta(call);
	buf_puts(call->out, "}}");
	return true;
}

/*
 * Close the stream before the reply is sent, and keep it for the client to fetch: with a session, where the transport can resume.  Otherwise the reply
 * goes out as always.
 */
static void
put_aside(struct mcp_call *call, size_t start)
{
	struct mcp_stream *stream = call->io->stream;
	char id[26] = "e-";

	/* clients of older revisions take an event without data for a broken message */
	if (call->session == NULL || stream == NULL || stream->pause == NULL ||
	    strcmp(session_text(call->session, "version"), MCP_LEGACY_NEWEST) != 0)
		return;
	random_base62(id + 2, 22);
	if (kv_set(call->c, session_key(call->c, call->session, "e", id), call->out->p + start, call->out->n - start, REPLY_KEEP_S, false,
	    NULL) != E_OK) {
		ctx_clear_error(call->c);
		return;
	}
	(void)stream->pause(stream, id, call->later_ms);
	call->out->n = start;
}

/* Answer a request into b; returns the HTTP status. */
static int
answer_call(struct mcp_call *call)
{
	const struct mcp_method *method;
	size_t start = call->out->n;
	bool ok;

	method = find_method(call);
	if (method == NULL)
		ok = mcp_count(call) && false;
	else
		ok = (method->own_rate || mcp_count(call)) && put_result(call, method);
	if (call->left) {
		/* nobody waits for an answer any more; there is none, as to a notification */
		call->out->n = start;
		return 202;
	}
	if (ok && call->later_ms > 0)
		put_aside(call, start);
	if (ok)
		return 200;
	/* forget a result that was begun */
	call->out->n = start;
	rpc_put_error(call->out, call->m->id, &call->error);
	return call->error.http;
}

/* A posted response is for the process that has asked. */
static bool
take_answer(struct mcp_call *call)
{
	if (call->session == NULL)
		return true;	/* nobody waits: without a session nothing is asked */
	switch (mcp_take_answer(call)) {
	case E_OK:
		return true;
	case E_NOT_FOUND:
		return mcp_fail(call, RPC_REQUEST_INVALID, 400, "id: nobody waits for this response");
	default:
		return mcp_refuse(call, call->c->err, NULL);
	}
}

/* A notification is taken note of; the modern era checks its headers like those of a request. */
static int
answer_note(struct mcp_call *call)
{
	bool ok = mcp_count(call);

	if (ok && call->era == ERA_MODERN && call->io->headers != NULL)
		ok = headers_match(call->c, call->m, call->io->headers, NULL, &call->error);
	if (ok && call->m->kind == RPC_RESPONSE)
		ok = take_answer(call);
	if (ok && call->m->kind == RPC_NOTE && strcmp(call->m->method, "notifications/cancelled") == 0)
		mcp_note_cancelled(call);
	if (ok)
		return 202;
	rpc_put_error(call->out, NULL, &call->error);
	return call->error.http;
}

/*
 * A lasting connection that began with a legacy handshake stays legacy, and one that has spoken the modern revision takes no handshake any more; to ask
 * with server/discover first binds it to nothing.
 */
static bool
detect_era(struct mcp_call *call)
{
	const struct mcp_io *io = call->io;
	const char *version;

	if (io->lasting && io->kept != NULL)
		return true;
	if (!era_detect(call->c, call->m, io->headers, &call->era, &call->error))
		return false;
	if (!io->modern || call->era == ERA_MODERN || call->m->kind != RPC_CALL || strcmp(call->m->method, "initialize") != 0)
		return true;
	if (!mcp_string_param(call, "protocolVersion", &version))
		return false;
	return era_unsupported(call->c, version != NULL ? version : "", &call->error);
}

/* The session that the message names; a modern message or an initialize has none. */
static bool
find_session(struct mcp_call *call, struct mcp_session *session)
{
	const struct mcp_headers *h = call->io->headers;

	if (session_of_connection(call->c, call->io, session))
		call->session = session;
	if (h == NULL || h->session == NULL || call->era != ERA_LEGACY ||
	    (call->m->method != NULL && strcmp(call->m->method, "initialize") == 0))
		return true;
	switch (session_load(call->c, call->io, h->session, session)) {
	case E_OK:
		call->session = session;
		return true;
	case E_NOT_FOUND:
		return mcp_fail(call, RPC_REQUEST_INVALID, 404, "Session not found");
	default:
		return mcp_refuse(call, call->c->err, NULL);
	}
}

/* One message into b; nothing is written for notifications and responses.  Returns the HTTP status. */
static int
answer(struct ctx *c, struct mcp_io *io, json_object *message, bool in_batch, struct buf *b)
{
	struct rpc m;
	struct mcp_call call = { .c = c, .io = io, .m = &m, .era = ERA_LEGACY, .out = b, .began_ms = now_ms(), .progress = -1, .log_level = MCP_LEVELS };
	struct mcp_session session;

	ctx_clear_error(c);
	if (!rpc_read(message, &m, &call.error) || !detect_era(&call) || !find_session(&call, &session)) {
		(void)mcp_count(&call);
		rpc_put_error(b, m.id, &call.error);
		return call.error.http;
	}
	if (m.kind != RPC_CALL)
		return answer_note(&call);
	if (in_batch && strcmp(m.method, "initialize") == 0) {
		(void)rpc_fail(&call.error, RPC_REQUEST_INVALID, 400, "initialize: must not be part of a batch");
		(void)mcp_count(&call);
		rpc_put_error(b, m.id, &call.error);
		return call.error.http;
	}
	return answer_call(&call);
}

/* Why a batch is refused as a whole; NULL when it may be served: only one legacy revision had batches. */
static const char *
batch_fault(struct ctx *c, struct mcp_io *io, json_object *batch)
{
	const char *version = io->headers != NULL ? io->headers->version : NULL;
	size_t n = json_object_array_length(batch);
	struct mcp_session session;
	struct rpc_error e;
	struct rpc m;

	if (session_of_connection(c, io, &session))
		version = session_text(&session, "version");
	if (n == 0)
		return "a batch must not be empty";
	if (version != NULL && strcmp(version, MCP_LEGACY_ASSUMED) != 0)
		return "batches are served for revision " MCP_LEGACY_ASSUMED " only";
	if (n > BATCH_MAX)
		return "a batch may have at most 20 messages";
	for (size_t i = 0; i < n; i++) {
		json_object *message = json_object_array_get_idx(batch, i);

		if (era_has_claim(message))
			return "revision " MCP_MODERN " has no batches";
		if (!rpc_read(message, &m, &e) && e.code == RPC_REQUEST_INVALID)
			return "a batch holds an invalid message";
	}
	return NULL;
}

static int
answer_batch(struct ctx *c, struct mcp_io *io, json_object *batch, struct buf *b)
{
	const char *fault = batch_fault(c, io, batch);
	struct mcp_call call = { .c = c, .io = io, .era = ERA_LEGACY, .out = b };

	if (fault != NULL) {
		(void)rpc_fail(&call.error, RPC_REQUEST_INVALID, 400, fault);
		(void)mcp_count(&call);
		rpc_put_error(b, NULL, &call.error);
		return call.error.http;
	}
	io->stream = NULL;	/* the answer is one array */
	buf_putc(b, '[');
	for (size_t i = 0; i < json_object_array_length(batch); i++) {
		size_t before = b->n;

		if (before > 1)
			buf_putc(b, ',');
		before = b->n;
		(void)answer(c, io, json_object_array_get_idx(batch, i), true, b);
		if (b->n == before && before > 1)
			b->n--;	/* nothing came: take the comma back */
	}
	if (b->n == 1) {
		b->n = 0;
		return 202;
	}
	buf_putc(b, ']');
	/* statuses and challenges of single elements do not fit into one response */
	io->challenge = NULL;
	io->retry_after_s = 0;
	return 200;
}

enum err
mcp_message(struct ctx *c, struct mcp_io *io, const char *text, size_t n)
{
	struct mcp_call call = { .c = c, .io = io, .era = ERA_LEGACY };
	json_object *message;
	enum err e = json_parse(c, text, n, &message);
	struct buf b;

	buf_init(&b, c->a, 2048, REPLY_MAX);
	call.out = &b;
	io->reply = NULL;
	io->n = 0;
	io->challenge = NULL;
	io->retry_after_s = 0;
	if (e != E_OK) {
		(void)mcp_fail(&call, e == E_MALFORMED ? RPC_PARSE : RPC_REQUEST_INVALID, 400, "%s%s", e == E_MALFORMED ? "Parse error: " : "",
			ctx_message(c));
		(void)mcp_count(&call);
		rpc_put_error(&b, NULL, &call.error);
		io->status = call.error.http;
	} else if (json_object_is_type(message, json_type_array)) {
		io->status = answer_batch(c, io, message, &b);
	} else {
		io->status = answer(c, io, message, false, &b);
	}
	ctx_clear_error(c);
	if (b.n > 0) {
		io->reply = buf_str(&b);
		io->n = b.n;
	}
	return E_OK;
}
