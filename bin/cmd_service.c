/*
 * souk policy and souk faq: what the shop promises and answers, as documents that its owner edits.  Both are JSON; questions may also come as a
 * table (CSV, TSV, XLSX) with a row for each language of an entry and the columns code, category, lang, question, answer, and as far as wanted
 * keywords, position, active.  The database checks every entry (sql/app/55_service_import.sql).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"
#include "gen/sql.h"
#include "shop/bytes.h"
#include "shop/source.h"
#include "store/db.h"

#define FILE_MAX_BYTES ((size_t)8 << 20)
#define TABLE_ROWS_MAX 20000

static const char *
subject_of(const struct cli *cli)
{
	return strncmp(cli->cmd->name, "policy", 6) == 0 ? "policies" : "faqs";
}

/* ---- a table of questions as a document ---- */

static const char *const columns[] = { "code", "category", "lang", "question", "answer", "keywords", "position", "active" };
enum { CODE, CATEGORY, LANG, QUESTION, ANSWER, KEYWORDS, POSITION, ACTIVE, COLUMNS };

static const char *
cell(const struct row *r, size_t at)
{
	const char *s;
	size_t n;

	if (at == ROW_COLUMNS_MAX)
		return NULL;
	s = row_cell(r, at, &n);
	return s != NULL && n > 0 ? s : NULL;
}

static void
put(json_object *o, const char *name, const char *value)
{
	if (value != NULL)
		json_object_object_add(o, name, json_object_new_string(value));
}

static json_object *
member(json_object *o, const char *name)
{
	json_object *v;

	if (json_object_object_get_ex(o, name, &v))
		return v;
	v = json_object_new_object();
	json_object_object_add(o, name, v);
	return v;
}

/* A number or truth value as such; anything else as text, for the database to refuse. */
static void
put_scalar(json_object *o, const char *name, const char *value)
{
	json_object *v;

	if (value == NULL)
		return;
	v = json_tokener_parse(value);
	if (v == NULL || json_object_is_type(v, json_type_object) || json_object_is_type(v, json_type_array)) {
		json_object_put(v);
		v = json_object_new_string(value);
	}
	json_object_object_add(o, name, v);
}

/* The row's language of the entry with its code. */
static void
take_row(json_object *entries, const struct row *r, const size_t at[COLUMNS])
{
	const char *lang = cell(r, at[LANG]);
	json_object *entry = member(entries, cell(r, at[CODE])), *said = member(member(entry, "texts"), lang != NULL ? lang : "");

	put(entry, "code", cell(r, at[CODE]));
	put(entry, "category", cell(r, at[CATEGORY]));
	put_scalar(entry, "position", cell(r, at[POSITION]));
	put_scalar(entry, "active", cell(r, at[ACTIVE]));
	put(said, "question", cell(r, at[QUESTION]));
	put(said, "answer", cell(r, at[ANSWER]));
	put(said, "keywords", cell(r, at[KEYWORDS]));
}

/* Where the columns are; false: one is missing. */
static bool
find_columns(const struct cli *cli, const struct row *r, size_t at[COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++) {
		at[i] = ROW_COLUMNS_MAX;
		for (size_t k = 0; k < r->columns && at[i] == ROW_COLUMNS_MAX; k++)
			if (strcmp(r->name[k], columns[i]) == 0)
				at[i] = k;
		if (i <= ANSWER && at[i] == ROW_COLUMNS_MAX) {
			cli_fail(cli, CLI_UNUSABLE, "there is no column %s", columns[i]);
			return false;
		}
	}
	return true;
}

/* All rows into entries, by code; CLI_OK, or what was told. */
static int
read_rows(const struct cli *cli, struct row_source *s, json_object *entries)
{
	size_t at[COLUMNS];
	int rows = 0;
	enum row_got got;

	while ((got = source_next(s)) == ROW_OK) {
		if (rows == 0 && !find_columns(cli, &s->row, at))
			return CLI_UNUSABLE;
		if (++rows > TABLE_ROWS_MAX)
			return cli_fail(cli, CLI_UNUSABLE, "more than %d rows", TABLE_ROWS_MAX);
		if (cell(&s->row, at[CODE]) == NULL)
			return cli_fail(cli, CLI_UNUSABLE, "line %lld: code is missing", (long long)s->row.line);
		take_row(entries, &s->row, at);
	}
	if (got == ROW_BAD)
		return cli_fail(cli, CLI_UNUSABLE, "line %lld: %s", (long long)s->row.line, s->why);
	return got == ROW_END ? CLI_OK : cli_fail(cli, CLI_UNUSABLE, "%s", s->why);
}

static void
release(void *o)
{
	json_object_put(o);
}

static int
read_table(struct cli *cli, const char *p, size_t n, json_object **doc)
{
	struct row_source *s = source_open_mem(p, n, FORMAT_AUTO);
	json_object *entries = json_object_new_object(), *list = json_object_new_array();
	int rc = read_rows(cli, s, entries);

	source_close(s);
	*doc = json_object_new_object();
	arena_defer(&cli->arena, release, *doc);
	json_object_object_foreach(entries, code, entry) {
		(void)code;
		json_object_array_add(list, json_object_get(entry));
	}
	json_object_object_add(*doc, "faqs", list);
	json_object_put(entries);
	return rc;
}

