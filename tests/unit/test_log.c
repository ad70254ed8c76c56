/* The log's lines, and stopping when memory runs out. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/failstop.h"
#include "core/json.h"
#include "core/log.h"

static char dir[64], path[128], moved[128], text[65536];

static void
begin(const char *level)
{
	unit_make_dir(dir);
	(void)snprintf(path, sizeof path, "%s/souk.log", dir);
	(void)snprintf(moved, sizeof moved, "%s/souk.log.1", dir);
	log_init("unit", path, level);
}

/* The file's content, which has to end with a newline. */
static size_t
content(const char *name)
{
	FILE *f = fopen(name, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	ck_assert(n == 0 || text[n - 1] == '\n');
	return n;
}

static void
end(void)
{
	(void)unlink(path);
	(void)unlink(moved);
	ck_assert_int_eq(rmdir(dir), 0);
}

/* The only line as an object. */
static json_object *
only_line(struct ctx *c)
{
	json_object *o = NULL;
	size_t n = content(path);

	ck_assert_uint_gt(n, 0);
	ck_assert_ptr_eq(strchr(text, '\n'), text + n - 1);
	ck_assert_msg(json_parse(c, text, n - 1, &o) == E_OK, "%s: %s", ctx_message(c), text);
	return o;
}

static const char *
member(json_object *o, const char *key)
{
	const char *s = NULL;

	ck_assert_msg(json_get_string(o, key, 0, 10000, &s, NULL) == JSON_OK, "%s", key);
	return s;
}

START_TEST(a_line_is_an_object)
{
	struct arena a;
	struct ctx c = unit_ctx(&a, 1 << 20);
	json_object *o;
	int64_t n;

	begin("info");
	log_event(LOG_WARN_, &c, "it \"works\"", LOG_S("name", "v\n\x01\x7f\xC2\x85 \xC3\xA9 \xFF\xC3"), LOG_I("count", INT64_MIN),
		LOG_S("nothing", (const char *)NULL));
	o = only_line(&c);
	ck_assert_uint_eq(strlen(member(o, "timestamp")), 24);
	ck_assert_str_eq(member(o, "level"), "warn");
	ck_assert_str_eq(member(o, "correlationId"), "unit-test");
	ck_assert_str_eq(member(o, "program"), "unit");
	ck_assert_str_eq(member(o, "message"), "it \"works\"");
	ck_assert_str_eq(member(o, "name"), "v\n\x01\x7f\xC2\x85 \xC3\xA9 \xEF\xBF\xBD\xEF\xBF\xBD");
	ck_assert_str_eq(member(o, "nothing"), "");
	ck_assert_int_eq(json_get_int(o, "count", INT64_MIN, INT64_MAX, &n), JSON_OK);
	ck_assert_int_eq(n, INT64_MIN);
	/* Control characters are written as escapes, so that a terminal showing the file is safe. */
	for (const unsigned char *s = (const unsigned char *)text; s[1] != '\0'; s++)
		ck_assert(*s >= 0x20 && *s != 0x7F && !(s[0] == 0xC2 && s[1] < 0xA0));
	arena_release(&a);
	end();
}
END_TEST

START_TEST(levels_are_kept)
{
	begin("warn");
	ck_assert(!log_on(LOG_DEBUG_) && !log_on(LOG_INFO_) && log_on(LOG_WARN_) && log_on(LOG_ERROR_));
	log_event(LOG_INFO_, NULL, "no");
	ck_assert_uint_eq(content(path), 0);
	log_event(LOG_ERROR_, NULL, "yes");
	ck_assert_uint_gt(content(path), 0);
	ck_assert_ptr_null(strstr(text, "correlationId"));
	end();
}
END_TEST

START_TEST(long_lines_stay_objects)
{
	static char big[9000];
	struct arena a;
	struct ctx c = unit_ctx(&a, 1 << 20);
	json_object *o;
	const char *after;
	bool truncated;
	int whole = 0, cut = 0;

	for (size_t n = 3700; n < 4300; n++) {
		/* Every way in which a character or an escape can meet the end. */
		for (size_t i = 0; i < n; i++)
			big[i] = n % 3 == 0 ? "\xE2\x82\xAC"[i % 3] : n % 3 == 1 ? '\x01' : 'x';
		big[n] = '\0';
		begin("info");
		log_event(LOG_INFO_, NULL, n % 2 == 0 ? "m" : big, LOG_S("a", "1"), LOG_I("b", n), LOG_S("big", big), LOG_S("after", "z"));
		ck_assert_uint_le(content(path), 4096);
		o = only_line(&c);
		/* Either everything is there, or the line says that it is not. */
		if (json_get_string(o, "after", 0, 9, &after, NULL) == JSON_OK)
			whole++;
		else
			cut += json_get_bool(o, "truncated", &truncated) == JSON_OK;
		end();
		arena_reset(&a);
	}
	ck_assert_int_eq(whole + cut, 600);
	ck_assert_int_gt(whole, 20);
	ck_assert_int_gt(cut, 400);
	arena_release(&a);
}
END_TEST

START_TEST(a_moved_file_is_left)
{
	begin("info");
	log_event(LOG_INFO_, NULL, "first");
	ck_assert_int_eq(rename(path, moved), 0);
	(void)usleep(1050000);
	log_event(LOG_INFO_, NULL, "second");
	content(moved);
	ck_assert(strstr(text, "first") != NULL && strstr(text, "second") == NULL);
	content(path);
	ck_assert(strstr(text, "second") != NULL);
	end();
}
END_TEST

START_TEST(an_unusable_file_means_standard_error)
{
	unit_make_dir(dir);
	(void)snprintf(path, sizeof path, "%s/err", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	(void)close(fd);
	log_init("unit", "/nonexistent/folder/souk.log", "info");
	log_event(LOG_INFO_, NULL, "still told");
	content(path);
	ck_assert_ptr_nonnull(strstr(text, "cannot be opened"));
	ck_assert_ptr_nonnull(strstr(text, "still told"));
	moved[0] = '\0';
	end();
}
END_TEST

START_TEST(addresses_are_masked)
{
	char out[80];

	ck_assert_str_eq(log_mask_email("anna@example.org", out, sizeof out), "a***@example.org");
	ck_assert_str_eq(log_mask_email("\xC3\xA9lodie@example.org", out, sizeof out), "\xC3\xA9***@example.org");
	ck_assert_str_eq(log_mask_email("a@b@example.org", out, sizeof out), "a***@example.org");
	ck_assert_str_eq(log_mask_email("+33123456789", out, sizeof out), "***");
	ck_assert_str_eq(log_mask_email("@example.org", out, sizeof out), "***");
	ck_assert_str_eq(log_mask_email("", out, sizeof out), "***");
	ck_assert_str_eq(log_mask_email(NULL, out, sizeof out), "***");
}
END_TEST

#ifndef SOUK_NO_FAILSTOP

/* Let a library run out of memory; it must not get as far as seeing NULL. */
static void
exhaust(void)
{
	struct rlimit limit = { 256 << 20, 256 << 20 };
	json_object *list = json_object_new_array();

	(void)setrlimit(RLIMIT_AS, &limit);
	for (;;) {
		json_object *o = json_object_new_object();

		if (o == NULL || json_object_object_add(o, "member", json_object_new_string("a value of some length")) != 0)
			_exit(1);
		(void)json_object_array_add(list, o);
	}
}

START_TEST(no_memory_stops_the_process)
{
	int status, fds[2];
	ssize_t n = 0, got;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)dup2(fds[1], STDERR_FILENO);
		exhaust();
	}
	(void)close(fds[1]);
	/* It is written in parts, since nothing can be put together without memory. */
	while ((got = read(fds[0], text + n, sizeof text - 1 - (size_t)n)) > 0)
		n += got;
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_str_eq(text, "{\"level\":\"error\",\"message\":\"process stopped: out of memory\"}\n");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), FAILSTOP_STATUS);
}
END_TEST

