/* The tool table, arguments from query strings, and the masking of records. */
#include <check.h>
#undef fail	/* one of Check's old names, and one of ours */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "tool/record.h"
#include "tool/registry.h"
#include "tool/rest.h"
#include "tool/schema.h"

static struct arena arena;
static struct req r;

static void
setup(void)
{
	arena_init(&arena, 64u << 20);
	r = (struct req){ .c = { .a = &arena } };
}

static void
teardown(void)
{
	arena_release(&arena);
}

/* ---- contracts -------------------------------------------------------------- */

#define GOOD \
	"{\"name\":\"t\",\"title\":\"T\",\"description\":\"D\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}," \
	"\"outputSchema\":{\"type\":\"object\"},\"annotations\":{\"readOnlyHint\":true,\"destructiveHint\":false,\"idempotentHint\":true," \
	"\"openWorldHint\":false},\"x-scope\":\"none\",\"x-rate\":\"data\",\"x-servers\":[\"catalog\"]}"

/* A change of GOOD: the text from is replaced by to. */
static const struct {
	const char *from, *to, *why;
} broken[] = {
	{ "{\"name\"", "{name", "JSON: byte 1" },
	{ "\"name\":\"t\",", "", "name is missing" },
	{ "\"name\":\"t\"", "\"name\":\"u\"", "name is \"u\" but the file's is \"t\"" },
	{ "\"title\":\"T\",", "", "title is missing" },
	{ "\"title\":\"T\"", "\"title\":\"\"", "title must be a text that is not empty" },
	{ "\"description\":\"D\",", "", "description is missing" },
	{ "\"x-scope\":\"none\",", "", "x-scope is missing" },
	{ "\"x-scope\":\"none\"", "\"x-scope\":\"all\"", "x-scope \"all\" is neither none nor area:verb" },
	{ "\"x-scope\":\"none\"", "\"x-scope\":\"*\"", "x-scope \"*\" is neither none nor area:verb" },
	{ "\"x-rate\":\"data\",", "", "x-rate is missing" },
	{ "\"x-rate\":\"data\"", "\"x-rate\":\"fast\"", "x-rate \"fast\" is no rate class" },
	{ "\"x-servers\":[\"catalog\"]", "\"x-servers\":\"catalog\"", "x-servers is missing" },
	{ "\"x-servers\":[\"catalog\"]", "\"x-servers\":[\"katalog\"]", "x-servers: there is no server \"katalog\"" },
	{ "\"x-servers\":[\"catalog\"]", "\"x-servers\":[\"catalog\",\"catalog\"]", "x-servers: \"catalog\" twice" },
	{ "\"x-servers\":[\"catalog\"]", "\"x-servers\":[{\"catalog\":\"other\"}]", "x-servers: \"other\" is not among x-aliases" },
	{ "\"x-servers\"", "\"x-aliases\":[\"Bad Name\"],\"x-servers\"", "x-aliases: names must be 1 to 40 of [a-z0-9_]" },
	{ "\"x-servers\"", "\"x-aliases\":[\"t\"],\"x-servers\"", "the name \"t\" belongs to catalog/t too" },
	{ "\"x-servers\"", "\"x-typo\":1,\"x-servers\"", "unknown member x-typo" },
	{ "\"x-servers\"", "\"x-handler\":\"search_products\",\"x-servers\"", "x-handler and a statement: one of them" },
	{ "\"x-servers\"", "\"x-transaction\":\"none\",\"x-servers\"", "x-transaction may only be \"none\", with x-handler" },
	{ "\"x-servers\"", "\"x-interaction\":\"TALK\",\"x-servers\"", "x-interaction is not a type of interaction" },
	{ "\"x-servers\"", "\"x-rest\":{\"method\":\"GET\"},\"x-servers\"", "path is missing" },
	{ "\"x-servers\"", "\"x-rest\":{\"method\":\"GOT\",\"path\":\"/x\"},\"x-servers\"", "x-rest: method or path is not valid" },
	{ "\"x-servers\"", "\"x-rest\":{\"method\":\"GET\",\"path\":\"/x\",\"q\":\"\"},\"x-servers\"", "x-rest: q is unknown or of a wrong type" },
	{ "\"x-servers\"", "\"x-handles\":\"guest\",\"x-servers\"", "x-handles must be an array" },
	{ "\"x-servers\"", "\"x-handles\":[\"a\"],\"x-servers\"", "x-handles: there is no handle \"a\"" },
	{ "\"x-servers\"", "\"x-handles\":[null],\"x-servers\"", "x-handles: there is no handle \"null\"" },
	{ "\"x-servers\"", "\"x-handles\":[\"guest\"],\"x-servers\"", "x-handles: inputSchema has no text \"guest\" with maxLength 127" },
	{ "\"destructiveHint\":false,", "", "annotations: destructiveHint is missing" },
	{ "\"readOnlyHint\":true", "\"readOnlyHint\":\"yes\"", "annotations: readOnlyHint is missing" },
	{ "\"inputSchema\":{\"type\":\"object\",", "\"inputSchema\":{", "inputSchema: type must be object" },
	{ ",\"properties\":{\"a\":{\"type\":\"string\"}}", "", "inputSchema: properties are missing" },
	{ "{\"type\":\"object\",\"properties\"", "{\"type\":\"object\",\"anyOf\":[{}],\"properties\"",
	    "inputSchema: anyOf at the root, which clients refuse" },
	{ "{\"type\":\"string\"}", "{\"type\":\"array\"}", "an array without items" },
	{ "{\"type\":\"string\"}", "{\"contains\":{}}", "inputSchema: a: keyword \"contains\" is not implemented" },
	{ "\"outputSchema\":{\"type\":\"object\"},", "", "outputSchema is missing" },
	{ "\"outputSchema\":{\"type\":\"object\"}", "\"outputSchema\":{\"type\":\"array\",\"items\":{}}", "outputSchema: type must be object" },
};

