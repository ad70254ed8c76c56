#include "mcp/headers.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/banned.h"
#include "core/json.h"

static const char prefix[] = "=?base64?";
static const char suffix[] = "?=";

const char *
header_trim(struct ctx *c, const char *value)
{
	size_t n;

	if (value == NULL)
		return NULL;
	value += strspn(value, " \t");
	n = strlen(value);
	while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
		n--;
	return value[n] == '\0' ? value : arena_strndup(c->a, value, n);
}

bool
header_decode(struct ctx *c, const char *value, const char **out)
{
	size_t n = strlen(value), pre = sizeof(prefix) - 1, suf = sizeof(suffix) - 1, got;
	unsigned char *bin;

	*out = value;
	if (n < pre + suf || strncmp(value, prefix, pre) != 0 || strcmp(value + n - suf, suffix) != 0)
		return true;
	value += pre;
	n -= pre + suf;
	bin = arena_alloc(c->a, n + 1);
	if (sodium_base642bin(bin, n, value, n, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return false;
	bin[got] = '\0';
	*out = (const char *)bin;
	return utf8_valid(*out, got) && strlen(*out) == got;
}

static bool
name_matches(struct ctx *c, const struct rpc *m, const struct mcp_headers *h, const char *named, struct rpc_error *e)
{
	const char *want, *got;
	size_t n;

	/* without that member the parameters are at fault, which is told in band */
	if (m->params == NULL || json_get_string(m->params, named, 0, SIZE_MAX, &want, &n) != JSON_OK)
		return true;
	if (h->name == NULL)
		return rpc_fail(e, RPC_HEADER_MISMATCH, 400, "Header mismatch: Mcp-Name is missing");
	if (!header_decode(c, h->name, &got))
		return rpc_fail(e, RPC_HEADER_MISMATCH, 400, "Header mismatch: Mcp-Name is not valid base64 of UTF-8 text");
	if (strcmp(got, want) != 0)
		return rpc_fail(e, RPC_HEADER_MISMATCH, 400, "Header mismatch: Mcp-Name differs from the body");
	return true;
}

bool
headers_match(struct ctx *c, const struct rpc *m, const struct mcp_headers *h, const char *named, struct rpc_error *e)
{
	if (h->version == NULL)
		return rpc_fail(e, RPC_HEADER_MISMATCH, 400, "Header mismatch: MCP-Protocol-Version is missing");
	if (h->method == NULL)
		return rpc_fail(e, RPC_HEADER_MISMATCH, 400, "Header mismatch: Mcp-Method is missing");
	if (strcmp(h->method, m->method) != 0)
		return rpc_fail(e, RPC_HEADER_MISMATCH, 400, "Header mismatch: Mcp-Method differs from the body");
	return named == NULL || name_matches(c, m, h, named, e);
}

/* Does the header's text say the same as the argument?  Integers compare as numbers. */
static bool
says(json_object *v, const char *text)
{
	char *end;
	double d;

	switch (json_object_get_type(v)) {
	case json_type_boolean:
		return strcmp(text, json_object_get_boolean(v) ? "true" : "false") == 0;
	case json_type_int:
	case json_type_double:
		d = strtod(text, &end);
		return end != text && *end == '\0' && d >= json_object_get_double(v) && d <= json_object_get_double(v);
	case json_type_string:
		return strcmp(text, json_object_get_string(v)) == 0;
	default:
		return false;
	}
}

static bool
param_matches(struct ctx *c, const struct mcp_headers *h, const char *name, json_object *v, struct rpc_error *e)
{
	const char *value = header_trim(c, h->get(h->arg, arena_printf(c->a, "Mcp-Param-%s", name))), *text;

	if (value == NULL)
		return rpc_fail(e, RPC_HEADER_MISMATCH, 400, arena_printf(c->a, "Header mismatch: Mcp-Param-%s is missing", name));
	if (!header_decode(c, value, &text))
		return rpc_fail(e, RPC_HEADER_MISMATCH, 400, arena_printf(c->a, "Header mismatch: Mcp-Param-%s is not valid base64 of UTF-8 text", name));
	return says(v, text) || rpc_fail(e, RPC_HEADER_MISMATCH, 400, arena_printf(c->a, "Header mismatch: Mcp-Param-%s differs from the body", name));
}

bool
header_params_match(struct ctx *c, const struct mcp_headers *h, json_object *schema, json_object *args, struct rpc_error *e)
{
	json_object *properties, *name, *v;

	if (h == NULL || h->get == NULL || args == NULL || json_get_object(schema, "properties", &properties) != JSON_OK)
		return true;
	json_object_object_foreach(properties, key, property) {
		if (!json_object_object_get_ex(property, "x-mcp-header", &name) || !json_object_object_get_ex(args, key, &v))
			continue;
		if (json_object_is_type(v, json_type_object)) {
			if (!header_params_match(c, h, property, v, e))
				return false;
		} else if (v != NULL && !param_matches(c, h, json_object_get_string(name), v, e)) {
			return false;
		}
	}
	return true;
}
