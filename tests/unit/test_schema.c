/* The schema validator: which values pass, what is said about the others, and which schemas are refused. */
#include <check.h>
#undef fail	/* one of Check's old names, and one of ours */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "tool/schema.h"

static struct arena arena;
static struct ctx c;

static void
setup(void)
{
	arena_init(&arena, 16u << 20);
	c = (struct ctx){ .a = &arena };
}

static void
teardown(void)
{
	arena_release(&arena);
}

static json_object *
parse(const char *text)
{
	json_object *o = NULL;

	ck_assert_msg(json_parse(&c, text, strlen(text), &o) == E_OK, "%s: %s", text, ctx_message(&c));
	return o;
}

/* NULL message: the value is valid. */
static const struct {
	const char *schema, *value, *message;
} cases[] = {
#define O(props) "{\"type\":\"object\",\"properties\":{" props "},\"additionalProperties\":false}"
	/* types */
	{ O("\"a\":{\"type\":\"string\"}"), "{\"a\":\"x\"}", NULL },
	{ O("\"a\":{\"type\":\"string\"}"), "{\"a\":5}", "a: must be a string" },
	{ O("\"a\":{\"type\":\"string\"}"), "{\"a\":null}", "a: must be a string" },
	{ O("\"a\":{\"type\":\"integer\"}"), "{\"a\":5}", NULL },
	{ O("\"a\":{\"type\":\"integer\"}"), "{\"a\":5.0}", NULL },
	{ O("\"a\":{\"type\":\"integer\"}"), "{\"a\":5.5}", "a: must be an integer" },
	{ O("\"a\":{\"type\":\"integer\"}"), "{\"a\":\"5\"}", "a: must be an integer" },
	{ O("\"a\":{\"type\":\"integer\"}"), "{\"a\":1e30}", "a: is too large" },
	{ O("\"a\":{\"type\":\"integer\"}"), "{\"a\":-9223372036854775808}", NULL },
	{ O("\"a\":{\"type\":\"number\"}"), "{\"a\":5}", NULL },
	{ O("\"a\":{\"type\":\"number\"}"), "{\"a\":5.25}", NULL },
	{ O("\"a\":{\"type\":\"number\"}"), "{\"a\":true}", "a: must be a number" },
	{ O("\"a\":{\"type\":\"boolean\"}"), "{\"a\":\"true\"}", "a: must be true or false" },
	{ O("\"a\":{\"type\":\"object\"}"), "{\"a\":[]}", "a: must be an object" },
	{ O("\"a\":{\"type\":\"array\",\"items\":{}}"), "{\"a\":{}}", "a: must be an array" },
	{ O("\"a\":{\"type\":\"null\"}"), "{\"a\":0}", "a: must be null" },
	{ O("\"a\":{\"type\":[\"string\",\"null\"]}"), "{\"a\":null}", NULL },
	{ O("\"a\":{\"type\":[\"string\",\"null\"]}"), "{\"a\":1}", "a: must be a string or null" },
	{ O(""), "[]", "arguments: must be an object" },
	/* members */
	{ O("\"a\":{}"), "{\"b\":1}", "unknown argument: b" },
	{ O("\"a\":{}"), "{\"a\":1,\"b\":1}", "unknown argument: b" },
	{ O("\"o\":" O("\"a\":{}")), "{\"o\":{\"b\":1}}", "o: unknown member: b" },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\"]}", "{}", "a: is required" },
	{ "{\"type\":\"object\",\"properties\":{},\"required\":[\"z\"]}", "{\"a\":1}", "z: is required" },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{}}}", "{\"anything\":1}", NULL },
	{ "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}", "{\"k\":\"v\"}", NULL },
	{ "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}", "{\"k\":1}", "k: must be a string" },
	{ "{\"type\":\"object\",\"minProperties\":1}", "{}", "arguments: must have at least 1 members" },
	{ "{\"type\":\"object\",\"maxProperties\":1}", "{\"a\":1,\"b\":2}", "arguments: must have at most 1 members" },
	{ "{\"type\":\"object\",\"properties\":{\"a\":false}}", "{\"a\":1}", "a: is not allowed" },
	/* numbers */
	{ O("\"a\":{\"minimum\":1,\"maximum\":50}"), "{\"a\":1}", NULL },
	{ O("\"a\":{\"minimum\":1,\"maximum\":50}"), "{\"a\":50}", NULL },
	{ O("\"a\":{\"minimum\":1,\"maximum\":50}"), "{\"a\":51}", "a: must be at most 50" },
	{ O("\"a\":{\"minimum\":1,\"maximum\":50}"), "{\"a\":0}", "a: must be at least 1" },
	{ O("\"a\":{\"minimum\":0.5}"), "{\"a\":0.25}", "a: must be at least 0.5" },
	{ O("\"a\":{\"maximum\":9007199254740992}"), "{\"a\":9007199254740993}", "a: must be at most 9007199254740992" },
	{ O("\"a\":{\"exclusiveMinimum\":0}"), "{\"a\":0}", "a: must be more than 0" },
	{ O("\"a\":{\"exclusiveMaximum\":1}"), "{\"a\":1.0}", "a: must be less than 1" },
	{ O("\"a\":{\"multipleOf\":0.01}"), "{\"a\":19.99}", NULL },
	{ O("\"a\":{\"multipleOf\":0.01}"), "{\"a\":19.995}", "a: must be a multiple of 0.01" },
	{ O("\"a\":{\"multipleOf\":5}"), "{\"a\":12}", "a: must be a multiple of 5" },
	/* strings */
	{ O("\"a\":{\"minLength\":2,\"maxLength\":3}"), "{\"a\":\"\xc3\xa9\"}", "a: must have at least 2 characters" },
	{ O("\"a\":{\"minLength\":2,\"maxLength\":3}"), "{\"a\":\"\xc3\xa9t\xc3\xa9\"}", NULL },
	{ O("\"a\":{\"minLength\":2,\"maxLength\":3}"), "{\"a\":\"four\"}", "a: must have at most 3 characters" },
	{ O("\"a\":{\"enum\":[\"x\",\"y\"]}"), "{\"a\":\"y\"}", NULL },
	{ O("\"a\":{\"enum\":[\"x\",\"y\"]}"), "{\"a\":\"z\"}", "a: must be one of x, y" },
	{ O("\"a\":{\"enum\":[1,2]}"), "{\"a\":1.0}", NULL },
	{ O("\"a\":{\"const\":\"x\"}"), "{\"a\":\"y\"}", "a: must be \"x\"" },
	{ O("\"a\":{\"const\":null}"), "{\"a\":null}", NULL },
	{ O("\"a\":{\"const\":null}"), "{\"a\":0}", "a: must be null" },
	/* formats */
	{ O("\"a\":{\"format\":\"date\"}"), "{\"a\":\"2024-02-29\"}", NULL },
	{ O("\"a\":{\"format\":\"date\"}"), "{\"a\":\"2023-02-29\"}", "a: must be a valid date" },
	{ O("\"a\":{\"format\":\"date\"}"), "{\"a\":\"2023-13-01\"}", "a: must be a valid date" },
	{ O("\"a\":{\"format\":\"date\"}"), "{\"a\":\"2023-1-01\"}", "a: must be a valid date" },
	{ O("\"a\":{\"format\":\"date\"}"), "{\"a\":\"0000-01-01\"}", "a: must be a valid date" },
	{ O("\"a\":{\"format\":\"date-time\"}"), "{\"a\":\"2024-02-29T12:00:00Z\"}", NULL },
	{ O("\"a\":{\"format\":\"date-time\"}"), "{\"a\":\"2024-02-29T12:00:00.123+01:00\"}", NULL },
	{ O("\"a\":{\"format\":\"date-time\"}"), "{\"a\":\"2024-02-29T12:00:00\"}", "a: must be a valid date-time" },
	{ O("\"a\":{\"format\":\"date-time\"}"), "{\"a\":\"2024-02-29T25:00:00Z\"}", "a: must be a valid date-time" },
	{ O("\"a\":{\"format\":\"email\"}"), "{\"a\":\"a.b+c@shop.example\"}", NULL },
	{ O("\"a\":{\"format\":\"email\"}"), "{\"a\":\"a@b@c\"}", "a: must be a valid email" },
	{ O("\"a\":{\"format\":\"email\"}"), "{\"a\":\"nobody\"}", "a: must be a valid email" },
	{ O("\"a\":{\"format\":\"email\"}"), "{\"a\":\"a..b@c.d\"}", "a: must be a valid email" },
	{ O("\"a\":{\"format\":\"uri\"}"), "{\"a\":\"https://shop.example/a?b=c#d\"}", NULL },
	{ O("\"a\":{\"format\":\"uri\"}"), "{\"a\":\"/relative\"}", "a: must be a valid uri" },
	{ O("\"a\":{\"format\":\"uri\"}"), "{\"a\":\"https://a b\"}", "a: must be a valid uri" },
	{ O("\"a\":{\"format\":\"uuid\"}"), "{\"a\":\"3934e7b4-e378-422d-a94b-54149f390cbc\"}", NULL },
	{ O("\"a\":{\"format\":\"uuid\"}"), "{\"a\":\"3934e7b4e378422da94b54149f390cbc\"}", "a: must be a valid uuid" },
	/* arrays */
	{ O("\"a\":{\"items\":{\"type\":\"integer\"}}"), "{\"a\":[1,2]}", NULL },
	{ O("\"a\":{\"items\":{\"type\":\"integer\"}}"), "{\"a\":[1,\"2\"]}", "a[1]: must be an integer" },
	{ O("\"a\":{\"minItems\":1,\"maxItems\":2,\"items\":{}}"), "{\"a\":[]}", "a: must have at least 1 items" },
	{ O("\"a\":{\"minItems\":1,\"maxItems\":2,\"items\":{}}"), "{\"a\":[1,2,3]}", "a: must have at most 2 items" },
	{ O("\"a\":{\"uniqueItems\":true,\"maxItems\":9,\"items\":{}}"), "{\"a\":[1,2,1.0]}", "a: must not hold the same item twice" },
	{ O("\"a\":{\"items\":" O("\"q\":{\"type\":\"integer\"}") "}"), "{\"a\":[{\"q\":1},{\"q\":\"x\"}]}", "a[1].q: must be an integer" },
	/* compound */
	{ "{\"allOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"a\":1}", "b: is required" },
	{ "{\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"b\":1}", NULL },
	{ "{\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{}", "arguments: has none of the allowed forms" },
	{ "{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"a\":1,\"b\":1}", "arguments: must have exactly one of the allowed forms" },
	{ "{\"not\":{\"required\":[\"a\"]}}", "{\"a\":1}", "arguments: has a form that is not allowed" },
	{ "{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]},\"else\":{\"required\":[\"c\"]}}", "{\"a\":1}", "b: is required" },
	{ "{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]},\"else\":{\"required\":[\"c\"]}}", "{}", "c: is required" },
	{ "{\"$defs\":{\"n\":{\"type\":\"integer\"}},\"properties\":{\"a\":{\"$ref\":\"#/$defs/n\"}}}", "{\"a\":\"x\"}", "a: must be an integer" },
	{ "{\"$defs\":{\"n\":{\"$anchor\":\"num\",\"type\":\"integer\"}},\"properties\":{\"a\":{\"$ref\":\"#num\"}}}", "{\"a\":\"x\"}",
	    "a: must be an integer" },
	{ "{\"properties\":{\"next\":{\"$ref\":\"#\"},\"v\":{\"type\":\"integer\"}}}", "{\"next\":{\"next\":{\"v\":\"x\"}}}",
	    "next.next.v: must be an integer" },
	{ "{\"$ref\":\"#\"}", "{}", "arguments: is nested too deeply" },
	{ O("\"a\":{\"pattern\":\"^[A-Z]{2}\\\\d+$\"}"), "{\"a\":\"AB12\"}", NULL },
	{ O("\"a\":{\"pattern\":\"^(?:x|y)\\\\.\\\\w$\"}"), "{\"a\":\"x.z\"}", NULL },
	{ O("\"a\":{\"pattern\":\"^[A-Z]{2}\\\\d+$\"}"), "{\"a\":\"ab12\"}", "a: must match ^[A-Z]{2}\\d+$" },
};

