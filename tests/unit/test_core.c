/* The error table, the arena, the string builder and the request context. */
#include "unit.h"

#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/log.h"

START_TEST(every_outcome_has_a_row)
{
	static const int http[E__MAX] = { 200, 400, 400, 401, 403, 404, 405, 409, 409, 413, 415, 422, 429, 503, 499, 500 };

	for (int e = 0; e < E__MAX; e++) {
		const struct err_info *info = err_info((enum err)e);

		ck_assert_int_eq(info->http, http[e]);
		ck_assert_ptr_nonnull(info->message);
		ck_assert_int_ge(info->level, LOG_DEBUG_);
		ck_assert_int_le(info->level, LOG_ERROR_);
		if (e != E_OK) {
			ck_assert_int_eq(strncmp(info->code, "MCP_", 4), 0);
			ck_assert_int_lt(info->jsonrpc, -31999);
		}
	}
	ck_assert_str_eq(err_info(E_TEST_RUNNING)->code, "MCP_TEST_RUNNING");
	ck_assert_str_eq(err_info(E_RATE_LIMITED)->code, "MCP_RATE_LIMITED");
	ck_assert_int_eq(err_info(E_RATE_LIMITED)->jsonrpc, -32003);
	ck_assert(err_info(E_UNAVAILABLE)->retry && !err_info(E_INVALID)->retry);
	ck_assert_ptr_eq(err_info((enum err)99), err_info(E_INTERNAL));
}
END_TEST

