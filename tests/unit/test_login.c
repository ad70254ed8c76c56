/* Passwords, second factors, tokens of the shop's site, where a browser may be sent. */
#include "unit.h"

#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>
#include <time.h>

#include "auth/customer_token.h"
#include "auth/login.h"
#include "auth/password.h"
#include "auth/staff.h"
#include "auth/totp.h"
#include "core/config.h"
#include "core/log.h"
#include "servers.h"
#include "store/db.h"

static struct arena arena;
static struct ctx c;

static void
setup(void)
{
	char err[256];

	ck_assert_msg(cfg_load(NULL, err, sizeof(err)), "%s", err);
	log_init("test", "/dev/null", "debug");
	arena_init(&arena, 4 << 20);
	c = (struct ctx){ .a = &arena, .deadline_ms = now_ms() + 10000 };
}

START_TEST(passwords)
{
	char hash[PASSWORD_HASH_MAX], other[PASSWORD_HASH_MAX], longest[PASSWORD_MAX + 2];

	setup();
	ck_assert_int_eq(password_hash(&c, "correct horse", hash), E_OK);
	ck_assert_int_eq(password_hash(&c, "correct horse", other), E_OK);
	ck_assert_str_ne(hash, other);
	ck_assert_int_eq(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	ck_assert(password_verify(hash, "correct horse"));
	ck_assert(!password_verify(hash, "correct hors"));
	ck_assert(!password_verify(hash, ""));
	ck_assert(!password_verify(NULL, "correct horse"));
	ck_assert(!password_is_old(hash));
	ck_assert(password_is_old("$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"));
	ck_assert_int_eq(password_hash(&c, "too short 1", hash), E_INVALID);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_int_eq(password_hash(&c, longest, hash), E_INVALID);
	longest[PASSWORD_MAX] = '\0';
	ck_assert_int_eq(password_hash(&c, longest, hash), E_OK);
	longest[PASSWORD_MAX] = 'x';
	ck_assert(!password_verify(hash, longest));
}
END_TEST

/* RFC 6238, appendix B, the last six of eight digits. */
START_TEST(totp_of_the_standard)
{
	static const struct {
		int64_t at;
		const char *code;
	} vectors[] = {
		{ 59, "287082" }, { 1111111109, "081804" }, { 1111111111, "050471" }, { 1234567890, "005924" }, { 2000000000, "279037" },
		{ 20000000000, "353130" },
	};
	static const unsigned char key[TOTP_KEY_LEN] = "12345678901234567890";
	char code[TOTP_DIGITS + 1], text[TOTP_BASE32_LEN + 1];

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		int64_t at = vectors[i].at;

		totp_code(key, at / TOTP_STEP_S, code);
		ck_assert_str_eq(code, vectors[i].code);
		ck_assert_int_eq(totp_match(key, code, at), at / TOTP_STEP_S);
		ck_assert_int_eq(totp_match(key, code, at + TOTP_STEP_S), at / TOTP_STEP_S);
		ck_assert_int_eq(totp_match(key, code, at + 2 * TOTP_STEP_S), 0);
	}
	ck_assert_int_eq(totp_match(key, "28708", 59), 0);
	ck_assert_int_eq(totp_match(key, "2870820", 59), 0);
	totp_base32(key, text);
	ck_assert_str_eq(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}
END_TEST

/* A sealed key opens for its own account alone. */
START_TEST(sealed_keys)
{
	static const unsigned char key[TOTP_KEY_LEN] = "12345678901234567890";
	unsigned char back[TOTP_KEY_LEN];
	const char *sealed;
	char *changed;

	setup();
	sealed = totp_seal(&c, "7", key);
	ck_assert_ptr_nonnull(sealed);
	ck_assert(totp_open("7", sealed, back));
	ck_assert_int_eq(memcmp(key, back, sizeof(key)), 0);
	ck_assert(!totp_open("8", sealed, back));
	changed = arena_strdup(&arena, sealed);
	changed[60] = changed[60] == '0' ? '1' : '0';
	ck_assert(!totp_open("7", changed, back));
	ck_assert(!totp_open("7", "", back));
}
END_TEST

START_TEST(recovery_codes_as_they_are_typed)
{
	char a[65], b[65];

	setup();
	ck_assert(staff_recovery_hash("7", "abcd-efgh-jkmn-pqrs", a));
	ck_assert(staff_recovery_hash("7", "ABCD EFGH JKMN PQRS", b));
	ck_assert_str_eq(a, b);
	ck_assert(staff_recovery_hash("8", "abcdefghjkmnpqrs", b));
	ck_assert_str_ne(a, b);
	ck_assert(!staff_recovery_hash("7", "287082", b));
	ck_assert(!staff_recovery_hash("7", "abcd-efgh-jkmn-pqr!", b));
	ck_assert(!staff_recovery_hash("7", "abcd-efgh-jkmn-pqrst", b));
}
END_TEST

START_TEST(where_a_browser_may_be_sent)
{
	static const char *const good[] = { "/", "/oauth/authorize?client_id=x&state=%2F%2Fevil", "/a//b" };
	static const char *const bad[] = { "", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example",
		"/a b", "/\r\nX: y", "/\xc3\xa9", "evil", " /", "\\/evil" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(login_next_ok(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!login_next_ok(bad[i]), "%s", bad[i]);
}
END_TEST

/* ---- RS256 of the shop's site ------------------------------------------------------- */

static char private_pem[4096], public_pem[4096], pem_path[] = "/tmp/souk-unit-XXXXXX";

static void
make_rsa(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIO *b = BIO_new(BIO_s_mem());
	int fd = mkstemp(pem_path), n;
	char keys[256];

	ck_assert(key != NULL && b != NULL && fd >= 0);
	ck_assert_int_eq(PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_read(b, private_pem, sizeof(private_pem) - 1);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(PEM_write_bio_PUBKEY(b, key), 1);
	n = BIO_read(b, public_pem, sizeof(public_pem) - 1);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(write(fd, public_pem, (size_t)n), n);
	(void)close(fd);
	BIO_free(b);
	EVP_PKEY_free(key);
	(void)snprintf(keys, sizeof(keys), "rs:RS256:%s, hs:HS256:0123456789012345678901234567890123456789", pem_path);
	ck_assert_int_eq(setenv("CUSTOMER_TOKEN_KEYS", keys, 1), 0);
	ck_assert_int_eq(setenv("CUSTOMER_TOKEN_AUDIENCE", "https://souk.example", 1), 0);
}

static const char *
make_jwt(const char *kid, jwt_alg_t alg, const char *key, const char *sub)
{
	jwt_t *j = NULL;
	char *text;
	const char *kept;

	ck_assert_int_eq(jwt_new(&j), 0);
	ck_assert_int_eq(jwt_set_alg(j, alg, (const unsigned char *)key, (int)strlen(key)), 0);
	ck_assert_int_eq(jwt_add_header(j, "kid", kid), 0);
	ck_assert_int_eq(jwt_add_grant(j, "sub", sub), 0);
	ck_assert_int_eq(jwt_add_grant(j, "aud", "https://souk.example"), 0);
	ck_assert_int_eq(jwt_add_grant_int(j, "exp", time(NULL) + 600), 0);
	text = jwt_encode_str(j);
	ck_assert_ptr_nonnull(text);
	kept = arena_strdup(&arena, text);
	free(text);
	jwt_free(j);
	return kept;
}

static enum err
resolve(const char *text, struct subject *who)
{
	struct bearer b = { .text = text, .remote_ip = "192.0.2.1", .base_url = "https://elsewhere.example" };

	ctx_clear_error(&c);
	ck_assert(customer_token_is(&c, text));
	return customer_token_resolve(&c, &b, who);
}

START_TEST(tokens_of_the_site_by_a_public_key)
{
	static const struct sql add = { "t_customer", "INSERT INTO shop.customers (name) VALUES ('Site') RETURNING id" };
	struct subject who;
	const char *id;
	size_t n;

	make_rsa();
	setup();
	db_use_owner();
	ck_assert_int_eq(db_begin(&c, DB_WRITE, NULL), E_OK);
	ck_assert_int_eq(db_text(&c, &add, 0, NULL, &id, &n), E_OK);
	ck_assert_int_eq(db_commit(&c), E_OK);
	ck_assert_int_eq(resolve(make_jwt("rs", JWT_ALG_RS256, private_pem, id), &who), E_OK);
	ck_assert_str_eq(who.kind, "customer");
	ck_assert_str_eq(who.customer_id, id);
	/* the public key taken for a shared secret, another algorithm, another key's name */
	ck_assert_int_eq(resolve(make_jwt("rs", JWT_ALG_HS256, public_pem, id), &who), E_UNAUTHENTICATED);
	ck_assert_int_eq(resolve(make_jwt("rs", JWT_ALG_RS512, private_pem, id), &who), E_UNAUTHENTICATED);
	ck_assert_int_eq(resolve(make_jwt("hs", JWT_ALG_RS256, private_pem, id), &who), E_UNAUTHENTICATED);
	ck_assert_int_eq(resolve(make_jwt("hs", JWT_ALG_HS256, "0123456789012345678901234567890123456789", id), &who), E_OK);
	ck_assert_int_eq(resolve("sct_rs.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &who), E_UNAUTHENTICATED);
	ck_assert_int_eq(unlink(pem_path), 0);
	db_close_idle(0);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { passwords, totp_of_the_standard, sealed_keys, recovery_codes_as_they_are_typed, where_a_browser_may_be_sent,
		tokens_of_the_site_by_a_public_key, NULL };
	int status;

	if (!servers_start())
		return 0;
	status = unit_run("login", tests);
	servers_stop();
	return status;
}
