/* The JSON-RPC 2.0 envelope: what kind of message it is, and how errors are written. */
#ifndef SOUK_MCP_RPC_H
#define SOUK_MCP_RPC_H

#include <json-c/json.h>
#include <stdbool.h>

#include "core/buf.h"

enum rpc_code {
	RPC_PARSE = -32700,
	RPC_REQUEST_INVALID = -32600,
	RPC_METHOD_UNKNOWN = -32601,
	RPC_PARAMS_INVALID = -32602,
	RPC_INTERNAL = -32603,
	RPC_UNAVAILABLE = -32000,
	RPC_API_ERROR = -32001,
	RPC_AUTH = -32002,		/* legacy only: the modern revision forbids it */
	RPC_RESOURCE_UNKNOWN = -32002,	/* legacy only; modern: RPC_PARAMS_INVALID */
	RPC_RATE_LIMITED = -32003,
	RPC_HEADER_MISMATCH = -32020,
	RPC_CAPABILITY_MISSING = -32021,
	RPC_VERSION_UNSUPPORTED = -32022
};

enum rpc_kind { RPC_CALL, RPC_NOTE, RPC_RESPONSE };

struct rpc {
	enum rpc_kind kind;
	json_object *id;	/* string or integer; NULL when there is none or it cannot be echoed */
	const char *method;	/* NULL in a response */
	json_object *params;	/* object, or NULL */
	json_object *meta;	/* params._meta, object, or NULL */
	json_object *message;	/* the whole of it */
};

struct rpc_error {
	int code;
	int http;		/* status */
	const char *message;
	const char *data;	/* JSON text, or NULL */
};

/* Set *e and return false, so that callers write: return rpc_fail(e, ...); */
bool rpc_fail(struct rpc_error *e, int code, int http, const char *message);

/* Read one message.  false: *e says why, and m->id is what could be read of the id. */
bool rpc_read(json_object *message, struct rpc *m, struct rpc_error *e);

/* Is the id one that JSON-RPC in MCP allows: a string or an integer? */
bool rpc_id_valid(json_object *id);

/* An id, or a progress token: text or integer. */
void rpc_put_id(struct buf *b, json_object *id);
/* {"jsonrpc":"2.0","id":7 and, without id, {"jsonrpc":"2.0" */
void rpc_put_head(struct buf *b, json_object *id);
/* A whole error reply. */
void rpc_put_error(struct buf *b, json_object *id, const struct rpc_error *e);

#endif
