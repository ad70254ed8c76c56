/* Cells to values: amounts, numbers, dates, addresses, categories, HTML. */
#include "unit.h"

#include <string.h>

#include "shop/value.h"

static int64_t
amount_of(const char *s, int scale, enum decimal d)
{
	const char *why;
	int64_t v = INT64_MIN;

	return value_amount(s, strlen(s), scale, d, true, &v, &why) ? v : INT64_MIN;
}

START_TEST(amounts_are_read_as_people_write_them)
{
	static const struct {
		const char *text;
		enum decimal d;
		int64_t minor;
	} rows[] = {
		{ "149.90", DECIMAL_POINT, 14990 }, { "149,90", DECIMAL_POINT, 14990 }, { "149,90 \xe2\x82\xac", DECIMAL_BOTH, 14990 },
		{ "1 299,00", DECIMAL_BOTH, 129900 }, { "1\xc2\xa0" "299,00\xc2\xa0\xe2\x82\xac", DECIMAL_BOTH, 129900 },
		{ "1\xe2\x80\xaf" "299", DECIMAL_BOTH, 129900 }, { "1.299,00", DECIMAL_COMMA, 129900 }, { "1,299.00", DECIMAL_COMMA, 129900 },
		{ "1,299", DECIMAL_POINT, 129900 }, { "1.299", DECIMAL_POINT, 130 }, { "1,299", DECIMAL_COMMA, 130 }, { "1.299", DECIMAL_COMMA, 129900 },
		{ "1,299", DECIMAL_BOTH, 130 }, { "0,125", DECIMAL_POINT, 13 }, { "1.234.567", DECIMAL_POINT, 123456700 },
		{ "1,234,567.8", DECIMAL_POINT, 123456780 }, { "$12.5", DECIMAL_POINT, 1250 }, { "12.5 USD", DECIMAL_POINT, 1250 },
		{ "EUR 7", DECIMAL_POINT, 700 }, { "12.396694", DECIMAL_POINT, 1240 }, { "12.394", DECIMAL_POINT, 1239 }, { "0", DECIMAL_POINT, 0 },
		{ "-5.00", DECIMAL_POINT, -500 }, { "+5", DECIMAL_POINT, 500 }, { ".5", DECIMAL_POINT, 50 }, { "5.", DECIMAL_POINT, 500 },
		{ "1'299.00", DECIMAL_POINT, 129900 }, { "12,34,567.00", DECIMAL_POINT, 123456700 }, { "0.001", DECIMAL_POINT, 0 }, { "0.005", DECIMAL_POINT, 1 }, { "007", DECIMAL_POINT, 700 },
		{ "99999999999.99", DECIMAL_POINT, 9999999999999 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(amount_of(rows[i].text, 2, rows[i].d) == rows[i].minor, "%s: %lld", rows[i].text,
		    (long long)amount_of(rows[i].text, 2, rows[i].d));
	ck_assert_int_eq(amount_of("1299", 0, DECIMAL_POINT), 1299);
	ck_assert_int_eq(amount_of("1299.5", 0, DECIMAL_POINT), 1300);
	ck_assert_int_eq(amount_of("1.299", 3, DECIMAL_COMMA), 1299);
}
END_TEST

START_TEST(amounts_refuse_nonsense)
{
	static const char *const bad[] = { "", "abc", "1a", "1.2.3,4,5", "12..5", "--5", "5-", "1e5", "NaN", "Infinity", "0x10", "\xe2\x82\xac", "1 2.5 3",
		",", ".", "1234567890123456", "12,34.56,78", "5 \xe2\x82\xac \xe2\x82\xac x" };
	const char *why;
	int64_t v = 77;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!value_amount(bad[i], strlen(bad[i]), 2, DECIMAL_POINT, true, &v, &why) && v == 77, "%s gave %lld", bad[i], (long long)v);
	ck_assert(!value_amount("-5", 2, 2, DECIMAL_POINT, false, &v, &why));
	ck_assert_str_eq(why, "must not be negative");
	ck_assert_int_eq(v, 77);
}
END_TEST

START_TEST(currencies_are_seen)
{
	static const struct {
		const char *text, *code;
	} rows[] = {
		{ "19,90 \xe2\x82\xac", "EUR" }, { "\xe2\x82\xac 19.90", "EUR" }, { "$5", "USD" }, { "\xc2\xa3" "5", "GBP" }, { "5 CHF", "CHF" }, { "JPY500", "JPY" },
		{ "19.90", "" }, { "5 XXQ", "" }, { "", "" }, { "abc", "" }
	};
	char out[4];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		value_currency(rows[i].text, strlen(rows[i].text), out);
		ck_assert_str_eq(out, rows[i].code);
	}
}
END_TEST