START_TEST(sqlstates_map_to_outcomes)
{
	static const struct {
		const char *state;
		enum err e;
		bool is_public;
	} rows[] = {
		{ "SK400", E_INVALID, true }, { "SK401", E_UNAUTHENTICATED, true }, { "SK403", E_FORBIDDEN, true },
		{ "SK404", E_NOT_FOUND, true }, { "SK409", E_CONFLICT, true }, { "SK422", E_KEY_REUSED, true },
		{ "SK429", E_RATE_LIMITED, true }, { "SK503", E_UNAVAILABLE, true }, { "SK999", E_INTERNAL, false },
		{ "22P02", E_INVALID, false }, { "22021", E_INVALID, false }, { "22012", E_INTERNAL, false },
		{ "23505", E_CONFLICT, false }, { "23514", E_INVALID, false }, { "40001", E_CONFLICT, false },
		{ "42501", E_FORBIDDEN, false }, { "42P01", E_INTERNAL, false }, { "53300", E_UNAVAILABLE, false },
		{ "55P03", E_CONFLICT, false }, { "57014", E_UNAVAILABLE, false }, { "57P01", E_UNAVAILABLE, false },
		{ "08006", E_UNAVAILABLE, false }, { "XX000", E_INTERNAL, false }, { "", E_INTERNAL, false },
		{ "SK40", E_INTERNAL, false }, { "SK4000", E_INTERNAL, false }, { NULL, E_INTERNAL, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool is_public = !rows[i].is_public;

		ck_assert_int_eq(err_from_sqlstate(rows[i].state, &is_public), rows[i].e);
		ck_assert_int_eq(is_public, rows[i].is_public);
	}
}
END_TEST

START_TEST(arena_memory_is_aligned_and_separate)
{
	struct arena a;
	unsigned char *p[200];

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < 200; i++) {
		p[i] = arena_alloc(&a, i);
		ck_assert_uint_eq((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)i, i);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_uint_eq(p[i][k], i);
	ck_assert_uint_ge(a.used, 199 * 100);
	arena_reset(&a);
	ck_assert_uint_eq(a.used, 0);
	p[0] = arena_zalloc(&a, 100, 3);
	for (size_t k = 0; k < 300; k++)
		ck_assert_uint_eq(p[0][k], 0);
	arena_release(&a);
	ck_assert_ptr_null(a.head);
}
END_TEST

/* Does the allocation over the maximum jump? */
static int
overflows(struct arena *a, size_t n, size_t size)
{
	jmp_buf there;

	if (setjmp(there) != 0) {
		a->overflow = NULL;
		return 1;
	}
	a->overflow = &there;
	(void)arena_zalloc(a, n, size);
	a->overflow = NULL;
	return 0;
}

START_TEST(arena_keeps_its_maximum)
{
	struct arena a;

	arena_init(&a, 100000);
	ck_assert_int_eq(overflows(&a, 1, 60000), 0);
	ck_assert_int_eq(overflows(&a, 1, 60000), 1);
	ck_assert_int_eq(overflows(&a, 1, 39000), 0);
	ck_assert_int_eq(overflows(&a, SIZE_MAX / 2, 4), 1);
	ck_assert_int_eq(overflows(&a, 1, SIZE_MAX), 1);
	ck_assert_uint_le(a.used, 100000);
	arena_reset(&a);
	ck_assert_int_eq(overflows(&a, 1, 99000), 0);
	arena_release(&a);
}
END_TEST

START_TEST(arena_overflow_without_a_jump_stops)
{
	struct arena a;

	arena_init(&a, 1000);
	(void)arena_alloc(&a, 1001);
}
END_TEST

START_TEST(arena_grow_keeps_the_content)
{
	struct arena a;
	char *p, *q;

	arena_init(&a, 1 << 20);
	p = arena_grow(&a, NULL, 0, 10);
	memcpy(p, "123456789", 10);
	p = arena_grow(&a, p, 10, 5000);
	ck_assert_str_eq(p, "123456789");
	q = arena_strdup(&a, "between");
	p = arena_grow(&a, p, 5000, 200000);
	ck_assert_str_eq(p, "123456789");
	memset(p, 'x', 200000);
	ck_assert_str_eq(q, "between");
	ck_assert_ptr_eq(arena_grow(&a, p, 200000, 100), p);
	arena_release(&a);
}
END_TEST

START_TEST(arena_growing_alone_wastes_nothing)
{
	struct arena a;
	char *p = NULL;
	size_t n = 0;

	arena_init(&a, 1100000);
	for (size_t want = 64; want <= 1000000; n = want, want *= 2)
		p = arena_grow(&a, p, n, want);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(a.used, n);
	arena_release(&a);
}
END_TEST

static char released[8];

static void
note_release(void *p)
{
	size_t n = strlen(released);

	released[n] = *(const char *)p;
	released[n + 1] = '\0';
}

START_TEST(arena_releases_newest_first)
{
	struct arena a;

	arena_init(&a, 1000);
	arena_defer(&a, note_release, (char[]){ 'a' });
	arena_defer(&a, note_release, NULL);
	arena_defer(&a, note_release, (char[]){ 'b' });
	ck_assert_str_eq(released, "");
	arena_reset(&a);
	ck_assert_str_eq(released, "ba");
	arena_reset(&a);
	ck_assert_str_eq(released, "ba");
	arena_release(&a);
}
END_TEST

START_TEST(arena_defer_loses_nothing_when_full)
{
	struct arena a;
	jmp_buf there;
	static char c = 'x';

	arena_init(&a, 1000);
	(void)arena_alloc(&a, 990);
	if (setjmp(there) == 0) {
		a.overflow = &there;
		arena_defer(&a, note_release, &c);
		ck_abort_msg("the arena was not full");
	}
	ck_assert_str_eq(released, "x");
	arena_release(&a);
	ck_assert_str_eq(released, "x");
}
END_TEST

START_TEST(arena_text)
{
	struct arena a;
	char *big, *s;

	arena_init(&a, 1 << 20);
	ck_assert_str_eq(arena_strndup(&a, "abcdef", 3), "abc");
	ck_assert_str_eq(arena_strndup(&a, "", 0), "");
	ck_assert_str_eq(arena_printf(&a, "%d %s", 5, "x"), "5 x");
	ck_assert_str_eq(arena_printf(&a, "%s", ""), "");
	/* Longer than 64 KiB is cut, but not inside a character. */
	for (size_t shift = 0; shift < 3; shift++) {
		big = arena_alloc(&a, 70001);
		for (size_t i = 0; i < 70000; i++)
			big[i] = i < shift ? 'x' : "\xE2\x82\xAC"[(i - shift) % 3];
		big[70000] = '\0';
		s = arena_printf(&a, "%s", big);
		ck_assert_uint_ge(strlen(s), 65533);
		ck_assert_uint_le(strlen(s), 65535);
		ck_assert_uint_eq((strlen(s) - shift) % 3, 0);
	}
	arena_release(&a);
}
END_TEST

START_TEST(buf_builds_text)
{
	struct arena a;
	struct buf b;

	arena_init(&a, 1 << 20);
	buf_init(&b, &a, 0, 1000);
	ck_assert_str_eq(buf_str(&b), "");
	buf_puts(&b, "");
	ck_assert_str_eq(buf_str(&b), "");
	buf_puts(&b, "ab");
	buf_putc(&b, 'c');
	buf_put(&b, "defg", 2);
	buf_printf(&b, "-%05d-%s", 42, "z");
	ck_assert_str_eq(buf_str(&b), "abcde-00042-z");
	ck_assert_uint_eq(b.n, 13);
	buf_init(&b, &a, 16, 1000);
	buf_int(&b, INT64_MIN);
	buf_putc(&b, ' ');
	buf_int(&b, INT64_MAX);
	buf_putc(&b, ' ');
	buf_int(&b, 0);
	ck_assert_str_eq(buf_str(&b), "-9223372036854775808 9223372036854775807 0");
	arena_release(&a);
}
END_TEST

START_TEST(buf_grows_up_to_its_maximum)
{
	struct arena a;
	struct buf b;
	jmp_buf there;
	volatile size_t put = 0;

	arena_init(&a, 1 << 20);
	buf_init(&b, &a, 10, 5000);
	a.overflow = &there;
	if (setjmp(there) == 0) {
		for (;;) {
			buf_printf(&b, "%s", "0123456789");
			put += 10;
		}
	}
	ck_assert_uint_eq(put, 5000);
	ck_assert_uint_eq(b.n, 5000);
	ck_assert_uint_eq(strlen(buf_str(&b)), 5000);
	ck_assert_str_eq(buf_str(&b) + 4990, "0123456789");
	arena_release(&a);
}
END_TEST

START_TEST(buf_keeps_two_growing_texts_apart)
{
	struct arena a;
	struct buf b, d;

	arena_init(&a, 1 << 20);
	buf_init(&b, &a, 0, 100000);
	buf_init(&d, &a, 0, 100000);
	for (int i = 0; i < 3000; i++) {
		buf_int(&b, i % 10);
		buf_int(&d, 9 - i % 10);
	}
	for (int i = 0; i < 3000; i++) {
		ck_assert_int_eq(b.p[i] - '0', i % 10);
		ck_assert_int_eq(d.p[i] - '0', 9 - i % 10);
	}
	arena_release(&a);
}
END_TEST

START_TEST(buf_escapes_json)
{
	struct arena a;
	struct buf b;

	arena_init(&a, 1 << 20);
	buf_init(&b, &a, 0, 1000);
	buf_json_string(&b, "a\"\\/\b\t\n\f\r\x01\x1f\x7f\0\xC3\xA9", 15);
	ck_assert_str_eq(buf_str(&b), "\"a\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\\u0000\xC3\xA9\"");
	buf_init(&b, &a, 0, 1000);
	buf_json_cstr(&b, NULL);
	buf_json_cstr(&b, "");
	ck_assert_str_eq(buf_str(&b), "null\"\"");
	/* What is no UTF-8 is replaced byte by byte, whole characters around it stay. */
	buf_init(&b, &a, 0, 1000);
	buf_json_string(&b, "\xC3\xA9\xFFx\xE2\x82", 6);
	ck_assert_str_eq(buf_str(&b), "\"\xC3\xA9\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\"");
	arena_release(&a);
}
END_TEST

START_TEST(first_failure_is_kept)
{
	struct arena a;
	struct ctx c = unit_ctx(&a, 10000);

	ck_assert_int_eq(fail(&c, E_INVALID, "limit: must be at most %d", 50), E_INVALID);
	ck_assert_int_eq(fail(&c, E_INTERNAL, "other"), E_INTERNAL);
	ck_assert_int_eq(c.err, E_INVALID);
	ck_assert_str_eq(ctx_message(&c), "limit: must be at most 50");
	c.retry_after_s = 3;
	ctx_clear_error(&c);
	ck_assert_int_eq(c.err, E_OK);
	ck_assert_int_eq(c.retry_after_s, 0);
	ck_assert_int_eq(fail(&c, E_NOT_FOUND, NULL), E_NOT_FOUND);
	ck_assert_str_eq(ctx_message(&c), err_info(E_NOT_FOUND)->message);
	ctx_clear_error(&c);
	ck_assert_int_eq(fail(&c, E_OK, NULL), E_INTERNAL);
	arena_release(&a);
}
END_TEST

START_TEST(time_left_is_bounded)
{
	struct arena a;
	struct ctx c = unit_ctx(&a, 1000);
	int left;

	c.deadline_ms = now_ms() + 50000;
	left = ctx_left_ms(&c, 100000);
	ck_assert_int_gt(left, 0);
	ck_assert_int_le(left, 50000);
	ck_assert_int_eq(ctx_left_ms(&c, 10), 10);
	ck_assert_int_eq(ctx_left_ms(&c, 0), 0);
	c.deadline_ms = now_ms() - 1;
	ck_assert_int_eq(ctx_left_ms(&c, 10), 0);
	c.deadline_ms = INT64_MAX;
	ck_assert_int_eq(ctx_left_ms(&c, 10), 10);
	arena_release(&a);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { every_outcome_has_a_row, sqlstates_map_to_outcomes, arena_memory_is_aligned_and_separate,
		arena_keeps_its_maximum, arena_grow_keeps_the_content, arena_growing_alone_wastes_nothing, arena_releases_newest_first,
		arena_defer_loses_nothing_when_full, arena_text, buf_builds_text, buf_grows_up_to_its_maximum,
		buf_keeps_two_growing_texts_apart, buf_escapes_json, first_failure_is_kept, time_left_is_bounded, NULL };
	const TTest *const stops[] = { arena_overflow_without_a_jump_stops, NULL };
	int failed = unit_run_exit("core: stops", stops, 70);

	return unit_run("core", tests) | failed;
}
