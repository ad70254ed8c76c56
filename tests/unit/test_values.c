/* Times, random texts, money, UTF-8. */
#include "unit.h"

#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include "core/json.h"
#include "core/money.h"
#include "core/random.h"
#include "core/utf8.h"

START_TEST(times_are_rfc3339)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" }, { 1, "1970-01-01T00:00:00.001Z" }, { -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59.000Z" }, { 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 1769861045678, "2026-01-31T12:04:05.678Z" }, { 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ -62167219200000, "0000-01-01T00:00:00.000Z" }, { INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
	};
	char out[RFC3339_LEN];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ck_assert_str_eq(rfc3339(rows[i].ms, out), rows[i].text);
}
END_TEST

START_TEST(clocks_run)
{
	int64_t ms = now_ms(), us = now_us(), wall = wall_ms();

	ck_assert_int_ge(us / 1000, ms);
	ck_assert_int_lt(us / 1000 - ms, 10000);
	ck_assert_int_gt(wall, 1700000000000);
	(void)usleep(3000);
	ck_assert_int_ge(now_us() - us, 3000);
	ck_assert_int_ge(now_ms() - ms, 2);
}
END_TEST

START_TEST(random_texts)
{
	char uuid[37], again[37], word[101];
	unsigned seen[128] = { 0 }, kinds = 0;

	random_uuid(uuid);
	random_uuid(again);
	ck_assert_uint_eq(strlen(uuid), 36);
	ck_assert_uint_eq(strspn(uuid, "0123456789abcdef-"), 36);
	ck_assert(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-' && uuid[14] == '4');
	ck_assert_ptr_nonnull(strchr("89ab", uuid[19]));
	ck_assert_str_ne(uuid, again);
	for (int i = 0; i < 620; i++) {
		random_base62(word, 100);
		ck_assert_uint_eq(strlen(word), 100);
		for (int k = 0; k < 100; k++)
			seen[(unsigned char)word[k] & 127]++;
	}
	/* 62,000 draws: 1,000 of each, and all but certainly between 800 and 1,200. */
	for (int c = 0; c < 128; c++) {
		if (seen[c] == 0)
			continue;
		kinds++;
		ck_assert_uint_gt(seen[c], 800);
		ck_assert_uint_lt(seen[c], 1200);
	}
	ck_assert_uint_eq(kinds, 62);
	memset(word, 'x', sizeof word);
	random_base62(word, 0);
	ck_assert_str_eq(word, "");
}
END_TEST

START_TEST(a_child_draws_its_own)
{
	char mine[37], childs[37] = "";
	int fds[2], status;
	pid_t pid;

	random_uuid(mine);
	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		random_uuid(mine);
		_exit(write(fds[1], mine, sizeof mine) == (ssize_t)sizeof mine ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq((int)read(fds[0], childs, sizeof childs), (int)sizeof childs);
	(void)close(fds[0]);
	(void)close(fds[1]);
	random_uuid(mine);
	ck_assert_str_ne(mine, childs);
}
END_TEST

START_TEST(currencies_have_scales)
{
	ck_assert_int_eq(money_scale("EUR"), 2);
	ck_assert_int_eq(money_scale("USD"), 2);
	ck_assert_int_eq(money_scale("JPY"), 0);
	ck_assert_int_eq(money_scale("KRW"), 0);
	ck_assert_int_eq(money_scale("XOF"), 0);
	ck_assert_int_eq(money_scale("KWD"), 3);
	ck_assert_int_eq(money_scale("TND"), 3);
	ck_assert_int_eq(money_scale("CLF"), 4);
	ck_assert_int_eq(money_scale("ZWG"), 2);
	ck_assert_int_eq(money_scale("XAU"), -1);
	ck_assert_int_eq(money_scale("XXX"), -1);
	ck_assert_int_eq(money_scale("eur"), -1);
	ck_assert_int_eq(money_scale("EU"), -1);
	ck_assert_int_eq(money_scale(""), -1);
	ck_assert_int_eq(money_scale("EURO"), -1);
	ck_assert_int_eq(money_scale("UR "), -1);
}
END_TEST

START_TEST(money_is_shown)
{
	static const struct {
		int64_t minor;
		int scale;
		const char *text;
	} rows[] = {
		{ 14990, 2, "149.90" }, { -5, 2, "-0.05" }, { 1200, 0, "1200" }, { 0, 2, "0.00" }, { 0, 0, "0" }, { 5, 3, "0.005" },
		{ -123456, 3, "-123.456" }, { INT64_MAX, 2, "92233720368547758.07" }, { INT64_MIN, 2, "-92233720368547758.08" },
		{ INT64_MIN, 0, "-9223372036854775808" }, { 1, 4, "0.0001" },
	};
	char out[MONEY_TEXT];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ck_assert_str_eq(money_format(rows[i].minor, rows[i].scale, out), rows[i].text);
}
END_TEST

START_TEST(money_is_read)
{
	static const struct {
		const char *text;
		int scale;
		int64_t minor;
	} rows[] = {
		{ "19.90", 2, 1990 }, { "19.9", 2, 1990 }, { "19", 2, 1900 }, { "-0.05", 2, -5 }, { "0", 0, 0 }, { "-0", 2, 0 },
		{ "1200", 0, 1200 }, { "1200.00", 0, 1200 }, { "1.2300", 2, 123 }, { "007.50", 2, 750 }, { "1.005", 3, 1005 },
		{ "92233720368547758.07", 2, INT64_MAX }, { "-92233720368547758.08", 2, INT64_MIN }, { "9223372036854775807", 0, INT64_MAX },
	};
	static const char *const wrong[] = { "", "-", ".", "1.", ".5", "-.5", "+1", " 1", "1 ", "1,50", "1e2", "0x1", "1.2.3", "1.234", "--1",
		"92233720368547758.08", "-92233720368547758.09", "99999999999999999999", "92233720368547759", "NaN", "1\0" };
	int64_t minor;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		minor = 77;
		ck_assert_msg(money_parse(rows[i].text, strlen(rows[i].text), rows[i].scale, &minor), "%s", rows[i].text);
		ck_assert_int_eq(minor, rows[i].minor);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		minor = 77;
		ck_assert_msg(!money_parse(wrong[i], i + 1 == sizeof wrong / sizeof *wrong ? 2 : strlen(wrong[i]), 2, &minor), "%s", wrong[i]);
		ck_assert_int_eq(minor, 77);
	}
	ck_assert(!money_parse("1", 1, -1, &minor));
}
END_TEST

START_TEST(money_survives_a_round_trip)
{
	char text[MONEY_TEXT];
	uint64_t x = 88172645463325252u;

	for (int i = 0; i < 20000; i++) {
		int64_t minor, back;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		minor = (int64_t)x >> (i % 64);
		money_format(minor, i % 5, text);
		ck_assert(money_parse(text, strlen(text), i % 5, &back));
		ck_assert_int_eq(back, minor);
	}
}
END_TEST

/* Encodes any number up to 0x1FFFFF in n bytes, also where UTF-8 forbids it. */
static void
encode(unsigned v, int n, char *out)
{
	static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

	for (int i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (v & 0x3F));
		v >>= 6;
	}
	out[0] = (char)(n == 1 ? v : lead[n] | v);
}

