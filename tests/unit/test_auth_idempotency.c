/* lib/auth/idempotency.c: one key, one effect, one answer, also for twins that run at the same time. */
#include <check.h>
#undef fail	/* one of Check's old names, and one of ours */

#include "auth/idempotency.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "servers.h"
#include "store/db.h"
#include "store/shm.h"

#define TWINS 6

static const struct subject alice = { .kind = "staff", .token_id = "a", .customer_id = "", .principal = "token:alice" };
static const struct subject bob = { .kind = "staff", .token_id = "b", .customer_id = "", .principal = "token:bob" };

/* The effect that must happen once. */
static const struct sql q_effect = { "t_effect",
	"INSERT INTO souk.kv (key, value) VALUES ('effect', '\\x01') ON CONFLICT (key) DO UPDATE SET value = souk.kv.value || '\\x01'" };
static const struct sql q_effects = { "t_effects", "SELECT coalesce(max(length(value)), 0) FROM souk.kv WHERE key = 'effect'" };
static const struct sql q_clean = { "t_clean", "DELETE FROM souk.kv" };

static struct arena arena;
static struct ctx c;

static void
setup(void)
{
	PGresult *r;

	c = servers_ctx(&arena, 16 << 20);
	ck_assert_int_eq(db_write(&c, &q_clean, 0, NULL, &r), E_OK);
}

static void
teardown(void)
{
	db_rollback(&c);
	db_close_idle(0);
	arena_release(&arena);
}

static int
effects(void)
{
	const char *out;
	size_t n;

	ck_assert_int_eq(db_text(&c, &q_effects, 0, NULL, &out, &n), E_OK);
	return (int)strtol(out, NULL, 10);
}

static int claimed[2], go_on[2];	/* pipes: one tells that the key is taken, the other ends the wait with it in hand */

/* What a write route does.  Returns the reply: the stored one, or a new one with the effect.  held: waits for go_on in the middle. */
static enum err
request_held(const struct subject *s, const char *key, const char *body, const char *answer, struct idem_reply *rep, bool held)
{
	PGresult *r;
	enum err e;

	ctx_clear_error(&c);
	if ((e = db_begin(&c, DB_WRITE, NULL)) != E_OK)
		return e;
	e = idem_claim(&c, s, key, "cancel_order", body, strlen(body), rep);
	if (e == E_OK && !rep->replayed) {
		e = db_exec(&c, &q_effect, 0, NULL, &r);
		if (held && (write(claimed[1], "", 1) != 1 || read(go_on[0], &(char){ 0 }, 1) != 1))
			_exit(8);
		if (e == E_OK)
			e = idem_store(&c, s, key, E_OK, answer, strlen(answer));
		rep->body = answer;
		rep->n = strlen(answer);
	}
	if (e == E_OK)
		return db_commit(&c);
	db_rollback(&c);
	return e;
}

static enum err
request(const struct subject *s, const char *key, const char *body, const char *answer, struct idem_reply *rep)
{
	return request_held(s, key, body, answer, rep, false);
}

START_TEST(replay)
{
	struct idem_reply rep;

	ck_assert_int_eq(request(&alice, "k1", "{}", "{\"n\":1}", &rep), E_OK);
	ck_assert(!rep.replayed);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(request(&alice, "k1", "{}", "{\"n\":2}", &rep), E_OK);
		ck_assert(rep.replayed);
		ck_assert_int_eq(rep.status, E_OK);
		ck_assert_uint_eq(rep.n, 7);
		ck_assert_str_eq(rep.body, "{\"n\":1}");
	}
	ck_assert_int_eq(effects(), 1);
	ck_assert_int_eq(request(&alice, "k1", "{ }", "x", &rep), E_KEY_REUSED);
	ck_assert_int_eq(effects(), 1);
	ck_assert_int_eq(request(&bob, "k1", "{}", "{\"n\":3}", &rep), E_OK);	/* his own key */
	ck_assert(!rep.replayed);
	ck_assert_int_eq(effects(), 2);
}
END_TEST

