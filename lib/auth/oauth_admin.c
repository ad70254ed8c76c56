/* Service accounts, clients made by hand, grants and signing keys: work of the command line, as the owner of the database. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/audit.h"
#include "auth/jwt_text.h"
#include "auth/oauth_internal.h"
#include "auth/seal.h"
#include "core/banned.h"
#include "core/ip.h"
#include "core/json.h"
#include "core/random.h"
#include "gen/sql.h"
#include "store/db.h"

#define NAME_CHARS 100
#define OVERLAP_MAX_S (INT64_C(366) * 86400)

static enum err
check(struct ctx *c, const struct oauth_account *a)
{
	size_t n = a->name != NULL ? strlen(a->name) : 0;

	if (n == 0 || !utf8_valid(a->name, n) || utf8_length(a->name, n) > NAME_CHARS)
		return fail(c, E_INVALID, "name: 1 to %d characters", NAME_CHARS);
	if (a->rate_class != NULL && *a->rate_class != '\0' && strcmp(a->rate_class, "bulk") != 0)
		return fail(c, E_INVALID, "rate class: must be bulk or empty");
	if (a->ip_allow != NULL && !ip_list_valid(a->ip_allow))
		return fail(c, E_INVALID, "allowed addresses: must be IP addresses or networks such as 10.0.0.0/8");
	if (a->ip_allow != NULL && a->ip_allow[0] != '\0' && a->ip_allow[strspn(a->ip_allow, ", \t")] == '\0')
		return fail(c, E_INVALID, "allowed addresses: none is named");
	if (a->redirect_uris == NULL)
		return E_OK;
	for (const char *p = a->redirect_uris; *(p += strspn(p, ", ")) != '\0'; p += strcspn(p, ", ")) {
		const char *why = redirect_fault(arena_strndup(c->a, p, strcspn(p, ", ")));

		if (why != NULL)
			return fail(c, E_INVALID, "redirect: %.*s %s", (int)(strcspn(p, ", ") & 0xfff), p, why);
	}
	return E_OK;
}

enum err
oauth_account_create(struct ctx *c, const struct oauth_account *a, char id[OAUTH_ID_MAX], char secret[OAUTH_SECRET_MAX])
{
	bool service = a->redirect_uris == NULL, has_secret = service || !a->is_public;
	char hex[2 * TOKEN_HASH_LEN + 1], key[OAUTH_ID_MAX];
	const char *v[8] = { id, service ? "service" : "manual", a->name, "", has_secret ? hex : NULL, "", a->rate_class != NULL ? a->rate_class : "",
		"" };
	PGresult *r;

	secret[0] = '\0';
	if (check(c, a))
		return c->err;
	if (token_scopes_check(c, a->scopes != NULL ? a->scopes : "", service, &v[3]))
		return c->err;
	if (a->ip_allow != NULL)
		v[5] = token_list_spaced(c, a->ip_allow);
	if (a->redirect_uris != NULL)
		v[7] = token_list_spaced(c, a->redirect_uris);
	(void)snprintf(id, OAUTH_ID_MAX, "%s", service ? "svc_" : "app_");
	random_base62(id + 4, 20);
	if (has_secret && !secret_new(secret, hex))
		return fail(c, E_INVALID, "TOKEN_PEPPER is not set: secrets need it");
	if (service && db_exec(c, &sql_oauth_key_sign, 0, NULL, &r))
		return c->err;
	if (service && PQntuples(r) == 0 && oauth_key_rotate(c, key))
		return c->err;
	if (audit_change(c, &sql_oauth_account_create, 8, v, "client", service ? "oauth.account.create" : "oauth.client.create", "{}"))
		sodium_memzero(secret, OAUTH_SECRET_MAX);
	return c->err;
}

enum err
oauth_account_rotate(struct ctx *c, const char *id, int64_t overlap_s, char secret[OAUTH_SECRET_MAX])
{
	char hex[2 * TOKEN_HASH_LEN + 1], overlap[24];
	const char *v[3] = { id, hex, overlap };

	secret[0] = '\0';
	if (overlap_s < 0 || overlap_s > OVERLAP_MAX_S)
		return fail(c, E_INVALID, "overlap: must be 0 seconds to a year");
	if (!secret_new(secret, hex))
		return fail(c, E_INVALID, "TOKEN_PEPPER is not set: secrets need it");
	(void)snprintf(overlap, sizeof(overlap), "%" PRId64, overlap_s);
	if (audit_change(c, &sql_oauth_account_rotate, 3, v, "client with a secret", "oauth.account.rotate", "{}"))
		sodium_memzero(secret, OAUTH_SECRET_MAX);
	return c->err;
}

enum err
oauth_account_revoke(struct ctx *c, const char *id)
{
	const char *v[1] = { id };

	return audit_change(c, &sql_oauth_account_revoke, 1, v, "client", "oauth.account.revoke", "{}");
}

enum err
oauth_account_list(struct ctx *c, const char **json, size_t *n)
{
	return db_text(c, &sql_oauth_account_list, 0, NULL, json, n);
}

enum err
oauth_grant_list(struct ctx *c, const char **json, size_t *n)
{
	return db_text(c, &sql_oauth_grant_list, 0, NULL, json, n);
}

enum err
oauth_grant_revoke(struct ctx *c, const char *id)
{
	const char *v[1] = { id };

	if (*id == '\0' || strspn(id, "0123456789") != strlen(id) || strlen(id) > 18)
		return fail(c, E_INVALID, "a grant is named by its number");
	return audit_change(c, &sql_oauth_grant_revoke, 1, v, "grant", "oauth.grant.revoke", "{}");
}

enum err
oauth_key_rotate(struct ctx *c, char id[OAUTH_ID_MAX])
{
	struct jwt_pair pair;
	const char *v[5] = { id };

	random_base62(id, 12);
	if (!jwt_pair_make(c, &pair))
		return fail(c, E_INTERNAL, "no key could be made");
	v[1] = seal_text(c, arena_printf(c->a, "oauth_keys.private_sealed:%s", id), pair.private_pem, strlen(pair.private_pem));
	if (v[1] == NULL)
		return fail(c, E_INVALID, "TOKEN_PEPPER is not set: keys are sealed with it");
	v[2] = pair.public_pem;
	v[3] = pair.x;
	v[4] = pair.y;
	return audit_change(c, &sql_oauth_key_add, 5, v, "key", "oauth.key.rotate", "{}");
}

enum err
oauth_key_revoke(struct ctx *c, const char *id)
{
	const char *v[1] = { id };

	return audit_change(c, &sql_oauth_key_revoke, 1, v, "key", "oauth.key.revoke", "{}");
}

enum err
oauth_key_list(struct ctx *c, const char **json, size_t *n)
{
	return db_text(c, &sql_oauth_key_list, 0, NULL, json, n);
}
