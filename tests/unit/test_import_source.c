/* Files to rows: CSV, TSV, JSON and JSONL, whatever their bytes. */
#include "unit.h"

#include <string.h>
#include <zlib.h>

#include "shop/source.h"

static char dump[1u << 20];

static void
append(const char *s)
{
	size_t n = strlen(dump);

	snprintf(dump + n, sizeof(dump) - n, "%s", s);
}

/* All rows as "line:cell|cell;", bad ones as "line!column!why;", the end as "." or "FAIL why". */
static const char *
read_as(const void *p, size_t n, enum format want)
{
	struct row_source *s = source_open_mem(p, n, want);
	enum row_got got;
	char line[512];
	size_t i, len;

	dump[0] = '\0';
	while ((got = source_next(s)) == ROW_OK || got == ROW_BAD) {
		snprintf(line, sizeof(line), "%lld", (long long)s->row.line);
		append(line);
		if (got == ROW_BAD) {
			snprintf(line, sizeof(line), "!%s!%s;", s->column, s->why);
			append(line);
			continue;
		}
		for (i = 0; i < s->row.columns; i++) {
			const char *cell = row_cell(&s->row, i, &len);

			append(i == 0 ? ":" : "|");
			append(cell != NULL ? cell : "<none>");
		}
		append(";");
	}
	append(got == ROW_END ? "." : "FAIL ");
	append(got == ROW_END ? "" : s->why);
	source_close(s);
	return dump;
}

static const char *
rows(const char *text)
{
	return read_as(text, strlen(text), FORMAT_AUTO);
}

START_TEST(csv_reads_what_spreadsheets_write)
{
	ck_assert_str_eq(rows("sku,name\nA,Lamp\nB,Chair\n"), "2:A|Lamp;3:B|Chair;.");
	ck_assert_str_eq(rows("sku,name\r\nA,Lamp\r\nB,Chair"), "2:A|Lamp;3:B|Chair;.");
	ck_assert_str_eq(rows("sku;name\nA;\"Lamp; tall\"\n"), "2:A|Lamp; tall;.");
	ck_assert_str_eq(rows("sku\tname\nA\tLamp\n"), "2:A|Lamp;.");
	ck_assert_str_eq(rows("sku|name\nA|Lamp\n"), "2:A|Lamp;.");
	ck_assert_str_eq(rows("\xef\xbb\xbfsku,name\nA,Lamp\n"), "2:A|Lamp;.");
	ck_assert_str_eq(rows("sep=;\nsku;name\nA;Lamp\n"), "3:A|Lamp;.");
	ck_assert_str_eq(rows("sku,name\rA,Lamp\rB,Chair\r"), "2:A|Lamp;3:B|Chair;.");
	ck_assert_str_eq(rows("sku\nA\nB"), "2:A;3:B;.");
	ck_assert_str_eq(rows("sku,name\n"), ".");
	ck_assert_str_eq(rows("  sku , name \n A , Lamp \n"), "2:A|Lamp;.");
}
END_TEST

START_TEST(csv_keeps_quotes_and_breaks)
{
	ck_assert_str_eq(rows("sku,name\nA,\"two\nlines\"\nB,x\n"), "2:A|two\nlines;4:B|x;.");
	ck_assert_str_eq(rows("sku,name\nA,\"say \"\"hi\"\"\"\n"), "2:A|say \"hi\";.");
	ck_assert_str_eq(rows("sku,name\nA,\"\"\n"), "2:A|;.");
	ck_assert_str_eq(rows("sku,name\nA,27\" monitor\nB,x\n"), "2:A|27\" monitor;3:B|x;.");
	ck_assert_str_eq(rows("sku\tname\nA\t\"Best\" lamp\nB\tx\n"), "2:A|\"Best\" lamp;3:B|x;.");
	ck_assert_str_eq(rows("sku,name\n\n,\n  \nA,x\n\n"), "5:A|x;.");
}
END_TEST