static const char *
replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	ck_assert_ptr_nonnull(at);
	return arena_printf(&arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

START_TEST(broken_contract)
{
	struct tool_file files[] = { { "catalog/t", replaced(GOOD, broken[_i].from, broken[_i].to), { "catalog/t", "SELECT 1" } }, { 0 } };
	char err[512] = "", want[512];

	ck_assert(!registry_load(files, err, sizeof(err)));
	(void)snprintf(want, sizeof(want), "tools/catalog/t.json: %s", broken[_i].why);
	ck_assert_msg(strncmp(err, want, strlen(want)) == 0, "got \"%s\", want \"%s\"", err, want);
	ck_assert_ptr_null(tools_all()->name);
	ck_assert_ptr_null(tool_find("t"));
}
END_TEST

#define WITH_HANDLE(max, required) \
	"{\"name\":\"t\",\"title\":\"T\",\"description\":\"D\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"guest\":{\"type\":\"string\",\"maxLength\":" max "}}" \
	required "},\"outputSchema\":{\"type\":\"object\"},\"annotations\":{\"readOnlyHint\":true,\"destructiveHint\":false,\"idempotentHint\":true," \
	"\"openWorldHint\":false},\"x-scope\":\"orders:read\",\"x-rate\":\"data\",\"x-handles\":[\"guest\"],\"x-servers\":[\"orders\"]}"

/* A handle is an optional argument that is long enough, of a tool that asks who speaks. */
START_TEST(handles)
{
	struct tool_file good[] = { { "orders/t", WITH_HANDLE("127", ""), { "orders/t", "SELECT $1" } }, { 0 } };
	struct tool_file tight[] = { { "orders/t", WITH_HANDLE("126", ""), { "orders/t", "SELECT $1" } }, { 0 } };
	struct tool_file needed[] = { { "orders/t", WITH_HANDLE("127", ",\"required\":[\"guest\"]"), { "orders/t", "SELECT $1" } }, { 0 } };
	struct tool_file nobody[] = { { "orders/t", WITH_HANDLE("127", ""), { "orders/t", "SELECT $1, $2" } }, { 0 } };
	char err[512] = "";

	ck_assert_msg(registry_load(good, err, sizeof(err)), "%s", err);
	ck_assert_uint_eq(tool_find("t")->handles, HANDLE_GUEST);
	ck_assert(!registry_load(tight, err, sizeof(err)));
	ck_assert_str_eq(err, "tools/orders/t.json: x-handles: inputSchema has no text \"guest\" with maxLength 127");
	ck_assert(!registry_load(needed, err, sizeof(err)));
	ck_assert_str_eq(err, "tools/orders/t.json: x-handles: guest must not be required: it is taken away");
	ck_assert(!registry_load(nobody, err, sizeof(err)));
	ck_assert_str_eq(err, "tools/orders/t.json: x-handles: a statement that takes $2 runs for nobody");
}
END_TEST

/* $2 means that the statement runs for nobody. */
START_TEST(for_nobody)
{
	struct tool_file reads[] = { { "catalog/t", GOOD, { "catalog/t", "SELECT $1, $2" } }, { 0 } };
	struct tool_file writes[] = {
		{ "catalog/t", replaced(GOOD, "\"readOnlyHint\":true", "\"readOnlyHint\":false"), { "catalog/t", "SELECT $1, $2" } }, { 0 },
	};
	char err[512] = "";

	ck_assert_msg(registry_load(reads, err, sizeof(err)), "%s", err);
	ck_assert_int_eq(tool_find("t")->nparams, 2);
	ck_assert(!registry_load(writes, err, sizeof(err)));
	ck_assert_str_eq(err, "tools/catalog/t.json: a statement that takes $2 runs for nobody, which a tool that writes must not");
}
END_TEST

START_TEST(without_work)
{
	struct tool_file none[] = { { "catalog/t", GOOD, { 0 } }, { 0 } };
	struct tool_file unknown[] = {
		{ "catalog/t", replaced(GOOD, "\"x-servers\"", "\"x-handler\":\"nobody\",\"x-servers\""), { 0 } }, { 0 },
	};
	char err[512] = "";

	ck_assert(!registry_load(none, err, sizeof(err)));
	ck_assert_str_eq(err, "tools/catalog/t.json: neither a statement nor x-handler");
	ck_assert(!registry_load(unknown, err, sizeof(err)));
	ck_assert_str_eq(err, "tools/catalog/t.json: x-handler \"nobody\" is unknown");
}
END_TEST

START_TEST(order_and_aliases)
{
	struct tool_file files[] = {
		{ "rest/z", replaced(replaced(GOOD, "\"t\"", "\"z\""), "[\"catalog\"]", "[]"), { "rest/z", "SELECT 1" } },
		{ "orders/b", replaced(GOOD, "\"t\"", "\"b\""), { "orders/b", "SELECT 1" } },
		{ "catalog/t",
		    replaced(GOOD, "\"x-servers\":[\"catalog\"]", "\"x-servers\":[\"catalog\",{\"storefront\":\"tt\"}],\"x-aliases\":[\"tt\",\"ttt\"]"),
		    { "catalog/t", "SELECT 1" } },
		{ 0 },
	};
	const struct tool *t;
	json_object *entry;
	struct buf b;
	const char *as;
	char err[512] = "";

	ck_assert_msg(registry_load(files, err, sizeof(err)), "%s", err);
	t = tools_all();
	ck_assert_str_eq(t[0].name, "t");
	ck_assert_str_eq(t[1].name, "b");
	ck_assert_str_eq(t[2].name, "z");
	ck_assert_ptr_null(t[3].name);
	ck_assert_ptr_eq(tool_find("ttt"), t);
	ck_assert_ptr_null(tool_find("tttt"));
	ck_assert(tool_listed(t, "storefront", &as));
	ck_assert_str_eq(as, "tt");
	ck_assert(tool_listed(t, NULL, &as));
	ck_assert_str_eq(as, "t");
	ck_assert(!tool_listed(t, "orders", &as));
	ck_assert(!tool_listed(&t[2], "", &as));
	buf_init(&b, &arena, 512, 65536);
	tool_put_entry(&b, t, "tt");
	ck_assert_int_eq(strncmp(b.p, "{\"name\":\"tt\",\"title\":\"T\"", 24), 0);
	ck_assert_ptr_null(strstr(b.p, "x-scope"));
	ck_assert_int_eq(json_parse(&r.c, b.p, b.n, &entry), E_OK);
	ck_assert(json_object_equal(tool_schema(t), json_object_object_get(entry, "inputSchema")));
	ck_assert_ptr_eq(tool_schema(t), tool_schema(t));
	ck_assert_str_eq(t->kind, "SEARCH");
}
END_TEST

START_TEST(same_name_twice)
{
	struct tool_file files[] = {
		{ "catalog/t", GOOD, { "catalog/t", "SELECT 1" } },
		{ "orders/b", replaced(replaced(GOOD, "\"t\"", "\"b\""), "\"x-servers\"", "\"x-aliases\":[\"t\"],\"x-servers\""), { "orders/b", "SELECT 1" } },
		{ 0 },
	};
	char err[512] = "";

	ck_assert(!registry_load(files, err, sizeof(err)));
	ck_assert_ptr_nonnull(strstr(err, "the name \"t\" belongs to"));
}
END_TEST

static size_t
listings(const struct tool *t)
{
	size_t n = 0;

	while (t->listings[n].server != NULL)
		n++;
	return n;
}

/* A program's own table is there without a call, and holds of each contract what its text says. */
START_TEST(embedded)
{
	char err[256];

	registry_use(&tool_table);
	ck_assert_ptr_nonnull(tool_find("search_products"));
	ck_assert_ptr_eq(tool_find("vivr_search_products"), tool_find("search_products"));
	for (const struct tool *t = tools_all(); t->name != NULL; t++) {
		json_object *o, *rest, *v;

		ck_assert_int_eq(json_parse(&r.c, t->text, strlen(t->text), &o), E_OK);
		ck_assert_str_eq(json_object_get_string(json_object_object_get(o, "name")), t->name);
		ck_assert_str_eq(json_object_get_string(json_object_object_get(o, "x-scope")), t->scope);
		ck_assert_str_eq(json_object_get_string(json_object_object_get(o, "x-rate")), t->rate);
		ck_assert(json_object_equal(json_object_object_get(o, "inputSchema"), tool_schema(t)));
		ck_assert_msg(schema_supported(tool_schema(t), err, sizeof(err)), "%s: %s", t->name, err);
		ck_assert_int_eq(json_parse(&r.c, t->text + t->output.at, t->output.n, &v), E_OK);
		ck_assert(json_object_equal(json_object_object_get(o, "outputSchema"), v));
		ck_assert_uint_eq(json_object_array_length(json_object_object_get(o, "x-servers")), listings(t));
		ck_assert_ptr_eq(tool_find(t->name), t);
		ck_assert(json_object_object_get_ex(o, "x-handler", &v) ? t->handler == handler_find(json_object_get_string(v)) : t->sql != NULL);
		if (json_object_object_get_ex(o, "x-rest", &rest))
			ck_assert_str_eq(json_object_get_string(json_object_object_get(rest, "path")), t->rest.path);
		else
			ck_assert_ptr_null(t->rest.path);
	}
}
END_TEST

/* ---- arguments from a query string ------------------------------------------ */

#define PROPS \
	"{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"},\"i\":{\"type\":\"integer\",\"maximum\":50},\"n\":{\"type\":\"number\"}," \
	"\"b\":{\"type\":\"boolean\"},\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"k\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}," \
	"\"additionalProperties\":false}"

