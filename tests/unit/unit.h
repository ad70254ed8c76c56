/*
 * What the unit tests share: each file is a program that runs one suite of Check and ends with 1 when a test failed.
 * Check forks every test, so a test may change settings, limits and signals without harming the next.
 */
#ifndef SOUK_TESTS_UNIT_H
#define SOUK_TESTS_UNIT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#undef fail	/* Check's old macro of that name would hide ours */

#include "core/clock.h"
#include "core/ctx.h"

/* Run a suite and free it; the status for main() to end with. */
static inline int
unit_run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

/* Run a suite of one case that holds the tests, ended by NULL; each has to end its process with that status. */
static inline int
unit_run_exit(const char *name, const TTest *const *tests, int status)
{
	Suite *suite = suite_create(name);
	TCase *all = tcase_create(name);

	tcase_set_timeout(all, 60);
	for (; *tests != NULL; tests++)
		tcase_add_exit_test(all, *tests, status);
	suite_add_tcase(suite, all);
	return unit_run_suite(suite);
}

/* The same for tests that return. */
static inline int
unit_run(const char *name, const TTest *const *tests)
{
	return unit_run_exit(name, tests, 0);
}

/* A context over an arena of max bytes, of a minute: no slow machine comes near its end. */
static inline struct ctx
unit_ctx(struct arena *a, size_t max)
{
	arena_init(a, max);
	return (struct ctx){ .a = a, .deadline_ms = now_ms() + 60000, .id = "unit-test" };
}

/* A fresh folder; its name is left in out.  The test removes what it puts there, or leaves it to unit_remove_dir. */
static inline void
unit_make_dir(char out[64])
{
	const char *base = getenv("TMPDIR");

	if (base == NULL || base[0] == '\0')
		base = "/tmp";
	ck_assert_int_lt(snprintf(out, 64, "%.40s/souk-unit-XXXXXX", base), 64);
	ck_assert_ptr_nonnull(mkdtemp(out));
}

#endif
