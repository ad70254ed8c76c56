/*
 * JSON: an array of objects, such an array as the first member of an object ({"products": [...]}), objects one after the other, or
 * one object a line (JSONL).  Only one object is in memory at a time; each passes the strict gate.  Members become
 * cells: null is an empty cell, nested values are their JSON text, numbers have no exponent.
 */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "shop/source.h"
#include "shop/value.h"

#define ARENA_MAX (16u << 20)

struct json {
	struct ctx c;
	struct arena a;
	bool array, wrapped, first, ended;
	char *obj;		/* text of the element under way */
	size_t objsz, room;
	bool too_long;
};

static bool
json_new(struct row_source *s)
{
	struct json *j = calloc(1, sizeof(*j));

	if ((s->state = j) == NULL)
		return source_fail(s, "out of memory") == ROW_OK;
	arena_init(&j->a, ARENA_MAX);
	j->c.a = &j->a;
	j->first = true;
	return true;
}

static void
json_close(struct row_source *s)
{
	struct json *j = s->state;

	if (j == NULL)
		return;
	arena_release(&j->a);
	free(j->obj);
	free(j);
	s->state = NULL;
}

static bool
put_member(struct row_source *s, const char *key, json_object *v)
{
	struct json *j = s->state;
	size_t column = row_column(&s->row, key, strlen(key)), n;
	const char *text;
	char plain[256];

	if (column == ROW_COLUMNS_MAX)
		return false;
	if (json_object_is_type(v, json_type_null))
		return row_put(&s->row, column, "", 0);
	if (json_object_is_type(v, json_type_string))
		return row_put(&s->row, column, json_object_get_string(v), (size_t)json_object_get_string_len(v));
	text = json_text(&j->c, v, &n);
	if (json_object_is_type(v, json_type_double) && value_unexponent(text, n, plain, sizeof(plain)))
		return row_put(&s->row, column, plain, strlen(plain));
	return row_put(&s->row, column, text, n);
}

/* One object's text to cells. */
static enum row_got
take_object(struct row_source *s, const char *p, size_t n, int64_t line)
{
	struct json *j = s->state;
	struct json_object_iterator it, end;
	json_object *o;

	row_start(&s->row, line);
	arena_reset(&j->a);
	ctx_clear_error(&j->c);
	if (json_parse(&j->c, p, n, &o) != E_OK)
		return source_bad(s, NULL, "%s", ctx_message(&j->c));
	if (!json_object_is_type(o, json_type_object))
		return source_bad(s, NULL, "is not a JSON object");
	it = json_object_iter_begin(o);
	end = json_object_iter_end(o);
	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		if (!put_member(s, json_object_iter_peek_name(&it), json_object_iter_peek_value(&it)))
			return source_bad(s, NULL, "has too many or too long members");
	}
	return ROW_OK;
}

/* ---- JSONL ---- */

static enum row_got
jsonl_next(struct row_source *s)
{
	const char *p;
	int64_t line;
	ssize_t n;

	for (;;) {
		line = s->text.line;
		n = text_line(&s->text, &p);
		if (n == 0)
			return ROW_END;
		row_start(&s->row, line);
		if (n == TEXT_FAILED)
			return source_fail(s, "%s", bytes_why(s->bytes));
		if (n == TEXT_LONG)
			return source_bad(s, NULL, "the line is longer than %u bytes", TEXT_LINE_MAX);
		while (n > 0 && (unsigned char)p[n - 1] <= ' ')
			n--;
		if (n > 0)
			return take_object(s, p, (size_t)n, line);
	}
}

/* ---- JSON ---- */

