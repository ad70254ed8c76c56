/* One-time codes; see otp.h. */
#include "auth/otp.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/signed.h"
#include "auth/throttle.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "core/random.h"
#include "gen/sql.h"
#include "store/db.h"

#define EVEN_MS 120		/* more than making and queueing a message takes */
#define CODES 1000000

/* Keyed hash of challenge, NUL and code, in hexadecimal. */
static bool
hash_of(const char *challenge, const char *code, char hex[sizeof(((struct otp_code *)0)->hash)])
{
	unsigned char key[32], hash[crypto_generichash_BYTES];
	crypto_generichash_state st;

	if (!signed_key("souk one-time codes v1", key))
		return false;
	(void)crypto_generichash_init(&st, key, sizeof(key), sizeof(hash));
	(void)crypto_generichash_update(&st, (const unsigned char *)challenge, strlen(challenge) + 1);
	(void)crypto_generichash_update(&st, (const unsigned char *)code, strlen(code));
	(void)crypto_generichash_final(&st, hash, sizeof(hash));
	sodium_bin2hex(hex, sizeof(hash) * 2 + 1, hash, sizeof(hash));
	sodium_memzero(key, sizeof(key));
	return true;
}

/* The caller's own address first: who is over that limit must not use up the limits of others. */
static enum err
admit(struct ctx *c, const struct otp_request *r)
{
	if (throttle_address(c, r->number != NULL ? "guest" : "login", r->remote_ip))
		return c->err;
	if (r->number == NULL)
		return throttle_hit(c, "guest", "customer", r->email);
	return throttle_hit(c, "guest", "order", r->number) ? c->err : throttle_hit(c, "guest", "email", r->email);
}

enum err
otp_admit_contact(struct ctx *c, const char *email, const char *remote_ip)
{
	return throttle_address(c, "guest", remote_ip) ? c->err : throttle_hit(c, "guest", "email", email);
}

enum err
otp_make(struct ctx *c, struct otp_code *out)
{
	random_base62(out->challenge, OTP_ID_LEN);
	(void)snprintf(out->digits, sizeof(out->digits), "%06u", (unsigned)randombytes_uniform(CODES));
	if (hash_of(out->challenge, out->digits, out->hash))
		return E_OK;
	log_event(LOG_ERROR_, c, "TOKEN_PEPPER is not set: no code can be made");
	return fail(c, E_UNAVAILABLE, NULL);
}

void
otp_sent(struct ctx *c, const struct otp_code *code)
{
	if (cfg_bool("LOGIN_CODE_LOG"))
		log_event(LOG_WARN_, c, "one-time code, shown because LOGIN_CODE_LOG is on", LOG_S("challenge", code->challenge),
			LOG_S("code", code->digits));
}

static enum err
store(struct ctx *c, const struct otp_request *r, const struct otp_code *code)
{
	const char *v[] = { code->challenge, r->number != NULL ? "guest" : "customer", code->hash, r->number, r->email, code->digits, r->locale };
	PGresult *sent;
	enum err e;

	if ((e = db_begin(c, DB_WRITE, NULL)) != E_OK)
		return e;
	e = db_exec(c, &sql_login_code_create, sizeof(v) / sizeof(v[0]), v, &sent);
	if (e == E_OK)
		e = db_commit(c);
	if (e != E_OK) {
		db_rollback(c);
		return e;
	}
	if (PQntuples(sent) > 0)
		otp_sent(c, code);
	return E_OK;
}

enum err
otp_start(struct ctx *c, const struct otp_request *r, char challenge[OTP_ID_LEN + 1])
{
	int64_t start = now_us();
	struct otp_code code;
	enum err e;

	challenge[0] = '\0';
	if (admit(c, r) || otp_make(c, &code))
		return c->err;
	e = store(c, r, &code);
	memcpy(challenge, code.challenge, sizeof(code.challenge));
	sodium_memzero(&code, sizeof(code));
	throttle_even_out(start, EVEN_MS);
	return e;
}

static enum err
try_code(struct ctx *c, bool guest, const char *challenge, const char *hex, struct otp_proof *out)
{
	const char *v[3] = { challenge, guest ? "guest" : "customer", hex };
	PGresult *r;
	enum err e;

	if ((e = db_begin(c, DB_WRITE, NULL)) != E_OK)
		return e;
	e = db_exec(c, &sql_login_code_try, 3, v, &r);
	if (e == E_OK)
		e = db_commit(c);
	if (e != E_OK) {
		db_rollback(c);
		return e;
	}
	if (PQntuples(r) == 0 || PQgetvalue(r, 0, 0)[0] != 't')
		return fail(c, E_UNAUTHENTICATED, NULL);
	if (guest && !PQgetisnull(r, 0, 4)) {
		out->visitor = PQgetvalue(r, 0, 4);
		out->ticket_number = PQgetvalue(r, 0, 5);
	} else if (guest) {
		out->order_id = PQgetvalue(r, 0, 2);
		out->order_number = PQgetvalue(r, 0, 3);
	} else {
		out->customer_id = PQgetvalue(r, 0, 1);
	}
	return E_OK;
}

enum err
otp_verify(struct ctx *c, bool guest, const char *challenge, const char *code, const char *remote_ip, struct otp_proof *out)
{
	char hex[sizeof(((struct otp_code *)0)->hash)];
	int64_t start = now_us();
	enum err e;

	*out = (struct otp_proof){ 0 };
	if (!hash_of(challenge, code, hex))
		return fail(c, E_UNAVAILABLE, NULL);
	e = try_code(c, guest, challenge, hex, out);
	if (e == E_UNAUTHENTICATED) {
		ctx_clear_error(c);
		/* guessing at many challenges is guessing too */
		if (throttle_address(c, "auth", remote_ip) == E_OK)
			(void)fail(c, E_UNAUTHENTICATED, "this code is not right, was used, or is too old; after %d tries ask for a new one", 5);
		e = c->err;
	}
	throttle_even_out(start, EVEN_MS / 2);
	return e;
}