START_TEST(values)
{
	json_object *schema = parse(cases[_i].schema), *v = parse(cases[_i].value);
	enum err e = schema_check(&c, schema, v, false);

	if (cases[_i].message == NULL) {
		ck_assert_msg(e == E_OK, "%s: %s", cases[_i].value, ctx_message(&c));
		return;
	}
	ck_assert_int_eq(e, E_INVALID);
	ck_assert_str_eq(ctx_message(&c), cases[_i].message);
}
END_TEST

static const struct {
	const char *schema, *why;
} refused[] = {
	{ "{\"patternProperties\":{}}", "schema: keyword \"patternProperties\" is not implemented" },
	{ "{\"properties\":{\"a\":{\"dependentRequired\":{}}}}", "a: keyword \"dependentRequired\" is not implemented" },
	{ "{\"properties\":{\"a\":{\"properties\":{\"b\":{\"type\":\"text\"}}}}}", "a.b: type: unknown type \"text\"" },
	{ "{\"properties\":{\"a\":{\"format\":\"ipv4\"}}}", "a: format \"ipv4\" is not implemented" },
	{ "{\"properties\":{\"a\":{\"minimum\":\"1\"}}}", "a: minimum: must be a number" },
	{ "{\"properties\":{\"a\":{\"maxLength\":-1}}}", "a: maxLength: is too small" },
	{ "{\"properties\":{\"a\":{\"multipleOf\":0}}}", "a: multipleOf: is too small" },
	{ "{\"properties\":{\"a\":{\"uniqueItems\":true}}}", "a: uniqueItems: needs maxItems of at most 1000" },
	{ "{\"properties\":{\"a\":{\"enum\":[]}}}", "a: enum: must be an array that is not empty" },
	{ "{\"properties\":{\"a\":{\"default\":null}}}", "schema: a: a default of null is not implemented" },
	{ "{\"properties\":{\"a\":5}}", "a: must be an object, true or false" },
	{ "{\"$ref\":\"https://elsewhere.example/schema\"}", "schema: $ref: only references into the same schema are implemented" },
	{ "{\"$ref\":\"#/$defs/none\"}", "schema: $ref: nothing at \"#/$defs/none\"" },
	{ "{\"$defs\":{\"x\":{\"contains\":{}}}}", "x: keyword \"contains\" is not implemented" },
	{ "{\"properties\":{\"a\":{\"pattern\":\"(?=x)\"}}}", "a: pattern: \"(?=x)\" has no POSIX form" },
	{ "{\"properties\":{\"a\":{\"pattern\":\"(\"}}}", "a: pattern: \"(\" is not an expression" },
	{ "{\"anyOf\":[]}", "schema: anyOf: must be an array that is not empty" },
	{ "[]", "schema: must be an object" },
};

