/* lib/store/db_copy.c: bulk data in and out, errors in rows, a server that stops in the middle. */
#include <check.h>
#undef fail	/* one of Check's old names, and one of ours */

#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "servers.h"
#include "store/db.h"
#include "store/db_copy.h"
#include "store/shm.h"

#define ROWS 200000

static const struct sql q_in = { "t_in", "COPY souk.settings (key, value) FROM STDIN" };
static const struct sql q_out = { "t_out", "COPY (SELECT key, value FROM souk.settings ORDER BY key) TO STDOUT" };
static const struct sql q_count = { "t_count", "SELECT count(*) FROM souk.settings" };
static const struct sql q_clean = { "t_clean", "DELETE FROM souk.settings" };

static struct arena arena;
static struct ctx c;

static void
setup(void)
{
	PGresult *r;

	c = servers_ctx(&arena, 16 << 20);
	c.deadline_ms = now_ms() + 20000;
	db_use_owner();
	ck_assert_int_eq(db_write(&c, &q_clean, 0, NULL, &r), E_OK);
}

static void
teardown(void)
{
	db_rollback(&c);
	db_close_idle(0);
	arena_release(&arena);
}

static long
count(void)
{
	const char *out;
	size_t n;

	ctx_clear_error(&c);
	ck_assert_msg(db_text(&c, &q_count, 0, NULL, &out, &n) == E_OK, "%s", ctx_message(&c));
	return strtol(out, NULL, 10);
}

static enum err
put_rows(struct db_copy *cp, long from, long n, const char *value)
{
	char line[128];
	enum err e = E_OK;

	for (long i = from; e == E_OK && i < from + n; i++)
		e = db_copy_put(cp, line, (size_t)snprintf(line, sizeof(line), "key %08ld\t%s\n", i, value));
	return e;
}

static enum err
count_bytes(void *arg, const char *p, size_t n)
{
	size_t *total = arg;

	ck_assert_int_eq(p[n - 1], '\n');
	*total += n;
	return E_OK;
}

static enum err
stop_at_once(void *arg, const char *p, size_t n)
{
	(void)arg;
	(void)p;
	(void)n;
	return E_TOO_LARGE;
}

START_TEST(there_and_back)
{
	struct db_copy cp;
	int64_t rows;
	size_t bytes = 0;

	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_OK);
	ck_assert_int_eq(db_copy_begin(&c, &cp, &q_in), E_OK);
	ck_assert_int_eq(put_rows(&cp, 0, ROWS, "123"), E_OK);
	ck_assert_int_eq(db_copy_end(&cp, &rows), E_OK);
	ck_assert_int_eq(rows, ROWS);
	ck_assert_int_eq(count(), ROWS);
	ck_assert_int_eq(db_commit(&c), E_OK);
	ck_assert_int_eq(count(), ROWS);
	ck_assert_int_eq(db_copy_out(&c, &q_out, count_bytes, &bytes, &rows), E_OK);
	ck_assert_int_eq(rows, ROWS);
	ck_assert_uint_eq(bytes, (size_t)ROWS * strlen("key 00000000\t123\n"));
	ck_assert_int_eq(count(), ROWS);
}
END_TEST

START_TEST(bad_row)
{
	struct db_copy cp;
	enum err e;

	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_OK);
	ck_assert_int_eq(db_copy_begin(&c, &cp, &q_in), E_OK);
	ck_assert_int_eq(put_rows(&cp, 0, 10, "1"), E_OK);
	e = put_rows(&cp, 10, ROWS, "not json");
	if (e == E_OK)
		e = db_copy_end(&cp, NULL);
	ck_assert_int_eq(e, E_INVALID);
	db_rollback(&c);
	ck_assert_int_eq(count(), 0);
}
END_TEST

START_TEST(cancelled)
{
	struct db_copy cp;

	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_OK);
	ck_assert_int_eq(db_copy_begin(&c, &cp, &q_in), E_OK);
	ck_assert_int_eq(put_rows(&cp, 0, 1000, "1"), E_OK);
	db_copy_cancel(&cp);
	ck_assert_int_eq(c.err, E_OK);
	db_rollback(&c);
	ck_assert_int_eq(count(), 0);
}
END_TEST

/* A COPY that the server refuses, and one that the transaction may not do. */
START_TEST(refused)
{
	static const struct sql q_none = { "t_none", "COPY souk.no_such_table FROM STDIN" };
	struct db_copy cp;

	ck_assert_int_eq(db_copy_begin(&c, &cp, &q_none), E_INTERNAL);
	ck_assert_int_eq(count(), 0);
	ck_assert_int_eq(db_copy_begin(&c, &cp, &q_in), E_INTERNAL);
	ck_assert_int_eq(count(), 0);
}
END_TEST

START_TEST(reader_gives_up)
{
	struct db_copy cp;

	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_OK);
	ck_assert_int_eq(db_copy_begin(&c, &cp, &q_in), E_OK);
	ck_assert_int_eq(put_rows(&cp, 0, 1000, "1"), E_OK);
	ck_assert_int_eq(db_copy_end(&cp, NULL), E_OK);
	ck_assert_int_eq(db_commit(&c), E_OK);
	ck_assert_int_eq(db_copy_out(&c, &q_out, stop_at_once, NULL, NULL), E_TOO_LARGE);
	ck_assert_int_eq(count(), 1000);
}
END_TEST

START_TEST(frozen_in_the_middle)
{
	struct db_copy cp;
	int64_t t;
	enum err e;

	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_OK);
	ck_assert_int_eq(db_copy_begin(&c, &cp, &q_in), E_OK);
	ck_assert_int_eq(servers_do("freeze"), 0);
	c.deadline_ms = now_ms() + 500;
	t = now_ms();
	while ((e = put_rows(&cp, 0, ROWS, "1")) == E_OK)
		;
	ck_assert_int_eq(e, E_UNAVAILABLE);
	ck_assert_int_le(now_ms() - t, 30000);
	ck_assert_int_eq(db_copy_end(&cp, NULL), E_UNAVAILABLE);
	ck_assert_int_eq(servers_do("thaw"), 0);
	c.deadline_ms = now_ms() + 30000;
	db_rollback(&c);
	ck_assert_int_eq(count(), 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("store_copy");
	TCase *t = tcase_create("copy");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, there_and_back);
	tcase_add_test(t, bad_row);
	tcase_add_test(t, cancelled);
	tcase_add_test(t, refused);
	tcase_add_test(t, reader_gives_up);
	if (servers_own)
		tcase_add_test(t, frozen_in_the_middle);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return servers_run(suite);
}
