/* The workbook around the rows: which sheet, which cell styles show dates; then the sheet itself. */
#include "shop/xlsx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CUSTOM_FORMATS_MAX 4096u

bool
xlsx_is_workbook(zip_t *zip, char *why, size_t whysz)
{
	static const struct {
		const char *part, *what;
	} others[] = {
		{ "word/document.xml", "a Word document" },
		{ "ppt/presentation.xml", "a PowerPoint presentation" },
		{ "xl/workbook.bin", "a binary Excel workbook (.xlsb); save it as .xlsx or CSV" },
		{ "content.xml", "an OpenDocument file (.ods); save it as .xlsx or CSV" },
		{ "META-INF/MANIFEST.MF", "a Java archive" },
	};
	size_t i;

	if (zip_get_num_entries(zip, 0) > XLSX_ENTRIES_MAX) {
		snprintf(why, whysz, "a ZIP archive with too many parts");
		return false;
	}
	if (zip_name_locate(zip, "xl/workbook.xml", ZIP_FL_NOCASE) >= 0)
		return true;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (zip_name_locate(zip, others[i].part, 0) >= 0) {
			snprintf(why, whysz, "%s", others[i].what);
			return false;
		}
	}
	snprintf(why, whysz, "a ZIP archive, but not an Excel workbook; unpack it first");
	return false;
}

/* ---- workbook.xml: the first visible sheet; workbook.xml.rels: its part ---- */

struct book {
	struct xlsx *x;
	char rel[128];
	bool any, found;
};

static void
book_start(void *arg, const char *name, const char **attrs)
{
	struct book *b = arg;
	const char *v, *id;

	if (strcmp(name, "workbookPr") == 0) {
		v = xlsx_attr(attrs, "date1904");
		b->x->from_1904 = v != NULL && (strcmp(v, "1") == 0 || strcmp(v, "true") == 0);
	} else if (strcmp(name, "sheet") == 0 && !b->found) {
		/* the relation is r:id; sheetId ends in Id too but is a name of its own */
		id = xlsx_attr(attrs, "id");
		v = xlsx_attr(attrs, "state");
		if (id == NULL || strlen(id) >= sizeof(b->rel))
			return;
		/* some programs write state="visible" out; the first sheet serves when all are hidden */
		b->found = v == NULL || strcmp(v, "visible") == 0;
		if (b->any && !b->found)
			return;
		memcpy(b->rel, id, strlen(id) + 1);
		b->any = true;
	}
}

static void
rels_start(void *arg, const char *name, const char **attrs)
{
	struct book *b = arg;
	const char *id = xlsx_attr(attrs, "Id"), *to = xlsx_attr(attrs, "Target");

	if (strcmp(name, "Relationship") != 0 || id == NULL || to == NULL || strcmp(id, b->rel) != 0)
		return;
	if (to[0] == '/')
		snprintf(b->x->sheet, sizeof(b->x->sheet), "%s", to + 1);
	else
		snprintf(b->x->sheet, sizeof(b->x->sheet), "xl/%s", strncmp(to, "./", 2) == 0 ? to + 2 : to);
}

static bool
find_sheet(struct xlsx *x)
{
	struct book b = { x, "", false, false };
	struct xlsx_handler book = { book_start, NULL, NULL, &b, NULL };
	struct xlsx_handler rels = { rels_start, NULL, NULL, &b, NULL };

	if (!xlsx_part(x, "xl/workbook.xml", false, &book) || !xlsx_part(x, "xl/_rels/workbook.xml.rels", true, &rels))
		return false;
	if (!b.any) {
		snprintf(x->why, sizeof(x->why), "the workbook has no sheet");
		return false;
	}
	if (x->sheet[0] == '\0')
		snprintf(x->sheet, sizeof(x->sheet), "xl/worksheets/sheet1.xml");
	return true;
}

/* ---- styles.xml: number formats ---- */

struct styles {
	struct xlsx *x;
	bool in_cells;		/* inside cellXfs */
	unsigned custom[CUSTOM_FORMATS_MAX];	/* ids of custom formats that show dates */
	size_t customs;
};

/* Built-in formats (ECMA-376 18.8.30). */
static bool
builtin_is_date(unsigned id)
{
	return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
}