static bool
int_of(const char *s, int64_t *v)
{
	const char *why;

	return value_int(s, strlen(s), -1000, 1000, v, &why);
}

START_TEST(whole_numbers)
{
	static const char *const bad[] = { "", "x", "1.5", "1e2", "--1", "1001", "-1001", "99999999999999999999", "1 x", "." };
	int64_t v = 0;

	ck_assert(int_of(" 12 ", &v) && v == 12);
	ck_assert(int_of("12.0", &v) && v == 12);
	ck_assert(int_of("-7", &v) && v == -7);
	ck_assert(int_of("1 000", &v) && v == 1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!int_of(bad[i], &v), "%s", bad[i]);
}
END_TEST

static const char *
date_of(const char *s, bool month_first)
{
	static char out[VALUE_DATE_MAX];
	const char *why;

	return value_date(s, strlen(s), month_first, out, &why) ? out : "refused";
}

START_TEST(dates)
{
	ck_assert_str_eq(date_of("2010-12-01 08:26:00", false), "2010-12-01 08:26:00.000000+00");
	ck_assert_str_eq(date_of("2010-12-01", false), "2010-12-01 00:00:00.000000+00");
	ck_assert_str_eq(date_of("2024-02-29T23:59:59.5Z", false), "2024-02-29 23:59:59.500000+00");
	ck_assert_str_eq(date_of("2024-02-29T23:59:59.123456789+02:00", false), "2024-02-29 23:59:59.123456+02:00");
	ck_assert_str_eq(date_of("31/12/2025 14:30", false), "2025-12-31 14:30:00.000000+00");
	ck_assert_str_eq(date_of("12/31/2025 2:30 PM", true), "2025-12-31 14:30:00.000000+00");
	ck_assert_str_eq(date_of("1.2.24", false), "2024-02-01 00:00:00.000000+00");
	ck_assert_str_eq(date_of("2024-01-01 00:00:00 -0500", false), "2024-01-01 00:00:00.000000-05:00");
	ck_assert_str_eq(date_of("2023-02-29", false), "refused");
	ck_assert_str_eq(date_of("13/13/2024", false), "refused");
	ck_assert_str_eq(date_of("2024-01-01 25:00", false), "refused");
	ck_assert_str_eq(date_of("2024-01-01x", false), "refused");
	ck_assert_str_eq(date_of("20240101", false), "refused");
	ck_assert_str_eq(date_of("", false), "refused");
	ck_assert_str_eq(date_of("2024-01-01 10:00:00.", false), "refused");
}
END_TEST

static const char *
images_of(struct arena *a, const char *s)
{
	const char *why;
	struct buf b;

	buf_init(&b, a, 64, 65536);
	return value_images(&b, s, strlen(s), &why) ? buf_str(&b) : "refused";
}

