#include "cmd_common.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/failstop.h"
#include "core/log.h"
#include "core/random.h"
#include "store/db.h"

#define ARENA_MAX ((size_t)256 << 20)
#define FAR_MS ((int64_t)30 * 86400 * 1000)

#ifndef SOUK_PREFIX_SHARE
#define SOUK_PREFIX_SHARE "/usr/local/share/souk"
#endif

static int
option_index(const struct command *cmd, const char *name, size_t n)
{
	int i;

	for (i = 0; i < CLI_OPTIONS_MAX && cmd->options[i].name != NULL; i++) {
		if (strncmp(cmd->options[i].name, name, n) == 0 && cmd->options[i].name[n] == '\0')
			return i;
	}
	return -1;
}

const char *
cli_value(const struct cli *cli, const char *name)
{
	int i = option_index(cli->cmd, name, strlen(name));

	if (i < 0)
		abort();
	return cli->value[i];
}

int
cli_fail(const struct cli *cli, int code, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "souk %s: ", cli->cmd->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

int
cli_fail_err(const struct cli *cli, enum err e)
{
	return cli_fail(cli, e == E_UNAVAILABLE || e == E_INTERNAL ? CLI_DATABASE : CLI_FAILED, "%s", ctx_message(&cli->c));
}

bool
cli_number(const struct cli *cli, const char *name, int64_t lo, int64_t hi, int64_t *out)
{
	const char *v = cli_value(cli, name);
	char *end;
	long long n;

	if (v == NULL)
		return true;
	errno = 0;
	n = strtoll(v, &end, 10);
	if (end == v || *end != '\0' || errno != 0 || n < lo || n > hi) {
		cli_fail(cli, CLI_USAGE, "--%s: a number from %lld to %lld is expected", name, (long long)lo, (long long)hi);
		return false;
	}
	*out = n;
	return true;
}

bool
cli_duration(const struct cli *cli, const char *name, int64_t *out_s)
{
	static const struct {
		char unit;
		int64_t s;
	} units[] = { { '\0', 1 }, { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	const char *v = cli_value(cli, name);
	long long n;
	char *end;
	size_t i;

	if (v == NULL)
		return true;
	errno = 0;
	n = strtoll(v, &end, 10);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end > v && errno == 0 && n >= 0 && n <= 36500LL * 86400 / units[i].s && end[0] == units[i].unit && (end[0] == '\0' || end[1] == '\0')) {
			*out_s = n * units[i].s;
			return true;
		}
	}
	cli_fail(cli, CLI_USAGE, "--%s: a time such as 90 (seconds), 15m, 24h or 30d is expected", name);
	return false;
}

/* ---- help ---- */

void
cli_print_help(FILE *to, const struct command *cmd)
{
	int i;

	fprintf(to, "Usage: souk %s%s%s%s\n\n%s%s.\n", cmd->name, cmd->options[0].name != NULL ? " [OPTION...]" : "",
	    cmd->operands[0] != '\0' ? " " : "", cmd->operands, cmd->details != NULL ? "" : "To ", cmd->summary);
	if (cmd->details != NULL)
		fprintf(to, "\n%s\n", cmd->details);
	fprintf(to, "\nOptions:\n");
	for (i = 0; i < CLI_OPTIONS_MAX && cmd->options[i].name != NULL; i++) {
		const struct cli_option *o = &cmd->options[i];
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg != NULL ? "=" : "", o->arg != NULL ? o->arg : "");
		fprintf(to, "  %-20s %s\n", left, o->help);
	}
	fprintf(to, "  %-20s %s\n", "--config=FILE", "read this souk.conf");
	fprintf(to, "  %-20s %s\n", "--help", "show this text");
}

void
cli_print_overview(FILE *to)
{
	const struct command *cmd;

	fprintf(to, "Usage: souk COMMAND [OPTION...]\n\nCommands:\n");
	for (cmd = commands; cmd->name != NULL; cmd++)
		fprintf(to, "  %-16s %s\n", cmd->name, cmd->summary);
	fprintf(to, "\nsouk COMMAND --help explains one. Settings: souk.conf and the environment, see souk config list.\n");
}