static void
styles_start(void *arg, const char *name, const char **attrs)
{
	struct styles *s = arg;
	const char *id = xlsx_attr(attrs, "numFmtId"), *code = xlsx_attr(attrs, "formatCode");
	unsigned n = id != NULL ? (unsigned)strtoul(id, NULL, 10) : 0;
	size_t i;

	if (strcmp(name, "numFmt") == 0 && code != NULL && s->customs < CUSTOM_FORMATS_MAX && xlsx_format_is_date(code)) {
		s->custom[s->customs++] = n;
	} else if (strcmp(name, "cellXfs") == 0) {
		s->in_cells = true;
	} else if (strcmp(name, "xf") == 0 && s->in_cells && s->x->styles < XLSX_STYLES_MAX) {
		s->x->date[s->x->styles] = builtin_is_date(n);
		for (i = 0; i < s->customs; i++)
			s->x->date[s->x->styles] |= s->custom[i] == n;
		s->x->styles++;
	}
}

static void
styles_end(void *arg, const char *name)
{
	struct styles *s = arg;

	if (strcmp(name, "cellXfs") == 0)
		s->in_cells = false;
}

static bool
find_dates(struct xlsx *x)
{
	struct styles *s = calloc(1, sizeof(*s));
	struct xlsx_handler h = { styles_start, styles_end, NULL, s, NULL };
	bool ok;

	if (s == NULL)
		return false;
	s->x = x;
	ok = xlsx_part(x, "xl/styles.xml", true, &h);
	free(s);
	return ok;
}

/* ---- the sheet ---- */

struct sheet {
	struct xlsx *x;
	const struct xlsx_sink *sink;
	struct xlsx_handler *h;
	struct row row;
	int64_t line;
	size_t column, next;
	char type;		/* n, s (shared), i (inline), t (formula text), b, e, d */
	unsigned style;
	bool in_row, in_value, in_text, in_cell, phonetic, too_long, stopped;
	char *now;		/* text of the cell under way */
	size_t nowsz;
};

/* "AB12" is column 27.  ROW_COLUMNS_MAX and above: too far right to matter. */
static size_t
column_of(const char *ref)
{
	size_t n = 0;

	while (*ref >= 'A' && *ref <= 'Z' && n < 100000)
		n = n * 26 + (size_t)(*ref++ - 'A' + 1);
	return n > 0 ? n - 1 : ROW_COLUMNS_MAX;
}

static void
halt(struct sheet *s)
{
	s->stopped = true;
	XML_StopParser(s->h->parser, XML_FALSE);
}

static void
complain(struct sheet *s, const char *why)
{
	if (!s->sink->bad(s->sink->arg, s->line, s->column, why))
		halt(s);
}

static void
cell_done(struct sheet *s)
{
	char value[64];
	const char *text = s->now;
	size_t n = s->nowsz;

	if (s->column >= ROW_COLUMNS_MAX || (n == 0 && s->type != 's'))
		return;
	s->now[n] = '\0';
	if (s->too_long) {
		complain(s, "the cell is too long");
		return;
	}
	if (s->type == 's') {
		text = n > 0 && n < 12 ? xlsx_string(s->x, strtoull(s->now, NULL, 10), &n) : NULL;
		if (text == NULL) {
			complain(s, "the cell refers to a text that the workbook does not have");
			return;
		}
	} else if (s->type == 'e') {
		snprintf(value, sizeof(value), "the cell shows the error %.20s", s->now);
		complain(s, value);
		return;
	} else if (s->type == 'b') {
		text = s->now[0] == '1' ? "TRUE" : "FALSE";
		n = strlen(text);
	} else if (s->type == 'i' || s->type == 't') {
		n = xlsx_unescape(s->now, n);
	} else if (s->type == 'n' && s->style < s->x->styles && s->x->date[s->style]) {
		n = xlsx_date(strtod(s->now, NULL), s->x->from_1904, value, sizeof(value));
		text = value;
	} else if (s->type == 'n' && (n = xlsx_number(s->now, value, sizeof(value))) > 0) {
		text = value;
	} else {
		n = s->nowsz;
	}
	while (s->row.columns <= s->column)
		(void)row_add_column(&s->row, "", 0);
	if (!row_put(&s->row, s->column, text, n))
		complain(s, "the row is too long");
}