START_TEST(csv_loses_only_the_bad_row)
{
	ck_assert_str_eq(rows("sku,name\nA,x,y\nB\nC,z\n"),
	    "2!!has 3 cells where the header has 2;3!!has 1 cells where the header has 2;4:C|z;.");
	ck_assert_str_eq(read_as("sku,name\nA,La\0mp\nB,x\n", 21, FORMAT_AUTO), "2!name!contains a NUL character;3:B|x;.");
	/* an open quote does not swallow the rows behind it */
	ck_assert_str_eq(rows("sku,name\nA,\"open\nB,x\nC,\"y\"\nD,z\n"), "2!name!has a quote in the wrong place;3:B|x;4:C|y;5:D|z;.");
	ck_assert_str_eq(rows("sku,name\nA,x\nB,\"open\nC,y\nD,z\n"), "2:A|x;3!name!has a quote that is not closed;4:C|y;5:D|z;.");
	ck_assert_str_eq(rows("sku,name\nA,\"27\" tv\",x\nB,y\n"), "2!name!has a quote in the wrong place;3:B|y;.");
	ck_assert_str_eq(rows("sku,name\nA,caf\xc3\xa9\nB,caf\xc3\nC,x\n"), "2:A|caf\xc3\xa9;3!name!is not valid UTF-8;4:C|x;.");
	ck_assert_str_eq(rows("sku,name\nA,one\rtwo,2\nB,x\n"), "2!!has 3 cells where the header has 2;3:B|x;.");
}
END_TEST

START_TEST(csv_bounds_an_endless_cell)
{
	size_t n = 3u << 20;
	char *big = malloc(n + 64);
	int at;

	ck_assert_ptr_nonnull(big);
	at = snprintf(big, 64, "sku,name\nA,\"");
	memset(big + at, 'x', n);
	for (size_t i = 0; i < n; i += 1000)
		big[(size_t)at + i] = '\n';
	memcpy(big + at + n, "\nB,y\n", 5);
	read_as(big, (size_t)at + n + 5, FORMAT_AUTO);
	ck_assert_ptr_nonnull(strstr(dump, "2!name!has a quote that is not closed;"));
	ck_assert_str_eq(dump + strlen(dump) - strlen(":B|y;."), ":B|y;.");
	/* one line without an end */
	at = snprintf(big, 64, "sku,name\nA,");
	memset(big + at, 'x', n);
	memcpy(big + at + n, "\nB,y\n", 5);
	ck_assert_str_eq(read_as(big, (size_t)at + n + 5, FORMAT_AUTO), "2!!the line is longer than 1048576 bytes;3:B|y;.");
	free(big);
}
END_TEST

START_TEST(encodings_are_told_apart)
{
	static const char utf16[] = "\xff\xfes\0k\0u\0\t\0n\0\n\0A\0\t\0\xe9\0\n\0B\0\t\0\x3d\xd8\x00\xde\n\0";
	static const char utf16be[] = "\xfe\xff\0s\0k\0u\0,\0n\0\n\0A\0,\0\xe9\0\n";
	/* some programs leave the mark out */
	static const char bare[] = "s\0k\0u\0\t\0n\0\n\0A\0\t\0\xe9\0\n";
	char *late = malloc(200000);
	size_t n;

	ck_assert_str_eq(rows("sku,name\nA,\xc9tag\xe8re\nB,50 \x80\n"), "2:A|\xc3\x89tag\xc3\xa8re;3:B|50 \xe2\x82\xac;.");
	ck_assert_str_eq(read_as(utf16, sizeof(utf16) - 1, FORMAT_AUTO), "2:A|\xc3\xa9;3:B|\xf0\x9f\x98\x80;.");
	ck_assert_str_eq(read_as(utf16be, sizeof(utf16be) - 1, FORMAT_AUTO), "2:A|\xc3\xa9;.");
	ck_assert_str_eq(read_as(utf16be + 2, sizeof(utf16be) - 3, FORMAT_AUTO), "2:A|\xc3\xa9;.");
	ck_assert_str_eq(read_as(bare, sizeof(bare), FORMAT_AUTO), "2:A|\xc3\xa9;.");
	/* the first accent comes long after the first chunk */
	ck_assert_ptr_nonnull(late);
	n = (size_t)snprintf(late, 64, "sku,name\n");
	for (int i = 0; n < 150000; i++)
		n += (size_t)snprintf(late + n, 64, ",\n");
	n += (size_t)snprintf(late + n, 64, "Z,caf\xe9\n");
	read_as(late, n, FORMAT_AUTO);
	ck_assert_ptr_nonnull(strstr(dump, ":Z|caf\xc3\xa9;."));
	free(late);
}
END_TEST

/* A sequence cut by the end of a chunk is one character all the same. */
START_TEST(encodings_survive_chunks)
{
	static const char accents[] = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
	size_t n, shift;
	char *text = malloc(400000);

	ck_assert_ptr_nonnull(text);
	for (shift = 0; shift < 9; shift++) {
		n = (size_t)snprintf(text, 64, "sku\n%.*s", (int)shift, "xxxxxxxxx");
		while (n < 140000) {
			memcpy(text + n, accents, 9);
			n += 9;
		}
		memcpy(text + n, "\nB\n", 3);
		read_as(text, n + 3, FORMAT_AUTO);
		ck_assert_ptr_null(strstr(dump, "!"));
	}
	free(text);
}
END_TEST

