/* souk staff: accounts of people of the shop.  Passwords come from standard input, never from the command line, which others can see. */
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "auth/password.h"
#include "auth/staff.h"
#include "cli.h"
#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"

/* One line, not shown while it is typed at a terminal. */
static bool
read_password(struct cli *cli, char out[PASSWORD_MAX + 2])
{
	bool terminal = isatty(STDIN_FILENO) == 1;
	struct termios shown, hidden;
	char *end;

	if (terminal && tcgetattr(STDIN_FILENO, &shown) == 0) {
		hidden = shown;
		hidden.c_lflag &= (tcflag_t)~ECHO;
		fprintf(stderr, "Password (%d characters or more): ", PASSWORD_MIN);
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	end = fgets(out, PASSWORD_MAX + 2, stdin) != NULL ? strchr(out, '\n') : NULL;
	if (terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputc('\n', stderr);
	}
	if (end == NULL && (feof(stdin) == 0 || strlen(out) > PASSWORD_MAX)) {
		(void)cli_fail(cli, CLI_USAGE, "the password, on one line of at most %d bytes, is read from standard input", PASSWORD_MAX);
		return false;
	}
	if (end != NULL)
		*end = '\0';
	return true;
}

int
cmd_staff_add(struct cli *cli)
{
	const char *name = cli_value(cli, "name"), *role = cli_value(cli, "role");
	char password[PASSWORD_MAX + 2] = "";
	enum err e;

	if (name == NULL || role == NULL)
		return cli_fail(cli, CLI_USAGE, "--name and --role are needed");
	if (!read_password(cli, password))
		return CLI_USAGE;
	if ((e = staff_add(&cli->c, cli->argv[0], name, role, password)) != E_OK)
		return cli_fail_err(cli, e);
	printf("%s may log in as %s\n", cli->argv[0], role);
	return CLI_OK;
}

int
cmd_staff_passwd(struct cli *cli)
{
	char password[PASSWORD_MAX + 2] = "";
	enum err e;

	if (!read_password(cli, password))
		return CLI_USAGE;
	if ((e = staff_passwd(&cli->c, cli->argv[0], password)) != E_OK)
		return cli_fail_err(cli, e);
	printf("%s has a new password, is logged out everywhere, and has no assistants any more\n", cli->argv[0]);
	return CLI_OK;
}

int
cmd_staff_totp(struct cli *cli)
{
	const char *uri, *codes;
	enum err e;

	if (cli_value(cli, "off") != NULL) {
		if ((e = staff_totp_off(&cli->c, cli->argv[0])) != E_OK)
			return cli_fail_err(cli, e);
		printf("%s logs in with the password alone\n", cli->argv[0]);
		return CLI_OK;
	}
	if ((e = staff_totp_on(&cli->c, cli->argv[0], &uri, &codes)) != E_OK)
		return cli_fail_err(cli, e);
	printf("%s\n\n%s", uri, codes);
	fprintf(stderr, "souk: the address is for an authenticator app (as a QR code: souk staff totp ... | head -1 | qrencode -t utf8);\n"
		"souk: below it are recovery codes, each good once. Neither is shown again\n");
	return CLI_OK;
}

static int
set_disabled(struct cli *cli, bool disabled)
{
	enum err e = staff_disable(&cli->c, cli->argv[0], disabled);

	if (e != E_OK)
		return cli_fail_err(cli, e);
	printf("%s %s\n", cli->argv[0], disabled ? "cannot log in any more" : "may log in again");
	return CLI_OK;
}

int
cmd_staff_disable(struct cli *cli)
{
	return set_disabled(cli, true);
}

int
cmd_staff_enable(struct cli *cli)
{
	return set_disabled(cli, false);
}

/* A member as text for the table. */
static const char *
shown(json_object *o, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) && v != NULL ? json_object_get_string(v) : "-";
}

int
cmd_staff_list(struct cli *cli)
{
	json_object *all, *o;
	const char *json;
	size_t n;
	enum err e;

	if ((e = staff_list(&cli->c, &json, &n)) != E_OK)
		return cli_fail_err(cli, e);
	if (cli_value(cli, "json") != NULL) {
		printf("%.*s\n", (int)n, json);
		return CLI_OK;
	}
	if ((e = json_parse(&cli->c, json, n, &all)) != E_OK)
		return cli_fail_err(cli, e);
	printf("%-32s  %-20s  %-10s  %-5s  %-20s  %s\n", "email", "name", "role", "totp", "last log-in", "disabled");
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		o = json_object_array_get_idx(all, i);
		printf("%-32s  %-20s  %-10s  %-5s  %-20s  %s\n", shown(o, "email"), shown(o, "name"), shown(o, "role"), shown(o, "totp"),
		    shown(o, "lastLoginAt"), shown(o, "disabledAt"));
	}
	return CLI_OK;
}
