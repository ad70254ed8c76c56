/*
 * The JSON gate, the parser behind it and the typed getters.  Besides the cases here, the 318 texts of JSONTestSuite run when the
 * archive is found: SOUK_DATA/json/JSONTestSuite.tar.gz, where SOUK_DATA is ../shared/data if it is not set.
 */
#include "unit.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "core/json.h"

#define N(s) (s), sizeof(s) - 1

static const struct {
	const char *text;
	size_t n;
} good[] = {
	{ N("null") }, { N("true") }, { N("false") }, { N("0") }, { N("-0") }, { N("-1") }, { N("42 ") }, { N(" \t\r\n1") }, { N("\"\"") },
	{ N("\"x\"") }, { N("[]") }, { N("{}") }, { N("[ ]") }, { N("{ }") }, { N("[[],{},[{}]]") }, { N("[1,2 , 3]") },
	{ N("{\"a\":1,\"b\":[true,false,null]}") }, { N("{\"a\":{\"a\":{\"a\":{}}}}") }, { N("{\"\":0}") }, { N("{\"a\" : \"b\" }") },
	{ N("9223372036854775807") }, { N("-9223372036854775808") }, { N("1.5") }, { N("-0.0") }, { N("0.1e1") }, { N("1E+2") },
	{ N("1e-300") }, { N("1e300") }, { N("0e0") }, { N("123.456e78") }, { N("12345678901234567890123.5") }, { N("0.00000000000000000000000000000000000000000000000001") },
	{ N("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"") }, { N("\"\\u00e9\\u20AC\"") }, { N("\"\\ud83d\\uDE00\"") }, { N("\"\\u0001\"") }, { N("\"\x7f\"") },
	{ N("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"") }, { N("\"\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF\"") }, { N("\"\\\\u0000\"") },
	{ N("[\"[\",\"{\",\"]\",\"}\",\",\",\":\"]") },
};

static const struct {
	const char *text;
	size_t n, offset;
	const char *reason;
} bad[] = {
	{ N(""), 0, "text ends too early" }, { N("  "), 2, "text ends too early" }, { N("["), 1, "text ends too early" },
	{ N("{"), 1, "text ends too early" }, { N("[1"), 2, "text ends too early" }, { N("[1,"), 3, "text ends too early" },
	{ N("{\"a\""), 4, "text ends too early" }, { N("{\"a\":"), 5, "text ends too early" }, { N("\"abc"), 4, "text ends too early" },
	{ N("\"\\"), 2, "text ends too early" }, { N("\"\\u12"), 5, "text ends too early" }, { N("-"), 1, "text ends too early" },
	{ N("1."), 2, "text ends too early" }, { N("1e"), 2, "text ends too early" }, { N("1e+"), 3, "text ends too early" },
	{ N("nul"), 0, "unexpected character" }, { N("nulll"), 4, "text after the value" }, { N("True"), 0, "unexpected character" },
	{ N("NaN"), 0, "unexpected character" }, { N("-NaN"), 1, "digit expected" }, { N("Infinity"), 0, "unexpected character" },
	{ N("-Infinity"), 1, "digit expected" }, { N("+1"), 0, "unexpected character" }, { N(".5"), 0, "unexpected character" },
	{ N("'x'"), 0, "unexpected character" }, { N("{'a':0}"), 1, "member name in quotes expected" }, { N("{a:0}"), 1, "member name in quotes expected" },
	{ N("{1:0}"), 1, "member name in quotes expected" }, { N("{\"a\" 0}"), 5, "colon expected" }, { N("{\"a\",0}"), 4, "colon expected" },
	{ N("{\"a\":0,}"), 7, "comma before }" }, { N("[0,]"), 3, "comma before ]" }, { N("[,0]"), 1, "unexpected character" },
	{ N("[0 1]"), 3, "comma or ] expected" }, { N("[0}"), 2, "comma or ] expected" }, { N("{\"a\":0]"), 6, "comma or } expected" },
	{ N("{\"a\":0 \"b\":1}"), 7, "comma or } expected" }, { N("[]]"), 2, "text after the value" }, { N("1 2"), 2, "text after the value" },
	{ N("{} //"), 3, "text after the value" }, { N("/**/1"), 0, "unexpected character" }, { N("[1]\0"), 3, "text after the value" },
	{ N("01"), 0, "number begins with 0" }, { N("-01"), 1, "number begins with 0" }, { N("-012"), 1, "number begins with 0" },
	{ N("[2.]"), 3, "digit expected" }, { N("[-.1]"), 2, "digit expected" }, { N("[0.e1]"), 3, "digit expected" },
	{ N("[1e]"), 3, "digit expected" }, { N("0x1"), 1, "text after the value" }, { N("1_000"), 1, "text after the value" },
	{ N("9223372036854775808"), 0, "integer outside 64 bits" }, { N("[-9223372036854775809]"), 1, "integer outside 64 bits" },
	{ N("18446744073709551616"), 0, "integer outside 64 bits" }, { N("99999999999999999999999999"), 0, "integer outside 64 bits" },
	{ N("1e301"), 1, "exponent above 300" }, { N("1E-301"), 1, "exponent above 300" }, { N("0e99999999999999999999999"), 1, "exponent above 300" },
	{ N("\"a\nb\""), 2, "control character in a string" }, { N("\"a\tb\""), 2, "control character in a string" },
	{ N("\"\0\""), 1, "control character in a string" }, { N("\"\\x\""), 2, "unknown escape in a string" }, { N("\"\\'\""), 2, "unknown escape in a string" },
	{ N("\"\\\0\""), 2, "unknown escape in a string" }, { N("\"\\U0041\""), 2, "unknown escape in a string" },
	{ N("\"\\u00g0\""), 5, "\\u needs four hexadecimal digits" }, { N("\"\\u \""), 3, "\\u needs four hexadecimal digits" },
	{ N("\"a\\u0000\""), 2, "\\u0000 cannot be stored" }, { N("{\"a\\u0000b\":1}"), 3, "\\u0000 cannot be stored" },
	{ N("\"\\ud800\""), 1, "lone surrogate" }, { N("\"\\udc00\""), 1, "lone surrogate" }, { N("\"\\ud800\\ud800\""), 1, "lone surrogate" },
	{ N("\"\\ud800x\""), 1, "lone surrogate" }, { N("\"\\ud800\\n\""), 1, "lone surrogate" }, { N("\"\\ud83d\\u0041\""), 1, "lone surrogate" },
	{ N("\"\x80\""), 1, "invalid UTF-8" }, { N("\"\xC0\xAF\""), 1, "invalid UTF-8" }, { N("\"\xED\xA0\x80\""), 1, "invalid UTF-8" },
	{ N("\"\xF4\x90\x80\x80\""), 1, "invalid UTF-8" }, { N("\"\xE2\x82\""), 1, "invalid UTF-8" }, { N("\"\xFF\""), 1, "invalid UTF-8" },
	{ N("\xEF\xBB\xBF{}"), 0, "byte order mark" }, { N("\xC2\xA0" "1"), 0, "unexpected character" }, { N("\f1"), 0, "unexpected character" },
};