/* The wrappers have to keep what the C library promises. */
START_TEST(allocation_works_as_ever)
{
	unsigned char *p = calloc(1000, 3);
	void *q = NULL;

	ck_assert_ptr_nonnull(p);
	for (int i = 0; i < 3000; i++)
		ck_assert_uint_eq(p[i], 0);
	memset(p, 7, 3000);
	p = realloc(p, 100000);
	ck_assert_uint_eq(p[2999], 7);
	p = reallocarray(p, 10, 10);
	ck_assert_uint_eq(p[99], 7);
	free(p);
	p = aligned_alloc(64, 640);
	ck_assert_uint_eq((uintptr_t)p % 64, 0);
	free(p);
	ck_assert_int_eq(posix_memalign(&q, 4096, 10), 0);
	ck_assert_uint_eq((uintptr_t)q % 4096, 0);
	free(q);
	ck_assert_int_eq(posix_memalign(&q, 3, 10), EINVAL);
	free(malloc(0));
	free(calloc(0, 8));
}
END_TEST

#endif

START_TEST(lines_kept_back_come_in_order)
{
	char want[32];

	begin("info");
	log_keep_back();
	log_event(LOG_INFO_, NULL, "first");
	ck_assert_uint_eq(content(path), 0);
	log_event(LOG_WARN_, NULL, "second");
	ck_assert_uint_gt(content(path), 0);
	ck_assert_ptr_nonnull(strstr(text, "first"));
	ck_assert(strstr(text, "first") < strstr(text, "second"));
	/* more than is kept back, less than content() takes */
	for (int i = 0; i < 400; i++)
		log_event(LOG_INFO_, NULL, "many", LOG_I("n", i));
	log_flush();
	(void)content(path);
	for (int i = 0; i < 400; i++) {
		(void)snprintf(want, sizeof want, "\"n\":%d}", i);
		ck_assert_msg(strstr(text, want) != NULL, "%s", want);
	}
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { a_line_is_an_object, levels_are_kept, long_lines_stay_objects, a_moved_file_is_left,
		an_unusable_file_means_standard_error, addresses_are_masked, lines_kept_back_come_in_order,
#ifndef SOUK_NO_FAILSTOP
		no_memory_stops_the_process, allocation_works_as_ever,
#endif
		NULL };

	return unit_run("log", tests);
}
