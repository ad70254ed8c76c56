/*
 * /oauth/authorize: who asks for what, from whom.  What is wrong with the client or with its address is shown to the person and never sent on; all else goes back to
 * the client's address.
 */
#include <sodium.h>
#include <string.h>

#include "auth/login.h"
#include "auth/oauth_internal.h"
#include "core/banned.h"
#include "core/log.h"
#include "gen/sql.h"
#include "store/db.h"
#include "store/fetch.h"
#include "web/request.h"

/* ---- the way back to the client ----------------------------------------------------------- */

struct back {
	struct buf b;
	struct ctx *c;
};

static void
back_begin(struct back *k, struct ctx *c, const char *uri)
{
	k->c = c;
	buf_init(&k->b, c->a, 512, 16384);
	buf_puts(&k->b, uri);
	if (strchr(uri, '?') == NULL)
		buf_putc(&k->b, '?');
	else if (uri[strlen(uri) - 1] != '?' && uri[strlen(uri) - 1] != '&')
		buf_putc(&k->b, '&');
}

static void
back_add(struct back *k, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (k->b.p[k->b.n - 1] != '?' && k->b.p[k->b.n - 1] != '&')
		buf_putc(&k->b, '&');
	buf_puts(&k->b, name);
	buf_putc(&k->b, '=');
	buf_puts(&k->b, fetch_escape(k->c, value));
}

static enum err
send_back(struct req *r, const struct oauth_ask *ask, const char *error, const char *why)
{
	struct back k;

	back_begin(&k, &r->c, ask->redirect_uri);
	back_add(&k, "error", error);
	back_add(&k, "error_description", why);
	back_add(&k, "state", ask->state);
	back_add(&k, "iss", ask->issuer);
	return page_redirect(r, buf_str(&k.b));
}

/* ---- what is asked --------------------------------------------------------------------------- */

static const char *
page_locale(struct req *r, const struct pair *p, size_t n)
{
	const char *wanted = form_value(p, n, "ui_locales"), *negotiated = r->locale;

	if (wanted != NULL)
		for (const char *w = wanted; *w != '\0'; w += strcspn(w, " "), w += strspn(w, " ")) {
			if (strncmp(w, "fr", 2) == 0)
				return "fr";
			if (strncmp(w, "en", 2) == 0)
				return "en";
		}
	return strcmp(negotiated, "fr") == 0 ? "fr" : "en";
}

/* A parameter given twice leaves open which one counts. */
static bool
is_repeated(const struct pair *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(p[i].name, p[k].name) == 0)
				return true;
	return false;
}

/* The first two things: who, and where the answer goes.  Without them there is nobody to answer. */
static enum err
read_client(struct req *r, const struct pair *p, size_t n, struct oauth_ask *ask)
{
	const char *id = form_value(p, n, "client_id"), *uri = form_value(p, n, "redirect_uri");
	struct rate_state rate;
	enum err e;

	if (is_repeated(p, n))
		return consent_fault(r, ask->locale, 400, "The request names something twice.", "La demande nomme quelque chose deux fois.");
	if (id == NULL || *id == '\0')
		return consent_fault(r, ask->locale, 400, "The request does not say who asks (client_id).", "La demande ne dit pas qui demande (client_id).");
	/* an unknown URL makes us fetch something, which nobody may have us do often */
	if (client_id_is_url(id) && (client_find(&r->c, id, &ask->client) != E_OK || ask->client.age_s > 3600)) {
		ctx_clear_error(&r->c);
		if (rate_hit(&r->c, &r->who, "register", &rate) != E_OK)
			return r->c.err;
	}
	e = client_load(&r->c, id, &ask->client);
	if (e == E_NOT_FOUND || (e == E_OK && strcmp(ask->client.kind, "service") == 0)) {
		ctx_clear_error(&r->c);
		return consent_fault(r, ask->locale, 400, "Nobody is registered here under that client_id.", "Personne n’est enregistré ici sous ce client_id.");
	}
	if (client_id_is_url(id) && (e == E_INVALID || (e == E_UNAVAILABLE && strncmp(ctx_message(&r->c), "client_id:", 10) == 0))) {
		const char *why = ctx_message(&r->c);

		ctx_clear_error(&r->c);
		return consent_fault(r, ask->locale, e == E_INVALID ? 400 : 503, why, why);
	}
	if (e != E_OK)
		return e;
	if (uri == NULL || !redirect_matches(&ask->client, uri))
		return consent_fault(r, ask->locale, 400, "The address for the answer (redirect_uri) is not one of this client’s. Nothing was sent there.",
			"L’adresse de la réponse (redirect_uri) n’est pas de ce client. Rien n’y a été envoyé.");
	ask->redirect_uri = uri;
	return E_OK;
}