/* A copy of exactly n bytes, so that sanitizers and valgrind see every read behind the text. */
static char *
exact(const char *s, size_t n)
{
	char *p = malloc(n > 0 ? n : 1);

	ck_assert_ptr_nonnull(p);
	memcpy(p, s, n);
	return p;
}

START_TEST(good_texts_pass)
{
	struct arena a;
	struct ctx c = unit_ctx(&a, 1 << 20);

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct json_fault fault = { 99, "none", false };
		json_object *o;
		char *p = exact(good[i].text, good[i].n);

		ck_assert_msg(json_gate(p, good[i].n, NULL, &fault), "%s: %s", good[i].text, fault.reason);
		ck_assert_ptr_null(fault.reason);
		ck_assert_msg(json_parse(&c, p, good[i].n, &o) == E_OK, "%s: %s", good[i].text, ctx_message(&c));
		free(p);
		arena_reset(&a);
	}
	arena_release(&a);
}
END_TEST

START_TEST(bad_texts_are_refused_with_a_reason)
{
	struct arena a;
	struct ctx c = unit_ctx(&a, 1 << 20);
	char want[128];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct json_fault fault;
		json_object *o = (json_object *)&c;
		char *p = exact(bad[i].text, bad[i].n);

		ck_assert_msg(!json_gate(p, bad[i].n, NULL, &fault), "%s", bad[i].text);
		ck_assert_msg(strcmp(fault.reason, bad[i].reason) == 0, "%s: %s", bad[i].text, fault.reason);
		ck_assert_msg(fault.offset == bad[i].offset, "%s: %zu", bad[i].text, fault.offset);
		ck_assert_int_eq(fault.is_json, strstr(bad[i].reason, "cannot be stored") || strstr(bad[i].reason, "above 300") ||
		    strstr(bad[i].reason, "longer than") || strstr(bad[i].reason, "outside 64"));
		ck_assert_int_eq(json_parse(&c, p, bad[i].n, &o), fault.is_json ? E_INVALID : E_MALFORMED);
		ck_assert_ptr_null(o);
		(void)snprintf(want, sizeof want, "JSON: byte %zu: %s", bad[i].offset, bad[i].reason);
		ck_assert_str_eq(ctx_message(&c), want);
		free(p);
		ctx_clear_error(&c);
		arena_reset(&a);
	}
	arena_release(&a);
}
END_TEST