/* The help of all commands whose name is this word or these words, or begins with them; how many there are. */
static int
print_group_help(const char *name)
{
	const struct command *cmd;
	size_t n = strlen(name);
	int found = 0;

	for (cmd = commands; cmd->name != NULL; cmd++) {
		if (strncmp(cmd->name, name, n) == 0 && (cmd->name[n] == '\0' || cmd->name[n] == ' ')) {
			if (found++ > 0)
				fputc('\n', stdout);
			cli_print_help(stdout, cmd);
		}
	}
	return found;
}

int
cmd_help(struct cli *cli)
{
	char name[64];

	if (cli->argc == 0) {
		cli_print_overview(stdout);
		return CLI_OK;
	}
	snprintf(name, sizeof(name), "%s%s%s", cli->argv[0], cli->argc > 1 ? " " : "", cli->argc > 1 ? cli->argv[1] : "");
	return print_group_help(name) > 0 ? CLI_OK : cli_fail(cli, CLI_USAGE, "there is no command \"%s\"", name);
}

/* ---- places ---- */

static bool
is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The folder of the running program, without the trailing slash. */
static bool
own_folder(char *out, size_t outsz)
{
	ssize_t n = readlink("/proc/self/exe", out, outsz - 1);
	char *slash;

	if (n <= 0)
		return false;
	out[n] = '\0';
	if ((slash = strrchr(out, '/')) == NULL)
		return false;
	*slash = '\0';
	return true;
}

bool
cli_sql_dir(char *out, size_t outsz)
{
	static const char *const from[] = { "../share/souk/sql", "../../sql", "../sql" };
	const char *share = getenv("SOUK_SHARE");
	char own[PATH_MAX], test[PATH_MAX + 64];
	size_t i;

	if (share != NULL && share[0] != '\0') {
		snprintf(out, outsz, "%s/sql", share);
		return is_dir(out);
	}
	for (i = 0; own_folder(own, sizeof(own)) && i < sizeof(from) / sizeof(from[0]); i++) {
		snprintf(test, sizeof(test), "%s/%s/migrations", own, from[i]);
		snprintf(out, outsz, "%s/%s", own, from[i]);
		if (is_dir(test))
			return true;
	}
	snprintf(out, outsz, "%s", SOUK_PREFIX_SHARE "/sql");
	if (is_dir(out))
		return true;
	snprintf(out, outsz, "sql");
	return is_dir("sql/migrations");
}

bool
cli_beside(const char *name, char *out, size_t outsz)
{
	static const char *const from[] = { ".", "../libexec/souk", "../../bin", "../bin" };
	char own[PATH_MAX];
	size_t i;

	for (i = 0; own_folder(own, sizeof(own)) && i < sizeof(from) / sizeof(from[0]); i++) {
		snprintf(out, outsz, "%s/%s/%s", own, from[i], name);
		if (access(out, X_OK) == 0)
			return true;
	}
	return false;
}

/* ---- dispatch ---- */

/* The row whose one or two words argv begins with; *words is how many. */
static const struct command *
find_command(int argc, char **argv, int *words)
{
	const struct command *cmd, *one = NULL;
	char two[128];

	snprintf(two, sizeof(two), "%s %s", argv[0], argc > 1 ? argv[1] : "");
	for (cmd = commands; cmd->name != NULL; cmd++) {
		if (strcmp(cmd->name, two) == 0) {
			*words = 2;
			return cmd;
		}
		if (strcmp(cmd->name, argv[0]) == 0)
			one = cmd;
	}
	*words = 1;
	return one;
}

