/* Signed handles. */
#include "unit.h"

#include <string.h>
#include <time.h>

#include "auth/signed.h"
#include "auth/subject.h"
#include "core/config.h"
#include "core/log.h"

static struct arena arena;
static struct ctx c;

static void
setup(void)
{
	char err[256];

	ck_assert_int_eq(setenv("TOKEN_PEPPER", "0123456789abcdef0123456789abcdef", 1), 0);
	ck_assert_int_eq(setenv("SOUK_CONF", "/dev/null", 1), 0);
	ck_assert_msg(cfg_load(NULL, err, sizeof(err)), "%s", err);
	log_init("test", "/dev/null", "debug");
	arena_init(&arena, 1 << 20);
	c = (struct ctx){ .a = &arena, .deadline_ms = now_ms() + 10000 };
}

static enum err
check(const char *kind, const char *text, const char **id)
{
	ctx_clear_error(&c);
	return signed_check(&c, kind, text, id);
}

START_TEST(a_handle_gives_its_id_back)
{
	char text[SIGNED_MAX], longest[SIGNED_ID_MAX + 1];
	const char *id;

	setup();
	ck_assert_int_eq(signed_make(&c, "gst", "42", now_ms(), text), E_OK);
	ck_assert_int_eq(signed_make(&c, "bsk", "42", 0, text), E_OK);
	ck_assert_int_eq(check("bsk", text, &id), E_OK);
	ck_assert_str_eq(id, "42");
	ck_assert(signed_is("bsk", text));
	ck_assert_uint_eq(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), strlen(text));
	memset(longest, '~', SIGNED_ID_MAX);
	longest[SIGNED_ID_MAX] = '\0';
	ck_assert_int_eq(signed_make(&c, "pay", longest, INT64_C(99999999999), text), E_OK);
	ck_assert_uint_lt(strlen(text), SIGNED_MAX);
	ck_assert_int_eq(check("pay", text, &id), E_OK);
	ck_assert_str_eq(id, longest);
}
END_TEST

START_TEST(what_cannot_be_signed)
{
	char text[SIGNED_MAX], too_long[SIGNED_ID_MAX + 2];

	setup();
	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	ck_assert_int_eq(signed_make(&c, "bsk", "", 0, text), E_INTERNAL);
	ck_assert_int_eq(signed_make(&c, "bsk", too_long, 0, text), E_INTERNAL);
	ck_assert_int_eq(signed_make(&c, "bsk", "a b", 0, text), E_INTERNAL);
	ck_assert_int_eq(signed_make(&c, "basket", "a", 0, text), E_INTERNAL);
	ck_assert_int_eq(signed_make(&c, "bsk", "a", -1, text), E_INTERNAL);
	ck_assert_str_eq(text, "");
}
END_TEST

/* Every character counts, and so do kind and age. */
START_TEST(what_was_changed_is_refused)
{
	char text[SIGNED_MAX], other[SIGNED_MAX + 1];
	const char *id;

	setup();
	ck_assert_int_eq(signed_make(&c, "gst", "1234567", time(NULL) + 100, text), E_OK);
	for (size_t i = 0; i < strlen(text); i++) {
		memcpy(other, text, sizeof(text));
		other[i] = other[i] == 'A' ? 'B' : 'A';
		ck_assert_int_eq(check("gst", other, &id), E_UNAUTHENTICATED);
		ck_assert_ptr_null(id);
		memcpy(other, text, sizeof(text));
		other[i] = '\0';
		ck_assert_int_eq(check("gst", other, &id), E_UNAUTHENTICATED);
	}
	(void)snprintf(other, sizeof(other), "%sA", text);
	ck_assert_int_eq(check("gst", other, &id), E_UNAUTHENTICATED);
	(void)snprintf(other, sizeof(other), "%s=", text);
	ck_assert_int_eq(check("gst", other, &id), E_UNAUTHENTICATED);
	ck_assert_int_eq(check("bsk", text, &id), E_UNAUTHENTICATED);
	memcpy(text, "cst", 3);
	ck_assert_int_eq(check("cst", text, &id), E_UNAUTHENTICATED);
	ck_assert_int_eq(signed_make(&c, "gst", "7", time(NULL), text), E_OK);
	ck_assert_int_eq(check("gst", text, &id), E_UNAUTHENTICATED);
}
END_TEST

static void
speaks(const char *kind, const char *id, struct subject *who)
{
	char text[SIGNED_MAX];
	struct bearer b = { .text = text, .remote_ip = "192.0.2.7" };

	ctx_clear_error(&c);
	ck_assert_int_eq(signed_make(&c, kind, id, 0, text), E_OK);
	ck_assert_int_eq(subject_resolve(&c, &b, who), E_OK);
}

START_TEST(each_kind_of_handle_is_another_speaker)
{
	struct subject s;

	setup();
	/* not a matter of the handle alone: it may have been ended (tests/http) */
	subject_guest(&c, "9", &s);
	ck_assert_str_eq(s.kind, "guest");
	ck_assert_str_eq(s.order_id, "9");
	ck_assert_str_eq(s.customer_id, "");
	ck_assert_str_eq(s.principal, "guest:9");
	ck_assert(scope_held(&s, "orders:read") && !scope_held(&s, "admin:read") && subject_known(&s));
	subject_guest(&c, "contact:9", &s);
	ck_assert_str_eq(s.visitor, "contact:9");
	ck_assert_str_eq(s.order_id, "");
	/* and the customer may have been erased since */
	subject_customer(&c, "8", &s);
	ck_assert_str_eq(s.kind, "customer");
	ck_assert_str_eq(s.customer_id, "8");
	ck_assert_str_eq(s.order_id, "");
	ck_assert(scope_held(&s, "orders:write") && !scope_held(&s, "sales:read"));
	speaks("bsk", "v-1", &s);
	ck_assert_str_eq(s.kind, "visitor");
	ck_assert_str_eq(s.visitor, "v-1");
	ck_assert_str_eq(s.principal, "ip:192.0.2.7");
	ck_assert(!scope_held(&s, "orders:read") && scope_held(&s, "none") && !subject_known(&s));
}
END_TEST

/* A handle for another purpose logs nobody in. */
START_TEST(other_handles_are_no_bearers)
{
	struct subject s;
	char text[SIGNED_MAX];
	struct bearer b = { .text = text };

	setup();
	ck_assert_int_eq(signed_make(&c, "pay", "9", 0, text), E_OK);
	ck_assert_int_eq(subject_resolve(&c, &b, &s), E_UNAUTHENTICATED);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { a_handle_gives_its_id_back, what_cannot_be_signed, what_was_changed_is_refused,
		each_kind_of_handle_is_another_speaker, other_handles_are_no_bearers, NULL };

	return unit_run("signed", tests);
}
