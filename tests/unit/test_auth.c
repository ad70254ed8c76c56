/* lib/auth: the life of a token, scopes, and what is remembered of tokens. */
#include <check.h>
#undef fail	/* one of Check's old names, and one of ours */
#include <json-c/json.h>

#include "auth/token.h"
#include "auth/token_internal.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "servers.h"
#include "store/db.h"
#include "store/shm.h"

static struct arena arena;
static struct ctx c;

static void
setup_web(void)
{
	c = servers_ctx(&arena, 16 << 20);
}

static void
setup(void)
{
	setup_web();
	db_use_owner();
}

static void
teardown(void)
{
	db_close_idle(0);
	arena_release(&arena);
}

/* One value from the database by a connection of the test's own. */
static char *
admin(const char *what)
{
	static char out[256];
	PGconn *pg = PQconnectdb(getenv("ADMIN_URL"));
	PGresult *r = PQexec(pg, what);

	ck_assert_msg(PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK, "%s", PQerrorMessage(pg));
	(void)snprintf(out, sizeof(out), "%s", PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
	PQfinish(pg);
	return out;
}

static void
create(const struct token_spec *spec, char out[TOKEN_TEXT_MAX])
{
	ctx_clear_error(&c);
	ck_assert_msg(token_create(&c, spec, out) == E_OK, "%s", ctx_message(&c));
}

static enum err
verify(const char *text, const char *ip, struct subject *s)
{
	ctx_clear_error(&c);
	return token_verify(&c, text, ip, s);
}

static const char *
id_of(const char *text)
{
	return arena_strndup(&arena, text + strlen(TOKEN_PREFIX), TOKEN_ID_LEN);
}

START_TEST(life_of_a_token)
{
	struct token_spec spec = { .name = "Lager \"Süd\"", .scopes = "orders:read, inventory:*" };
	char text[TOKEN_TEXT_MAX];
	struct subject s;

	create(&spec, text);
	ck_assert_uint_eq(strlen(text), 70);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(verify(text, "192.0.2.1", &s), E_OK);
		ck_assert_str_eq(s.kind, "staff");
		ck_assert_str_eq(s.name, "Lager \"Süd\"");
		ck_assert_str_eq(s.token_id, id_of(text));
		ck_assert_str_eq(s.principal, arena_printf(&arena, "token:%s", id_of(text)));
		ck_assert_str_eq(s.customer_id, "");
		ck_assert_str_eq(s.rate_class, "");
		ck_assert(scope_held(&s, "orders:read"));
		ck_assert(scope_held(&s, "inventory:read"));
		ck_assert(!scope_held(&s, "orders:write"));
	}
	ck_assert_int_eq(token_revoke(&c, id_of(text)), E_OK);
	ck_assert_int_eq(verify(text, "192.0.2.1", &s), E_UNAUTHENTICATED);
	ck_assert_int_eq(token_revoke(&c, "nosuchtoken1"), E_NOT_FOUND);
}
END_TEST

/* Only a hash that needs the pepper is stored; the audit knows what happened, but no secret. */
START_TEST(nothing_usable_is_stored)
{
	struct token_spec spec = { .name = "stored", .scopes = "status:read" };
	char text[TOKEN_TEXT_MAX], q[512];
	const char *list;
	size_t n;

	create(&spec, text);
	ck_assert_str_eq(admin("SELECT length(hash) FROM souk.tokens WHERE name = 'stored'"), "32");
	(void)snprintf(q, sizeof(q), "SELECT count(*) FROM souk.tokens t, souk.audit a WHERE strpos(t::text || a::text, '%.43s') > 0",
		text + strlen(TOKEN_PREFIX) + TOKEN_ID_LEN + 1);
	ck_assert_str_eq(admin(q), "0");
	(void)snprintf(q, sizeof(q), "SELECT count(*) FROM souk.audit WHERE action = 'token.create' AND target = '%s'", id_of(text));
	ck_assert_str_eq(admin(q), "1");
	ck_assert_int_eq(token_list(&c, &list, &n), E_OK);
	ck_assert_ptr_nonnull(strstr(list, id_of(text)));
	ck_assert_ptr_null(strstr(list, "hash"));
}
END_TEST

