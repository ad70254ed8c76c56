/* souk oauth: service accounts, clients, what people granted, signing keys.  A secret is printed once, when it is made. */
#include <stdio.h>
#include <string.h>

#include "auth/oauth.h"
#include "cli.h"
#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"
#include "store/db.h"
#include "store/shm.h"

static void
prepare(void)
{
	shm_open_state();
	db_use_owner();
}

static int
print_secret(struct cli *cli, const char *id, const char *secret)
{
	if (cli_value(cli, "json") != NULL)
		printf("{\"client_id\":\"%s\",\"client_secret\":\"%s\"}\n", id, secret);
	else if (*secret != '\0')
		printf("client_id      %s\nclient_secret  %s\n", id, secret);
	else
		printf("client_id      %s\n", id);
	if (*secret != '\0')
		fprintf(stderr, "souk: keep this secret, it is not shown again\n");
	return CLI_OK;
}

static int
create(struct cli *cli, const struct oauth_account *a)
{
	char id[OAUTH_ID_MAX], secret[OAUTH_SECRET_MAX];
	enum err e;

	prepare();
	e = oauth_account_create(&cli->c, a, id, secret);
	return e == E_OK ? print_secret(cli, id, secret) : cli_fail_err(cli, e);
}

int
cmd_oauth_account_create(struct cli *cli)
{
	struct oauth_account a = {
		.name = cli_value(cli, "name"), .scopes = cli_value(cli, "scope"), .ip_allow = cli_value(cli, "ip"), .rate_class = cli_value(cli, "rate-class")
	};

	if (a.name == NULL || a.scopes == NULL)
		return cli_fail(cli, CLI_USAGE, "--name and --scope are needed");
	return create(cli, &a);
}

int
cmd_oauth_client_create(struct cli *cli)
{
	struct oauth_account a = {
		.name = cli_value(cli, "name"), .scopes = cli_value(cli, "scope"), .redirect_uris = cli_value(cli, "redirect"),
		.is_public = cli_value(cli, "secret") == NULL
	};

	if (a.name == NULL || a.redirect_uris == NULL)
		return cli_fail(cli, CLI_USAGE, "--name and --redirect are needed");
	return create(cli, &a);
}

int
cmd_oauth_rotate(struct cli *cli)
{
	char secret[OAUTH_SECRET_MAX];
	int64_t overlap_s = 0;
	enum err e;

	if (!cli_duration(cli, "overlap", &overlap_s))
		return CLI_USAGE;
	prepare();
	e = oauth_account_rotate(&cli->c, cli->argv[0], overlap_s, secret);
	return e == E_OK ? print_secret(cli, cli->argv[0], secret) : cli_fail_err(cli, e);
}

static int
revoke(struct cli *cli, enum err (*end)(struct ctx *c, const char *id), const char *what)
{
	enum err e;

	prepare();
	if ((e = end(&cli->c, cli->argv[0])) != E_OK)
		return cli_fail_err(cli, e);
	printf("%s %s revoked\n", what, cli->argv[0]);
	return CLI_OK;
}

int
cmd_oauth_revoke(struct cli *cli)
{
	return revoke(cli, oauth_account_revoke, "client");
}

int
cmd_oauth_grant_revoke(struct cli *cli)
{
	return revoke(cli, oauth_grant_revoke, "grant");
}

int
cmd_oauth_key_revoke(struct cli *cli)
{
	return revoke(cli, oauth_key_revoke, "key");
}

int
cmd_oauth_key_rotate(struct cli *cli)
{
	char id[OAUTH_ID_MAX];
	enum err e;

	prepare();
	if ((e = oauth_key_rotate(&cli->c, id)) != E_OK)
		return cli_fail_err(cli, e);
	printf("key %s signs from now on\n", id);
	return CLI_OK;
}

/* ---- lists ------------------------------------------------------------------------------------ */

struct column {
	const char *title, *member;
	int width;
};

static const char *
shown(struct cli *cli, json_object *o, const char *key)
{
	json_object *v;
	struct buf b;

	if (!json_object_object_get_ex(o, key, &v) || v == NULL)
		return "-";
	if (!json_object_is_type(v, json_type_array))
		return json_object_get_string(v);
	buf_init(&b, &cli->arena, 64, 16384);
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		if (i > 0)
			buf_putc(&b, ',');
		buf_puts(&b, json_object_get_string(json_object_array_get_idx(v, i)));
	}
	return b.n > 0 ? buf_str(&b) : "-";
}

static int
list(struct cli *cli, enum err (*all)(struct ctx *c, const char **json, size_t *n), const struct column *columns)
{
	json_object *rows;
	const char *json;
	size_t n;
	enum err e;

	prepare();
	if ((e = all(&cli->c, &json, &n)) != E_OK)
		return cli_fail_err(cli, e);
	if (cli_value(cli, "json") != NULL) {
		printf("%.*s\n", (int)n, json);
		return CLI_OK;
	}
	if ((e = json_parse(&cli->c, json, n, &rows)) != E_OK)
		return cli_fail_err(cli, e);
	for (const struct column *k = columns; k->title != NULL; k++)
		printf("%-*s%s", k->width, k->title, k[1].title != NULL ? "  " : "\n");
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		for (const struct column *k = columns; k->title != NULL; k++)
			printf("%-*s%s", k->width, shown(cli, json_object_array_get_idx(rows, i), k->member), k[1].title != NULL ? "  " : "\n");
	return CLI_OK;
}

int
cmd_oauth_list(struct cli *cli)
{
	static const struct column columns[] = { { "id", "id", 28 }, { "kind", "kind", 10 }, { "name", "name", 24 }, { "used", "usedAt", 20 },
		{ "revoked", "revokedAt", 20 }, { "grants", "grants", 6 }, { "scopes", "scopes", 0 }, { NULL, NULL, 0 } };

	return list(cli, oauth_account_list, columns);
}

int
cmd_oauth_grant_list(struct cli *cli)
{
	static const struct column columns[] = { { "id", "id", 6 }, { "client", "client", 24 }, { "kind", "kind", 8 }, { "person", "name", 20 },
		{ "created", "createdAt", 20 }, { "used", "usedAt", 20 }, { "scopes", "scopes", 0 }, { NULL, NULL, 0 } };

	return list(cli, oauth_grant_list, columns);
}

int
cmd_oauth_key_list(struct cli *cli)
{
	static const struct column columns[] = { { "id", "id", 12 }, { "created", "createdAt", 20 }, { "retired", "retiredAt", 20 },
		{ "revoked", "revokedAt", 20 }, { NULL, NULL, 0 } };

	return list(cli, oauth_key_list, columns);
}
