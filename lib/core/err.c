/* The two tables of outcomes; see err.h. */
#include "core/err.h"
#include "core/log.h"

#include <stddef.h>
#include <string.h>

/*
 * JSON-RPC: -32602 and -32600 for what the caller can mend in the call itself; the shop's own codes are -32000 not available,
 * -32001 API error, -32002 authentication, -32003 rate limit.
 */
static const struct err_info infos[E__MAX] = {
	[E_OK] = { "OK", "ok", 200, 0, LOG_INFO_, false },
	[E_INVALID] = { "MCP_INVALID_REQUEST", "invalid request", 400, -32602, LOG_INFO_, false },
	[E_MALFORMED] = { "MCP_INVALID_REQUEST", "the body is not JSON", 400, -32700, LOG_INFO_, false },
	[E_UNAUTHENTICATED] = { "MCP_AUTH_REQUIRED", "a valid access token is required", 401, -32002, LOG_INFO_, false },
	[E_FORBIDDEN] = { "MCP_FORBIDDEN", "the access token does not allow this", 403, -32002, LOG_INFO_, false },
	[E_NOT_FOUND] = { "MCP_NOT_FOUND", "not found", 404, -32602, LOG_INFO_, false },
	[E_METHOD] = { "MCP_INVALID_REQUEST", "method not allowed", 405, -32601, LOG_INFO_, false },
	[E_CONFLICT] = { "MCP_CONFLICT", "the request conflicts with another one or with the current state", 409, -32001, LOG_INFO_, true },
	[E_TEST_RUNNING] = { "MCP_TEST_RUNNING", "a test run is already in progress", 409, -32001, LOG_INFO_, true },
	[E_TOO_LARGE] = { "MCP_INVALID_REQUEST", "the request is too large", 413, -32600, LOG_INFO_, false },
	[E_MEDIA_TYPE] = { "MCP_INVALID_REQUEST", "unsupported content type", 415, -32600, LOG_INFO_, false },
	[E_KEY_REUSED] = { "MCP_CONFLICT", "the Idempotency-Key was used before with another request", 422, -32001, LOG_INFO_, false },
	[E_RATE_LIMITED] = { "MCP_RATE_LIMITED", "too many requests", 429, -32003, LOG_INFO_, true },
	[E_UNAVAILABLE] = { "MCP_UNAVAILABLE", "temporarily unavailable", 503, -32000, LOG_WARN_, true },
	[E_CANCELLED] = { "MCP_CANCELLED", "the caller has given the request up", 499, -32001, LOG_INFO_, true },
	[E_INTERNAL] = { "MCP_INTERNAL", "internal error", 500, -32603, LOG_ERROR_, false },
};

/* The first prefix that fits decides, so a state stands before its class. */
static const struct {
	const char *prefix;
	enum err e;
} states[] = {
	{ "08P01", E_INTERNAL },	/* protocol violation: we called it wrongly */
	{ "08", E_UNAVAILABLE },	/* connection exception */
	{ "22012", E_INTERNAL },	/* division by zero is our statement's fault */
	{ "22", E_INVALID },		/* data exception: number out of range, bad date, ... */
	{ "23502", E_INVALID },		/* not null violation */
	{ "23514", E_INVALID },		/* check violation */
	{ "23", E_CONFLICT },		/* unique, foreign key, exclusion */
	{ "25P03", E_UNAVAILABLE },	/* idle-in-transaction time-out */
	{ "28", E_UNAVAILABLE },	/* the configured database user is refused */
	{ "3D", E_UNAVAILABLE },	/* the configured database does not exist */
	{ "40", E_CONFLICT },		/* serialization failure, deadlock */
	{ "42501", E_FORBIDDEN },	/* privilege or row-level security */
	{ "53", E_UNAVAILABLE },	/* disk full, out of memory, too many connections */
	{ "54", E_INVALID },		/* program limit exceeded */
	{ "55P03", E_CONFLICT },	/* lock time-out */
	{ "57", E_UNAVAILABLE },	/* cancelled by time-out, shutting down, starting up */
	{ "58", E_UNAVAILABLE },	/* input/output error of the server */
	{ "P0002", E_NOT_FOUND },	/* no data found (SELECT INTO STRICT) */
};

/* Class SK, raised on purpose by our SQL. */
static const struct {
	const char *state;
	enum err e;
} ours[] = {
	{ "SK400", E_INVALID },
	{ "SK401", E_UNAUTHENTICATED },
	{ "SK403", E_FORBIDDEN },
	{ "SK404", E_NOT_FOUND },
	{ "SK409", E_CONFLICT },
	{ "SK422", E_KEY_REUSED },
	{ "SK429", E_RATE_LIMITED },
	{ "SK503", E_UNAVAILABLE },
};

const struct err_info *
err_info(enum err e)
{
	if ((unsigned)e >= E__MAX)
		e = E_INTERNAL;
	return &infos[e];
}

enum err
err_from_sqlstate(const char *state, bool *is_public)
{
	*is_public = false;
	if (state == NULL || strlen(state) != 5)
		return E_INTERNAL;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		if (memcmp(state, ours[i].state, 5) == 0) {
			*is_public = true;
			return ours[i].e;
		}
	}
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		if (strncmp(state, states[i].prefix, strlen(states[i].prefix)) == 0)
			return states[i].e;
	}
	return E_INTERNAL;
}
