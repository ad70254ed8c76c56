/* Where things are: resources, the metadata documents, challenges. */
#include <string.h>
#include <strings.h>

#include "auth/oauth_internal.h"
#include "core/banned.h"
#include "core/config.h"
#include "gen/sql.h"
#include "store/db.h"
#include "tool/tool.h"
#include "web/cors.h"

#define WELL_KNOWN "/.well-known/oauth-protected-resource"
#define SCOPES_TEXT_MAX 4096

/* ---- the issuer ------------------------------------------------------------------------- */

/* Codes and tokens travel by this address: https, or never off this machine. */
static bool
is_safe(struct ctx *c, const char *base)
{
	const char *host = uri_host(c, base);

	return strncmp(base, "https://", 8) == 0 || strcasecmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0;
}

bool
oauth_offered(struct req *r)
{
	return cfg_bool("OAUTH") && *cfg_str("TOKEN_PEPPER") != '\0' && is_safe(&r->c, req_base_url(r));
}

enum err
oauth_open(struct req *r, const char **issuer)
{
	const char *origin = req_header(r, "Origin");

	if (!cors_host_allowed(r))
		return fail(&r->c, E_FORBIDDEN, "Host: not one of this service; see ALLOWED_HOSTS and PUBLIC_URL");
	if (origin != NULL && r->method != M_GET && !cors_origin_allowed(r, origin))
		return fail(&r->c, E_FORBIDDEN, "Origin: not allowed; see CORS_ORIGINS");
	if (!oauth_offered(r))
		return fail(&r->c, E_NOT_FOUND, "no such route: %.200s", r->path);
	*issuer = req_base_url(r);
	return E_OK;
}

enum err
oauth_refuse(struct req *r, int status, const char *error, const char *why)
{
	struct buf b;

	buf_init(&b, r->c.a, 256, 8192);
	buf_puts(&b, "{\"error\":");
	buf_json_cstr(&b, error);
	buf_puts(&b, ",\"error_description\":");
	buf_json_cstr(&b, why);
	buf_putc(&b, '}');
	return res_send(r, status, "application/json", b.p, b.n);
}

/* ---- resources ---------------------------------------------------------------------------- */

/* "catalog" for "/mcp/catalog" and "/mcp/catalog/"; "" for "/mcp"; NULL for what belongs to no MCP endpoint. */
static const char *
server_of(struct ctx *c, const char *path)
{
	size_t n;

	if (path == NULL || strncmp(path, "/mcp", 4) != 0 || (path[4] != '\0' && path[4] != '/'))
		return NULL;
	path += 4 + (path[4] == '/');
	n = strcspn(path, "/");
	return arena_strndup(c->a, path, n);
}

static bool
server_known(const char *name)
{
	for (size_t i = 0; tool_servers[i] != NULL; i++)
		if (strcmp(tool_servers[i], name) == 0)
			return true;
	return *name == '\0';
}

bool
oauth_audience_fits(const char *audience, const char *base_url, const char *path)
{
	size_t n = strlen(base_url), m;

	if (strncmp(audience, base_url, n) != 0)
		return false;
	audience += n;
	if (*audience == '\0' || strcmp(audience, "/mcp") == 0)
		return true;
	/* for one server: no other endpoint, and none outside MCP */
	m = strlen(audience);
	return strncmp(audience, "/mcp/", 5) == 0 && path != NULL && strncmp(path, audience, m) == 0 && (path[m] == '\0' || strcmp(path + m, "/") == 0);
}

const char *
resource_named(struct req *r, const char *issuer, const char *named)
{
	size_t n = strlen(issuer), m;
	const char *server;

	if (named == NULL || *named == '\0')
		return arena_printf(r->c.a, "%s/mcp", issuer);
	m = strlen(named);
	if (m > URI_MAX || strncmp(named, issuer, n) != 0)
		return NULL;
	if (named[m - 1] == '/')
		m--;
	named = arena_strndup(r->c.a, named, m);
	if (m == n || strcmp(named + n, "/mcp") == 0)
		return named;
	server = server_of(&r->c, named + n);
	return server != NULL && *server != '\0' && strchr(named + n + 5, '/') == NULL && server_known(server) ? named : NULL;
}