/* Every single wrong character is refused, most of them before the database; all wrongs give the same answer. */
START_TEST(wrong_texts)
{
	struct token_spec spec = { .name = "wrong", .scopes = "status:read" };
	char text[TOKEN_TEXT_MAX], bad[TOKEN_TEXT_MAX + 1];
	struct token_text other;
	struct subject s;
	const char *message;

	create(&spec, text);
	for (size_t i = 0; i < strlen(text); i++) {
		memcpy(bad, text, sizeof(text));
		bad[i] = bad[i] == 'x' ? 'y' : 'x';
		ck_assert_int_eq(verify(bad, NULL, &s), E_UNAUTHENTICATED);
	}
	message = ctx_message(&c);
	(void)snprintf(bad, sizeof(bad), "%sx", text);
	ck_assert_int_eq(verify(bad, NULL, &s), E_UNAUTHENTICATED);
	(void)snprintf(bad, sizeof(bad), "%.69s", text);
	ck_assert_int_eq(verify(bad, NULL, &s), E_UNAUTHENTICATED);
	ck_assert_int_eq(verify("", NULL, &s), E_UNAUTHENTICATED);
	ck_assert_int_eq(verify("mcp_key_", NULL, &s), E_UNAUTHENTICATED);
	/* well formed, but nobody's */
	ck_assert(token_new(bad, &other));
	ck_assert_int_eq(verify(bad, NULL, &s), E_UNAUTHENTICATED);
	ck_assert_str_eq(ctx_message(&c), message);
	ck_assert_int_eq(verify(text, NULL, &s), E_OK);
}
END_TEST

/* A right id and checksum with another secret, before and after the right one was remembered. */
START_TEST(wrong_secret)
{
	struct token_spec spec = { .name = "secret", .scopes = "status:read" };
	char text[TOKEN_TEXT_MAX], forged[TOKEN_TEXT_MAX], q[256];
	struct token_text t;
	struct subject s;

	create(&spec, text);
	ck_assert(token_new(forged, &t));
	(void)snprintf(q, sizeof(q), "UPDATE souk.tokens SET id = '%s' WHERE id = '%s'", t.id, id_of(text));
	(void)admin(q);
	ck_assert_int_eq(verify(forged, NULL, &s), E_UNAUTHENTICATED);
	(void)snprintf(q, sizeof(q), "UPDATE souk.tokens SET id = '%s' WHERE id = '%s'", id_of(text), t.id);
	(void)admin(q);
	ck_assert_int_eq(verify(text, NULL, &s), E_OK);
	ck_assert_int_eq(verify(forged, NULL, &s), E_UNAUTHENTICATED);
}
END_TEST

START_TEST(expiry)
{
	struct token_spec spec = { .name = "short", .scopes = "status:read", .expires_in_s = 3 };
	char text[TOKEN_TEXT_MAX];
	struct subject s;
	int64_t t = now_ms();

	create(&spec, text);
	ck_assert_int_eq(verify(text, NULL, &s), E_OK);
	/* less than CACHE_MS: being remembered does not prolong it */
	while (verify(text, NULL, &s) == E_OK && now_ms() - t < 30000)
		usleep(20000);
	ck_assert_int_lt(now_ms() - t, 30000);
	ck_assert_int_ge(now_ms() - t, 2900);
	ck_assert_int_eq(c.err, E_UNAUTHENTICATED);
}
END_TEST

START_TEST(allow_list)
{
	struct token_spec spec = { .name = "fenced", .scopes = "status:read", .ip_allow = "192.0.2.0/28, 198.51.100.7 2001:db8:1::/48" };
	char text[TOKEN_TEXT_MAX];
	struct subject s;

	create(&spec, text);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(verify(text, "192.0.2.15", &s), E_OK);
		ck_assert_int_eq(verify(text, "::ffff:192.0.2.15", &s), E_OK);
		ck_assert_int_eq(verify(text, "192.0.2.16", &s), E_UNAUTHENTICATED);
		ck_assert_int_eq(verify(text, "198.51.100.7", &s), E_OK);
		ck_assert_int_eq(verify(text, "198.51.100.8", &s), E_UNAUTHENTICATED);
		ck_assert_int_eq(verify(text, "2001:db8:1:ffff::1", &s), E_OK);
		ck_assert_int_eq(verify(text, "2001:db8:2::1", &s), E_UNAUTHENTICATED);
		ck_assert_int_eq(verify(text, "", &s), E_UNAUTHENTICATED);
		ck_assert_int_eq(verify(text, NULL, &s), E_UNAUTHENTICATED);
	}
}
END_TEST