START_TEST(schemas)
{
	char why[256] = "";

	ck_assert(!schema_supported(parse(refused[_i].schema), why, sizeof(why)));
	ck_assert_str_eq(why, refused[_i].why);
}
END_TEST

START_TEST(filling)
{
	json_object *schema = parse(O("\"limit\":{\"type\":\"integer\",\"default\":10},\"q\":{\"type\":\"string\"},\"l\":{\"type\":\"array\","
		"\"items\":{\"type\":\"integer\"},\"default\":[1]}"));
	json_object *v = parse("{\"limit\":5.0,\"q\":\"x\"}"), *w = parse("{}"), *z = parse("{}");

	ck_assert_int_eq(schema_check(&c, schema, v, true), E_OK);
	ck_assert_str_eq(json_object_to_json_string_ext(v, 0), "{\"limit\":5,\"q\":\"x\",\"l\":[1]}");
	ck_assert_int_eq(schema_check(&c, schema, w, true), E_OK);
	ck_assert_str_eq(json_object_to_json_string_ext(w, 0), "{\"limit\":10,\"l\":[1]}");
	/* a default is a copy: changing one value leaves the next alone */
	json_object_array_add(json_object_object_get(w, "l"), json_object_new_int(2));
	ck_assert_int_eq(schema_check(&c, schema, z, true), E_OK);
	ck_assert_str_eq(json_object_to_json_string_ext(z, 0), "{\"limit\":10,\"l\":[1]}");
	/* nothing is filled in without fill */
	json_object_object_del(z, "limit");
	ck_assert_int_eq(schema_check(&c, schema, z, false), E_OK);
	ck_assert(!json_object_object_get_ex(z, "limit", NULL));
}
END_TEST

