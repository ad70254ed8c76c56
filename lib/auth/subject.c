/* Who speaks; see subject.h. */
#include "auth/subject.h"

#include <string.h>

#include "auth/customer_token.h"
#include "auth/handle.h"
#include "auth/oauth.h"
#include "auth/signed.h"
#include "auth/throttle.h"
#include "core/banned.h"
#include "core/ip.h"
#include "core/log.h"
#include "gen/sql.h"
#include "store/db.h"

/* What customers, guests and visitors may do; which rows they may do it with is for row-level security. */
static const struct {
	const char *kind;
	const char *scopes[8];
} kinds[] = {
	{ "customer", { "orders:read", "orders:write", "support:read", "support:write", NULL } },
	{ "guest", { "orders:read", "orders:write", "support:read", "support:write", NULL } },
	{ "visitor", { NULL } },
	{ "anonymous", { NULL } },
};

static void
be(struct subject *out, const char *kind, const char *principal)
{
	*out = (struct subject){ .kind = kind, .token_id = "", .name = "", .customer_id = "", .rate_class = "", .visitor = "", .order_id = "",
		.staff_id = "", .principal = principal };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			memcpy(out->scopes, kinds[i].scopes, sizeof(kinds[i].scopes));
}

static const char *
by_address(struct ctx *c, const char *remote_ip)
{
	char unit[IP_TEXT];

	return arena_printf(c->a, "ip:%s", ip_limit_unit(remote_ip != NULL ? remote_ip : "", unit));
}

void
subject_anonymous(struct ctx *c, const char *remote_ip, struct subject *out)
{
	be(out, "anonymous", by_address(c, remote_ip));
}

void
subject_customer(struct ctx *c, const char *customer_id, struct subject *out)
{
	be(out, "customer", arena_printf(c->a, "customer:%s", customer_id));
	out->customer_id = out->principal + sizeof("customer:") - 1;
}

bool
subject_is_contact(const char *visitor)
{
	return strncmp(visitor, "contact:", sizeof("contact:") - 1) == 0;
}

static void
prove(const char *proven, struct subject *out)
{
	if (subject_is_contact(proven))
		out->visitor = proven;
	else
		out->order_id = proven;
}

void
subject_guest(struct ctx *c, const char *proven, struct subject *out)
{
	be(out, "guest", arena_printf(c->a, "guest:%s", proven));
	prove(out->principal + sizeof("guest:") - 1, out);
}

void
subject_also(struct ctx *c, const char *proven, struct subject *who)
{
	if (!subject_known(who)) {
		const char *visitor = who->visitor;

		subject_guest(c, proven, who);
		if (who->visitor[0] == '\0')
			who->visitor = visitor;
	} else {
		prove(arena_strdup(c->a, proven), who);
	}
}

/* Anybody may have a new basket, so visitors are counted by address. */
void
subject_visitor(struct ctx *c, const char *visitor, const char *remote_ip, struct subject *out)
{
	be(out, "visitor", by_address(c, remote_ip));
	out->visitor = arena_strdup(c->a, visitor);
}

void
subject_staff(struct ctx *c, const char *staff_id, const char *scopes, struct subject *out)
{
	be(out, "staff", arena_printf(c->a, "staff:%s", staff_id));
	out->staff_id = out->principal + sizeof("staff:") - 1;
	for (size_t i = 0; i < SCOPES_MAX && *scopes != '\0'; i++) {
		size_t n = strcspn(scopes, " ");

		out->scopes[i] = arena_strndup(c->a, scopes, n);
		scopes += n + (scopes[n] == ' ');
	}
}

bool
subject_known(const struct subject *s)
{
	return strcmp(s->kind, "anonymous") != 0 && strcmp(s->kind, "visitor") != 0;
}

/* Of the scopes that a customer granted, those that customers have. */
static void
keep_held(struct subject *s)
{
	struct subject holder;
	size_t n = 0;

	be(&holder, s->kind, "");
	for (size_t i = 0; s->scopes[i] != NULL; i++)
		if (scope_held(&holder, s->scopes[i]))
			s->scopes[n++] = s->scopes[i];
	s->scopes[n] = NULL;
}

static enum err
resolve_token(struct ctx *c, const struct bearer *b, struct subject *out)
{
	enum err e = b->recall ? token_recall(c, b->text, b->remote_ip, out) : token_verify(c, b->text, b->remote_ip, out);

	if (e == E_OK && strcmp(out->kind, "customer") == 0)
		keep_held(out);
	return e;
}

static enum err
resolve_service(struct ctx *c, const struct bearer *b, struct subject *out)
{
	return oauth_token_verify(c, b->text, b->remote_ip, out);
}

/* Of the shop's site, if it names one of its keys; else ours. */
static enum err
resolve_jwt(struct ctx *c, const struct bearer *b, struct subject *out)
{
	return customer_token_is(c, b->text) ? customer_token_resolve(c, b, out) : resolve_service(c, b, out);
}

static enum err
resolve_guest(struct ctx *c, const struct bearer *b, struct subject *out)
{
	const char *proven;

	if (handle_check(c, "gst", b->text, &proven))
		return c->err;
	subject_guest(c, proven, out);
	out->handle = b->text;
	return E_OK;
}

static enum err
resolve_customer(struct ctx *c, const struct bearer *b, struct subject *out)
{
	const char *customer;

	if (handle_check(c, "cst", b->text, &customer))
		return c->err;
	subject_customer(c, customer, out);
	out->handle = b->text;
	return E_OK;
}

static enum err
resolve_visitor(struct ctx *c, const struct bearer *b, struct subject *out)
{
	const char *visitor;

	if (signed_check(c, "bsk", b->text, &visitor))
		return c->err;
	subject_visitor(c, visitor, b->remote_ip, out);
	return E_OK;
}

/* The first row whose beginning fits decides; the last takes the rest, and refuses what is no token. */
static const struct {
	const char *begins;
	enum err (*resolve)(struct ctx *c, const struct bearer *b, struct subject *out);
} forms[] = {
	{ "gst_", resolve_guest },
	{ "cst_", resolve_customer },
	{ "bsk_", resolve_visitor },
	{ "sct_", customer_token_resolve },
	{ "eyJ", resolve_jwt },
	{ "", resolve_token },
};

enum err
subject_resolve(struct ctx *c, const struct bearer *b, struct subject *out)
{
	size_t i = 0;
	enum err e;

	while (strncmp(b->text, forms[i].begins, strlen(forms[i].begins)) != 0)
		i++;
	e = forms[i].resolve(c, b, out);
	if (e == E_OK && out->audience != NULL && *out->audience != '\0' && b->base_url != NULL && *b->base_url != '\0' &&
	    !oauth_audience_fits(out->audience, b->base_url, b->path)) {
		log_event(LOG_INFO_, c, "token refused", LOG_S("reason", "audience"));
		e = fail(c, E_UNAUTHENTICATED, NULL);
	}
	if (e != E_UNAUTHENTICATED)
		return e;
	/* guessing is not free; who has a valid token is never here */
	ctx_clear_error(c);
	return throttle_address(c, "auth", b->remote_ip) ? c->err : fail(c, E_UNAUTHENTICATED, NULL);
}