START_TEST(rotation_with_overlap)
{
	struct token_spec spec = { .name = "turning", .scopes = "sales:read", .rate_class = "bulk", .kind = "service" };
	char old[TOKEN_TEXT_MAX], new[TOKEN_TEXT_MAX], newer[TOKEN_TEXT_MAX];
	struct subject s;
	int64_t t;

	create(&spec, old);
	ck_assert_int_eq(verify(old, NULL, &s), E_OK);
	t = now_ms();
	ck_assert_int_eq(token_rotate(&c, id_of(old), 3, new), E_OK);
	ck_assert_str_ne(id_of(old), id_of(new));
	ck_assert_int_eq(verify(old, NULL, &s), E_OK);
	ck_assert_int_eq(verify(new, NULL, &s), E_OK);
	ck_assert_str_eq(s.kind, "service");
	ck_assert_str_eq(s.rate_class, "bulk");
	ck_assert_str_eq(s.name, "turning");
	ck_assert(scope_held(&s, "sales:read"));
	while (verify(old, NULL, &s) == E_OK && now_ms() - t < 30000)
		usleep(20000);
	ck_assert_int_lt(now_ms() - t, 30000);
	ck_assert_int_ge(now_ms() - t, 2900);
	ck_assert_int_eq(verify(new, NULL, &s), E_OK);
	ctx_clear_error(&c);
	ck_assert_int_eq(token_rotate(&c, id_of(old), 0, newer), E_NOT_FOUND);
	ck_assert_str_eq(newer, "");
	ck_assert_int_eq(verify(new, NULL, &s), E_OK);
	ctx_clear_error(&c);
	ck_assert_int_eq(token_rotate(&c, id_of(new), 0, newer), E_OK);	/* no overlap: the old one ends at once */
	ck_assert_int_eq(verify(new, NULL, &s), E_UNAUTHENTICATED);
	ck_assert_int_eq(verify(newer, NULL, &s), E_OK);
}
END_TEST

