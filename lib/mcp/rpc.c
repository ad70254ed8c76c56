#include "mcp/rpc.h"

#include <string.h>

#include "core/banned.h"
#include "core/json.h"

bool
rpc_fail(struct rpc_error *e, int code, int http, const char *message)
{
	*e = (struct rpc_error){ .code = code, .http = http, .message = message };
	return false;
}

bool
rpc_id_valid(json_object *id)
{
	return json_object_is_type(id, json_type_string) || json_object_is_type(id, json_type_int);
}

static bool
read_params(json_object *message, struct rpc *m, struct rpc_error *e)
{
	json_object *params, *meta;

	if (!json_object_object_get_ex(message, "params", &params))
		return true;
	if (json_object_is_type(params, json_type_array))
		return rpc_fail(e, RPC_PARAMS_INVALID, 200, "params: must be an object");
	if (!json_object_is_type(params, json_type_object))
		return rpc_fail(e, RPC_REQUEST_INVALID, 400, "params: must be an object");
	m->params = params;
	if (!json_object_object_get_ex(params, "_meta", &meta))
		return true;
	if (!json_object_is_type(meta, json_type_object))
		return rpc_fail(e, RPC_PARAMS_INVALID, 400, "params._meta: must be an object");
	m->meta = meta;
	return true;
}

bool
rpc_read(json_object *message, struct rpc *m, struct rpc_error *e)
{
	json_object *v, *id = NULL;
	bool has_id;

	*m = (struct rpc){ .message = message };
	if (!json_object_is_type(message, json_type_object))
		return rpc_fail(e, RPC_REQUEST_INVALID, 400, "a message must be an object");
	has_id = json_object_object_get_ex(message, "id", &id);
	if (has_id && rpc_id_valid(id))
		m->id = id;
	if (!json_object_object_get_ex(message, "jsonrpc", &v) || !json_object_is_type(v, json_type_string) ||
	    strcmp(json_object_get_string(v), "2.0") != 0)
		return rpc_fail(e, RPC_REQUEST_INVALID, 400, "jsonrpc: must be \"2.0\"");
	if (has_id && m->id == NULL)
		return rpc_fail(e, RPC_REQUEST_INVALID, 400, "id: must be a string or an integer");
	if (!json_object_object_get_ex(message, "method", &v)) {
		m->kind = RPC_RESPONSE;
		if (m->id != NULL && json_object_object_get_ex(message, "result", NULL) != json_object_object_get_ex(message, "error", NULL))
			return true;
		return rpc_fail(e, RPC_REQUEST_INVALID, 400, "method: is missing");
	}
	if (!json_object_is_type(v, json_type_string))
		return rpc_fail(e, RPC_REQUEST_INVALID, 400, "method: must be a string");
	m->method = json_object_get_string(v);
	m->kind = has_id ? RPC_CALL : RPC_NOTE;
	return read_params(message, m, e);
}

void
rpc_put_id(struct buf *b, json_object *id)
{
	if (json_object_is_type(id, json_type_int))
		buf_int(b, json_object_get_int64(id));
	else
		buf_json_string(b, json_object_get_string(id), (size_t)json_object_get_string_len(id));
}

void
rpc_put_head(struct buf *b, json_object *id)
{
	buf_puts(b, "{\"jsonrpc\":\"2.0\"");
	if (id == NULL)
		return;
	buf_puts(b, ",\"id\":");
	rpc_put_id(b, id);
}

void
rpc_put_error(struct buf *b, json_object *id, const struct rpc_error *e)
{
	rpc_put_head(b, id);
	buf_puts(b, ",\"error\":{\"code\":");
	buf_int(b, e->code);
	buf_puts(b, ",\"message\":");
	buf_json_cstr(b, e->message);
	if (e->data != NULL) {
		buf_puts(b, ",\"data\":");
		buf_puts(b, e->data);
	}
	buf_puts(b, "}}");
}
