/* souk doctor: what assistants need to let their user log in (OAuth), as they find it from outside. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "core/json.h"
#include "doctor.h"

static const char mend_paths[] = "route the exact paths /.well-known/oauth-... to souk, before any page or rewrite rule";

/* The JSON object at path.  NULL: told, unless it is not there (*absent). */
static json_object *
metadata(struct doctor *d, const char *url, const char *path, bool *absent)
{
	struct doctor_reply r;
	const char *why = doctor_ask(d, url, path, &(struct doctor_request){ 0 }, &r), *type = why == NULL ? doctor_header(d, &r, "content-type") : NULL;
	json_object *o = NULL;

	*absent = why == NULL && r.status == 404;
	if (why != NULL)
		found(d, WRONG, "oauth-metadata", mend_paths, "GET %s: %s", path, why);
	else if (*absent && type != NULL && strncmp(type, "text/html", 9) == 0)
		found(d, WARNING, "oauth-metadata", mend_paths, "GET %s does not reach souk: a page says that there is nothing", path);
	else if (r.status == 200 && type != NULL && strncmp(type, "application/json", 16) == 0 &&
	    json_parse(&d->cli->c, buf_str(&r.body), r.body.n, &o) == E_OK && json_object_is_type(o, json_type_object))
		return o;
	else if (!*absent)
		found(d, WRONG, "oauth-metadata", mend_paths, "GET %s is answered %ld with %.60s: clients take it for a log-in that does not work", path, r.status,
		    type != NULL ? type : "no type");
	ctx_clear_error(&d->cli->c);
	return NULL;
}

static const char *
text_of(json_object *o, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

static bool
has(json_object *o, const char *key, const char *want)
{
	json_object *list;

	if (json_get_array(o, key, &list) != JSON_OK)
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *v = json_object_array_get_idx(list, i);

		if (json_object_is_type(v, json_type_string) && strcmp(json_object_get_string(v), want) == 0)
			return true;
	}
	return false;
}

/* What clients compare byte by byte: the address that their user types, and the name of the issuer in each place. */
static bool
check_names(struct doctor *d, const char *url, json_object *resource, json_object *server)
{
	const char *want = arena_printf(&d->cli->arena, "%s/mcp", url), *issuer = text_of(server, "issuer");

	if (strcmp(text_of(resource, "resource"), want) != 0)
		found(d, WRONG, "oauth-resource", "set PUBLIC_URL to the address that users type, without a slash at its end",
		    "the resource is called %.120s, its address is %.120s", text_of(resource, "resource"), want);
	else if (!has(resource, "authorization_servers", issuer))
		found(d, WRONG, "oauth-issuer", "set PUBLIC_URL: both names are made of it", "the issuer %.120s is not among authorization_servers", issuer);
	else if (!has(server, "code_challenge_methods_supported", "S256") || !has(server, "token_endpoint_auth_methods_supported", "none"))
		found(d, WRONG, "oauth-metadata", "is something else than souk answering for it?", "the server's metadata lacks S256 or the method \"none\"");
	else
		return true;
	return false;
}

/* Registration as the real clients do it: their own schemes, loopback addresses without a port; 201, never 200. */
static void
check_registration(struct doctor *d, const char *url, json_object *server)
{
	static const char body[] = "{\"client_name\":\"souk doctor\",\"redirect_uris\":[\"cursor://anysphere.cursor-mcp/oauth/callback\",\"http://localhost:8787/callback\","
		"\"http://127.0.0.1/callback\",\"https://claude.ai/api/mcp/auth_callback\"],\"grant_types\":[\"authorization_code\",\"refresh_token\"],"
		"\"response_types\":[\"code\"],\"token_endpoint_auth_method\":\"none\"}";
	const char *endpoint = text_of(server, "registration_endpoint");
	struct doctor_reply r;

	if (strncmp(endpoint, url, strlen(url)) != 0) {
		found(d, WARNING, "oauth-register", "clients without registration need a client id document or a fixed id", "no registration is offered at this address");
		return;
	}
	if (doctor_ask(d, endpoint, "", &(struct doctor_request){ .body = body }, &r) != NULL || (r.status != 201 && r.status != 429))
		found(d, WRONG, "oauth-register", "let POST /oauth/register reach souk as it is", "registration is answered %ld, clients expect 201: %.160s", r.status, buf_str(&r.body));
	else if (r.status == 429)
		found(d, WARNING, "oauth-register", "ask again later", "registrations are limited, and there were many");
	else
		found(d, FINE, "oauth-register", NULL, "clients can register (this one expires unused)");
}

void
doctor_oauth(struct doctor *d, const char *url)
{
	bool no_resource, no_server;
	json_object *resource = metadata(d, url, "/.well-known/oauth-protected-resource/mcp", &no_resource);
	json_object *server = metadata(d, url, "/.well-known/oauth-authorization-server", &no_server);

	if (no_resource && no_server) {
		found(d, WARNING, "oauth-metadata", mend_paths, "there is no log-in for assistants at this address");
		return;
	}
	if (no_resource != no_server)
		found(d, WRONG, "oauth-metadata", mend_paths, "one of the two metadata documents is missing");
	if (resource == NULL || server == NULL)
		return;
	if (check_names(d, url, resource, server)) {
		found(d, FINE, "oauth-metadata", NULL, "assistants find the log-in");
		check_registration(d, url, server);
	}
}