/* ---- reading ---- */

/* The whole file, gzip or not. */
static int
read_file(struct cli *cli, const char *path, struct buf *b)
{
	struct bytes *in = bytes_open(path);
	const unsigned char *p;
	ssize_t n;
	int rc = CLI_OK;

	while ((n = bytes_next(in, &p)) > 0 && b->n + (size_t)n <= FILE_MAX_BYTES)
		buf_put(b, (const char *)p, (size_t)n);
	if (n < 0)
		rc = cli_fail(cli, CLI_UNUSABLE, "%s", bytes_why(in));
	else if (n > 0)
		rc = cli_fail(cli, CLI_UNUSABLE, "%s has more than %zu MB", path, FILE_MAX_BYTES >> 20);
	else if (b->n == 0)
		rc = cli_fail(cli, CLI_UNUSABLE, "%s is empty", path);
	bytes_close(in);
	return rc;
}

static int
read_document(struct cli *cli, const char *path, json_object **doc)
{
	struct sniff sniff;
	struct buf b;
	int rc;

	buf_init(&b, &cli->arena, 65536, FILE_MAX_BYTES + 1);
	if ((rc = read_file(cli, path, &b)) != CLI_OK)
		return rc;
	sniff_content(&sniff, (const unsigned char *)b.p, b.n);
	if (sniff.format != FORMAT_JSON && sniff.format != FORMAT_JSONL) {
		if (strcmp(subject_of(cli), "faqs") != 0)
			return cli_fail(cli, CLI_UNUSABLE, "%s: policies are read from JSON, this is %s", path, sniff.what);
		return read_table(cli, b.p, b.n, doc);
	}
	if (json_parse(&cli->c, b.p, b.n, doc) != E_OK)
		return cli_fail(cli, CLI_UNUSABLE, "%s: %s", path, ctx_message(&cli->c));
	return CLI_OK;
}

/* ---- the commands ---- */

static int
print_report(struct cli *cli, const char *json, size_t n, bool dry)
{
	json_object *o, *errors;
	int64_t made = 0, changed = 0, gone = 0;
	size_t bad;

	if (json_parse(&cli->c, json, n, &o) != E_OK || json_get_array(o, "errors", &errors) != JSON_OK)
		return cli_fail_err(cli, E_INTERNAL);
	(void)json_get_int(o, "created", 0, INT64_MAX, &made);
	(void)json_get_int(o, "updated", 0, INT64_MAX, &changed);
	(void)json_get_int(o, "removed", 0, INT64_MAX, &gone);
	bad = json_object_array_length(errors);
	for (size_t i = 0; i < bad; i++)
		fprintf(stderr, "%s\n", json_object_get_string(json_object_array_get_idx(errors, i)));
	printf("%s%lld new, %lld replaced, %lld removed, %zu bad\n", dry ? "nothing was changed: " : "", (long long)made, (long long)changed,
	    (long long)gone, bad);
	return bad > 0 ? CLI_FAILED : CLI_OK;
}

int
cmd_service_import(struct cli *cli)
{
	const char *v[3] = { subject_of(cli), NULL, cli_value(cli, "replace") != NULL ? "true" : "false" }, *json;
	bool dry = cli_value(cli, "dry-run") != NULL;
	json_object *doc = NULL;
	size_t n;
	enum err e;
	int rc;

	if ((rc = read_document(cli, cli->argv[0], &doc)) != CLI_OK)
		return rc;
	v[1] = json_text(&cli->c, doc, &n);
	if ((e = db_begin(&cli->c, DB_WRITE, NULL)) == E_OK && (e = db_text(&cli->c, &sql_service_import, 3, v, &json, &n)) == E_OK) {
		json = arena_strndup(&cli->arena, json, n);
		if (dry)
			db_rollback(&cli->c);
		else
			e = db_commit(&cli->c);
	}
	if (e != E_OK) {
		db_rollback(&cli->c);
		return cli_fail_err(cli, e);
	}
	return print_report(cli, json, n, dry);
}

/* To the file, or to standard output; false: errno. */
static bool
write_text(const char *path, const char *text, size_t n)
{
	int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : STDOUT_FILENO;
	bool good = fd >= 0;

	while (good && n > 0) {
		ssize_t done = write(fd, text, n);

		good = done > 0;
		if (good) {
			text += done;
			n -= (size_t)done;
		}
	}
	return path == NULL || fd < 0 || close(fd) == 0 ? good : false;
}

int
cmd_service_export(struct cli *cli)
{
	const char *v[1] = { subject_of(cli) }, *path = cli_value(cli, "output"), *text;
	size_t n;
	enum err e;

	if ((e = db_text(&cli->c, &sql_service_export, 1, v, &text, &n)) != E_OK)
		return cli_fail_err(cli, e);
	if (!write_text(path, text, n))
		return cli_fail(cli, CLI_UNUSABLE, "%s: %s", path != NULL ? path : "standard output", strerror(errno));
	return CLI_OK;
}
