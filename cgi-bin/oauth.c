/*
 * OAuth 2.1: how an assistant gets to act for a person, and how machines sign in.
 *
 *   GET  /oauth/authorize   log-in, then the question whether this client may
 *   POST /oauth/authorize   the answer to it
 *   POST /oauth/token       a code, a refresh token or a service account's secret for an access token
 *   POST /oauth/revoke      a token is given back
 *   POST /oauth/register    a client says who it is
 *   GET  /oauth/jwks        keys that verify the tokens of service accounts
 *   GET  /.well-known/oauth-authorization-server, /.well-known/openid-configuration
 *   GET  /.well-known/oauth-protected-resource, and behind it /mcp and /mcp/{server}
 */
#include "auth/oauth.h"
#include "web/req.h"

#define JSON_DOC(text) "\"responses\":{\"200\":{\"description\":\"" text "\",\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"}}}}}"
#define PAGE_DOC "\"responses\":{\"200\":{\"description\":\"The question, as a page\",\"content\":{\"text/html\":{\"schema\":{\"type\":\"string\"}}}}," \
	"\"302\":{\"description\":\"To the log-in, or back to the client\"}}"
#define FORM_DOC(result) "\"requestBody\":{\"required\":true,\"content\":{\"application/x-www-form-urlencoded\":{\"schema\":{\"type\":\"object\"}}}}," result
#define REGISTER_DOC "\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\",\"required\":[\"redirect_uris\"]," \
	"\"properties\":{\"redirect_uris\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"client_name\":{\"type\":\"string\"}}}}}}," \
	"\"responses\":{\"201\":{\"description\":\"What was registered\",\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"}}}}}"
#define DECIDE_DOC FORM_DOC("\"responses\":{\"303\":{\"description\":\"Back to the client\"}}")
#define TOKEN_DOC FORM_DOC(JSON_DOC("access_token, token_type, expires_in, refresh_token, scope"))
#define REVOKE_DOC FORM_DOC("\"responses\":{\"200\":{\"description\":\"The token is not valid any more\"}}")

#define FORM (ROUTE_RAW_BODY | ROUTE_NO_AUTH)
#define RESOURCE "/.well-known/oauth-protected-resource"

const struct route routes[] = {
	{ M_GET, "/oauth/authorize", "none", "oauth", oauth_authorize, .summary = "May this client act for me?", .doc = PAGE_DOC, .flags = ROUTE_NO_AUTH },
	{ M_POST, "/oauth/authorize", "none", "oauth", oauth_decide, .summary = "The answer to that", .doc = DECIDE_DOC, .flags = FORM },
	{ M_POST, "/oauth/token", "none", "oauth", oauth_token, .summary = "Access tokens", .doc = TOKEN_DOC, .flags = FORM | ROUTE_OAUTH },
	{ M_POST, "/oauth/revoke", "none", "oauth", oauth_revoke, .summary = "Give a token back", .doc = REVOKE_DOC, .flags = FORM | ROUTE_OAUTH },
	{ M_POST, "/oauth/register", "none", "register", oauth_register, .summary = "Register a client", .doc = REGISTER_DOC, .flags = FORM | ROUTE_OAUTH },
	{ M_GET, "/oauth/jwks", "none", "oauth", oauth_jwks, .summary = "Keys of service accounts' tokens", .doc = JSON_DOC("JSON Web Key Set"),
	    .flags = ROUTE_NO_AUTH },
	{ M_GET, "/.well-known/oauth-authorization-server", "none", "oauth", oauth_server_metadata, .summary = "Who gives tokens (RFC 8414)",
	    .doc = JSON_DOC("Server metadata"), .flags = ROUTE_NO_AUTH },
	{ M_GET, "/.well-known/openid-configuration", "none", "oauth", oauth_server_metadata, .summary = "The same, where other clients look",
	    .doc = JSON_DOC("Server metadata"), .flags = ROUTE_NO_AUTH },
	{ M_GET, RESOURCE, "none", "oauth", oauth_resource_metadata, .summary = "What tokens are for (RFC 9728)",
	    .doc = JSON_DOC("Resource metadata"), .flags = ROUTE_NO_AUTH },
	{ M_GET, RESOURCE "/mcp", "none", "oauth", oauth_resource_metadata, .summary = "The same, where clients of /mcp look",
	    .doc = JSON_DOC("Resource metadata"), .flags = ROUTE_NO_AUTH },
	{ M_GET, RESOURCE "/mcp/{server}", "none", "oauth", oauth_resource_metadata, .summary = "The same for one server",
	    .doc = JSON_DOC("Resource metadata"), .flags = ROUTE_NO_AUTH },
	{ 0 }
};
