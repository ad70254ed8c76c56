/* The record of calls against a database: what is kept, what is masked, and that nothing is lost or doubled by a kill. */
#include "unit.h"

#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/config.h"
#include "servers.h"
#include "store/shm.h"
#include "tool/record.h"

static struct arena arena;
static struct ctx c;
static PGconn *pg;

static const struct subject who = {
	.kind = "customer", .token_id = "tok", .name = "", .customer_id = "42", .rate_class = "", .principal = "token:tok",
};

static void
setup(void)
{
	char err[256];
	PGresult *r;

	ck_assert(cfg_load(NULL, err, sizeof(err)));
	shm_open_state();
	c = unit_ctx(&arena, 16u << 20);
	pg = PQconnectdb(getenv("ADMIN_URL"));
	ck_assert_int_eq(PQstatus(pg), CONNECTION_OK);
	r = PQexec(pg, "DELETE FROM souk.interactions");
	ck_assert_int_eq(PQresultStatus(r), PGRES_COMMAND_OK);
	PQclear(r);
}

static void
teardown(void)
{
	PQfinish(pg);
	arena_release(&arena);
}

static const char *
value(const char *statement)
{
	PGresult *r = PQexec(pg, statement);
	const char *text;

	ck_assert_msg(PQresultStatus(r) == PGRES_TUPLES_OK, "%s", PQerrorMessage(pg));
	text = arena_strdup(&arena, PQgetvalue(r, 0, 0));
	PQclear(r);
	return text;
}

static const char *
count(void)
{
	return value("SELECT count(*) FROM souk.interactions");
}

/* The only spool file, NULL when there is none; several are an error. */
static const char *
spool_file(void)
{
	const char *pattern = arena_printf(&arena, "%s/spool/*.spool", getenv("STATE_DIR")), *path = NULL;
	glob_t g;

	if (glob(pattern, 0, NULL, &g) == 0) {
		ck_assert_uint_eq(g.gl_pathc, 1);
		path = arena_strdup(&arena, g.gl_pathv[0]);
		globfree(&g);
	}
	return path;
}

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(arena_printf(&arena, "%s/spool/%s", getenv("STATE_DIR"), name), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* A line of a spool. */
static const char *
line(const char *id)
{
	return arena_printf(&arena, "%s\t\"2026-01-01T00:00:00Z\"\t\"CHAT\"\t\"t\"\t1.5\tt\t\"mcp\"\tNULL\tNULL\tNULL\tNULL\tNULL\tNULL\tNULL\t\"{}\"\n", id);
}

static void
call(const char *args, const char *result)
{
	struct tool_call t = {
		.name = "search_products", .who = &who, .via = VIA_REST, .session_id = "s1", .tool = tool_find("search_products"),
		.args_json = args, .args_n = strlen(args), .json = result, .n = strlen(result),
	};

	record_call(&c, &t, E_OK, 1234);
}

START_TEST(kept_and_masked)
{
	call("{\"query\":\"lamp\",\"email\":\"a@b.example\"}", "{\"products\":[],\"customer\":{\"phone\":\"0102030405\"}}");
	ck_assert_int_ge(record_due_ms(), 0);
	ck_assert_int_le(record_due_ms(), 100);
	ck_assert_str_eq(count(), "0");
	record_flush(true);
	ck_assert_int_eq(record_due_ms(), -1);
	ck_assert_str_eq(value("SELECT concat_ws('|', type, tool, transport, success, latency_ms, token_id, customer_id, session_id, tools_used) "
		"FROM souk.interactions"), "SEARCH|search_products|rest|t|1.234|tok|42|s1|{search_products}");
	ck_assert_str_eq(value("SELECT input FROM souk.interactions"), "{\"query\":\"lamp\",\"email\":\"[REDACTED]\"}");
	ck_assert_str_eq(value("SELECT output FROM souk.interactions"), "{\"products\":[],\"customer\":{\"phone\":\"[REDACTED]\"}}");
	ck_assert_str_eq(value("SELECT metadata->>'correlationId' FROM souk.interactions"), "unit-test");
	ck_assert_ptr_null(spool_file());
}
END_TEST

START_TEST(refusals)
{
	struct tool_call t = { .name = "no such tool \xc3\xa9", .who = &who, .via = VIA_MCP };

	record_call(&c, &t, fail(&c, E_NOT_FOUND, "unknown tool: x"), 5);
	record_flush(true);
	ck_assert_str_eq(value("SELECT concat_ws('|', type, tool, success, error_code, error_message, input) FROM souk.interactions"),
		"CHAT|no such tool \xc3\xa9|f|MCP_NOT_FOUND|unknown tool: x");
}
END_TEST

/* Whatever a text holds comes back as it was, but for control characters, which part fields, and half a character. */
START_TEST(odd_texts)
{
	struct tool_call t = { .name = "a\"b\\c{d},e\tf\ng'h\xc3\xa9\xc3", .who = &who, .via = VIA_MCP, .session_id = "NULL" };

	record_call(&c, &t, fail(&c, E_INVALID, "x: \"\\\" \x01 {,}"), 5);
	record_flush(true);
	ck_assert_str_eq(value("SELECT concat_ws('|', tool, tools_used[1], session_id, error_message) FROM souk.interactions"),
		"a\"b\\c{d},e f g'h\xc3\xa9?|a\"b\\c{d},e f g'h\xc3\xa9?|NULL|x: \"\\\"   {,}");
}
END_TEST

/* A batch that was folded but not forgotten (killed in between) is folded again: the rows are there once. */
START_TEST(folded_twice)
{
	char text[4096];
	FILE *f;
	size_t n;

	call("{}", "{}");
	call("{}", "{}");
	f = fopen(spool_file(), "r");
	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	record_flush(true);
	ck_assert_str_eq(count(), "2");
	write_file("1-copy.spool", arena_printf(&arena, "%s%s", text, line("00000000-0000-4000-8000-000000000005")));
	record_flush(true);
	ck_assert_str_eq(count(), "3");
	ck_assert_ptr_null(spool_file());
}
END_TEST

/* The spool of a killed process is adopted; its last line, half written, is left out. */
START_TEST(orphan)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		record_forget();
		for (int i = 0; i < 300; i++)
			call("{}", "{}");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_ptr_nonnull(spool_file());
	record_flush(true);
	ck_assert_str_eq(count(), "300");
	ck_assert_ptr_null(spool_file());
	write_file("1-half.spool", arena_printf(&arena, "%s00000000-0000-4000-8000-0000000000", line("00000000-0000-4000-8000-000000000001")));
	record_flush(true);
	ck_assert_str_eq(count(), "301");
	ck_assert_ptr_null(spool_file());
}
END_TEST