START_TEST(utf8_takes_exactly_what_is_allowed)
{
	char s[4];

	for (unsigned v = 0; v < 0x200000; v++) {
		int right = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : v < 0x110000 ? 4 : 0;

		if (v >= 0xD800 && v <= 0xDFFF)
			right = 0;
		for (int n = 1; n <= 4; n++) {
			if ((n == 1 && v > 0x7F) || (n == 2 && v > 0x7FF) || (n == 3 && v > 0xFFFF))
				continue;
			encode(v, n, s);
			if (utf8_valid(s, (size_t)n) != (n == right))
				ck_abort_msg("U+%04X in %d bytes", v, n);
		}
	}
	ck_assert(utf8_valid("", 0));
	ck_assert(!utf8_valid("\x80", 1));
	ck_assert(!utf8_valid("\xFF", 1));
	ck_assert(!utf8_valid("\xC3", 1));
	ck_assert(!utf8_valid("\xE2\x82", 2));
	ck_assert(!utf8_valid("\xF0\x9F\x98", 3));
	ck_assert(!utf8_valid("a\xC3(", 3));
}
END_TEST

START_TEST(utf8_counts_and_cuts)
{
	const char *s = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";	/* 1, 2, 3, 4 and 1 bytes */
	static const size_t cuts[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11 };

	ck_assert_uint_eq(utf8_length(s, 11), 5);
	ck_assert_uint_eq(utf8_length("", 0), 0);
	for (size_t max = 0; max < 12; max++)
		ck_assert_uint_eq(utf8_cut(s, 11, max), cuts[max]);
	ck_assert_uint_eq(utf8_cut(s, 11, 100), 11);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { times_are_rfc3339, clocks_run, random_texts, a_child_draws_its_own, currencies_have_scales, money_is_shown, money_is_read,
		money_survives_a_round_trip, utf8_takes_exactly_what_is_allowed, utf8_counts_and_cuts, NULL };

	return unit_run("values", tests);
}
