/* The table of methods, and what they share. */
#include "mcp/methods.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/oauth.h"
#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"

#define CURSOR_MAX 1000000
#define LIST_TTL_MS 300000	/* tools change with a new version of the program only */

static const struct mcp_method methods[] = {
	{ "initialize", ERA_LEGACY, NULL, false, mcp_initialize },
	{ "ping", ERA_LEGACY, NULL, false, mcp_ping },
	{ "server/discover", ERA_MODERN, NULL, false, mcp_discover },
	{ "tools/list", ERA_LEGACY | ERA_MODERN, NULL, false, mcp_tools_list },
	{ "tools/call", ERA_LEGACY | ERA_MODERN, "name", true, mcp_tools_call },
	{ "resources/list", ERA_LEGACY | ERA_MODERN, NULL, false, mcp_resources_list },
	{ "resources/templates/list", ERA_LEGACY | ERA_MODERN, NULL, false, mcp_templates_list },
	{ "resources/read", ERA_LEGACY | ERA_MODERN, "uri", true, mcp_resources_read },
	{ "resources/subscribe", ERA_LEGACY, NULL, false, mcp_subscribe },
	{ "resources/unsubscribe", ERA_LEGACY, NULL, false, mcp_unsubscribe },
	{ "prompts/list", ERA_LEGACY | ERA_MODERN, NULL, false, mcp_prompts_list },
	{ "prompts/get", ERA_LEGACY | ERA_MODERN, "name", false, mcp_prompts_get },
	{ "completion/complete", ERA_LEGACY | ERA_MODERN, NULL, false, mcp_complete },
	{ "logging/setLevel", ERA_LEGACY, NULL, false, mcp_set_level },
	{ "subscriptions/listen", ERA_MODERN, NULL, false, mcp_listen },
};

const struct mcp_method *
mcp_method_find(const char *name, enum mcp_era era)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if ((methods[i].eras & era) && strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

const char *
mcp_method_named(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].named;
	return NULL;
}

void
mcp_member(struct mcp_call *call, const char *name)
{
	if (call->started)
		buf_putc(call->out, ',');
	call->started = true;
	buf_putc(call->out, '"');
	buf_puts(call->out, name);
	buf_put(call->out, "\":", 2);
}

void
mcp_cacheable(struct mcp_call *call, bool is_public)
{
	if (call->era != ERA_MODERN)
		return;
	mcp_member(call, "ttlMs");
	buf_int(call->out, LIST_TTL_MS);
	mcp_member(call, "cacheScope");
	buf_puts(call->out, is_public ? "\"public\"" : "\"private\"");
}

void
mcp_server_info(struct mcp_call *call)
{
	const char *server = call->io->server;

	buf_puts(call->out, "{\"name\":\"souk");
	if (server[0] != '\0') {
		buf_putc(call->out, '-');
		buf_puts(call->out, server);
	}
	buf_puts(call->out, "\",\"title\":");
	buf_json_cstr(call->out, cfg_str("SHOP_NAME"));
	buf_puts(call->out, ",\"version\":\"" SOUK_VERSION "\"}");
}

bool
mcp_string_param(struct mcp_call *call, const char *name, const char **out)
{
	size_t n;

	*out = NULL;
	if (call->m->params == NULL)
		return true;
	switch (json_get_string(call->m->params, name, 0, SIZE_MAX, out, &n)) {
	case JSON_OK:
	case JSON_ABSENT:
		return true;
	default:
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "%s: must be a string", name);
	}
}

bool
mcp_fail(struct mcp_call *call, int code, int http, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return rpc_fail(&call->error, code, http, arena_strdup(call->c->a, text));
}

/* Sign in (401), or ask for more (403).  The modern revision keeps -32002 for itself. */
static bool
refuse_access(struct mcp_call *call, enum err e, const char *scope)
{
	const struct err_info *info = err_info(e);

	call->io->challenge = oauth_challenge_text(call->c, call->io->metadata, e, call->io->who->token_id[0] != '\0', scope);
	return mcp_fail(call, call->era == ERA_MODERN ? RPC_API_ERROR : RPC_AUTH, info->http, "%s", ctx_message(call->c));
}

bool
mcp_refuse(struct mcp_call *call, enum err e, const char *scope)
{
	const struct err_info *info = err_info(e);

	switch (e) {
	case E_UNAUTHENTICATED:
	case E_FORBIDDEN:
		return refuse_access(call, e, scope);
	case E_RATE_LIMITED:
	case E_UNAVAILABLE:
		call->io->retry_after_s = call->c->retry_after_s > 0 ? call->c->retry_after_s : 2;
		return mcp_fail(call, info->jsonrpc, info->http, "%s", ctx_message(call->c));
	case E_INTERNAL:
		return mcp_fail(call, RPC_INTERNAL, 200, "internal error (request %s)", call->c->id);
	default:
		return mcp_fail(call, info->jsonrpc, 200, "%s", ctx_message(call->c));
	}
}

bool
mcp_count(struct mcp_call *call)
{
	enum err e = rate_hit(call->c, call->io->who, "mcp", &call->io->rate);

	call->io->rated = true;
	return e == E_OK || mcp_refuse(call, e, NULL);
}

bool
mcp_page(struct mcp_call *call, const char *list, size_t *start)
{
	char text[48], *end;
	const char *cursor;
	size_t n;

	*start = 0;
	if (!mcp_string_param(call, "cursor", &cursor))
		return false;
	if (cursor == NULL)
		return true;
	if (strlen(cursor) < sizeof(text) && sodium_base642bin((unsigned char *)text, sizeof(text) - 1, cursor, strlen(cursor), NULL, &n, NULL,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0) {
		text[n] = '\0';
		n = strlen(list);
		if (strncmp(text, list, n) == 0 && text[n] == ':' && text[n + 1] >= '1' && text[n + 1] <= '9') {
			*start = strtoul(text + n + 1, &end, 10);
			if (*end == '\0' && *start < CURSOR_MAX)
				return true;
		}
	}
	return mcp_fail(call, RPC_PARAMS_INVALID, 200, "cursor: is not one of this list");
}

void
mcp_next_page(struct mcp_call *call, const char *list, size_t next)
{
	char text[48], out[72];
	int n = snprintf(text, sizeof(text), "%s:%zu", list, next);

	sodium_bin2base64(out, sizeof(out), (const unsigned char *)text, (size_t)n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	mcp_member(call, "nextCursor");
	buf_json_cstr(call->out, out);
}

bool
mcp_no_resource(struct mcp_call *call, const char *uri)
{
	struct buf b;

	(void)mcp_fail(call, call->era == ERA_MODERN ? RPC_PARAMS_INVALID : RPC_RESOURCE_UNKNOWN, 200, "Resource not found");
	buf_init(&b, call->c->a, 128, 1 << 20);
	buf_puts(&b, "{\"uri\":");
	buf_json_cstr(&b, uri);
	buf_putc(&b, '}');
	call->error.data = b.p;
	return false;
}