/* On a full disk records go on in memory, and what the file held is not lost.  Only who may mount can have such a disk. */
START_TEST(full_disk)
{
	char dir[160], path[200];
	char block[4096] = "";
	FILE *f;

	(void)snprintf(dir, sizeof(dir), "%s/spool", getenv("STATE_DIR"));
	(void)mkdir(dir, 0700);
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("none", dir, "tmpfs", 0, "size=64k,mode=0700") != 0)
		return;
	call("{}", "{}");
	(void)snprintf(path, sizeof(path), "%s/filler", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	while (fwrite(block, 1, sizeof(block), f) == sizeof(block) && fflush(f) == 0)
		;
	(void)fclose(f);
	for (int i = 0; i < 300; i++)
		call("{}", "{}");
	ck_assert_ptr_nonnull(spool_file());
	record_flush(true);
	ck_assert_str_eq(count(), "301");
	ck_assert_ptr_null(spool_file());
	ck_assert_int_eq(unlink(path), 0);
	call("{}", "{}");
	ck_assert_ptr_nonnull(spool_file());
	record_flush(true);
	ck_assert_str_eq(count(), "302");
}
END_TEST

/* What a living process has locked is its own business. */
START_TEST(not_an_orphan)
{
	int fd;

	call("{}", "{}");
	record_flush(true);
	write_file("1-alive.spool", line("00000000-0000-4000-8000-000000000002"));
	fd = open(spool_file(), O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	record_flush(true);
	ck_assert_str_eq(count(), "1");
	ck_assert_ptr_nonnull(spool_file());
	(void)close(fd);
	record_flush(true);
	ck_assert_str_eq(count(), "2");
}
END_TEST

/* One line that the database refuses costs only itself. */
START_TEST(bad_line)
{
	call("{}", "{}");
	record_flush(true);
	write_file("1-bad.spool", arena_printf(&arena, "%s%snot a record\n%s\textra\n%s", line("00000000-0000-4000-8000-000000000003"), line("no uuid"),
		"1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t13\t14\t15", line("00000000-0000-4000-8000-000000000004")));
	record_flush(true);
	ck_assert_str_eq(count(), "3");
	ck_assert_ptr_null(spool_file());
}
END_TEST

/* While the database does not answer, records wait in the file. */
START_TEST(database_frozen)
{
	if (!servers_own)
		return;
	call("{}", "{}");
	ck_assert_int_eq(servers_do("freeze"), 0);
	record_flush(true);
	ck_assert_ptr_nonnull(spool_file());
	ck_assert_int_gt(record_due_ms(), 200);	/* not at once again */
	ck_assert_int_eq(servers_do("thaw"), 0);
	for (int i = 0; i < 300 && spool_file() != NULL; i++) {
		(void)usleep(100000);
		record_flush(true);
	}
	ck_assert_str_eq(count(), "1");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("record");
	TCase *t = tcase_create("record");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, kept_and_masked);
	tcase_add_test(t, refusals);
	tcase_add_test(t, odd_texts);
	tcase_add_test(t, folded_twice);
	tcase_add_test(t, orphan);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, not_an_orphan);
	tcase_add_test(t, bad_line);
	tcase_add_test(t, database_frozen);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return servers_run(suite);
}