/* The fixture of the protocol's conformance tests. */
START_TEST(fixture_2020_12)
{
	static const char text[] =
		"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"$defs\":{\"address\":{\"$anchor\":\"addressDef\","
		"\"type\":\"object\",\"properties\":{\"street\":{\"type\":\"string\"},\"city\":{\"type\":\"string\"}}}},\"properties\":{"
		"\"name\":{\"type\":\"string\"},\"address\":{\"$ref\":\"#/$defs/address\"},\"contactMethod\":{\"type\":\"string\",\"enum\":[\"phone\","
		"\"email\"]},\"phone\":{\"type\":\"string\"},\"email\":{\"type\":\"string\"}},\"allOf\":[{\"anyOf\":[{\"required\":[\"phone\"]},"
		"{\"required\":[\"email\"]}]}],\"if\":{\"properties\":{\"contactMethod\":{\"const\":\"phone\"}},\"required\":[\"contactMethod\"]},"
		"\"then\":{\"required\":[\"phone\"]},\"else\":{\"required\":[\"email\"]},\"additionalProperties\":false}";
	json_object *schema = parse(text);

	ck_assert_int_eq(schema_check(&c, schema, parse("{\"contactMethod\":\"phone\",\"phone\":\"1\"}"), true), E_OK);
	ck_assert_int_eq(schema_check(&c, schema, parse("{\"email\":\"e\",\"address\":{\"city\":\"x\"}}"), true), E_OK);
	ck_assert_int_eq(schema_check(&c, schema, parse("{\"contactMethod\":\"phone\",\"email\":\"e\"}"), true), E_INVALID);
	ck_assert_str_eq(ctx_message(&c), "phone: is required");
	ctx_clear_error(&c);
	ck_assert_int_eq(schema_check(&c, schema, parse("{\"email\":\"e\",\"address\":{\"city\":5}}"), true), E_INVALID);
	ck_assert_str_eq(ctx_message(&c), "address.city: must be a string");
	ctx_clear_error(&c);
	ck_assert_int_eq(schema_check(&c, schema, parse("{\"email\":\"e\",\"more\":5}"), true), E_INVALID);
	ck_assert_str_eq(ctx_message(&c), "unknown argument: more");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("schema");
	TCase *t = tcase_create("schema");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, values, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(t, schemas, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(t, filling);
	tcase_add_test(t, fixture_2020_12);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
