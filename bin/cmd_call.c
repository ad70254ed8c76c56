/* souk call: a tool through the same pipeline as for every other caller. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/subject.h"
#include "cli.h"
#include "core/banned.h"
#include "core/json.h"
#include "store/shm.h"
#include "tool/record.h"
#include "tool/tool.h"

/* Whoever may run this command owns the configuration, and with it the database. */
static const struct subject admin = {
	.kind = "system", .token_id = "", .name = "souk call", .customer_id = "", .rate_class = "bulk", .visitor = "", .order_id = "", .staff_id = "", .principal = "cli:admin", .scopes = { "*" }
};
static const struct subject anonymous = {
	.kind = "anonymous", .token_id = "", .name = "", .customer_id = "", .rate_class = "", .visitor = "", .order_id = "", .staff_id = "", .principal = "cli:anonymous", .scopes = { NULL }
};

static int
print_result(const struct tool_call *call)
{
	json_object *o = json_tokener_parse(call->json);

	if (o != NULL)
		printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		printf("%.*s\n", (int)call->n, call->json);
	json_object_put(o);
	return CLI_OK;
}

int
cmd_call(struct cli *cli)
{
	struct tool_call call = { .name = cli->argv[0], .via = VIA_CLI, .locale = cli_value(cli, "locale"), .who = &anonymous,
		.idempotency_key = cli_value(cli, "key") };
	const char *token = cli_value(cli, "as");
	struct subject who;
	enum err e;

	if (token != NULL && cli_value(cli, "admin") != NULL)
		return cli_fail(cli, CLI_USAGE, "--as or --admin, not both");
	shm_open_state();
	if (token != NULL) {
		if ((e = subject_resolve(&cli->c, &(struct bearer){ .text = token, .remote_ip = "127.0.0.1" }, &who)) != E_OK)
			return cli_fail_err(cli, e);
		call.who = &who;
	} else if (cli_value(cli, "admin") != NULL) {
		call.who = &admin;
	}
	if (cli->argc > 1 && json_parse(&cli->c, cli->argv[1], strlen(cli->argv[1]), &call.args) != E_OK)
		return cli_fail(cli, CLI_USAGE, "%s", ctx_message(&cli->c));
	if (call.args != NULL && !json_object_is_type(call.args, json_type_object))
		return cli_fail(cli, CLI_USAGE, "the arguments have to be a JSON object");
	e = tool_call(&cli->c, &call);
	record_flush(true);
	if (e == E_UNAVAILABLE || e == E_INTERNAL)
		return cli_fail_err(cli, e);
	if (e != E_OK)
		return cli_fail(cli, CLI_FAILED, "%s (%s)", ctx_message(&cli->c), err_info(e)->code);
	return print_result(&call);
}
