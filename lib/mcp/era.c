/*
 * The order of the tests matters; it is that of the specification's rules for servers of both eras:
 * a posted response, then initialize without a valid claim, then a claim, then a header that names the modern revision, then legacy.
 */
#include "mcp/era.h"

#include <string.h>

#include "core/arena.h"
#include "core/banned.h"
#include "core/buf.h"

static const char *const legacy[] = { "2024-11-05", MCP_LEGACY_ASSUMED, "2025-06-18", MCP_LEGACY_NEWEST, NULL };

bool
era_is_legacy(const char *version)
{
	for (size_t i = 0; legacy[i] != NULL; i++)
		if (strcmp(legacy[i], version) == 0)
			return true;
	return false;
}

bool
era_has_claim(json_object *message)
{
	json_object *params, *meta;

	return json_object_is_type(message, json_type_object) && json_object_object_get_ex(message, "params", &params) &&
	    json_object_is_type(params, json_type_object) && json_object_object_get_ex(params, "_meta", &meta) &&
	    json_object_is_type(meta, json_type_object) && json_object_object_get_ex(meta, META_VERSION, NULL);
}

static bool
is_modern(const char *version)
{
	return version != NULL && strcmp(version, MCP_MODERN) == 0;
}

bool
era_unsupported(struct ctx *c, const char *version, struct rpc_error *e)
{
	struct buf b;

	buf_init(&b, c->a, 128, 1 << 20);
	buf_puts(&b, "{\"supported\":[\"" MCP_MODERN "\"],\"requested\":");
	buf_json_cstr(&b, version);
	buf_putc(&b, '}');
	(void)rpc_fail(e, RPC_VERSION_UNSUPPORTED, 400, "Unsupported protocol version");
	e->data = b.p;
	return false;
}

/* A message with a claim is modern, or it is an error: it never falls back to legacy. */
static bool
check_claim(struct ctx *c, const struct rpc *m, json_object *claim, const struct mcp_headers *h, struct rpc_error *e)
{
	json_object *capabilities;
	const char *version;

	if (!json_object_is_type(claim, json_type_string))
		return rpc_fail(e, RPC_PARAMS_INVALID, 400, "params._meta: " META_VERSION " must be a string");
	if (!json_object_object_get_ex(m->meta, META_CLIENT_CAPABILITIES, &capabilities) ||
	    !json_object_is_type(capabilities, json_type_object))
		return rpc_fail(e, RPC_PARAMS_INVALID, 400, "params._meta: " META_CLIENT_CAPABILITIES " must be an object");
	version = json_object_get_string(claim);
	if (h != NULL && h->version != NULL && strcmp(h->version, version) != 0)
		return rpc_fail(e, RPC_HEADER_MISMATCH, 400, "Header mismatch: MCP-Protocol-Version differs from the request's metadata");
	return is_modern(version) || era_unsupported(c, version, e);
}

/* Of a legacy message the header may name only a revision that we serve; initialize negotiates instead. */
static bool
check_legacy_header(const struct rpc *m, const struct mcp_headers *h, struct rpc_error *e)
{
	if (h == NULL || h->version == NULL || era_is_legacy(h->version))
		return true;
	if (m->kind == RPC_CALL && strcmp(m->method, "initialize") == 0)
		return true;
	return rpc_fail(e, RPC_REQUEST_INVALID, 400, "MCP-Protocol-Version: unsupported; supported are " MCP_MODERN " and, after initialize, "
		MCP_LEGACY_NEWEST ", 2025-06-18, " MCP_LEGACY_ASSUMED ", 2024-11-05");
}

bool
era_detect(struct ctx *c, const struct rpc *m, const struct mcp_headers *h, enum mcp_era *era, struct rpc_error *e)
{
	bool modern_header = h != NULL && is_modern(h->version);
	json_object *claim = NULL;
	bool claimed;

	*era = ERA_LEGACY;
	if (m->kind == RPC_RESPONSE) {
		if (modern_header)
			return rpc_fail(e, RPC_REQUEST_INVALID, 400, "a response is no request");
		return check_legacy_header(m, h, e);
	}
	claimed = m->meta != NULL && json_object_object_get_ex(m->meta, META_VERSION, &claim);
	if (strcmp(m->method, "initialize") == 0 &&
	    !(claimed && json_object_is_type(claim, json_type_string) && is_modern(json_object_get_string(claim)))) {
		if (modern_header)
			return rpc_fail(e, RPC_HEADER_MISMATCH, 400, "Header mismatch: MCP-Protocol-Version names a revision without initialize");
		return check_legacy_header(m, h, e);
	}
	if (claimed) {
		*era = ERA_MODERN;
		return check_claim(c, m, claim, h, e);
	}
	if (modern_header) {
		*era = ERA_MODERN;
		if (m->kind == RPC_NOTE)
			return true;
		return rpc_fail(e, RPC_PARAMS_INVALID, 400, "params._meta: " META_VERSION " and " META_CLIENT_CAPABILITIES " are missing");
	}
	return check_legacy_header(m, h, e);
}
