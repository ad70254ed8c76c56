#include "mcp/notify.h"

#include <math.h>
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "mcp/ask.h"
#include "mcp/session.h"

#define BEAT_MS 500

static const char *const levels[MCP_LEVELS] = { "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency" };

int
mcp_level_of(const char *name)
{
	for (int i = 0; i < MCP_LEVELS; i++)
		if (strcmp(levels[i], name) == 0)
			return i;
	return -1;
}

bool
mcp_read_log_level(struct mcp_call *call)
{
	const char *name = NULL;
	json_object *v;

	call->log_level = MCP_LEVELS;
	if (call->era == ERA_MODERN && call->m->meta != NULL && json_object_object_get_ex(call->m->meta, META_LOG_LEVEL, &v)) {
		if (!json_object_is_type(v, json_type_string) || mcp_level_of(json_object_get_string(v)) < 0)
			return mcp_fail(call, RPC_PARAMS_INVALID, 200, "params._meta: " META_LOG_LEVEL " must be a log level");
		name = json_object_get_string(v);
	} else if (call->session != NULL) {
		name = session_text(call->session, "level");
	}
	if (name != NULL)
		call->log_level = mcp_level_of(name);
	return true;
}

bool
mcp_send(struct mcp_call *call, const char *json, size_t n)
{
	if (call->io->stream == NULL || call->left)
		return false;
	call->left = !call->io->stream->send(call->io->stream, json, n);
	return !call->left;
}

bool
mcp_cancelled(struct mcp_call *call)
{
	struct mcp_stream *s = call->io->stream;

	if (s != NULL && !call->left)
		call->left = !s->alive(s, false) || mcp_was_cancelled(call);
	return call->left;
}

static void
put_number(struct buf *b, double v)
{
	if (v == floor(v) && fabs(v) < 1e15)
		buf_int(b, (int64_t)v);
	else
		buf_printf(b, "%.6f", v);
}

bool
mcp_progress(struct mcp_call *call, double progress, double total, const char *message)
{
	json_object *token;
	struct buf b;

	if (call->io->stream == NULL || call->m->meta == NULL || !json_object_object_get_ex(call->m->meta, "progressToken", &token) ||
	    !rpc_id_valid(token) || progress <= call->progress)
		return !mcp_cancelled(call);
	call->progress = progress;
	buf_init(&b, call->c->a, 256, 65536);
	buf_puts(&b, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":");
	rpc_put_id(&b, token);
	buf_puts(&b, ",\"progress\":");
	put_number(&b, progress);
	if (total >= 0) {
		buf_puts(&b, ",\"total\":");
		put_number(&b, total);
	}
	if (message != NULL) {
		buf_puts(&b, ",\"message\":");
		buf_json_cstr(&b, message);
	}
	buf_puts(&b, "}}");
	return mcp_send(call, b.p, b.n) && !mcp_cancelled(call);
}

bool
mcp_log(struct mcp_call *call, enum mcp_level level, const char *logger, const char *data)
{
	struct buf b;

	if (call->io->stream == NULL || (int)level < call->log_level)
		return !call->left;
	buf_init(&b, call->c->a, 256, 65536);
	buf_printf(&b, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"%s\",\"logger\":", levels[level]);
	buf_json_cstr(&b, logger);
	buf_puts(&b, ",\"data\":");
	buf_puts(&b, data);
	buf_puts(&b, "}}");
	return mcp_send(call, b.p, b.n);
}

/* ---- tools ----------------------------------------------------------------------- */

/* A call and that of the tool behind it. */
struct way {
	struct mcp_call *call;
	const struct tool_call *tool;
};

/* The headers of a stream that opens now tell what is left of the rate limit. */
static struct mcp_call *
way_back(void *arg)
{
	const struct way *w = arg;

	w->call->io->rate = w->tool->rate;
	w->call->io->rated = true;
	return w->call;
}

static bool
report(void *arg, double done, double total, const char *message)
{
	return mcp_progress(way_back(arg), done, total, message);
}

/*
 * Web servers notice that a client has left when they write to it, so a modern client, whose leaving is a cancellation, gets signs of life.  A legacy client
 * over HTTP cancels with a notification.
 */
static bool
given_up(void *arg)
{
	struct mcp_call *call = way_back(arg);
	struct mcp_stream *s = call->io->stream;
	int64_t now = now_ms();
	bool beats = now >= (call->beat_ms != 0 ? call->beat_ms : call->began_ms + BEAT_MS);

	if (beats)
		call->beat_ms = now + BEAT_MS;
	if (!call->left && s != NULL && (call->era == ERA_MODERN || call->io->lasting))
		call->left = !s->there(s, beats);
	else if (!call->left)
		call->left = mcp_was_cancelled(call);
	return call->left;
}

void
mcp_follow(struct mcp_call *call, struct tool_call *tool)
{
	struct way *w = arena_alloc(call->c->a, sizeof(*w));

	*w = (struct way){ call, tool };
	if (call->io->stream != NULL)
		tool->report = report;
	tool->given_up = given_up;
	tool->report_arg = w;
}