static void
row_begin(struct sheet *s, const char **attrs)
{
	const char *r = xlsx_attr(attrs, "r");
	int64_t line = r != NULL ? strtoll(r, NULL, 10) : s->line + 1;

	s->line = line > s->line && line <= INT32_MAX ? line : s->line + 1;
	s->next = 0;
	s->in_row = true;
	row_start(&s->row, s->line);
}

static void
cell_begin(struct sheet *s, const char **attrs)
{
	const char *r = xlsx_attr(attrs, "r"), *t = xlsx_attr(attrs, "t"), *style = xlsx_attr(attrs, "s");

	s->column = r != NULL ? column_of(r) : s->next;
	s->next = s->column + 1;
	s->style = style != NULL ? (unsigned)strtoul(style, NULL, 10) : 0;
	s->type = t == NULL ? 'n' : strcmp(t, "inlineStr") == 0 ? 'i' : strcmp(t, "str") == 0 ? 't' : t[0];
	s->nowsz = 0;
	s->in_cell = s->in_row;
	s->too_long = false;
}

static void
sheet_start(void *arg, const char *name, const char **attrs)
{
	struct sheet *s = arg;

	if (strcmp(name, "row") == 0)
		row_begin(s, attrs);
	else if (strcmp(name, "c") == 0)
		cell_begin(s, attrs);
	else if (strcmp(name, "v") == 0)
		s->in_value = s->in_cell;
	else if (strcmp(name, "rPh") == 0)
		s->phonetic = true;
	else if (strcmp(name, "t") == 0)
		s->in_text = s->in_cell && s->type == 'i' && !s->phonetic;
}

static void
sheet_end(void *arg, const char *name)
{
	struct sheet *s = arg;

	if (s->stopped)
		return;
	if (strcmp(name, "v") == 0) {
		s->in_value = false;
	} else if (strcmp(name, "t") == 0) {
		s->in_text = false;
	} else if (strcmp(name, "rPh") == 0) {
		s->phonetic = false;
	} else if (strcmp(name, "c") == 0) {
		if (s->in_cell)
			cell_done(s);
		s->in_cell = false;
	} else if (strcmp(name, "row") == 0) {
		s->in_row = false;
		if (!s->sink->row(s->sink->arg, &s->row))
			halt(s);
	}
}

static void
sheet_text(void *arg, const char *p, int n)
{
	struct sheet *s = arg;

	if ((!s->in_value && !s->in_text) || n <= 0)
		return;
	if (s->nowsz + (size_t)n >= XLSX_CELL_MAX) {
		s->too_long = true;
		return;
	}
	memcpy(s->now + s->nowsz, p, (size_t)n);
	s->nowsz += (size_t)n;
}

static bool
read_rows(struct xlsx *x, const struct xlsx_sink *sink)
{
	struct sheet *s = calloc(1, sizeof(*s));
	struct xlsx_handler h = { sheet_start, sheet_end, sheet_text, s, NULL };
	bool ok = false;

	if (s != NULL && (s->now = malloc(XLSX_CELL_MAX + 1)) != NULL) {
		s->x = x;
		s->sink = sink;
		s->h = &h;
		row_init(&s->row);
		ok = xlsx_part(x, x->sheet, false, &h);
		row_release(&s->row);
	}
	if (s != NULL)
		free(s->now);
	free(s);
	return ok;
}

bool
xlsx_read(struct xlsx *x, const struct xlsx_sink *sink)
{
	char what[160];

	if (!xlsx_is_workbook(x->zip, what, sizeof(what))) {
		snprintf(x->why, sizeof(x->why), "this is %s", what);
		return false;
	}
	return find_sheet(x) && find_dates(x) && xlsx_strings_read(x) && read_rows(x, sink);
}

void
xlsx_release(struct xlsx *x)
{
	free(x->strings.text);
	free(x->strings.at);
	free(x->strings.spare);
	if (x->strings.fd >= 0)
		close(x->strings.fd);
	x->strings.fd = -1;
}
