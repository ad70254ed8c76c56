/* lib/auth: addresses that codes may go to, audiences, secrets at rest, signed tokens. */
#include "unit.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwt_text.h"
#include "auth/oauth_internal.h"
#include "auth/seal.h"
#include "core/config.h"
#include "core/json.h"

static struct arena arena;
static struct ctx c;

static void
begin(void)
{
	char err[256];

	setenv("TOKEN_PEPPER", "0123456789abcdef0123456789abcdef", 1);
	ck_assert_msg(cfg_load("/dev/null", err, sizeof(err)), "%s", err);
	c = unit_ctx(&arena, 8 << 20);
}

START_TEST(redirect_addresses)
{
	static const char *const good[] = { "https://claude.ai/api/mcp/auth_callback", "https://x", "http://localhost/callback", "http://127.0.0.1:33418",
		"http://[::1]:80/cb?x=1", "cursor://anysphere.cursor-mcp/oauth/callback", "com.example.app:/oauth2redirect", "https://a.example:8443/b" };
	static const char *const bad[] = { "", "x", ":x", "https://", "https:///x", "https://a#b", "https://u@a/", "http://a.example/", "http://127.0.0.1.evil/",
		"http://localhost.evil/", "http://127.1/", "http://localhost@evil/", "javascript:x", "data:,x", "file:///x", "https://a/ b", "https://a/\n", "https://a\\b", "https://a;b/", "https://a,b/", "https://*.a/", "https://[::1", "https://[a;b]/",
		"https://a/\x80", "HTTPS://a/", "https://a:b/", "http://[::1/x", "1x://y", "about:blank", "view-source:https://a", "app:" };

	begin();
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(redirect_fault(good[i]) == NULL, "%s: %s", good[i], redirect_fault(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(redirect_fault(bad[i]) != NULL, "%s is taken", bad[i]);
}
END_TEST

START_TEST(redirect_exactly_but_for_a_loopback_port)
{
	const struct oauth_client k = { .redirect_uris = { "http://127.0.0.1/callback", "http://[::1]:5/x", "http://localhost:1/", "https://a.example/cb", "app://cb/1", NULL } };
	static const char *const good[] = { "http://127.0.0.1/callback", "http://127.0.0.1:9/callback", "http://[::1]:65535/x", "http://[::1]/x", "http://localhost:8080/",
		"https://a.example/cb", "app://cb/1" };
	static const char *const bad[] = { "http://127.0.0.1:9/callback/", "http://localhost:9/callback", "http://127.0.0.1:9/callback?x", "https://a.example:443/cb", "https://a.example/cb/",
		"https://a.example/cb?x", "https://A.example/cb", "app://cb:7/1", "app://cb/2", "http://[::1]:5/y", "http://127.0.0.1:9", "https://127.0.0.1:9/callback",
		"http://127.0.0.1:9x/callback", "http://x@127.0.0.1:9/callback" };

	begin();
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(redirect_matches(&k, good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!redirect_matches(&k, bad[i]), "%s is taken", bad[i]);
}
END_TEST

START_TEST(audiences)
{
	static const char base[] = "https://shop.example/s";

	ck_assert(oauth_audience_fits("https://shop.example/s", base, "/api/x"));
	ck_assert(oauth_audience_fits("https://shop.example/s/mcp", base, "/mcp/orders"));
	ck_assert(oauth_audience_fits("https://shop.example/s/mcp", base, NULL));
	ck_assert(oauth_audience_fits("https://shop.example/s/mcp/orders", base, "/mcp/orders"));
	ck_assert(oauth_audience_fits("https://shop.example/s/mcp/orders", base, "/mcp/orders/"));
	ck_assert(!oauth_audience_fits("https://shop.example/s/mcp/orders", base, "/mcp"));
	ck_assert(!oauth_audience_fits("https://shop.example/s/mcp/orders", base, "/mcp/ordersx"));
	ck_assert(!oauth_audience_fits("https://shop.example/s/mcp/orders", base, "/mcp/orders/x"));
	ck_assert(!oauth_audience_fits("https://shop.example/s/mcp/orders", base, NULL));
	ck_assert(!oauth_audience_fits("https://shop.example/mcp", base, "/mcp"));
	ck_assert(!oauth_audience_fits("https://shop.example/sx", base, "/mcp"));
	ck_assert(!oauth_audience_fits("https://shop.example/s/mcp/", base, "/mcp"));
	ck_assert(!oauth_audience_fits("http://shop.example/s/mcp", base, "/mcp"));
}
END_TEST

START_TEST(sealed_for_one_place)
{
	const char *sealed, *opened;
	char *changed;
	size_t n;

	begin();
	sealed = seal_text(&c, "table.column:1", "a secret", 8);
	ck_assert(strncmp(sealed, "v1.", 3) == 0 && strstr(sealed, "secret") == NULL);
	opened = seal_open(&c, "table.column:1", sealed, &n);
	ck_assert(n == 8 && strcmp(opened, "a secret") == 0);
	ck_assert_ptr_null(seal_open(&c, "table.column:2", sealed, &n));
	for (size_t i = 0; i < strlen(sealed); i++) {
		changed = arena_strdup(&arena, sealed);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		/* the last character may hold bits that stand for nothing: those are refused too */
		ck_assert_msg(seal_open(&c, "table.column:1", changed, &n) == NULL, "character %zu", i);
	}
	ck_assert_ptr_null(seal_open(&c, "table.column:1", "", &n));
	ck_assert_ptr_null(seal_open(&c, "table.column:1", "v1.", &n));
}
END_TEST

START_TEST(jwt_of_our_key)
{
	struct jwt_pair pair, other;
	const char *text, *alg, *kid;
	json_object *claims;

	begin();
	ck_assert(jwt_pair_make(&c, &pair) && jwt_pair_make(&c, &other));
	ck_assert(strlen(pair.x) == 43 && strlen(pair.y) == 43 && strcmp(pair.x, other.x) != 0);
	text = jwt_text_sign(&c, "K1", pair.private_pem, "{\"sub\":\"svc_1\",\"exp\":2000000000}");
	ck_assert_ptr_nonnull(text);
	ck_assert(jwt_text_head(&c, text, &alg, &kid));
	ck_assert_str_eq(alg, "ES256");
	ck_assert_str_eq(kid, "K1");
	ck_assert(jwt_text_verify(&c, text, "ES256", pair.public_pem, strlen(pair.public_pem), &claims));
	ck_assert_str_eq(json_object_get_string(json_object_object_get(claims, "sub")), "svc_1");
	ck_assert(!jwt_text_verify(&c, text, "ES256", other.public_pem, strlen(other.public_pem), &claims));
	ck_assert(!jwt_text_verify(&c, text, "RS256", pair.public_pem, strlen(pair.public_pem), &claims));
	ck_assert(!jwt_text_verify(&c, text, "HS256", pair.public_pem, strlen(pair.public_pem), &claims));
	ck_assert(!jwt_text_verify(&c, text, "none", pair.public_pem, strlen(pair.public_pem), &claims));
	ck_assert(!jwt_text_head(&c, "eyJ", &alg, &kid) && !jwt_text_head(&c, "..", &alg, &kid) && !jwt_text_head(&c, "e30.e30.", &alg, &kid));
}
END_TEST

/* HS256 by a shop's site: {"sub":"7"} signed with "0123456789abcdef0123456789abcdef", made with openssl. */
START_TEST(jwt_of_a_shared_secret)
{
	static const char secret[] = "0123456789abcdef0123456789abcdef";
	static const char text[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3In0.Upi2r-BrjBso9w1lxexVHqT0LCsGSvEw42_8hSvfEdg";
	static const char unsigned_text[] = "eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.";
	json_object *claims;

	begin();
	ck_assert(jwt_text_verify(&c, text, "HS256", secret, sizeof(secret) - 1, &claims));
	ck_assert(!jwt_text_verify(&c, text, "ES256", secret, sizeof(secret) - 1, &claims));
	ck_assert(!jwt_text_verify(&c, text, "HS256", "1123456789abcdef0123456789abcdef", sizeof(secret) - 1, &claims));
	ck_assert(!jwt_text_verify(&c, unsigned_text, "HS256", secret, sizeof(secret) - 1, &claims));
	ck_assert(!jwt_text_verify(&c, unsigned_text, "none", secret, sizeof(secret) - 1, &claims));
	ck_assert(!jwt_text_verify(&c, unsigned_text, "none", "", 0, &claims));
}
END_TEST

START_TEST(lists_of_scopes)
{
	begin();
	ck_assert_str_eq(scopes_among(&c, "b:r a:w  a:w c:r", "a:w b:r"), "b:r a:w");
	ck_assert_str_eq(scopes_among(&c, "a", "a:w ab"), "");
	ck_assert_str_eq(scopes_among(&c, "", "a:w"), "");
	ck_assert(scope_listed("a:r b:r", "b:r", 3) && !scope_listed("a:r b:r", "b:", 2) && !scope_listed("", "b", 1));
}
END_TEST

/* What people are shown holds nothing that hides or turns around. */
START_TEST(names_of_clients)
{
	static const struct { const char *given, *shown; } cases[] = {
		{ "Claude", "Claude" }, { "  two\\t words\\n ", "two words" }, { "a\xe2\x80\xae" "b\xe2\x80\x8b\xef\xbb\xbf" "c", "abc" }, { "x\xc2\xad\xc2\x85y", "x y" },
		{ "\xe2\x81\xa6z\xe2\x81\xa9", "z" }, { "\xc3\xa9t\xc3\xa9 \xe2\x80\x9cq\xe2\x80\x9d \xf0\x9f\x9b\x92", "\xc3\xa9t\xc3\xa9 \xe2\x80\x9cq\xe2\x80\x9d \xf0\x9f\x9b\x92" },
		{ "\xe2\x80\x8b", "" }, { "\xf3\xa0\x81\x81tag", "tag" },
	};

	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *text = arena_printf(&arena, "{\"redirect_uris\":[\"https://x/\"],\"client_name\":\"%s\"}", cases[i].given);
		struct oauth_metadata m;
		json_object *o;

		ck_assert_int_eq(json_parse(&c, text, strlen(text), &o), E_OK);
		ck_assert(metadata_read(&c, o, &m));
		ck_assert_str_eq(m.name, cases[i].shown);
	}
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { redirect_addresses, redirect_exactly_but_for_a_loopback_port, audiences, sealed_for_one_place, jwt_of_our_key,
		jwt_of_a_shared_secret, lists_of_scopes, names_of_clients, NULL };

	return unit_run("oauth", tests);
}