START_TEST(addresses_of_images)
{
	struct arena a;

	arena_init(&a, 1u << 20);
	ck_assert_str_eq(images_of(&a, ""), "[]");
	ck_assert_str_eq(images_of(&a, "https://x.example/a.jpg, http://x.example/b,c.jpg"),
	    "[{\"url\":\"https://x.example/a.jpg\"},{\"url\":\"http://x.example/b,c.jpg\"}]");
	ck_assert_str_eq(images_of(&a, "https://x.example/a.jpg,https://x.example/b.jpg|/img/c.svg"),
	    "[{\"url\":\"https://x.example/a.jpg\"},{\"url\":\"https://x.example/b.jpg\"},{\"url\":\"/img/c.svg\"}]");
	ck_assert_str_eq(images_of(&a, "[\"/a.svg\",{\"url\":\"/b.svg\",\"alt\":\"x\"}]"), "[{\"url\":\"/a.svg\"},{\"url\":\"/b.svg\",\"alt\":\"x\"}]");
	ck_assert_str_eq(images_of(&a, "javascript:alert(1)"), "refused");
	ck_assert_str_eq(images_of(&a, "//evil.example/a.jpg"), "refused");
	ck_assert_str_eq(images_of(&a, "data:image/png;base64,xx"), "refused");
	ck_assert_str_eq(images_of(&a, "[{\"url\":\"javascript:x\"}]"), "refused");
	ck_assert_str_eq(images_of(&a, "[1]"), "refused");
	ck_assert_str_eq(images_of(&a, "[{\"alt\":\"x\"}]"), "refused");
	ck_assert_str_eq(images_of(&a, "[\"/a.svg\""), "refused");
	arena_release(&a);
}
END_TEST

START_TEST(categories_are_tidied)
{
	struct arena a;
	const char *why;
	struct buf b;

	arena_init(&a, 1u << 20);
	buf_init(&b, &a, 64, 8192);
	ck_assert(value_category(&b, " Luminaires>  Suspensions > ", 28, &why));
	ck_assert_str_eq(buf_str(&b), "Luminaires > Suspensions");
	buf_init(&b, &a, 64, 8192);
	ck_assert(value_category(&b, ">>", 2, &why));
	ck_assert_str_eq(buf_str(&b), "");
	ck_assert(!value_category(&b, "a>b>c>d>e>f>g>h>i>j>k", 21, &why));
	arena_release(&a);
}
END_TEST

static const char *
text_of(struct arena *a, const char *html)
{
	struct buf b;

	buf_init(&b, a, 64, 65536);
	value_html(&b, html, strlen(html));
	return buf_str(&b);
}

START_TEST(html_becomes_text)
{
	struct arena a;

	arena_init(&a, 1u << 20);
	ck_assert_str_eq(text_of(&a, "plain text"), "plain text");
	ck_assert_str_eq(text_of(&a, "5 < 6 and 7"), "5 < 6 and 7");
	ck_assert_str_eq(text_of(&a, "<p>One</p>\n<p>Two <b>bold</b></p>"), "One\nTwo bold");
	ck_assert_str_eq(text_of(&a, "<ul><li>a</li><li>b</li></ul>"), "- a\n- b");
	ck_assert_str_eq(text_of(&a, "caf&eacute; &amp; th&#233; &#x20ac; &unknown; &"), "caf\xc3\xa9 & th\xc3\xa9 \xe2\x82\xac &unknown; &");
	ck_assert_str_eq(text_of(&a, "a<script>alert('<b>')</script>b<!-- c -->d"), "abd");
	ck_assert_str_eq(text_of(&a, "a<script>never closed"), "a");
	ck_assert_str_eq(text_of(&a, "<style>x{}</style><div>y"), "y");
	ck_assert_str_eq(text_of(&a, "&#0;&#xd800;&#127;"), "&#0;&#xd800;&#127;");
	arena_release(&a);
}
END_TEST

START_TEST(slugs_of_ascii_names)
{
	char out[64];
	size_t n = value_slug_ascii("  Lamp \"Nova\" #2 -- ", 20, out, 60);

	ck_assert_msg(n == 11 && memcmp(out, "lamp-nova-2", 11) == 0, "%.*s", (int)n, out);
	ck_assert_uint_eq(value_slug_ascii("\xc3\x89tag\xc3\xa8re", 9, out, 60), 0);
	ck_assert_uint_eq(value_slug_ascii("---", 3, out, 60), 0);
	ck_assert_uint_le(value_slug_ascii("abc def ghi jkl", 15, out, 7), 7);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { amounts_are_read_as_people_write_them, amounts_refuse_nonsense, currencies_are_seen, whole_numbers, dates,
		addresses_of_images, categories_are_tidied, html_becomes_text, slugs_of_ascii_names, NULL };

	return unit_run("import_values", tests);
}