/* depth brackets around the value, kinds taken in turn from open. */
static size_t
nest(char *out, int depth, const char *open, const char *value)
{
	size_t n = 0, kinds = strlen(open);

	for (int i = 0; i < depth; i++) {
		out[n++] = open[(size_t)i % kinds];
		if (out[n - 1] == '{') {
			memcpy(out + n, "\"a\":", 4);
			n += 4;
		}
	}
	memcpy(out + n, value, strlen(value));
	n += strlen(value);
	for (int i = depth - 1; i >= 0; i--)
		out[n++] = open[(size_t)i % kinds] == '[' ? ']' : '}';
	return n;
}

START_TEST(nesting_is_limited)
{
	static const char *const kinds[] = { "[", "{", "[{", "{[[" }, *const values[] = { "1", "\"x\"", "[]", "{}" };
	struct arena a;
	struct ctx c = unit_ctx(&a, 1 << 20);
	struct json_fault fault;
	json_object *o;
	char text[1000];

	for (size_t k = 0; k < 4; k++) {
		for (size_t v = 0; v < 4; v++) {
			int most = JSON_DEPTH_MAX - (v >= 2);
			size_t n = nest(text, most, kinds[k], values[v]);

			ck_assert_int_eq(json_parse(&c, text, n, &o), E_OK);
			n = nest(text, most + 1, kinds[k], values[v]);
			ck_assert(!json_gate(text, n, NULL, &fault));
			ck_assert_str_eq(fault.reason, "nesting deeper than 32");
		}
	}
	memset(text, '[', sizeof text);
	ck_assert(!json_gate(text, sizeof text, NULL, &fault));
	ck_assert_uint_eq(fault.offset, JSON_DEPTH_MAX);
	arena_release(&a);
}
END_TEST

START_TEST(long_numbers_are_refused)
{
	struct json_fault fault;
	char text[JSON_NUMBER_MAX + 2] = "0.";

	memset(text + 2, '1', sizeof text - 2);
	ck_assert(json_gate(text, JSON_NUMBER_MAX, NULL, &fault));
	ck_assert(!json_gate(text, JSON_NUMBER_MAX + 1, NULL, &fault));
	ck_assert_str_eq(fault.reason, "number longer than 128 bytes");
}
END_TEST

START_TEST(members_are_counted)
{
	struct json_fault fault;
	size_t members = 99;

	ck_assert(json_gate(N("[1,2]"), &members, &fault));
	ck_assert_uint_eq(members, 0);
	ck_assert(json_gate(N("{\"a\":{\"b\":1,\"c\":[{\"d\":\"e\"},{}]},\"a\":2}"), &members, &fault));
	ck_assert_uint_eq(members, 5);
}
END_TEST

START_TEST(duplicate_members_are_refused)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "{\"a\":1,\"a\":2}", "JSON: duplicate member \"a\" at byte 7" },
		{ "{\"a\":1,\"a\":1}", "JSON: duplicate member \"a\" at byte 7" },
		{ "{\"a\":{\"x\":1},\"b\":0,\"a\":{}}", "JSON: duplicate member \"a\" at byte 19" },
		{ "[0,{\"k\":[{\"x\":\"x\" , \"\\u0078\" :{}}]}]", "JSON: duplicate member \"x\" at byte 20" },
		{ "{\"\":1,\"\":2}", "JSON: duplicate member \"\" at byte 6" },
		{ "{\"a\\\"b\":1,\"a\\u0022b\":2}", "JSON: duplicate member \"a\"b\" at byte 10" },
	};
	struct arena a;
	struct ctx c = unit_ctx(&a, 1 << 20);
	json_object *o;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert_int_eq(json_parse(&c, rows[i].text, strlen(rows[i].text), &o), E_INVALID);
		ck_assert_str_eq(ctx_message(&c), rows[i].message);
		ck_assert_ptr_null(o);
		ctx_clear_error(&c);
	}
	/* The same name in other objects is no duplicate. */
	ck_assert_int_eq(json_parse(&c, N("{\"a\":{\"a\":[{\"a\":1},{\"a\":1}]},\"b\":{\"a\":1}}"), &o), E_OK);
	ck_assert_int_eq(json_parse(&c, N("{\"a\":\"a\",\"b\":\"a\"}"), &o), E_OK);
	arena_release(&a);
}
END_TEST