static int
skip_blanks(struct text *t)
{
	int c;

	while ((c = text_ahead(t)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		(void)text_char(t);
	return c;
}

static bool
add(struct json *j, int c)
{
	size_t room = j->room ? j->room * 2 : 4096;
	char *p;

	if (j->objsz >= TEXT_LINE_MAX) {
		j->too_long = true;
		return true;
	}
	if (j->objsz == j->room) {
		if ((p = realloc(j->obj, room)) == NULL)
			return false;
		j->obj = p;
		j->room = room;
	}
	j->obj[j->objsz++] = (char)c;
	return true;
}

/* Collect one value: brackets are counted, strings respected.  Its grammar is the gate's business. */
static enum row_got
collect(struct row_source *s, int64_t line)
{
	struct json *j = s->state;
	struct text *t = &s->text;
	size_t depth = 0;
	bool quoted = false, escaped = false;
	int c;

	j->objsz = 0;
	j->too_long = false;
	for (;;) {
		c = text_ahead(t);
		if (depth == 0 && !quoted && j->objsz > 0 && (c < 0 || c == ',' || c == ']' || c == '}' || c <= ' '))
			return ROW_OK;
		if (c == TEXT_FAILED)
			return source_fail(s, "%s", bytes_why(s->bytes));
		if (c == TEXT_END)
			return source_fail(s, "the JSON ends in the middle of the value that begins on line %lld", (long long)line);
		if (!add(j, text_char(t)))
			return source_fail(s, "out of memory");
		if (quoted) {
			quoted = escaped || c != '"';
			escaped = !escaped && c == '\\';
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (depth == 0 || --depth == 0)
				return ROW_OK;
		}
	}
}

/* {"products": [ at the beginning: go on with the array. */
static bool
unwrap(struct text *t)
{
	size_t at;

	if (t->pos == t->len && text_fill(t) <= 0)
		return false;
	if ((at = sniff_wrapper(t->buf + t->pos, t->len - t->pos)) == 0)
		return false;
	for (at += t->pos; t->pos < at;)
		(void)text_char(t);
	return true;
}

static bool
json_open(struct row_source *s)
{
	struct json *j;

	if (!json_new(s))
		return false;
	j = s->state;
	if (skip_blanks(&s->text) == '[') {
		(void)text_char(&s->text);
		j->array = true;
	} else if (unwrap(&s->text)) {
		j->array = j->wrapped = true;
	}
	return true;
}

/* Between elements.  ROW_OK: one follows. */
static enum row_got
separator(struct row_source *s)
{
	struct json *j = s->state;
	int c = skip_blanks(&s->text);
	bool comma = false;

	if (c == TEXT_FAILED)
		return source_fail(s, "%s", bytes_why(s->bytes));
	if (!j->array)
		return c == TEXT_END ? ROW_END : ROW_OK;
	if (c == ',' && !j->first) {
		(void)text_char(&s->text);
		comma = true;
		c = skip_blanks(&s->text);
	}
	if (c == TEXT_END)
		return source_fail(s, "the JSON array is not closed: the file was cut off");
	if (c == ']' && !comma) {
		(void)text_char(&s->text);
		j->ended = true;
		if (!j->wrapped && skip_blanks(&s->text) != TEXT_END)
			return source_fail(s, "line %lld: text after the end of the JSON array", (long long)s->text.line);
		return ROW_END;
	}
	if (!comma && !j->first)
		return source_fail(s, "line %lld: a comma is missing between two values of the JSON array", (long long)s->text.line);
	if (c == ',' || c == ']' || c == '}')
		return source_fail(s, "line %lld: '%c' where a value of the JSON array is due", (long long)s->text.line, c);
	return ROW_OK;
}

static enum row_got
json_next(struct row_source *s)
{
	struct json *j = s->state;
	enum row_got got;
	int64_t line;

	if (j->ended)
		return ROW_END;
	if ((got = separator(s)) != ROW_OK)
		return got;
	j->first = false;
	line = s->text.line;
	if ((got = collect(s, line)) != ROW_OK)
		return got;
	row_start(&s->row, line);
	if (j->too_long)
		return source_bad(s, NULL, "the object is longer than %u bytes", TEXT_LINE_MAX);
	return take_object(s, j->obj, j->objsz, line);
}

const struct reader reader_json = { json_open, json_next, json_close };
const struct reader reader_jsonl = { json_new, jsonl_next, json_close };