/* Another process of this host uses the token; after the revocation here its next check fails. */
START_TEST(revocation_reaches_other_processes)
{
	struct token_spec spec = { .name = "shared", .scopes = "status:read" };
	char text[TOKEN_TEXT_MAX], go = 'g';
	struct subject s;
	int to[2], from[2], status;
	enum err e;

	create(&spec, text);
	ck_assert_int_eq(pipe(to), 0);
	ck_assert_int_eq(pipe(from), 0);
	if (fork() == 0) {
		db_forget();
		while (read(to[0], &go, 1) == 1 && go != 'q') {
			e = verify(text, NULL, &s);
			if (write(from[1], &e, sizeof(e)) != sizeof(e))
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(write(to[1], "g", 1), 1);
		ck_assert_int_eq(read(from[0], &e, sizeof(e)), sizeof(e));
		ck_assert_int_eq(e, E_OK);
	}
	ck_assert_int_eq(token_revoke(&c, id_of(text)), E_OK);
	ck_assert_int_eq(write(to[1], "g", 1), 1);
	ck_assert_int_eq(read(from[0], &e, sizeof(e)), sizeof(e));
	ck_assert_int_eq(e, E_UNAUTHENTICATED);
	ck_assert_int_eq(write(to[1], "q", 1), 1);
	ck_assert_int_gt(wait(&status), 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* On another host only the database tells: a change that no process of ours made. */
START_TEST(revocation_on_another_host)
{
	struct token_spec spec = { .name = "elsewhere", .scopes = "status:read" };
	char text[TOKEN_TEXT_MAX], q[200];
	struct subject s;

	create(&spec, text);
	ck_assert_int_eq(verify(text, NULL, &s), E_OK);
	ck_assert_int_eq(verify(text, NULL, &s), E_OK);
	(void)snprintf(q, sizeof(q), "UPDATE souk.tokens SET revoked_at = now() WHERE id = '%s'", id_of(text));
	(void)admin(q);
	/* the notification takes its time on a busy machine, but far less than CACHE_MS */
	for (int i = 0; i < 1000 && verify(text, NULL, &s) == E_OK; i++)
		usleep(20000);
	ck_assert_int_eq(c.err, E_UNAUTHENTICATED);
}
END_TEST

/* A remembered token needs no database; an unknown one does. */
START_TEST(remembered_while_the_database_is_down)
{
	struct token_spec spec = { .name = "remembered", .scopes = "status:read" };
	char text[TOKEN_TEXT_MAX], second[TOKEN_TEXT_MAX];
	struct subject s;

	create(&spec, text);
	create(&spec, second);
	ck_assert_int_eq(verify(text, NULL, &s), E_OK);
	ck_assert_int_eq(verify(text, NULL, &s), E_OK);
	ck_assert_int_eq(servers_do("freeze"), 0);
	ck_assert_int_eq(verify(text, NULL, &s), E_OK);
	c.deadline_ms = now_ms() + 300;
	ck_assert_int_eq(verify(second, NULL, &s), E_UNAVAILABLE);
	ck_assert_int_eq(servers_do("thaw"), 0);
	c.deadline_ms = now_ms() + 30000;
	ck_assert_int_eq(verify(second, NULL, &s), E_OK);
}
END_TEST

/* More tokens than are remembered: each still works, and none is taken for another. */
START_TEST(many_tokens)
{
	struct token_spec spec = { .name = "many", .scopes = "status:read" };
	static char text[150][TOKEN_TEXT_MAX];
	struct subject s;

	for (size_t i = 0; i < 150; i++)
		create(&spec, text[i]);
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < 150; i++) {
			ck_assert_int_eq(verify(text[i], NULL, &s), E_OK);
			ck_assert_str_eq(s.token_id, id_of(text[i]));
		}
}
END_TEST

START_TEST(last_use_is_written_later)
{
	struct token_spec spec = { .name = "used", .scopes = "status:read" };
	char text[TOKEN_TEXT_MAX], q[200];
	struct subject s;

	create(&spec, text);
	(void)snprintf(q, sizeof(q), "SELECT last_used_at IS NOT NULL FROM souk.tokens WHERE id = '%s'", id_of(text));
	ck_assert_int_eq(verify(text, NULL, &s), E_OK);
	ck_assert_str_eq(admin(q), "f");
	token_flush_uses();
	ck_assert_str_eq(admin(q), "t");
	(void)admin("UPDATE souk.tokens SET last_used_at = NULL WHERE name = 'used'");
	ck_assert_int_eq(verify(text, NULL, &s), E_OK);
	token_flush_uses();	/* within the minute: nothing to write */
	ck_assert_str_eq(admin(q), "f");
}
END_TEST

/* The programs of the web server check tokens and note their use, and can do no more with them. */
START_TEST(web_role_only_checks)
{
	struct token_spec spec = { .name = "web", .scopes = "status:read" };
	char text[TOKEN_TEXT_MAX], q[200];
	struct subject s;
	int fds[2], status;

	ck_assert_int_eq(pipe(fds), 0);
	if (fork() == 0) {
		db_use_owner();
		create(&spec, text);
		_exit(write(fds[1], text, sizeof(text)) == sizeof(text) ? 0 : 1);
	}
	ck_assert_int_eq(read(fds[0], text, sizeof(text)), sizeof(text));
	ck_assert_int_gt(wait(&status), 0);
	ck_assert_int_eq(verify(text, NULL, &s), E_OK);
	token_flush_uses();
	(void)snprintf(q, sizeof(q), "SELECT last_used_at IS NOT NULL FROM souk.tokens WHERE id = '%s'", id_of(text));
	ck_assert_str_eq(admin(q), "t");
	ck_assert_int_eq(token_revoke(&c, id_of(text)), E_FORBIDDEN);
	ctx_clear_error(&c);
	ck_assert_int_eq(token_create(&c, &spec, text), E_FORBIDDEN);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(specifications_are_checked)
{
	static const struct token_spec bad[] = {
		{ .name = "", .scopes = "status:read" },
		{ .name = NULL, .scopes = "status:read" },
		{ .name = "a\xff", .scopes = "status:read" },
		{ .name = "a", .scopes = "" },
		{ .name = "a", .scopes = NULL },
		{ .name = "a", .scopes = " , " },
		{ .name = "a", .scopes = "status" },
		{ .name = "a", .scopes = "status:" },
		{ .name = "a", .scopes = ":read" },
		{ .name = "a", .scopes = "status:read x" },
		{ .name = "a", .scopes = "Status:read" },
		{ .name = "a", .scopes = "**" },
		{ .name = "a", .scopes = "status:*d" },
		{ .name = "a", .scopes = "status:read", .kind = "customer" },
		{ .name = "a", .scopes = "status:read", .rate_class = "fast" },
		{ .name = "a", .scopes = "status:read", .ip_allow = "192.0.2.0/33" },
		{ .name = "a", .scopes = "status:read", .ip_allow = "here" },
		{ .name = "a", .scopes = "status:read", .expires_in_s = -1 },
	};
	char text[TOKEN_TEXT_MAX];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ctx_clear_error(&c);
		ck_assert_msg(token_create(&c, &bad[i], text) == E_INVALID, "row %zu", i);
		ck_assert_ptr_nonnull(c.message);
		ck_assert_str_eq(text, "");
	}
}
END_TEST

START_TEST(scopes)
{
	struct subject none = { 0 }, area = { .scopes = { "orders:*", "x:y" } }, all = { .scopes = { "*" } };

	ck_assert(scope_held(&none, "none"));
	ck_assert(!scope_held(&none, "orders:read"));
	ck_assert(!scope_held(&none, ""));
	ck_assert(!scope_held(&none, NULL));
	ck_assert(scope_held(&area, "orders:read"));
	ck_assert(scope_held(&area, "x:y"));
	ck_assert(!scope_held(&area, "x:yz"));
	ck_assert(!scope_held(&area, "orders"));
	ck_assert(!scope_held(&area, "ordersx:read"));
	ck_assert(!scope_held(&area, "order:read"));
	ck_assert(scope_held(&all, "admin:write"));
	ck_assert(scope_held(&all, "none"));
}
END_TEST

static void
setup_unpeppered(void)
{
	(void)unsetenv("TOKEN_PEPPER");
	setup();
}

START_TEST(without_pepper)
{
	struct token_spec spec = { .name = "plain", .scopes = "status:read" };
	char text[TOKEN_TEXT_MAX];

	ck_assert_int_eq(token_create(&c, &spec, text), E_INVALID);
	ck_assert_str_eq(text, "");
	ck_assert_str_eq(admin("SELECT count(*) FROM souk.tokens WHERE name = 'plain'"), "0");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("auth");
	TCase *t = tcase_create("tokens"), *bare = tcase_create("without a pepper"), *web = tcase_create("web role");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, life_of_a_token);
	tcase_add_test(t, nothing_usable_is_stored);
	tcase_add_test(t, wrong_texts);
	tcase_add_test(t, wrong_secret);
	tcase_add_test(t, expiry);
	tcase_add_test(t, allow_list);
	tcase_add_test(t, rotation_with_overlap);
	tcase_add_test(t, revocation_reaches_other_processes);
	tcase_add_test(t, revocation_on_another_host);
	if (servers_own)
		tcase_add_test(t, remembered_while_the_database_is_down);
	tcase_add_test(t, many_tokens);
	tcase_add_test(t, last_use_is_written_later);
	tcase_add_test(t, specifications_are_checked);
	tcase_add_test(t, scopes);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(web, setup_web, teardown);
	tcase_add_test(web, web_role_only_checks);
	suite_add_tcase(s, web);
	tcase_add_checked_fixture(bare, setup_unpeppered, teardown);
	tcase_add_test(bare, without_pepper);
	suite_add_tcase(s, bare);
	return s;
}

int
main(void)
{
	return servers_run(suite);
}
