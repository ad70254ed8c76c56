/* souk token: access tokens.  The secret is printed once, when it is made. */
#include <stdio.h>
#include <string.h>

#include "auth/token.h"
#include "cli.h"
#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"
#include "store/shm.h"

/* The id is the second word of mcp_key_<id>_<secret>. */
static int
print_token(struct cli *cli, const char *text)
{
	const char *id = text + strlen("mcp_key_");
	int n = (int)strcspn(id, "_");

	if (cli_value(cli, "json") != NULL)
		printf("{\"id\":\"%.*s\",\"token\":\"%s\"}\n", n, id, text);
	else
		printf("%s\n", text);
	fprintf(stderr, "souk: keep this token, it is not shown again (id %.*s)\n", n, id);
	return CLI_OK;
}

int
cmd_token_create(struct cli *cli)
{
	struct token_spec spec = {
		.name = cli_value(cli, "name"), .kind = cli_value(cli, "kind"),
		.scopes = cli_value(cli, "scope") != NULL ? cli_value(cli, "scope") : cli_value(cli, "scopes"),
		.rate_class = cli_value(cli, "rate-class"), .ip_allow = cli_value(cli, "ip")
	};
	char text[TOKEN_TEXT_MAX];
	enum err e;

	if (spec.name == NULL || spec.scopes == NULL)
		return cli_fail(cli, CLI_USAGE, "--name and --scope are needed");
	if (!cli_duration(cli, "expires", &spec.expires_in_s))
		return CLI_USAGE;
	shm_open_state();
	if ((e = token_create(&cli->c, &spec, text)) != E_OK)
		return cli_fail_err(cli, e);
	return print_token(cli, text);
}

int
cmd_token_rotate(struct cli *cli)
{
	char text[TOKEN_TEXT_MAX];
	int64_t overlap_s = 0;
	enum err e;

	if (!cli_duration(cli, "overlap", &overlap_s))
		return CLI_USAGE;
	shm_open_state();
	if ((e = token_rotate(&cli->c, cli->argv[0], overlap_s, text)) != E_OK)
		return cli_fail_err(cli, e);
	return print_token(cli, text);
}

int
cmd_token_revoke(struct cli *cli)
{
	enum err e;

	shm_open_state();
	if ((e = token_revoke(&cli->c, cli->argv[0])) != E_OK)
		return cli_fail_err(cli, e);
	printf("token %s revoked\n", cli->argv[0]);
	return CLI_OK;
}

/* A member as text for the table; arrays are joined. */
static const char *
shown(struct cli *cli, json_object *o, const char *key)
{
	json_object *v;
	struct buf b;
	size_t i;

	if (!json_object_object_get_ex(o, key, &v) || v == NULL)
		return "-";
	if (!json_object_is_type(v, json_type_array))
		return json_object_get_string(v);
	buf_init(&b, &cli->arena, 64, 4096);
	for (i = 0; i < json_object_array_length(v); i++) {
		if (i > 0)
			buf_putc(&b, ',');
		buf_puts(&b, json_object_get_string(json_object_array_get_idx(v, i)));
	}
	return buf_str(&b);
}

int
cmd_token_list(struct cli *cli)
{
	json_object *all, *o;
	const char *json;
	size_t n, i;
	enum err e;

	if ((e = token_list(&cli->c, &json, &n)) != E_OK)
		return cli_fail_err(cli, e);
	if (cli_value(cli, "json") != NULL) {
		printf("%.*s\n", (int)n, json);
		return CLI_OK;
	}
	if ((e = json_parse(&cli->c, json, n, &all)) != E_OK)
		return cli_fail_err(cli, e);
	printf("%-12s  %-20s  %-8s  %-20s  %-20s  %-20s  %s\n", "id", "name", "kind", "created", "expires", "revoked", "scopes");
	for (i = 0; i < json_object_array_length(all); i++) {
		o = json_object_array_get_idx(all, i);
		printf("%-12s  %-20s  %-8s  %-20s  %-20s  %-20s  %s\n", shown(cli, o, "id"), shown(cli, o, "name"), shown(cli, o, "kind"),
		    shown(cli, o, "createdAt"), shown(cli, o, "expiresAt"), shown(cli, o, "revokedAt"), shown(cli, o, "scopes"));
	}
	return CLI_OK;
}