/* What failed left no key: the repeat is tried again. */
START_TEST(failure_keeps_nothing)
{
	struct idem_reply rep;

	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_OK);
	ck_assert_int_eq(idem_claim(&c, &alice, "k2", "cancel_order", "{}", 2, &rep), E_OK);
	db_rollback(&c);
	ck_assert_int_eq(request(&alice, "k2", "{}", "done", &rep), E_OK);
	ck_assert(!rep.replayed);
}
END_TEST

START_TEST(forms_of_keys)
{
	char key[257];

	memset(key, 'k', sizeof(key));
	key[256] = '\0';
	ck_assert_int_eq(idem_check(&c, key), E_INVALID);
	ck_assert_ptr_nonnull(strstr(ctx_message(&c), "Idempotency-Key"));
	key[255] = '\0';
	ck_assert_int_eq(idem_check(&c, key), E_OK);
	ck_assert_int_eq(idem_check(&c, ""), E_INVALID);
	ck_assert_int_eq(idem_check(&c, "a b"), E_INVALID);
	ck_assert_int_eq(idem_check(&c, "a\x7f"), E_INVALID);
	ck_assert_int_eq(idem_check(&c, "cl\xc3\xa9"), E_INVALID);
	ck_assert_int_eq(idem_check(&c, "~!"), E_OK);
}
END_TEST

/* Twins at the same moment: one does it, the others wait for it and give its answer. */
START_TEST(twins)
{
	char key[32];

	for (int round = 0; round < 5; round++) {
		int status, before = effects();

		(void)snprintf(key, sizeof(key), "twin-%d", round);
		for (int i = 0; i < TWINS; i++)
			if (fork() == 0) {
				struct idem_reply rep;
				char answer[32];

				db_forget();
				(void)snprintf(answer, sizeof(answer), "by %d", (int)getpid());
				enum err e;

				while ((e = request(&alice, key, "{}", answer, &rep)) == E_CONFLICT)
					;	/* waited for a second on a slow machine, and asks again as a client does */
				if (e != E_OK)
					_exit(9);
				_exit(rep.replayed ? strncmp(rep.body, "by ", 3) != 0 || strcmp(rep.body, answer) == 0 : 2);
			}
		int made = 0;
		for (int i = 0; i < TWINS; i++) {
			ck_assert_int_gt(wait(&status), 0);
			ck_assert(WIFEXITED(status));
			ck_assert_msg(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2, "%d", WEXITSTATUS(status));
			made += WEXITSTATUS(status) == 2;
		}
		ck_assert_int_eq(made, 1);
		ck_assert_int_eq(effects(), before + 1);
	}
}
END_TEST

/* A twin that takes too long: 409 after lock_timeout, and the connection goes on. */
START_TEST(slow_twin)
{
	struct idem_reply rep;
	int status;

	ck_assert_int_eq(pipe(claimed), 0);
	ck_assert_int_eq(pipe(go_on), 0);
	if (fork() == 0) {
		db_forget();
		_exit(request_held(&alice, "slow", "{}", "slow answer", &rep, true) == E_OK ? 0 : 1);
	}
	ck_assert_int_eq(read(claimed[0], &(char){ 0 }, 1), 1);
	ck_assert_int_eq(request(&alice, "slow", "{}", "x", &rep), E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(ctx_message(&c), "still running"));
	ck_assert_int_eq(write(go_on[1], "", 1), 1);
	ck_assert_int_gt(wait(&status), 0);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(request(&alice, "slow", "{}", "x", &rep), E_OK);
	ck_assert(rep.replayed);
	ck_assert_str_eq(rep.body, "slow answer");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("auth_idempotency");
	TCase *t = tcase_create("keys");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, replay);
	tcase_add_test(t, failure_keeps_nothing);
	tcase_add_test(t, forms_of_keys);
	tcase_add_test(t, twins);
	tcase_add_test(t, slow_twin);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return servers_run(suite);
}
