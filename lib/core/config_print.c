/* souk.conf.example and the table of docs/configuration.md, from the configuration table. */
#include "core/banned.h"
#include "core/config.h"

#include <string.h>

#define COLUMNS 78

/* text as comment lines of at most COLUMNS characters. */
static void
print_wrapped(FILE *f, const char *text)
{
	int column = 0;

	while (*text != '\0') {
		int n = (int)strcspn(text, " ");

		if (column > 0 && column + 1 + n > COLUMNS) {
			(void)fputc('\n', f);
			column = 0;
		}
		if (column == 0)
			column = fprintf(f, "# %.*s", n, text);
		else
			column += fprintf(f, " %.*s", n, text);
		text += n;
		text += strspn(text, " ");
	}
	(void)fputc('\n', f);
}

/* What values the row takes, for people; "" when the meaning says it all. */
static void
describe(const struct cfg_row *row, char *out, size_t outsz)
{
	out[0] = '\0';
	if (row->type == CFG_INT)
		(void)snprintf(out, outsz, "%lld to %lld", (long long)row->lo, (long long)row->hi);
	else if (row->type == CFG_BOOL)
		(void)snprintf(out, outsz, "on or off");
	else if (row->type == CFG_RATE)
		(void)snprintf(out, outsz, "requests/seconds, or off");
	else if (row->choices != NULL)
		(void)snprintf(out, outsz, "one of %s", row->choices);
	else if (row->form != NULL)
		(void)snprintf(out, outsz, "%s", row->form);
}

void
cfg_print_example(FILE *f)
{
	const char *group = "";
	char values[160];

	print_wrapped(f, "Configuration of souk. Every line is a default and starts with #: remove that to change one. Each name can also be set in "
		"the environment, which wins over this file. Values may be in double quotes. Made by `souk config --example`; do not "
		"let others than the programs' user read your copy.");
	for (const struct cfg_row *row = cfg_table(); row->name != NULL; row++) {
		if (strcmp(row->group, group) != 0)
			(void)fprintf(f, "\n## %s\n", row->group);
		group = row->group;
		(void)fputc('\n', f);
		print_wrapped(f, row->meaning);
		describe(row, values, sizeof values);
		if (values[0] != '\0')
			(void)fprintf(f, "# (%s)\n", values);
		(void)fprintf(f, "#%s =%s%s\n", row->name, row->def[0] != '\0' ? " " : "", row->def);
	}
}

/* Table cells cannot hold a bare |. */
static void
print_cell(FILE *f, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			(void)fputc('\\', f);
		(void)fputc(*text, f);
	}
}

void
cfg_print_markdown(FILE *f)
{
	const char *group = "";
	char values[160];

	for (const struct cfg_row *row = cfg_table(); row->name != NULL; row++) {
		if (strcmp(row->group, group) != 0)
			(void)fprintf(f, "%s### %s\n\n| name | default | meaning |\n|---|---|---|\n", group[0] != '\0' ? "\n" : "", row->group);
		group = row->group;
		(void)fprintf(f, "| `%s` | ", row->name);
		if (row->def[0] != '\0')
			(void)fprintf(f, "`%s`", row->def);
		(void)fputs(" | ", f);
		print_cell(f, row->meaning);
		describe(row, values, sizeof values);
		if (values[0] != '\0') {
			(void)fputs(" Takes ", f);
			print_cell(f, values);
			(void)fputc('.', f);
		}
		(void)fputs(row->secret ? " Secret. |\n" : " |\n", f);
	}
}