/* ---- scopes ---------------------------------------------------------------------------------- */

bool
scope_listed(const char *list, const char *scope, size_t n)
{
	while (*list != '\0') {
		size_t k = strcspn(list, " ");

		if (k == n && strncmp(list, scope, n) == 0)
			return true;
		list += k + (list[k] == ' ');
	}
	return false;
}

const char *
scopes_among(struct ctx *c, const char *list, const char *among)
{
	struct buf b;

	buf_init(&b, c->a, 128, SCOPES_TEXT_MAX);
	while (*(list += strspn(list, " ")) != '\0') {
		size_t k = strcspn(list, " ");

		if (scope_listed(among, list, k) && !scope_listed(buf_str(&b), list, k)) {
			if (b.n > 0)
				buf_putc(&b, ' ');
			buf_put(&b, list, k);
		}
		list += k;
	}
	return buf_str(&b);
}

/* All that tools need which the resource lists. */
const char *
resource_scopes(struct ctx *c, const char *issuer, const char *resource)
{
	const char *server = server_of(c, resource + strlen(issuer)), *listed_as;
	struct buf b;

	buf_init(&b, c->a, 256, SCOPES_TEXT_MAX);
	for (const struct tool *t = tools_all(); t->name != NULL; t++) {
		if (strcmp(t->scope, "none") == 0 || scope_listed(buf_str(&b), t->scope, strlen(t->scope)))
			continue;
		if (server != NULL && *server != '\0' && !tool_listed(t, server, &listed_as))
			continue;
		if (b.n > 0)
			buf_putc(&b, ' ');
		buf_puts(&b, t->scope);
	}
	return buf_str(&b);
}

static void
put_list(struct buf *b, const char *words)
{
	buf_putc(b, '[');
	for (bool first = true; *words != '\0'; first = false) {
		size_t n = strcspn(words, " ");

		if (!first)
			buf_putc(b, ',');
		buf_json_string(b, words, n);
		words += n + (words[n] == ' ');
	}
	buf_putc(b, ']');
}

/* ---- documents --------------------------------------------------------------------------------- */

enum err
oauth_resource_metadata(struct req *r)
{
	const char *issuer, *path = r->path + sizeof(WELL_KNOWN) - 1, *server;
	const char *resource;
	struct buf b;

	if (oauth_open(r, &issuer))
		return r->c.err;
	server = *path == '\0' || strcmp(path, "/") == 0 ? "" : server_of(&r->c, path);
	if (server == NULL || !server_known(server))
		return fail(&r->c, E_NOT_FOUND, "no such route: %.200s", r->path);
	resource = arena_printf(r->c.a, "%s/mcp%s%s", issuer, *server != '\0' ? "/" : "", server);
	buf_init(&b, r->c.a, 1024, 16384);
	buf_puts(&b, "{\"resource\":");
	buf_json_cstr(&b, resource);
	buf_puts(&b, ",\"authorization_servers\":[");
	buf_json_cstr(&b, issuer);
	buf_puts(&b, "],\"scopes_supported\":");
	put_list(&b, resource_scopes(&r->c, issuer, resource));
	buf_puts(&b, ",\"bearer_methods_supported\":[\"header\"],\"resource_name\":");
	buf_json_cstr(&b, cfg_str("SHOP_NAME"));
	buf_putc(&b, '}');
	return res_json(r, b.p, b.n);
}