START_TEST(json_gives_the_same_rows)
{
	ck_assert_str_eq(rows("[{\"sku\":\"A\",\"price\":1.50,\"on\":true},{\"sku\":\"B\",\"tags\":[1,\"x\"]}]"),
	    "1:A|1.50|true;1:B|<none>|<none>|[1,\"x\"];.");
	ck_assert_str_eq(rows("{\"sku\":\"A\"}\n\n{\"sku\":\"B\",\"n\":null}\n"), "1:A;3:B|;.");
	ck_assert_str_eq(rows("{\"products\": [\n{\"sku\":\"A\"},\n{\"sku\":\"B\"}], \"total\": 2}"), "2:A;3:B;.");
	ck_assert_str_eq(rows("{\"orders\":[{\"sku\":\"A\"},{\"sku\":\"B\"}],\"total\":2}"), "1:A;1:B;.");
	ck_assert_str_eq(rows("{\"data\":1,\"sku\":\"A\"}"), "1:1|A;.");
	ck_assert_str_eq(rows("[{\"a\":1.5E+2,\"b\":1e-3,\"c\":-12.5e-2,\"d\":12e0,\"e\":\"1e3\"}]"), "1:150|0.001|-0.125|12|1e3;.");
	ck_assert_str_eq(rows("{\n \"sku\": \"A\"\n}\n{\n \"sku\": \"B\"\n}"), "1:A;4:B;.");
	ck_assert_str_eq(rows("[]"), ".");
	ck_assert_str_eq(rows(" [ ] "), ".");
	ck_assert_str_eq(rows("[{\"a\":\"]},{[\\\"\"}]"), "1:]},{[\";.");
}
END_TEST

START_TEST(json_loses_only_the_bad_object)
{
	rows("{\"sku\":\"A\"}\n{\"sku\":\n{\"sku\":\"C\",\"sku\":\"D\"}\n[1]\n{\"sku\":\"E\"}\n");
	ck_assert_ptr_nonnull(strstr(dump, "1:A;2!!JSON: "));
	ck_assert_ptr_nonnull(strstr(dump, "3!!JSON: duplicate member"));
	ck_assert_ptr_nonnull(strstr(dump, "4!!is not a JSON object;5:E;."));
	rows("[{\"a\":01},5,\"x\",{\"a\":\"\\u0000\"},{\"a\":\"ok\"}]");
	ck_assert_ptr_nonnull(strstr(dump, "1!!is not a JSON object;1!!is not a JSON object;"));
	ck_assert_ptr_nonnull(strstr(dump, "1:ok;."));
	ck_assert_ptr_nonnull(strstr(rows("[{\"a\":1},{\"b\":\"x"), "FAIL the JSON ends in the middle of the value that begins on line 1"));
	ck_assert_ptr_nonnull(strstr(rows("[{\"a\":1}"), "FAIL the JSON array is not closed"));
	ck_assert_ptr_nonnull(strstr(rows("[{\"a\":1} {\"b\":1}]"), "FAIL line 1: a comma is missing"));
	ck_assert_ptr_nonnull(strstr(rows("[{\"a\":1},]"), "FAIL line 1: ']'"));
	ck_assert_ptr_nonnull(strstr(rows("[{\"a\":1}] x"), "FAIL line 1: text after the end"));
}
END_TEST

START_TEST(json_bounds_an_endless_object)
{
	size_t n = 2u << 20;
	char *big = malloc(n + 64);
	int at;

	ck_assert_ptr_nonnull(big);
	at = snprintf(big, 64, "[{\"a\":\"");
	memset(big + at, 'x', n);
	memcpy(big + at + n, "\"},{\"a\":\"y\"}]", 14);
	ck_assert_str_eq(read_as(big, (size_t)at + n + 13, FORMAT_AUTO), "1!!the object is longer than 1048576 bytes;1:y;.");
	free(big);
}
END_TEST

static size_t
gzip_of(const char *text, unsigned char *out, size_t outsz)
{
	z_stream z = { 0 };

	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)text;
	z.avail_in = (uInt)strlen(text);
	z.next_out = out;
	z.avail_out = (uInt)outsz;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	outsz -= z.avail_out;
	deflateEnd(&z);
	return outsz;
}

