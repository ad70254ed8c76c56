/* Workbooks: what Excel and others write, and what somebody with bad intentions might. */
#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <zip.h>

#include "shop/source.h"
#include "shop/xlsx.h"

#define NS " xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\""

static char dump[1u << 20], dir[64], path[128];

static const char workbook[] = "<?xml version=\"1.0\"?><workbook" NS
	" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>"
	"<sheet name=\"Hidden\" sheetId=\"1\" state=\"hidden\" r:id=\"rId1\"/><sheet name=\"Products\" sheetId=\"2\" r:id=\"rId2\"/></sheets></workbook>";
static const char rels[] = "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
	"<Relationship Id=\"rId1\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Target=\"/xl/worksheets/sheet2.xml\"/></Relationships>";
static const char styles[] = "<styleSheet" NS "><numFmts><numFmt numFmtId=\"164\" formatCode=\"dd/mm/yyyy\\ hh:mm\"/>"
	"<numFmt numFmtId=\"165\" formatCode=\"#,##0.00\\ [$EUR-40C]\"/></numFmts>"
	"<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/><xf numFmtId=\"165\"/></cellXfs></styleSheet>";
static const char strings[] = "<sst" NS "><si><t>sku</t></si><si><t>name</t></si><si><r><t>Lamp </t></r><r><t xml:space=\"preserve\">&amp; shade</t></r>"
	"<rPh><t>ignored</t></rPh></si><si><t>line_x000D_break</t></si></sst>";

struct part {
	const char *name, *text;
	size_t n;
};

static void
write_zip(const struct part *parts, size_t count)
{
	int code = 0;
	zip_t *z;
	size_t i;

	if (dir[0] == '\0')
		unit_make_dir(dir);
	snprintf(path, sizeof(path), "%s/book.xlsx", dir);
	z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
	ck_assert_ptr_nonnull(z);
	for (i = 0; i < count; i++) {
		zip_source_t *s = zip_source_buffer(z, parts[i].text, parts[i].n != 0 ? parts[i].n : strlen(parts[i].text), 0);

		ck_assert_int_ge(zip_file_add(z, parts[i].name, s, ZIP_FL_ENC_UTF_8), 0);
	}
	ck_assert_int_eq(zip_close(z), 0);
}

static const char *
read_book(void)
{
	struct row_source *s = source_open(path, FORMAT_AUTO);
	enum row_got got;
	char line[600];
	size_t i, len;

	dump[0] = '\0';
	len = 0;
	while ((got = source_next(s)) == ROW_OK || got == ROW_BAD) {
		if (got == ROW_BAD) {
			snprintf(line, sizeof(line), "%lld!%s!%s;", (long long)s->row.line, s->column, s->why);
		} else {
			int n = snprintf(line, sizeof(line), "%lld:", (long long)s->row.line);

			for (i = 0; i < s->row.columns; i++) {
				const char *c = row_cell(&s->row, i, NULL);

				n += snprintf(line + n, sizeof(line) - (size_t)n, "%s%.100s", i > 0 ? "|" : "", c != NULL ? c : "<none>");
			}
			snprintf(line + n, sizeof(line) - (size_t)n, ";");
		}
		if (len + strlen(line) + 400 < sizeof(dump))
			len += (size_t)snprintf(dump + len, sizeof(dump) - len, "%s", line);
	}
	snprintf(dump + len, sizeof(dump) - len, "%s%s", got == ROW_END ? "." : "FAIL ", got == ROW_END ? "" : s->why);
	source_close(s);
	return dump;
}