static bool
challenge_ok(const char *s)
{
	size_t n = s != NULL ? strlen(s) : 0;

	return n >= 43 && n <= 128 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") == n;
}

/* The rest.  NULL: all is well; else the error for the client, with *why. */
static const char *
read_rest(struct req *r, const struct pair *p, size_t n, struct oauth_ask *ask, const char **why)
{
	const char *type = form_value(p, n, "response_type"), *method = form_value(p, n, "code_challenge_method");
	const char *mode = form_value(p, n, "response_mode"), *scope = form_value(p, n, "scope"), *offered;

	ask->state = form_value(p, n, "state");
	ask->challenge = form_value(p, n, "code_challenge");
	if (ask->state != NULL && strlen(ask->state) > STATE_MAX) {
		ask->state = NULL;
		return *why = "state is longer than 2048 bytes", "invalid_request";
	}
	if (form_value(p, n, "request") != NULL)
		return *why = "request objects are not taken", "request_not_supported";
	if (form_value(p, n, "request_uri") != NULL)
		return *why = "request objects are not taken", "request_uri_not_supported";
	if (type == NULL)
		return *why = "response_type is missing", "invalid_request";
	if (strcmp(type, "code") != 0)
		return *why = "response_type must be code", "unsupported_response_type";
	if (mode != NULL && strcmp(mode, "query") != 0)
		return *why = "response_mode must be query", "invalid_request";
	if (!challenge_ok(ask->challenge))
		return *why = "code_challenge: 43 to 128 characters are required (PKCE)", "invalid_request";
	if (method == NULL || strcmp(method, "S256") != 0)
		return *why = "code_challenge_method must be S256", "invalid_request";
	ask->resource = resource_named(r, ask->issuer, form_value(p, n, "resource"));
	if (ask->resource == NULL)
		return *why = "resource is none of this service", "invalid_target";
	offered = resource_scopes(&r->c, ask->issuer, ask->resource);
	if ((scope == NULL || *scope == '\0') && *ask->client.scopes != '\0')
		scope = ask->client.scopes;
	ask->scopes = scope == NULL || *scope == '\0' ? offered : scopes_among(&r->c, scope, offered);
	if (*ask->scopes == '\0')
		return *why = "scope names nothing that exists here", "invalid_scope";
	return NULL;
}

/* Read a query.  *going: there is something to ask; otherwise the answer has been sent or an error is noted. */
static enum err
read_ask(struct req *r, const char *query, struct oauth_ask *ask, bool *going)
{
	const char *error, *why = "";
	struct pair *p;
	size_t n;
	enum err e;

	*going = false;
	*ask = (struct oauth_ask){ .query = query };
	if ((e = oauth_open(r, &ask->issuer)) || (e = query_parse(&r->c, query, &p, &n)))
		return e;
	ask->locale = page_locale(r, p, n);
	if ((e = read_client(r, p, n, ask)) || res_done(r))
		return e;
	if ((error = read_rest(r, p, n, ask, &why)) != NULL)
		return send_back(r, ask, error, why);
	*going = true;
	return E_OK;
}