static const struct {
	struct pair params[3];
	const char *args;	/* NULL: refused */
	const char *message;	/* by the conversion, or then by the validator */
} queries[] = {
	{ { { "s", "5", 1 }, { "i", "5", 1 } }, "{\"s\":\"5\",\"i\":5}", NULL },
	{ { { "i", "-7", 2 }, { "n", "19.90", 5 } }, "{\"i\":-7,\"n\":19.90}", NULL },
	{ { { "n", "1e2", 3 } }, "{\"n\":1e2}", NULL },
	{ { { "b", "true", 4 } }, "{\"b\":true}", NULL },
	{ { { "b", "0", 1 } }, "{\"b\":false}", NULL },
	{ { { "l", "a,b", 3 }, { "l", "c", 1 } }, "{\"l\":[\"a\",\"b\",\"c\"]}", NULL },
	{ { { "k", "1,2", 3 } }, "{\"k\":[1,2]}", NULL },
	{ { { "l", "", 0 } }, "{\"l\":[]}", NULL },
	{ { { "s", "", 0 } }, "{\"s\":\"\"}", NULL },
	{ { { "i", "5x", 2 } }, "{\"i\":\"5x\"}", "i: must be an integer" },
	{ { { "i", "", 0 } }, "{\"i\":\"\"}", "i: must be an integer" },
	{ { { "i", "010", 3 } }, "{\"i\":\"010\"}", "i: must be an integer" },
	{ { { "i", "+5", 2 } }, "{\"i\":\"+5\"}", "i: must be an integer" },
	{ { { "i", " 5", 2 } }, "{\"i\":\" 5\"}", "i: must be an integer" },
	{ { { "i", "99999999999999999999", 20 } }, "{\"i\":\"99999999999999999999\"}", "i: must be an integer" },
	{ { { "i", "51", 2 } }, "{\"i\":51}", "i: must be at most 50" },
	{ { { "n", "NaN", 3 } }, "{\"n\":\"NaN\"}", "n: must be a number" },
	{ { { "n", "0x10", 4 } }, "{\"n\":\"0x10\"}", "n: must be a number" },
	{ { { "b", "yes", 3 } }, "{\"b\":\"yes\"}", "b: must be true or false" },
	{ { { "k", "1,x", 3 } }, "{\"k\":[1,\"x\"]}", "k[1]: must be an integer" },
	{ { { "s", "a", 1 }, { "s", "b", 1 } }, NULL, "s: given twice" },
	{ { { "i", "1", 1 }, { "i", "1", 1 } }, NULL, "i: given twice" },
	{ { { "x", "1", 1 } }, NULL, "unknown parameter: x" },
};

