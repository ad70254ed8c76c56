/* Stripe's form encoding and the signature of its webhooks. */
#include "unit.h"

#include <string.h>

#include "core/json.h"
#include "shop/stripe.h"

/* NULL for what is refused. */
static const char *
form(struct ctx *c, const char *json)
{
	json_object *o;
	struct buf b;

	ck_assert_int_eq(json_parse(c, json, strlen(json), &o), E_OK);
	buf_init(&b, c->a, 64, 65536);
	return stripe_form(c, o, &b) ? buf_str(&b) : NULL;
}

START_TEST(forms_are_nested)
{
	struct arena a;
	struct ctx c = unit_ctx(&a, 1 << 20);

	ck_assert_str_eq(form(&c, "{}"), "");
	ck_assert_str_eq(form(&c, "{\"mode\": \"payment\", \"n\": 12, \"yes\": true}"), "mode=payment&n=12&yes=true");
	ck_assert_str_eq(form(&c, "{\"a\": {\"b\": [{\"c\": 1}, {\"c\": -2}]}, \"d\": [\"x\"]}"), "a%5Bb%5D%5B0%5D%5Bc%5D=1&a%5Bb%5D%5B1%5D%5Bc%5D=-2&d%5B0%5D=x");
	ck_assert_str_eq(form(&c, "{\"name\": \"2 × Lampe & Co=é+%\"}"), "name=2%20%C3%97%20Lampe%20%26%20Co%3D%C3%A9%2B%25");
	arena_release(&a);
}
END_TEST

START_TEST(forms_of_other_shapes_are_refused)
{
	static const char *const bad[] = {
		"[1]", "\"x\"", "1", "{\"a\": null}", "{\"a\": 1.5}", "{\"a\": {\"b\": [null]}}",
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}",
	};

	struct arena a;
	struct ctx c = unit_ctx(&a, 1 << 20);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(form(&c, bad[i]) == NULL, "%s", bad[i]);
	arena_release(&a);
}
END_TEST

#define BODY "{\"id\": \"evt_1\"}"
#define AT 1700000000
/* printf '%s' '1700000000.{"id": "evt_1"}' | openssl dgst -sha256 -hmac whsec_test */
#define V1 "a0c091828640f0b68061abc7c03981ad1100ff7160c5dba6b656239494a2b537"

static bool
check(const char *header, const char *secrets, int64_t now)
{
	return stripe_signed(header, BODY, strlen(BODY), secrets, now);
}

START_TEST(signatures_are_over_time_and_bytes)
{
	const char *good = "t=1700000000,v1=" V1;

	ck_assert(check(good, "whsec_test", AT));
	ck_assert(check("v0=00,v1=" V1 ",t=1700000000", "whsec_test", AT));
	ck_assert(check("t=1700000000,v1=00,v1=" V1, "whsec_test", AT));
	ck_assert(check(good, "whsec_old, whsec_test", AT));
	ck_assert(!check(good, "whsec_old", AT));
	ck_assert(!check(good, "", AT));
	ck_assert(!stripe_signed(good, BODY " ", strlen(BODY) + 1, "whsec_test", AT));
	ck_assert(check(good, "whsec_test", AT + STRIPE_TOLERANCE_S));
	ck_assert(check(good, "whsec_test", AT - STRIPE_TOLERANCE_S));
	ck_assert(!check(good, "whsec_test", AT + STRIPE_TOLERANCE_S + 1));
	ck_assert(!check(good, "whsec_test", AT - STRIPE_TOLERANCE_S - 1));
}
END_TEST

START_TEST(malformed_signatures_are_none)
{
	static const char *const bad[] = {
		"", "t=", "v1=" V1, "t=1700000000", "t=1700000000,v1=", "t=-1700000000,v1=" V1, "t=1700000000x,v1=" V1, "t=01700000000000,v1=" V1,
		"t=1700000001,v1=" V1, "t=1700000000,v1=" V1 "00", "t=1700000000;v1=" V1, "t=1700000000,v0=" V1, ",,,,", "t=1700000000,v1",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!check(bad[i], "whsec_test", AT), "%s", bad[i]);
	ck_assert(!check(NULL, "whsec_test", AT));
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { forms_are_nested, forms_of_other_shapes_are_refused, signatures_are_over_time_and_bytes,
		malformed_signatures_are_none, NULL };

	return unit_run("stripe", tests);
}