/* Options may stand anywhere; "--" ends them.  -1: go on, else the exit code. */
static int
parse(struct cli *cli, int argc, char **argv, const char **conf)
{
	bool options = true;
	int i, o;

	for (i = 0; i < argc; i++) {
		const char *a = argv[i], *eq, *value = NULL;
		size_t n;

		if (!options || a[0] != '-' || a[1] == '\0') {
			cli->argv[cli->argc++] = argv[i];
			continue;
		}
		if (strcmp(a, "--") == 0) {
			options = false;
			continue;
		}
		if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
			cli_print_help(stdout, cli->cmd);
			return CLI_OK;
		}
		eq = strchr(a, '=');
		n = a[1] != '-' ? 0 : eq != NULL ? (size_t)(eq - a) - 2 : strlen(a) - 2;
		o = n > 0 ? option_index(cli->cmd, a + 2, n) : -1;
		if (o < 0 && !(n == 6 && strncmp(a + 2, "config", 6) == 0))
			return cli_fail(cli, CLI_USAGE, "unknown option %s (souk %s --help)", a, cli->cmd->name);
		if (o >= 0 && cli->cmd->options[o].arg == NULL) {
			if (eq != NULL)
				return cli_fail(cli, CLI_USAGE, "--%s takes no value", cli->cmd->options[o].name);
			cli->value[o] = "";
			continue;
		}
		if ((value = eq != NULL ? eq + 1 : i + 1 < argc ? argv[++i] : NULL) == NULL)
			return cli_fail(cli, CLI_USAGE, "%s needs a value", a);
		/* of a shell's variable that is not set: --ip "" must not make a token that works from everywhere */
		if (value[0] == '\0')
			return cli_fail(cli, CLI_USAGE, "%.*s needs a value, not an empty one", (int)n + 2, a);
		if (o >= 0)
			cli->value[o] = value;
		else
			*conf = value;
	}
	if (cli->argc < cli->cmd->least || cli->argc > cli->cmd->most) {
		cli_fail(cli, CLI_USAGE, "usage: souk %s%s%s", cli->cmd->name, cli->cmd->operands[0] != '\0' ? " " : "", cli->cmd->operands);
		return CLI_USAGE;
	}
	return -1;
}

static int
run(struct cli *cli, const char *conf)
{
	char why[512];
	int code;

	if ((cli->cmd->flags & CLI_NO_CONFIG) == 0 && !cfg_load(conf, why, sizeof(why)))
		return cli_fail(cli, CLI_USAGE, "%s", why);
	log_init("souk", "", cfg_str("MCP_LOG_LEVEL"));
	arena_init(&cli->arena, ARENA_MAX);
	cli->c.a = &cli->arena;
	cli->c.deadline_ms = now_ms() + FAR_MS;
	random_uuid(cli->c.id);
	if ((cli->cmd->flags & CLI_AS_WEB) == 0)
		db_use_owner();
	code = cli->cmd->run(cli);
	db_close_idle(0);
	arena_release(&cli->arena);
	if (fflush(stdout) != 0 && code == CLI_OK)
		code = cli_fail(cli, CLI_FAILED, "cannot write: %s", strerror(errno));
	return code;
}

/* A command that there is not, or the first word of several alone: say which there are. */
static int
no_command(int argc, char **argv)
{
	size_t n = strlen(argv[0]);
	const char *more = NULL;

	for (const struct command *cmd = commands; cmd->name != NULL; cmd++) {
		if (strncmp(cmd->name, argv[0], n) != 0 || cmd->name[n] != ' ')
			continue;
		if (more == NULL)
			fprintf(stderr, "souk %s: one of ", argv[0]);
		else
			fprintf(stderr, "%s, ", more);
		more = cmd->name + n + 1;
	}
	if (more != NULL)
		fprintf(stderr, "%s is expected%s%s%s (souk %s --help)\n", more, argc > 1 ? ", not \"" : "", argc > 1 ? argv[1] : "", argc > 1 ? "\"" : "", argv[0]);
	else
		fprintf(stderr, "souk: there is no command \"%s\" (souk --help)\n", argv[0]);
	return CLI_USAGE;
}

int
cli_main(int argc, char **argv)
{
	struct cli cli = { 0 };
	const char *conf = NULL;
	int words, code;

	if (argc < 2) {
		cli_print_overview(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("souk %s\n", SOUK_VERSION);
		return CLI_OK;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		cli_print_overview(stdout);
		return CLI_OK;
	}
	if ((cli.cmd = find_command(argc - 1, argv + 1, &words)) == NULL) {
		/* "souk token --help": the first word of several commands */
		if (argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0) && print_group_help(argv[1]) > 0)
			return CLI_OK;
		return no_command(argc - 1, argv + 1);
	}
	cli.program = argv[0];
	if ((cli.argv = calloc((size_t)argc + 1, sizeof(*cli.argv))) == NULL)
		return CLI_FAILED;
	code = parse(&cli, argc - 1 - words, argv + 1 + words, &conf);
	if (code < 0)
		code = run(&cli, conf);
	free(cli.argv);
	return code;
}