START_TEST(query_arguments)
{
	json_object *schema, *args;
	struct pair params[3];

	ck_assert_int_eq(json_parse(&r.c, PROPS, strlen(PROPS), &schema), E_OK);
	memcpy(params, queries[_i].params, sizeof(params));
	r.params = params;
	while (r.nparams < 3 && params[r.nparams].name != NULL)
		r.nparams++;
	if (queries[_i].args == NULL) {
		ck_assert_int_eq(rest_args(&r, schema, &args), E_INVALID);
		ck_assert_str_eq(ctx_message(&r.c), queries[_i].message);
		return;
	}
	ck_assert_msg(rest_args(&r, schema, &args) == E_OK, "%s", ctx_message(&r.c));
	ck_assert_str_eq(json_object_to_json_string_ext(args, 0), queries[_i].args);
	ck_assert_int_eq(schema_check(&r.c, schema, args, true), queries[_i].message == NULL ? E_OK : E_INVALID);
	if (queries[_i].message != NULL)
		ck_assert_str_eq(ctx_message(&r.c), queries[_i].message);
}
END_TEST

/* The parameter by which the route was chosen is not an argument. */
START_TEST(route_parameter)
{
	static const struct route route = { .path = "/x", .query = "action=search" };
	struct pair params[] = { { "action", "search", 6 }, { "s", "a", 1 } };
	json_object *schema, *args;

	ck_assert_int_eq(json_parse(&r.c, PROPS, strlen(PROPS), &schema), E_OK);
	r.route = &route;
	r.params = params;
	r.nparams = 2;
	ck_assert_int_eq(rest_args(&r, schema, &args), E_OK);
	ck_assert_str_eq(json_object_to_json_string_ext(args, 0), "{\"s\":\"a\"}");
}
END_TEST