/* Of what is asked, what this person could give. */
static const char *
givable(struct req *r, const struct oauth_ask *ask, const struct subject *who)
{
	struct buf b;

	buf_init(&b, r->c.a, 256, 4096);
	for (const char *s = ask->scopes; *s != '\0';) {
		size_t n = strcspn(s, " ");

		if (scope_held(who, arena_strndup(r->c.a, s, n))) {
			if (b.n > 0)
				buf_putc(&b, ' ');
			buf_put(&b, s, n);
		}
		s += n + (s[n] == ' ');
	}
	return buf_str(&b);
}

static bool
may_grant(const struct subject *who)
{
	return strcmp(who->kind, "customer") == 0 || strcmp(who->kind, "staff") == 0;
}

enum err
oauth_authorize(struct req *r)
{
	struct oauth_ask ask;
	struct subject who;
	const char *given;
	bool going;
	enum err e = read_ask(r, r->query, &ask, &going);

	if (!going)
		return e;
	e = login_current(r, &who);
	if (e == E_UNAUTHENTICATED || (e == E_OK && !may_grant(&who))) {
		ctx_clear_error(&r->c);
		return page_redirect(r, consent_login(r, ask.query));
	}
	if (e != E_OK)
		return e;
	given = givable(r, &ask, &who);
	return *given != '\0' ? consent_page(r, &ask, &who, given) :
	    send_back(r, &ask, "access_denied", "this account holds none of the rights that were asked for");
}

static enum err
allow(struct req *r, const struct oauth_ask *ask, const struct subject *who, const char *given)
{
	char code[TOKEN_SECRET_LEN + 1], hex[2 * TOKEN_HASH_LEN + 1];
	const char *v[10] = { ask->client.id, who->kind, who->customer_id, who->staff_id, who->name, given, ask->resource, hex, ask->redirect_uri,
		ask->challenge };
	PGresult *res;
	struct back k;

	if (!secret_new(code, hex))
		return send_back(r, ask, "server_error", "codes cannot be made");
	if (db_write(&r->c, &sql_oauth_allow, 10, v, &res))
		return r->c.err;
	if (PQgetisnull(res, 0, 0))
		return send_back(r, ask, "unauthorized_client", "the client is no longer registered");
	log_event(LOG_INFO_, &r->c, "grant given", LOG_S("grant", PQgetvalue(res, 0, 0)), LOG_S("kind", who->kind), LOG_S("scopes", given));
	back_begin(&k, &r->c, ask->redirect_uri);
	back_add(&k, "code", code);
	back_add(&k, "state", ask->state);
	back_add(&k, "iss", ask->issuer);
	sodium_memzero(code, sizeof(code));
	return page_redirect(r, buf_str(&k.b));
}

enum err
oauth_decide(struct req *r)
{
	const char *query, *proof, *decision, *given;
	struct pair *fields;
	struct oauth_ask ask;
	struct subject who;
	bool going;
	size_t n;
	enum err e;

	if ((e = form_parse(r, &fields, &n)))
		return e;
	query = form_value(fields, n, "query");
	proof = form_value(fields, n, "proof");
	decision = form_value(fields, n, "decision");
	if (query == NULL || proof == NULL || decision == NULL)
		return fail(&r->c, E_INVALID, "query, proof, decision: are required");
	if ((e = read_ask(r, query, &ask, &going)) || !going)
		return e;
	if ((e = login_current(r, &who)) == E_UNAUTHENTICATED || (e == E_OK && !may_grant(&who))) {
		ctx_clear_error(&r->c);
		return page_redirect(r, consent_login(r, ask.query));
	}
	if (e != E_OK)
		return e;
	/* another page's form, another person's, or one that lay open for long: ask again */
	if (!login_form_ok(r, consent_purpose(&r->c, query), proof))
		return page_redirect(r, arena_printf(r->c.a, "%s?%s", page_path(r, "/oauth/authorize"), query));
	if (strcmp(decision, "allow") != 0)
		return send_back(r, &ask, "access_denied", "the person said no");
	given = givable(r, &ask, &who);
	return *given != '\0' ? allow(r, &ask, &who, given) :
	    send_back(r, &ask, "access_denied", "this account holds none of the rights that were asked for");
}
