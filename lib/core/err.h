/*
 * One list of outcomes for the whole of souk.  A single table (err.c) gives each its public code, HTTP status,
 * JSON-RPC code, log level and whether a repeat can help; a second, prefix-ordered one maps SQLSTATE to it.
 */
#ifndef SOUK_CORE_ERR_H
#define SOUK_CORE_ERR_H

#include <stdbool.h>

#include "core/banned.h"

enum err {
	E_OK,
	E_INVALID,		/* 400 MCP_INVALID_REQUEST: malformed or refused input; the message names the member */
	E_MALFORMED,		/* 400 MCP_INVALID_REQUEST: the body is not JSON */
	E_UNAUTHENTICATED,	/* 401 MCP_AUTH_REQUIRED */
	E_FORBIDDEN,		/* 403 MCP_FORBIDDEN */
	E_NOT_FOUND,		/* 404 MCP_NOT_FOUND */
	E_METHOD,		/* 405 MCP_INVALID_REQUEST, with Allow */
	E_CONFLICT,		/* 409 MCP_CONFLICT */
	E_TEST_RUNNING,		/* 409 MCP_TEST_RUNNING */
	E_TOO_LARGE,		/* 413 MCP_INVALID_REQUEST */
	E_MEDIA_TYPE,		/* 415 MCP_INVALID_REQUEST */
	E_KEY_REUSED,		/* 422 MCP_CONFLICT: Idempotency-Key used before with another request */
	E_RATE_LIMITED,		/* 429 MCP_RATE_LIMITED, with Retry-After */
	E_UNAVAILABLE,		/* 503 MCP_UNAVAILABLE, with Retry-After: a dependency is down or too slow */
	E_CANCELLED,		/* 499 MCP_CANCELLED: the caller has given the request up; there is nobody to tell, but for the record */
	E_INTERNAL,		/* 500 MCP_INTERNAL */
	E__MAX
};

struct err_info {
	const char *code;	/* public code, MCP_... */
	const char *message;	/* default public message, when fail() gave none */
	int http;		/* HTTP status */
	int jsonrpc;		/* JSON-RPC error code */
	int level;		/* enum log_level */
	bool retry;		/* the same request may succeed later */
};

/* The row for e.  Never NULL; an e outside the enum gives the row of E_INTERNAL. */
const struct err_info *err_info(enum err e);

/*
 * Map a five-character SQLSTATE.  Class SK (raised on purpose by our SQL) maps by its digits: SK400, SK401, SK403,
 * SK404, SK409, SK422, SK429, SK503.  *is_public is set when the database's message text may be shown to the caller
 * (class SK only).  NULL or an unknown state gives E_INTERNAL.
 */
enum err err_from_sqlstate(const char *state, bool *is_public);

#endif