/* ---- masking ------------------------------------------------------------------ */

static const struct {
	const char *text;
	size_t max;
	const char *masked;
} masks[] = {
	{ "{\"query\":\"lamp\"}", 100, "{\"query\":\"lamp\"}" },
	{ "{\"email\":\"a@b.c\",\"n\":1}", 100, "{\"email\":\"[REDACTED]\",\"n\":1}" },
	{ "{\"customerEmail\" : \"a@b.c\"}", 100, "{\"customerEmail\" : \"[REDACTED]\"}" },
	{ "{\"shipping_address\":{\"street\":\"x\",\"l\":[1,{\"a\":\"}\"}]},\"n\":1}", 100, "{\"shipping_address\":\"[REDACTED]\",\"n\":1}" },
	{ "{\"phone\":12345}", 100, "{\"phone\":\"[REDACTED]\"}" },
	{ "{\"PHONE_NUMBER\":null,\"b\":2}", 100, "{\"PHONE_NUMBER\":\"[REDACTED]\",\"b\":2}" },
	{ "[{\"password\":\"x\\\"y\"},{\"cardNumber\":[\"4\"]}]", 100, "[{\"password\":\"[REDACTED]\"},{\"cardNumber\":\"[REDACTED]\"}]" },
	{ "{\"note\":\"email: x\",\"card\":\"4\",\"cards\":1,\"discard\":2}", 100, "{\"note\":\"email: x\",\"card\":\"[REDACTED]\",\"cards\":1,\"discard\":2}" },
	{ "{\"q\":\"\\\\\",\"email\":\"e\"}", 100, "{\"q\":\"\\\\\",\"email\":\"[REDACTED]\"}" },
	{ "{\"q\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}", 8, "{\"q\":\"\xc3\xa9\xc3\xa9" },
	{ "{\"email\":\"e\"}", 12, "{\"email\":\"[R" },
	{ "{\"a\":1}", 7, "{\"a\":1}" },
	{ "{}", 0, "" },
};

START_TEST(masking)
{
	struct buf b;

	buf_init(&b, &arena, 16, 1 << 16);
	record_mask(&b, masks[_i].text, strlen(masks[_i].text), masks[_i].max);
	ck_assert_str_eq(buf_str(&b), masks[_i].masked);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tool");
	TCase *t = tcase_create("tool");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, broken_contract, 0, sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(t, without_work);
	tcase_add_test(t, for_nobody);
	tcase_add_test(t, handles);
	tcase_add_test(t, order_and_aliases);
	tcase_add_test(t, same_name_twice);
	tcase_add_test(t, embedded);
	tcase_add_loop_test(t, query_arguments, 0, sizeof(queries) / sizeof(queries[0]));
	tcase_add_test(t, route_parameter);
	tcase_add_loop_test(t, masking, 0, sizeof(masks) / sizeof(masks[0]));
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