enum err
oauth_server_metadata(struct req *r)
{
	static const struct {
		const char *member, *path;
	} places[] = {
		{ "authorization_endpoint", "/oauth/authorize" }, { "token_endpoint", "/oauth/token" }, { "revocation_endpoint", "/oauth/revoke" },
		{ "jwks_uri", "/oauth/jwks" }, { "registration_endpoint", "/oauth/register" },
	};
	static const char fixed[] = ",\"response_types_supported\":[\"code\"],\"response_modes_supported\":[\"query\"],"
		"\"grant_types_supported\":[\"authorization_code\",\"refresh_token\",\"client_credentials\"],"
		"\"code_challenge_methods_supported\":[\"S256\"],"
		"\"token_endpoint_auth_methods_supported\":[\"none\",\"client_secret_basic\",\"client_secret_post\"],"
		"\"revocation_endpoint_auth_methods_supported\":[\"none\",\"client_secret_basic\",\"client_secret_post\"],"
		"\"client_id_metadata_document_supported\":true,\"authorization_response_iss_parameter_supported\":true,"
		"\"ui_locales_supported\":[\"en\",\"fr\"],\"protected_resources\":[";
	const char *issuer;
	struct buf b;

	if (oauth_open(r, &issuer))
		return r->c.err;
	buf_init(&b, r->c.a, 2048, 16384);
	buf_puts(&b, "{\"issuer\":");
	buf_json_cstr(&b, issuer);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (strcmp(places[i].path, "/oauth/register") == 0 && !cfg_bool("OAUTH_REGISTRATION"))
			continue;
		buf_printf(&b, ",\"%s\":", places[i].member);
		buf_json_cstr(&b, arena_printf(r->c.a, "%s%s", issuer, places[i].path));
	}
	buf_puts(&b, fixed);
	buf_json_cstr(&b, arena_printf(r->c.a, "%s/mcp", issuer));
	buf_puts(&b, "],\"scopes_supported\":");
	put_list(&b, resource_scopes(&r->c, issuer, issuer));
	buf_putc(&b, '}');
	return res_json(r, b.p, b.n);
}

enum err
oauth_jwks(struct req *r)
{
	const char *issuer, *json;
	size_t n;

	if (oauth_open(r, &issuer) || db_text(&r->c, &sql_oauth_jwks, 0, NULL, &json, &n))
		return r->c.err;
	return res_json(r, json, n);
}

/* ---- challenges ------------------------------------------------------------------------------------ */

/* The document's address: the well-known part stands between host and path (RFC 9728). */
const char *
oauth_metadata_url(struct req *r)
{
	const char *base = req_base_url(r), *server = server_of(&r->c, r->path), *path;

	if (!oauth_offered(r))
		return NULL;
	path = strchr(strstr(base, "://") + 3, '/');
	if (path == NULL)
		path = base + strlen(base);
	if (server != NULL && !server_known(server))
		server = "";
	return arena_printf(r->c.a, "%.*s" WELL_KNOWN "%s/mcp%s%s", (int)(path - base), base, path, server != NULL && *server != '\0' ? "/" : "",
		server != NULL ? server : "");
}

const char *
oauth_challenge_text(struct ctx *c, const char *metadata, enum err e, bool presented, const char *scope)
{
	struct buf b;

	buf_init(&b, c->a, 256, 4096);
	buf_puts(&b, "Bearer realm=\"souk\"");
	if (e == E_FORBIDDEN)
		buf_puts(&b, ", error=\"insufficient_scope\"");
	else if (presented)
		buf_puts(&b, ", error=\"invalid_token\"");
	if (scope != NULL && *scope != '\0' && strcmp(scope, "none") != 0)
		buf_printf(&b, ", scope=\"%s\"", scope);
	if (metadata != NULL)
		buf_printf(&b, ", resource_metadata=\"%s\"", metadata);
	return buf_str(&b);
}

const char *
oauth_challenge(struct req *r, enum err e, bool presented, const char *scope)
{
	return oauth_challenge_text(&r->c, oauth_metadata_url(r), e, presented, scope);
}