START_TEST(a_long_duplicate_name_is_cut)
{
	struct arena a;
	struct ctx c = unit_ctx(&a, 1 << 20);
	json_object *o;
	char text[1000] = "{\"x";
	size_t n = 3;

	for (int copy = 0; copy < 2; copy++) {
		for (int i = 0; i < 60; i++, n += 2)
			memcpy(text + n, "\xC3\xA9", 2);
		n += (size_t)snprintf(text + n, sizeof text - n, copy == 0 ? "\":1,\"x" : "\":2}");
	}
	ck_assert_int_eq(json_parse(&c, text, n, &o), E_INVALID);
	ck_assert_uint_lt(strlen(ctx_message(&c)), 110);
	ck_assert(utf8_valid(ctx_message(&c), strlen(ctx_message(&c))));
	arena_release(&a);
}
END_TEST

START_TEST(getters_never_convert)
{
	struct arena a;
	struct ctx c = unit_ctx(&a, 1 << 20);
	json_object *o, *out;
	const char *s = "";
	size_t n = 0;
	int64_t i = 77;
	double d = 77;
	bool b = true;

	ck_assert_int_eq(json_parse(&c, N("{\"i\":12,\"big\":9223372036854775807,\"d\":1.5,\"s\":\"12abc\",\"t\":true,\"f\":\"false\",\"z\":null,"
		"\"o\":{},\"l\":[1],\"inf\":123456789012345678901234567890e300,\"e\":\"\"}"), &o), E_OK);
	ck_assert_int_eq(json_get_int(o, "i", 0, 12, &i), JSON_OK);
	ck_assert_int_eq(i, 12);
	ck_assert_int_eq(json_get_int(o, "i", 0, 11, &i), JSON_RANGE);
	ck_assert_int_eq(json_get_int(o, "i", 13, 20, &i), JSON_RANGE);
	ck_assert_int_eq(json_get_int(o, "big", INT64_MIN, INT64_MAX, &i), JSON_OK);
	ck_assert_int_eq(i, INT64_MAX);
	ck_assert_int_eq(json_get_int(o, "d", 0, 9, &i), JSON_TYPE);
	ck_assert_int_eq(json_get_int(o, "s", 0, 99, &i), JSON_TYPE);
	ck_assert_int_eq(json_get_int(o, "t", 0, 9, &i), JSON_TYPE);
	ck_assert_int_eq(json_get_int(o, "z", 0, 9, &i), JSON_NULL);
	ck_assert_int_eq(json_get_int(o, "none", 0, 9, &i), JSON_ABSENT);
	ck_assert_int_eq(json_get_int(NULL, "i", 0, 9, &i), JSON_ABSENT);
	ck_assert_int_eq(i, INT64_MAX);
	ck_assert_int_eq(json_get_double(o, "d", 0, 2, &d), JSON_OK);
	ck_assert(d > 1.49 && d < 1.51);
	ck_assert_int_eq(json_get_double(o, "i", 0, 12, &d), JSON_OK);
	ck_assert_int_eq(json_get_double(o, "inf", -1e308, 1e308, &d), JSON_RANGE);
	ck_assert_int_eq(json_get_double(o, "s", 0, 99, &d), JSON_TYPE);
	ck_assert_int_eq(json_get_bool(o, "f", &b), JSON_TYPE);
	ck_assert_int_eq(json_get_bool(o, "i", &b), JSON_TYPE);
	b = false;
	ck_assert_int_eq(json_get_bool(o, "t", &b), JSON_OK);
	ck_assert(b);
	ck_assert_int_eq(json_get_string(o, "s", 1, 5, &s, &n), JSON_OK);
	ck_assert_str_eq(s, "12abc");
	ck_assert_uint_eq(n, 5);
	ck_assert_int_eq(json_get_string(o, "s", 0, 4, &s, NULL), JSON_RANGE);
	ck_assert_int_eq(json_get_string(o, "e", 1, 4, &s, NULL), JSON_RANGE);
	ck_assert_int_eq(json_get_string(o, "i", 0, 4, &s, NULL), JSON_TYPE);
	ck_assert_int_eq(json_get_string(o, "o", 0, 4, &s, NULL), JSON_TYPE);
	ck_assert_int_eq(json_get_object(o, "o", &out), JSON_OK);
	ck_assert_int_eq(json_get_object(o, "l", &out), JSON_TYPE);
	ck_assert_int_eq(json_get_array(o, "l", &out), JSON_OK);
	ck_assert_uint_eq(json_object_array_length(out), 1);
	ck_assert_int_eq(json_get_array(o, "o", &out), JSON_TYPE);
	ck_assert_int_eq(json_get_int(out, "i", 0, 9, &i), JSON_ABSENT);
	arena_release(&a);
}
END_TEST

