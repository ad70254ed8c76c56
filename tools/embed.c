/*
 * Checks the contracts tools/{server}/NAME.json, and turns them and the statement NAME.sql beside each that has one into C: `const struct tool_table
 * tool_table` of lib/tool/registry.h, all of it constants.
 *
 *   build/embed FILE... > tools.c
 *
 * The order is that of the arguments.  Statements may be given too: they are read with their contract, and one without a contract is an error.  The comment
 * at the head of a statement stays out of its text; its name in the database is the path, "catalog/search_products".
 *
 * Ends with 1 after one line that names the file when a contract cannot be used.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "tool/registry.h"

#define FILES_MAX 1024
#define FILE_MAX (256u << 10)
#define PATH_MAX_SZ 62		/* the name of a prepared statement */
#define MEMORY_MAX (64u << 20)

/* This program's own table is what it has read. */
const struct tool_table tool_table;

static struct arena arena;

static _Noreturn void __attribute__((format(printf, 2, 3)))
stop(const char *file, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fprintf(stderr, "%s: ", file);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

/* ---- reading -------------------------------------------------------------------- */

/* The file's text without carriage returns; NULL when there is no such file. */
static char *
read_file(const char *file)
{
	static char text[FILE_MAX];
	FILE *f = fopen(file, "r");
	size_t n, kept = 0;

	if (f == NULL && errno == ENOENT)
		return NULL;
	if (f == NULL)
		stop(file, "cannot be read");
	n = fread(text, 1, FILE_MAX, f);
	if (ferror(f) || fclose(f) != 0)
		stop(file, "cannot be read");
	if (n == 0 || n == FILE_MAX)
		stop(file, n == 0 ? "nothing in it" : "too long");
	if (memchr(text, '\0', n) != NULL)
		stop(file, "has a zero byte");
	for (size_t i = 0; i < n; i++)
		if (text[i] != '\r')
			text[kept++] = text[i];
	return arena_strndup(&arena, text, kept);
}

/* Behind the comment and blank lines at the head. */
static const char *
statement_of(const char *file, const char *text)
{
	while (strncmp(text, "--", 2) == 0 || text[strspn(text, " \t")] == '\n')
		text += strcspn(text, "\n") + (strchr(text, '\n') != NULL);
	if (text[strspn(text, " \t\n")] == '\0')
		stop(file, "no statement in it");
	return text;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

/* "tools/catalog/search_products.json" -> "catalog/search_products" */
static const char *
path_of(const char *file)
{
	const char *dot = strrchr(file, '.'), *p = dot, *path;
	int slashes = 0;

	while (p > file && (p[-1] != '/' || slashes++ == 0))
		p--;
	path = arena_strndup(&arena, p, (size_t)(dot - p));
	if (slashes == 0 || strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789_/") != strlen(path))
		stop(file, "a contract is server/name.json, both of [a-z0-9_]");
	if (strlen(path) > PATH_MAX_SZ)
		stop(file, "the name is too long");
	return path;
}

static struct tool_file *
find(struct tool_file *files, const char *path)
{
	for (; files->path != NULL; files++)
		if (strcmp(files->path, path) == 0)
			return files;
	return NULL;
}

static void
read_contract(const char *file, struct tool_file *to)
{
	const char *path = path_of(file);
	char *statement = arena_printf(&arena, "%.*s.sql", (int)(strlen(file) - strlen(".json")), file), *text;

	to->path = path;
	to->json = read_file(file);
	if (to->json == NULL)
		stop(file, "cannot be read");
	text = read_file(statement);
	if (text != NULL)
		to->sql = (struct sql){ path, statement_of(statement, text) };
}

static void
read_files(int n, char **file, struct tool_file *files)
{
	size_t nfiles = 0;

	for (int i = 0; i < n; i++) {
		if (!ends_with(file[i], ".json") && !ends_with(file[i], ".sql"))
			stop(file[i], "is neither .json nor .sql");
		if (ends_with(file[i], ".sql"))
			continue;
		if (find(files, path_of(file[i])) != NULL)
			stop(file[i], "given twice");
		if (nfiles == FILES_MAX)
			stop(file[i], "more than %d contracts", FILES_MAX);
		read_contract(file[i], &files[nfiles++]);
	}
	for (int i = 0; i < n; i++)
		if (ends_with(file[i], ".sql") && find(files, path_of(file[i])) == NULL)
			stop(file[i], "a statement without a contract");
}

/* ---- writing -------------------------------------------------------------------- */

/* As a C string; NULL is written as NULL. */
static void
put_string(const char *s)
{
	if (s == NULL) {
		(void)fputs("NULL", stdout);
		return;
	}
	putchar('"');
	for (; *s != '\0'; s++)
		switch (*s) {
		case '\n':
			(void)fputs("\\n\"\n\t\t    \"", stdout);
			break;
		case '\t':
			(void)fputs("\\t", stdout);
			break;
		case '"':
		case '\\':
		case '?':	/* of a trigraph */
			putchar('\\');
			__attribute__((fallthrough));
		default:
			putchar(*s);
		}
	putchar('"');
}

static void
put_member(const char *member, const char *value)
{
	if (value == NULL)
		return;
	printf("\t\t.%s = ", member);
	put_string(value);
	printf(",\n");
}

static void
put_lists(const struct tool *t)
{
	printf("\t\t.aliases = (const char *const[]){ ");
	for (size_t i = 0; t->aliases[i] != NULL; i++) {
		put_string(t->aliases[i]);
		printf(", ");
	}
	printf("NULL },\n\t\t.listings = (const struct tool_listing[]){ ");
	for (const struct tool_listing *l = t->listings; l->server != NULL; l++) {
		printf("{ ");
		put_string(l->server);
		printf(", ");
		put_string(l->name);
		printf(" }, ");
	}
	printf("{ 0 } },\n");
}

static void
put_work(const struct tool *t)
{
	if (t->handler != NULL)
		printf("\t\t.handler = %s,\n", handler_symbol(t->handler));
	if (t->sql == NULL)
		return;
	printf("\t\t.sql = &(const struct sql){ ");
	put_string(t->sql->name);
	printf(", ");
	put_string(t->sql->text);
	printf(" },\n");
}

static void
put_tool(const struct tool *t, size_t i)
{
	printf("\t{\n");
	put_member("name", t->name);
	put_member("server", t->server);
	put_member("title", t->title);
	put_member("description", t->description);
	put_member("scope", t->scope);
	put_member("rate", t->rate);
	put_member("path", t->path);
	put_member("kind", t->kind);
	put_member("confirm", t->confirm);
	put_member("app", t->app);
	put_member("rest.method", t->rest.method);
	put_member("rest.path", t->rest.path);
	put_member("rest.query", t->rest.query);
	put_member("text", t->text);
	printf("\t\t.entry = { %zu, %zu }, .input = { %zu, %zu }, .output = { %zu, %zu }, .schema = &schemas[%zu],\n", t->entry.at, t->entry.n,
	    t->input.at, t->input.n, t->output.at, t->output.n, i);
	printf("\t\t.read_only = %d, .in_transaction = %d, .open = %d, .needs_args = %d, .handles = %u, .nparams = %d,\n", t->read_only,
	    t->in_transaction, t->open, t->needs_args, t->handles, t->nparams);
	put_lists(t);
	put_work(t);
	printf("\t},\n");
}

static void
put_table(const struct tool_table *table)
{
	printf("/* generated from the contracts by tools/embed.c */\n#include \"tool/registry.h\"\n\n");
	for (size_t i = 0; i < table->ntools; i++)
		if (table->tools[i].handler != NULL)
			printf("tool_handler_fn %s;\n", handler_symbol(table->tools[i].handler));
	printf("static json_object *schemas[%zu];\n\nstatic const struct tool tools[] = {\n", table->ntools + 1);
	for (size_t i = 0; i < table->ntools; i++)
		put_tool(&table->tools[i], i);
	printf("\t{ 0 }\n};\n\nstatic const struct tool_name names[] = {\n");
	for (size_t i = 0; i < table->nnames; i++)
		printf("\t{ \"%s\", &tools[%zu] },\n", table->names[i].name, (size_t)(table->names[i].tool - table->tools));
	printf("\t{ 0 }\n};\n\nconst struct tool_table tool_table = { tools, names, %zu, %zu };\n", table->ntools, table->nnames);
}

int
main(int argc, char **argv)
{
	char err[512];
	struct tool_file *files;

	arena_init(&arena, MEMORY_MAX);
	files = arena_zalloc(&arena, FILES_MAX + 1, sizeof(*files));
	read_files(argc - 1, argv + 1, files);
	if (!registry_load(files, err, sizeof(err))) {
		(void)fprintf(stderr, "%s\n", err);
		return 1;
	}
	put_table(registry_loaded());
	if (fflush(stdout) != 0 || ferror(stdout))
		stop("standard output", "cannot be written");
	arena_release(&arena);
	return 0;
}
