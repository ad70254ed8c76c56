/*
 * The command line.  One table (souk.c) holds every command with its function, its one-line help and its options; from it come
 * dispatch, --help, and shell completion.
 *
 * A command's function gets its options parsed, prints results to standard output and everything else to standard error, and
 * returns one of the exit codes below.
 */
#ifndef SOUK_BIN_CLI_H
#define SOUK_BIN_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ctx.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,		/* some of it did not work: bad rows, findings, refusals */
	CLI_USAGE = 2,		/* the command or the configuration is not understood */
	CLI_UNUSABLE = 3,	/* a file that cannot be used */
	CLI_DATABASE = 4	/* the database is not there or refuses */
};

#define CLI_OPTIONS_MAX 16

struct cli_option {
	const char *name;	/* without the dashes; NULL ends the list */
	const char *arg;	/* "FILE"; NULL: a switch */
	const char *help;
	const char *values;	/* for completion: "auto csv tsv", "@file", or NULL */
};

struct cli;

struct command {
	const char *name;	/* "import", or "token create" */
	int (*run)(struct cli *cli);
	const char *summary;	/* one line for the overview */
	const char *operands;	/* "FILE|-", "" for none */
	int least, most;	/* number of operands */
	const char *details;	/* more lines for --help, or NULL */
	unsigned flags;		/* CLI_* */
	struct cli_option options[CLI_OPTIONS_MAX];
};

#define CLI_NO_CONFIG 1u	/* runs without reading the configuration */
#define CLI_FILES 2u		/* operands are files (completion) */
#define CLI_AS_WEB 4u		/* with the rights of the programs, not of the owner */

struct cli {
	const struct command *cmd;
	const char *program;		/* argv[0] */
	int argc;			/* operands */
	char **argv;
	const char *value[CLI_OPTIONS_MAX];	/* by the option's index; "" for a given switch, NULL when absent */
	struct arena arena;
	struct ctx c;			/* for the library; its deadline is far away */
};

/* All commands, ended by a row whose name is NULL. */
extern const struct command commands[];

/* The option's value, "" for a given switch, NULL when absent.  An unknown name is a bug. */
const char *cli_value(const struct cli *cli, const char *name);
/* A number in lo..hi into *out (untouched when absent).  false: told, return CLI_USAGE. */
bool cli_number(const struct cli *cli, const char *name, int64_t lo, int64_t hi, int64_t *out);
/* A time such as 90s, 15m, 24h, 30d into seconds. */
bool cli_duration(const struct cli *cli, const char *name, int64_t *out_s);

/* "souk import: ..." on standard error; returns code. */
int cli_fail(const struct cli *cli, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same for an error that the library noted in cli->c: E_UNAVAILABLE and E_INTERNAL are the database's. */
int cli_fail_err(const struct cli *cli, enum err e);

/* The folder sql/ with migrations: SOUK_SHARE, then beside the program, then the place of installation.  false: nowhere. */
bool cli_sql_dir(char *out, size_t outsz);
/* A file below libexec or the source tree, for serve. */
bool cli_beside(const char *name, char *out, size_t outsz);

int cmd_call(struct cli *cli);
int cmd_completion(struct cli *cli);
int cmd_config_docs(struct cli *cli);
int cmd_config_get(struct cli *cli);
int cmd_config_list(struct cli *cli);
int cmd_deliver(struct cli *cli);
int cmd_demo_load(struct cli *cli);
int cmd_demo_drawings(struct cli *cli);
int cmd_doctor(struct cli *cli);
int cmd_export(struct cli *cli);
int cmd_help(struct cli *cli);
int cmd_housekeep(struct cli *cli);
int cmd_import(struct cli *cli);
int cmd_index(struct cli *cli);
int cmd_migrate(struct cli *cli);
int cmd_oauth_account_create(struct cli *cli);
int cmd_oauth_client_create(struct cli *cli);
int cmd_oauth_grant_list(struct cli *cli);
int cmd_oauth_grant_revoke(struct cli *cli);
int cmd_oauth_key_list(struct cli *cli);
int cmd_oauth_key_revoke(struct cli *cli);
int cmd_oauth_key_rotate(struct cli *cli);
int cmd_oauth_list(struct cli *cli);
int cmd_oauth_revoke(struct cli *cli);
int cmd_oauth_rotate(struct cli *cli);
int cmd_optout_add(struct cli *cli);
int cmd_optout_list(struct cli *cli);
int cmd_optout_remove(struct cli *cli);
int cmd_outbox_drop(struct cli *cli);
int cmd_outbox_list(struct cli *cli);
int cmd_outbox_retry(struct cli *cli);
int cmd_template_list(struct cli *cli);
int cmd_template_preview(struct cli *cli);
int cmd_template_reset(struct cli *cli);
int cmd_template_set(struct cli *cli);
int cmd_template_show(struct cli *cli);
int cmd_webhook_add(struct cli *cli);
int cmd_webhook_disable(struct cli *cli);
int cmd_webhook_enable(struct cli *cli);
int cmd_webhook_list(struct cli *cli);
int cmd_webhook_log(struct cli *cli);
int cmd_webhook_remove(struct cli *cli);
int cmd_webhook_resend(struct cli *cli);
int cmd_webhook_rotate(struct cli *cli);
int cmd_webhook_test(struct cli *cli);
int cmd_rates(struct cli *cli);
int cmd_search_report(struct cli *cli);
int cmd_search_run(struct cli *cli);
int cmd_serve(struct cli *cli);
int cmd_staff_add(struct cli *cli);
int cmd_staff_disable(struct cli *cli);
int cmd_staff_enable(struct cli *cli);
int cmd_staff_list(struct cli *cli);
int cmd_staff_passwd(struct cli *cli);
int cmd_staff_totp(struct cli *cli);
int cmd_service_export(struct cli *cli);
int cmd_service_import(struct cli *cli);
int cmd_token_create(struct cli *cli);
int cmd_token_list(struct cli *cli);
int cmd_token_revoke(struct cli *cli);
int cmd_token_rotate(struct cli *cli);
int cmd_tools(struct cli *cli);

#endif