START_TEST(text_is_compact_and_exact)
{
	static const char text[] = "{\"a\":[1,2.50,-1E5,\"x\\/y\\u00e9\\n\"],\"n\":null}";
	struct arena a;
	struct ctx c = unit_ctx(&a, 1 << 20);
	json_object *o;
	size_t n;

	ck_assert_int_eq(json_parse(&c, text, sizeof text - 1, &o), E_OK);
	ck_assert_str_eq(json_text(&c, o, &n), "{\"a\":[1,2.50,-1E5,\"x/y\xC3\xA9\\n\"],\"n\":null}");
	ck_assert_uint_eq(n, strlen(json_text(&c, o, NULL)));
	ck_assert_str_eq(json_text(&c, NULL, &n), "null");
	arena_release(&a);
}
END_TEST

/* One text of the suite: y_ must be accepted, n_ refused, i_ may be either. */
static void
check_suite_text(struct ctx *c, const char *name, const char *text, size_t n)
{
	struct json_fault fault;
	json_object *o;
	char *p = exact(text, n);
	bool passes = json_gate(p, n, NULL, &fault), has_nul = strstr(name, "null_escape") != NULL || strstr(name, "escaped_null") != NULL;
	enum err e = json_parse(c, p, n, &o);

	if (name[0] == 'y' && has_nul) {
		ck_assert_msg(!passes && e == E_INVALID && strcmp(fault.reason, "\\u0000 cannot be stored") == 0, "%s", name);
	} else if (name[0] == 'y') {
		ck_assert_msg(passes, "%s: %s", name, fault.reason);
		ck_assert_msg(e == (strstr(name, "duplicated_key") == NULL ? E_OK : E_INVALID), "%s: %s", name, ctx_message(c));
	} else if (name[0] == 'n') {
		ck_assert_msg(!passes && e == E_MALFORMED, "%s", name);
	}
	ctx_clear_error(c);
	arena_reset(c->a);
	free(p);
}

static char *
suite_archive(char *out, size_t outsz)
{
	const char *data = getenv("SOUK_DATA");

	(void)snprintf(out, outsz, "%s/json/JSONTestSuite.tar.gz", data != NULL && data[0] != '\0' ? data : "../shared/data");
	return out;
}

START_TEST(the_suite_is_answered)
{
	static char body[1 << 20];
	struct arena a;
	struct ctx c = unit_ctx(&a, 16 << 20);
	char path[512];
	unsigned char head[512];
	int kinds[128] = { 0 };
	gzFile f = gzopen(suite_archive(path, sizeof path), "rb");

	ck_assert_ptr_nonnull(f);
	/* tar: a block of 512 bytes with the name at 0, the size in octal at 124, the type at 156; then the content in whole blocks. */
	while (gzread(f, head, sizeof head) == (int)sizeof head && head[0] != '\0') {
		size_t n = (size_t)strtoull((const char *)head + 124, NULL, 8), blocks = (n + 511) / 512 * 512;
		const char *name = strrchr((const char *)head, '/');

		ck_assert_uint_le(blocks, sizeof body);
		ck_assert_int_eq(gzread(f, body, (unsigned)blocks), (int)blocks);
		if (head[156] != '0' || name == NULL || strstr((const char *)head, "test_parsing/") == NULL)
			continue;
		check_suite_text(&c, name + 1, body, n);
		kinds[name[1] & 127]++;
	}
	(void)gzclose(f);
	ck_assert_int_eq(kinds['y'], 95);
	ck_assert_int_eq(kinds['n'], 188);
	ck_assert_int_eq(kinds['i'], 35);
	arena_release(&a);
}
END_TEST

int
main(void)
{
	char path[512];
	const TTest *tests[] = { good_texts_pass, bad_texts_are_refused_with_a_reason, nesting_is_limited, long_numbers_are_refused,
		members_are_counted, duplicate_members_are_refused, a_long_duplicate_name_is_cut, getters_never_convert,
		text_is_compact_and_exact, NULL, NULL };

	if (access(suite_archive(path, sizeof path), R_OK) == 0)
		tests[sizeof tests / sizeof *tests - 2] = the_suite_is_answered;
	return unit_run("json", tests);
}