/* A whole workbook around the rows of its second sheet. */
static const char *
sheet(const char *rows)
{
	char *xml = malloc(strlen(rows) + 400);
	const char *out;

	ck_assert_ptr_nonnull(xml);
	snprintf(xml, strlen(rows) + 400, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><worksheet" NS "><sheetData>%s</sheetData></worksheet>", rows);
	write_zip((const struct part[]) { { "xl/workbook.xml", workbook, 0 }, { "xl/_rels/workbook.xml.rels", rels, 0 },
	    { "xl/styles.xml", styles, 0 }, { "xl/sharedStrings.xml", strings, 0 }, { "xl/worksheets/sheet2.xml", xml, 0 } }, 5);
	out = read_book();
	free(xml);
	return out;
}

#define HEADER "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c><c r=\"C1\" t=\"inlineStr\"><is><t>price</t></is></c></row>"

START_TEST(cells_of_every_type)
{
	ck_assert_str_eq(sheet(HEADER
	    "<row r=\"2\"><c r=\"A2\"><v>8710103941</v></c><c r=\"B2\" t=\"s\"><v>2</v></c><c r=\"C2\" s=\"3\"><v>2.5499999999999998</v></c></row>"
	    "<row r=\"4\"><c r=\"B4\" t=\"inlineStr\"><is><t>x</t></is></c><c r=\"C4\" t=\"str\"><f>A1</f><v>12,5</v></c></row>"
	    "<row r=\"5\"><c r=\"A5\" s=\"1\"><v>45123</v></c><c r=\"B5\" s=\"2\"><v>45123.5208333333</v></c><c r=\"C5\" t=\"b\"><v>1</v></c></row>"
	    "<row r=\"6\"><c><v>1.23456789012E+12</v></c><c t=\"s\"><v>3</v></c><c><v>1E-3</v></c></row>"
	    "<row r=\"7\"><c><v>1.25E-7</v></c><c><v>-9.9999999999999995E-8</v></c></row>"),
	    "2:8710103941|Lamp & shade|2.55;4:<none>|x|12,5;5:2023-07-16|2023-07-16 12:30:00|TRUE;6:1234567890120|line\rbreak|0.001;7:0.000000125|-0.0000001|<none>;.");
}
END_TEST

/* Some programs write state="visible" out. */
START_TEST(the_first_visible_sheet_is_read)
{
	static const char sheets[] = "<workbook" NS " xmlns:r=\"r\"><sheets><sheet name=\"a\" state=\"hidden\" r:id=\"rId1\"/>"
		"<sheet name=\"b\" state=\"%s\" r:id=\"rId2\"/></sheets></workbook>";
	static const char xml[] = "<worksheet" NS "><sheetData><row><c t=\"inlineStr\"><is><t>sku</t></is></c></row>"
		"<row><c t=\"inlineStr\"><is><t>%s</t></is></c></row></sheetData></worksheet>";
	static const char *const states[] = { "visible", "2:second;.", "veryHidden", "2:first;." };
	char book[600], first[400], second[400];
	size_t i;

	snprintf(first, sizeof(first), xml, "first");
	snprintf(second, sizeof(second), xml, "second");
	for (i = 0; i < 4; i += 2) {
		snprintf(book, sizeof(book), sheets, states[i]);
		write_zip((const struct part[]) { { "xl/workbook.xml", book, 0 }, { "xl/_rels/workbook.xml.rels", rels, 0 },
		    { "xl/worksheets/sheet1.xml", first, 0 }, { "xl/worksheets/sheet2.xml", second, 0 } }, 4);
		ck_assert_str_eq(read_book(), states[i + 1]);
	}
}
END_TEST

START_TEST(bad_cells_name_their_column)
{
	ck_assert_str_eq(sheet(HEADER "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>A</t></is></c><c r=\"B2\" t=\"e\"><v>#N/A</v></c></row>"
	    "<row r=\"3\"><c r=\"A3\" t=\"s\"><v>99</v></c></row><row r=\"4\"><c r=\"A4\"><v>7</v></c></row>"),
	    "2!name!the cell shows the error #N/A;2:A|<none>|<none>;3!sku!the cell refers to a text that the workbook does not have;4:7|<none>|<none>;.");
}
END_TEST

START_TEST(broken_workbooks_are_told)
{
	int fd;

	ck_assert_ptr_nonnull(strstr(sheet(HEADER "<row r=\"2\"><c r=\"A2\"><v>1</v></row>"), "FAIL the workbook is damaged: xl/worksheets/sheet2.xml line 1"));
	ck_assert_str_eq(sheet(""), "FAIL the first sheet of the workbook is empty");
	write_zip((const struct part[]) { { "a.txt", "x", 0 } }, 1);
	ck_assert_str_eq(read_book(), "FAIL this is a ZIP archive, but not an Excel workbook; unpack it first");
	write_zip((const struct part[]) { { "word/document.xml", "x", 0 } }, 1);
	ck_assert_str_eq(read_book(), "FAIL this is a Word document");
	write_zip((const struct part[]) { { "content.xml", "x", 0 } }, 1);
	ck_assert_ptr_nonnull(strstr(read_book(), "FAIL this is an OpenDocument file"));
	write_zip((const struct part[]) { { "xl/workbook.xml", workbook, 0 } }, 1);
	ck_assert_str_eq(read_book(), "FAIL the workbook is damaged: it has no xl/worksheets/sheet1.xml");
	sheet(HEADER);
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(ftruncate(fd, 300), 0);
	close(fd);
	ck_assert_str_eq(read_book(), "FAIL the file is a damaged ZIP archive or was cut off");
}
END_TEST

START_TEST(doctypes_and_bombs_are_refused)
{
	static const char lol[] = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><sst>&b;</sst>";
	size_t n = 64u << 20;
	char *zeros = malloc(n);

	ck_assert_ptr_nonnull(zeros);
	write_zip((const struct part[]) { { "xl/workbook.xml", workbook, 0 }, { "xl/sharedStrings.xml", lol, 0 },
	    { "xl/worksheets/sheet1.xml", "<worksheet/>", 0 } }, 3);
	ck_assert_str_eq(read_book(), "FAIL xl/sharedStrings.xml has a DOCTYPE, which no workbook has: refused");
	memset(zeros, ' ', n);
	memcpy(zeros, "<worksheet>", 11);
	write_zip((const struct part[]) { { "xl/workbook.xml", workbook, 0 }, { "xl/_rels/workbook.xml.rels", rels, 0 },
	    { "xl/worksheets/sheet2.xml", zeros, n } }, 3);
	ck_assert_str_eq(read_book(), "FAIL xl/worksheets/sheet2.xml unpacks to far more than a workbook would: refused");
	for (size_t i = 0; i < 300; i++)
		zeros[i] = "<a>"[i % 3];
	write_zip((const struct part[]) { { "xl/workbook.xml", workbook, 0 }, { "xl/_rels/workbook.xml.rels", rels, 0 },
	    { "xl/worksheets/sheet2.xml", zeros, 300 } }, 3);
	ck_assert_str_eq(read_book(), "FAIL xl/worksheets/sheet2.xml is nested deeper than any workbook is: refused");
	free(zeros);
}
END_TEST

/* More shared strings than fit in memory go through the temporary file and come back. */
START_TEST(many_strings_are_kept_outside_memory)
{
	size_t room = 80u << 20, n = 0, i, count = 60000;
	char *sst = malloc(room), want[160];
	char rows[2048];

	ck_assert_ptr_nonnull(sst);
	n += (size_t)snprintf(sst + n, room - n, "<sst" NS "><si><t>sku</t></si><si><t>name</t></si>");
	for (i = 2; i < count; i++) {
		n += (size_t)snprintf(sst + n, room - n, "<si><t>text %zu ", i);
		for (int k = 0; k < 60; k++)
			n += (size_t)snprintf(sst + n, room - n, "%08x", (unsigned)(i * 2654435761u) ^ ((unsigned)k * 40503u * (unsigned)i));
		n += (size_t)snprintf(sst + n, room - n, "</t></si>");
	}
	n += (size_t)snprintf(sst + n, room - n, "</sst>");
	snprintf(rows, sizeof(rows), "<worksheet" NS "><sheetData><row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c></row>"
	    "<row><c><v>1</v></c><c t=\"s\"><v>2</v></c></row><row><c><v>2</v></c><c t=\"s\"><v>%zu</v></c></row>"
	    "<row><c><v>3</v></c><c t=\"s\"><v>%zu</v></c></row></sheetData></worksheet>", count / 2, count - 1);
	write_zip((const struct part[]) { { "xl/workbook.xml", workbook, 0 }, { "xl/_rels/workbook.xml.rels", rels, 0 },
	    { "xl/sharedStrings.xml", sst, n }, { "xl/worksheets/sheet2.xml", rows, 0 } }, 4);
	free(sst);
	read_book();
	snprintf(want, sizeof(want), "2:1|text 2 ");
	ck_assert_ptr_nonnull(strstr(dump, want));
	snprintf(want, sizeof(want), "3:2|text %zu ", count / 2);
	ck_assert_ptr_nonnull(strstr(dump, want));
	snprintf(want, sizeof(want), "4:3|text %zu ", count - 1);
	ck_assert_ptr_nonnull(strstr(dump, want));
}
END_TEST

START_TEST(dates_of_both_epochs)
{
	char out[64];

	ck_assert_uint_eq(xlsx_date(1, false, out, sizeof(out)), 10);
	ck_assert_str_eq(out, "1900-01-01");
	xlsx_date(61, false, out, sizeof(out));
	ck_assert_str_eq(out, "1900-03-01");
	xlsx_date(40513.35138888889, false, out, sizeof(out));
	ck_assert_str_eq(out, "2010-12-01 08:26:00");
	xlsx_date(0, true, out, sizeof(out));
	ck_assert_str_eq(out, "1904-01-01");
	xlsx_date(45292.99999999, false, out, sizeof(out));
	ck_assert_str_eq(out, "2024-01-02");
	ck_assert_uint_eq(xlsx_date(-1, false, out, sizeof(out)), 0);
	ck_assert_uint_eq(xlsx_date(1e300, false, out, sizeof(out)), 0);
	ck_assert(xlsx_format_is_date("dd/mm/yyyy"));
	ck_assert(xlsx_format_is_date("[h]:mm"));
	ck_assert(!xlsx_format_is_date("#,##0.00 [$EUR-40C]"));
	ck_assert(!xlsx_format_is_date("0 \"days\""));
	ck_assert(!xlsx_format_is_date("[Red]0.00"));
	ck_assert(!xlsx_format_is_date("General"));
	ck_assert(!xlsx_format_is_date("\"open"));
}
END_TEST

static void
clean(void)
{
	if (dir[0] == '\0')
		return;
	(void)unlink(path);
	(void)rmdir(dir);
}

static void
after(void)
{
	clean();
	dir[0] = '\0';
}

int
main(void)
{
	const TTest *const tests[] = { cells_of_every_type, the_first_visible_sheet_is_read, bad_cells_name_their_column, broken_workbooks_are_told, doctypes_and_bombs_are_refused,
		many_strings_are_kept_outside_memory, dates_of_both_epochs, NULL };
	const TTest *const *t;
	Suite *suite = suite_create("import_xlsx");
	TCase *all = tcase_create("import_xlsx");
	SRunner *runner;
	int failed;

	tcase_set_timeout(all, 60);
	tcase_add_checked_fixture(all, NULL, after);
	for (t = tests; *t != NULL; t++)
		tcase_add_test(all, *t);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