START_TEST(gzip_is_taken_off)
{
	unsigned char z[1024];
	size_t n = gzip_of("sku,name\nA,x\n", z, sizeof(z)), m;

	ck_assert_str_eq(read_as(z, n, FORMAT_AUTO), "2:A|x;.");
	/* members may follow each other, and zeros may follow the last */
	m = gzip_of("B,y\n", z + n, sizeof(z) - n);
	memset(z + n + m, 0, 16);
	ck_assert_str_eq(read_as(z, n + m + 16, FORMAT_AUTO), "2:A|x;3:B|y;.");
	ck_assert_ptr_nonnull(strstr(read_as(z, n - 6, FORMAT_AUTO), "FAIL gzip data ends in the middle"));
	z[n / 2] ^= 0x55;
	ck_assert_ptr_nonnull(strstr(read_as(z, n, FORMAT_AUTO), "FAIL gzip data is damaged"));
}
END_TEST

START_TEST(a_file_is_told_for_what_it_is)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum format want;
		const char *why;
	} files[] = {
		{ "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, FORMAT_AUTO, "FAIL this is a PNG image" },
		{ "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, FORMAT_CSV, "FAIL this is a PNG image" },
		{ "%PDF-1.7\n", 9, FORMAT_AUTO, "FAIL this is a PDF document" },
		{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1xx", 10, FORMAT_XLSX, "FAIL this is an old Excel file" },
		{ "<!DOCTYPE html><html>", 21, FORMAT_CSV, "FAIL this is an HTML page" },
		{ "<?xml version='1.0'?>", 21, FORMAT_AUTO, "FAIL this is an XML or HTML file" },
		{ "a\0b\0c", 5, FORMAT_AUTO, "FAIL this is binary data" },
		{ "\xff\xfe\0\0s\0\0\0", 8, FORMAT_AUTO, "FAIL this is text in UTF-32; save it as UTF-8" },
		{ "\0\0\xfe\xff\0\0\0s", 8, FORMAT_AUTO, "FAIL this is text in UTF-32; save it as UTF-8" },
		{ "", 0, FORMAT_AUTO, "FAIL this is empty" },
		{ " \n\n", 3, FORMAT_AUTO, "FAIL this is empty (only blanks)" },
		{ "sku,name\nA,x\n", 13, FORMAT_XLSX, "FAIL declared xlsx but is CSV text" },
		{ "sku,name\nA,x\n", 13, FORMAT_JSON, "FAIL declared json but is CSV text" },
		{ "[{\"sku\":1}]", 11, FORMAT_CSV, "FAIL declared csv but is JSON" },
		{ "sku\tname\nA\tx\n", 13, FORMAT_CSV, "FAIL declared csv but its cells are separated by tabs" },
		{ "sku,name\nA,x\n", 13, FORMAT_TSV, "FAIL declared tsv but there is no tab" },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		read_as(files[i].bytes, files[i].n, files[i].want);
		ck_assert_msg(strncmp(dump, files[i].why, strlen(files[i].why)) == 0, "%zu: %s", i, dump);
	}
}
END_TEST

START_TEST(names_claim_formats)
{
	bool gz;

	ck_assert_int_eq(sniff_name("shop.csv", &gz), FORMAT_CSV);
	ck_assert(!gz);
	ck_assert_int_eq(sniff_name("/a.b/shop.TSV.GZ", &gz), FORMAT_TSV);
	ck_assert(gz);
	ck_assert_int_eq(sniff_name("x.ndjson", &gz), FORMAT_JSONL);
	ck_assert_int_eq(sniff_name("/a.csv/shop", &gz), FORMAT_AUTO);
	ck_assert_int_eq(sniff_name("-", &gz), FORMAT_AUTO);
	ck_assert_int_eq(sniff_name("shop.txt", &gz), FORMAT_AUTO);
}
END_TEST

START_TEST(columns_are_bounded)
{
	char *text = malloc(100000);
	size_t n = 0;

	ck_assert_ptr_nonnull(text);
	for (int i = 0; i < 600; i++)
		n += (size_t)snprintf(text + n, 32, "c%d,", i);
	n += (size_t)snprintf(text + n, 32, "z\nA\n");
	ck_assert_str_eq(read_as(text, n, FORMAT_AUTO), "FAIL more than 512 columns");
	free(text);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		csv_reads_what_spreadsheets_write, csv_keeps_quotes_and_breaks, csv_loses_only_the_bad_row, csv_bounds_an_endless_cell,
		encodings_are_told_apart, encodings_survive_chunks, json_gives_the_same_rows, json_loses_only_the_bad_object,
		json_bounds_an_endless_object, gzip_is_taken_off, a_file_is_told_for_what_it_is, names_claim_formats, columns_are_bounded, NULL
	};

	return unit_run("import_source", tests);
}
