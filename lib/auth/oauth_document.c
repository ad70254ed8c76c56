/*
 * Client id metadata documents: the client's id is the URL of a JSON document that says who it is, so nobody needs to register.  The URL comes from
 * whoever opens /oauth/authorize: it is fetched under the rules for foreign URLs (public addresses, no redirects, little, quickly).
 */
#include <string.h>

#include "auth/oauth_internal.h"
#include "core/banned.h"
#include "core/json.h"
#include "core/log.h"
#include "gen/sql.h"
#include "store/db.h"
#include "store/fetch.h"
#include "store/shm.h"

#define DOCUMENT_MAX 65536
#define DOCUMENT_MS 3000
#define DOCUMENTS_A_MINUTE 60

/* https, a host, a path that is not "/" alone, no user, fragment or dot segments. */
static bool
url_ok(const char *url)
{
	const char *host = url + 8, *path;

	if (redirect_fault(url) != NULL || strncmp(url, "https://", 8) != 0)
		return false;
	path = strchr(host, '/');
	return path != NULL && path > host && path[1] != '\0' && strstr(path, "/../") == NULL && strstr(path, "/./") == NULL;
}

static enum err
refuse(struct ctx *c, enum err e, const char *why)
{
	log_event(LOG_INFO_, c, "metadata document refused", LOG_S("reason", why));
	ctx_clear_error(c);
	return fail(c, e, "client_id: its metadata document cannot be used: %s", why);
}

static enum err
store(struct ctx *c, const char *url, const struct oauth_metadata *m)
{
	const char *v[5] = { url, m->name, m->uri, m->redirect_uris, CLIENTS_UNUSED_MAX };
	PGresult *r;

	if (db_write(c, &sql_oauth_document, 5, v, &r))
		return c->err;
	return strcmp(PQgetvalue(r, 0, 0), "ok") == 0 ? E_OK : fail(c, E_RATE_LIMITED, "too many clients wait to be used");
}

enum err
document_read(struct ctx *c, const char *url)
{
	static const struct fetch_header headers[] = { { "Accept", "application/json" }, { NULL, NULL } };
	const struct fetch_request ask = { .url = url, .headers = headers, .timeout_ms = DOCUMENT_MS, .body_max = DOCUMENT_MAX, .public_only = true };
	struct fetch_reply reply;
	struct oauth_metadata m;
	const char *own;
	json_object *o;
	int64_t reset_s;
	size_t n;
	enum err e;

	if (!url_ok(url))
		return refuse(c, E_INVALID, "the URL is not https with a path");
	/* many addresses together may not keep all processes busy with fetching */
	if (shm_rate("oauth:documents", DOCUMENTS_A_MINUTE, 60, true, &reset_s) > DOCUMENTS_A_MINUTE)
		return refuse(c, E_UNAVAILABLE, "too many are being read");
	e = fetch(c, &ask, &reply);
	if (e != E_OK)
		return refuse(c, e, reply.why != NULL ? reply.why : "it could not be fetched");
	if (reply.status != 200)
		return refuse(c, reply.status >= 500 ? E_UNAVAILABLE : E_INVALID, arena_printf(c->a, "HTTP status %d", reply.status));
	if (json_parse(c, reply.body, reply.n, &o) != E_OK)
		return refuse(c, E_INVALID, "it is not JSON");
	if (!metadata_read(c, o, &m))
		return refuse(c, E_INVALID, m.why);
	if (json_get_string(o, "client_id", 1, URI_MAX, &own, &n) != JSON_OK || strcmp(own, url) != 0)
		return refuse(c, E_INVALID, "client_id in it is not its URL");
	if (*m.name == '\0')
		return refuse(c, E_INVALID, "client_name is missing");
	if (strcmp(m.method, "none") != 0 || json_object_object_get_ex(o, "client_secret", NULL))
		return refuse(c, E_INVALID, "it asks for a secret, which a public document cannot keep");
	return store(c, url, &m);
}
