/* Bodies of forms with files. */
#include "unit.h"

#include <string.h>

#include "core/arena.h"
#include "web/multipart.h"

#define TYPE "multipart/form-data; boundary=xx"
#define HEAD "Content-Disposition: form-data; name="

static struct arena arena;
static struct ctx c;
static struct part parts[4];
static size_t n;

static enum err
parse(const char *type, const char *body, size_t len)
{
	if (c.a == NULL)
		arena_init(&arena, 1 << 20);
	c = (struct ctx){ .a = &arena, .deadline_ms = now_ms() + 10000 };
	return multipart_parse(&c, type, body, len, parts, 4, &n);
}

static enum err
split(const char *body)
{
	return parse(TYPE, body, strlen(body));
}

static void
is(size_t i, const char *name, const char *filename, const char *value)
{
	ck_assert_str_eq(parts[i].name, name);
	ck_assert_pstr_eq(parts[i].filename, filename);
	ck_assert_uint_eq(parts[i].n, strlen(value));
	ck_assert_mem_eq(parts[i].p, value, strlen(value));
}

START_TEST(parts_come_with_name_file_name_and_bytes)
{
	static const char spaced[] = "--a b\r\n" HEAD "x\r\n\r\n\r\n--a b--";

	ck_assert_int_eq(split("--xx\r\n" HEAD "\"locale\"\r\n\r\nfr\r\n--xx\r\ncontent-disposition:form-data;filename=\"C:\\dir\\été.csv\"; name=\"file\"\r\n"
		"Content-Type: text/csv\r\n\r\na\r\n--x\r\n-xx\r\n--xx--\r\nepilogue"), E_OK);
	ck_assert_uint_eq(n, 2);
	is(0, "locale", NULL, "fr");
	is(1, "file", "été.csv", "a\r\n--x\r\n-xx");
	ck_assert_int_eq(parse("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"", spaced, sizeof(spaced) - 1), E_OK);
	is(0, "x", NULL, "");
	ck_assert_int_eq(split("--xx--\r\n"), E_OK);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(a_files_bytes_are_any_and_a_texts_are_utf8)
{
	static const char file[] = "--xx\r\n" HEAD "f; filename=f\r\n\r\n\0\xff\r\n--xx--";

	ck_assert_int_eq(parse(TYPE, file, sizeof(file) - 1), E_OK);
	ck_assert_uint_eq(parts[0].n, 2);
	ck_assert_int_eq(split("--xx\r\n" HEAD "f\r\n\r\n\xff\r\n--xx--"), E_INVALID);
	ck_assert_str_eq(ctx_message(&c), "f: must be UTF-8");
}
END_TEST

START_TEST(what_is_none_is_refused)
{
	static const char *const bad[] = {
		"", "x", "--xx", "--xx\r\n", "--xx\r\n" HEAD "a\r\n\r\nv", "--xx\r\n" HEAD "a\r\n\r\nv\r\n--xx", "--xx\r\n" HEAD "a\r\n\r\nv\r\n--xy--",
		"--xx\r\n\r\nv\r\n--xx--", "--xx\r\n" HEAD "\"\"\r\n\r\nv\r\n--xx--", "--xx\r\n" HEAD "\"a\r\n\r\nv\r\n--xx--", "--xxyy\r\n" HEAD "a\r\n\r\nv\r\n--xx--",
		"--xx\r\nContent-Disposition: attachment; name=a\r\n\r\nv\r\n--xx--", "--xx\r\n" HEAD "a\r\n\r\n1\r\n--xx\r\n" HEAD "a\r\n\r\n2\r\n--xx--",
		"--xx\r\n" HEAD "a; filename=\"\x01\"\r\n\r\n1\r\n--xx--",
	};
	struct part five[4];
	char many[1024] = "";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(split(bad[i]) == E_INVALID, "%zu: %s", i, bad[i]);
	for (int i = 0; i < 5; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "--xx\r\n" HEAD "p%d\r\n\r\nv\r\n", i);
	snprintf(many + strlen(many), sizeof(many) - strlen(many), "--xx--");
	ck_assert_int_eq(multipart_parse(&c, TYPE, many, strlen(many), five, 4, &n), E_INVALID);
}
END_TEST

START_TEST(the_type_has_to_say_so)
{
	static const char *const types[] = {
		NULL, "", "text/csv", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=xx", "multipart/form-data; border=xx",
		"multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789x",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		ck_assert_msg(parse(types[i], "--xx--", 6) == E_MEDIA_TYPE, "%s", types[i] != NULL ? types[i] : "none");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { parts_come_with_name_file_name_and_bytes, a_files_bytes_are_any_and_a_texts_are_utf8, what_is_none_is_refused,
		the_type_has_to_say_so, NULL };

	return unit_run("multipart", tests);
}
