/* souk template: the texts of messages, and the owner's own in their place. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cmd_rows.h"
#include "core/banned.h"
#include "gen/sql.h"
#include "notify/catalog.h"

#define BODY_MAX_BYTES 65536

/* --locale, checked; "" when it was not given. */
static const char *
locale_of(struct cli *cli)
{
	const char *v = cli_value(cli, "locale");

	if (v == NULL)
		return "";
	return strcmp(notify_locale(v), v) == 0 ? v : NULL;
}

/* Name, --locale and --part in order?  false: *code is what to return. */
static bool
check(struct cli *cli, const char **locale, enum notify_part *part, int *code)
{
	const char *p = cli_value(cli, "part");

	*part = p != NULL ? notify_part_of(p) : PART__MAX;
	*locale = locale_of(cli);
	if (cli->argc > 0 && !notify_exists(cli->argv[0]))
		*code = cli_fail(cli, CLI_USAGE, "there is no template %s (souk template list)", cli->argv[0]);
	else if (*locale == NULL)
		*code = cli_fail(cli, CLI_USAGE, "--locale: en, es, fr or de is expected");
	else if (p != NULL && *part == PART__MAX)
		*code = cli_fail(cli, CLI_USAGE, "--part: subject, text, html or sms is expected");
	else
		return true;
	return false;
}

int
cmd_template_list(struct cli *cli)
{
	PGresult *r;
	int code;

	if (!rows_get(cli, DB_READ, &sql_template_changed, 0, NULL, &r, &code))
		return code;
	for (const struct notify_file *f = notify_files; f->name != NULL; f++) {
		const char *own = "";

		for (int i = 0; i < PQntuples(r); i++)
			if (strcmp(PQgetvalue(r, i, 0), f->name) == 0)
				own = PQgetvalue(r, i, 1);
		if (notify_exists(f->name))
			printf(own[0] != '\0' ? "%-20s  own: %s\n" : "%s%s\n", f->name, own);
	}
	return CLI_OK;
}

int
cmd_template_show(struct cli *cli)
{
	struct notify_texts texts;
	enum notify_part part;
	const char *locale;
	int code;

	if (!check(cli, &locale, &part, &code))
		return code;
	if (notify_texts(&cli->c, cli->argv[0], notify_locale(locale), &texts) != E_OK)
		return cli_fail_err(cli, cli->c.err);
	for (int p = 0; p < PART__MAX; p++) {
		if (texts.part[p] == NULL || (part != PART__MAX && p != (int)part))
			continue;
		if (part == PART__MAX)
			printf("---- %s%s\n", notify_part_name((enum notify_part)p), texts.own[p] ? " (own)" : "");
		printf("%s\n", texts.part[p]);
	}
	return CLI_OK;
}

/* The whole of a file, or of standard input for "-"; NULL: told. */
static char *
read_body(struct cli *cli, const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *text = arena_alloc(&cli->arena, BODY_MAX_BYTES + 2);
	size_t n;

	if (f == NULL) {
		cli_fail(cli, CLI_UNUSABLE, "%s: %s", path, strerror(errno));
		return NULL;
	}
	n = fread(text, 1, BODY_MAX_BYTES + 1, f);
	if (f != stdin)
		(void)fclose(f);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	text[n] = '\0';
	if (n == 0 || n > BODY_MAX_BYTES || strlen(text) != n) {
		cli_fail(cli, CLI_UNUSABLE, "%s: 1 to %d bytes of text are expected", path, BODY_MAX_BYTES);
		return NULL;
	}
	return text;
}

int
cmd_template_set(struct cli *cli)
{
	const char *locale, *v[4];
	enum notify_part part;
	PGresult *r;
	char *body;
	int code;

	if (!check(cli, &locale, &part, &code))
		return code;
	if (locale[0] == '\0' || part == PART__MAX)
		return cli_fail(cli, CLI_USAGE, "--locale and --part are needed");
	if ((body = read_body(cli, cli->argv[1])) == NULL)
		return CLI_UNUSABLE;
	if (notify_check(&cli->c, cli->argv[0], locale, part, body) != E_OK)
		return cli_fail_err(cli, cli->c.err);
	v[0] = cli->argv[0];
	v[1] = locale;
	v[2] = notify_part_name(part);
	v[3] = body;
	return rows_get(cli, DB_WRITE, &sql_template_set, 4, v, &r, &code) ? CLI_OK : code;
}

int
cmd_template_reset(struct cli *cli)
{
	const char *locale, *v[3];
	enum notify_part part;
	PGresult *r;
	int code;

	if (!check(cli, &locale, &part, &code))
		return code;
	v[0] = cli->argv[0];
	v[1] = locale;
	v[2] = part == PART__MAX ? "" : notify_part_name(part);
	if (!rows_get(cli, DB_WRITE, &sql_template_reset, 3, v, &r, &code))
		return code;
	printf("%d of the owner's texts removed\n", PQntuples(r));
	return CLI_OK;
}

int
cmd_template_preview(struct cli *cli)
{
	struct notify_message m;
	struct notify_texts texts;
	enum notify_part part;
	const char *locale;
	int code;

	if (!check(cli, &locale, &part, &code))
		return code;
	locale = notify_locale(locale);
	if (notify_texts(&cli->c, cli->argv[0], locale, &texts) != E_OK ||
	    notify_fill(&cli->c, &texts, locale, notify_sample(&cli->c, cli->argv[0], locale), &m) != E_OK)
		return cli_fail_err(cli, cli->c.err);
	for (int p = 0; p < PART__MAX; p++) {
		if (m.part[p][0] == '\0' || (part != PART__MAX && p != (int)part))
			continue;
		if (part == PART__MAX)
			printf("---- %s\n", notify_part_name((enum notify_part)p));
		printf("%s\n", m.part[p]);
	}
	return CLI_OK;
}
