/*
 * requestState: what a server gives a modern client to bring back.  Sealed with XChaCha20-Poly1305 under a key made from TOKEN_PEPPER, so a client can neither
 * read nor change it, and bound to method, name, arguments, endpoint and principal, so it fits no other call.  Form: "v1." and base64url of nonce, expiry
 * and sealed text.
 */
#ifndef SOUK_MCP_STATE_H
#define SOUK_MCP_STATE_H

#include <stdbool.h>

#include "mcp/methods.h"

#define STATE_KEEP_S 900

/* NULL: there is no TOKEN_PEPPER to seal with. */
const char *state_seal(struct mcp_call *call, const char *text, size_t n);
/* NULL: not ours, changed, of another call or too old. */
const char *state_open(struct mcp_call *call, const char *sealed, size_t *n);

#endif
