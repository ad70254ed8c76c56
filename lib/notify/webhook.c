/* The channel webhook; see webhook.h. */
#include "notify/webhook.h"

#include <sodium.h>
#include <string.h>

#include "auth/signed.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "gen/sql.h"
#include "notify/channel.h"
#include "ops/metrics.h"
#include "store/db.h"
#include "store/fetch.h"

#define ANSWER_MAX 65536	/* of what an endpoint answers; nobody reads it */
#define TIMEOUT_MS 10000

enum err
webhook_secret(struct ctx *c, const char *id, const char *salt, char out[WEBHOOK_SECRET_MAX])
{
	const char *of = arena_printf(c->a, "%s|%s", id, salt);
	unsigned char key[32], hash[32];
	char text[48];

	if (!signed_key("outgoing webhooks", key))
		return fail(c, E_UNAVAILABLE, "TOKEN_PEPPER is not set");
	(void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)of, strlen(of), key, sizeof(key));
	sodium_memzero(key, sizeof(key));
	sodium_bin2base64(text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	(void)snprintf(out, WEBHOOK_SECRET_MAX, "whsec_%s", text);
	sodium_memzero(hash, sizeof(hash));
	sodium_memzero(text, sizeof(text));
	return E_OK;
}

static void
hmac(const char *secret, const char *head, const char *body, size_t n, char hex[65])
{
	crypto_auth_hmacsha256_state state;
	unsigned char sum[32];

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, strlen(head));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, n);
	crypto_auth_hmacsha256_final(&state, sum);
	sodium_bin2hex(hex, 65, sum, sizeof(sum));
}

const char *
webhook_sign(struct ctx *c, const char *secret, const char *previous, int64_t t, const char *body, size_t n)
{
	const char *head = arena_printf(c->a, "%lld.", (long long)t);
	char now[65], before[65];

	hmac(secret, head, body, n, now);
	if (previous == NULL)
		return arena_printf(c->a, "t=%lld,v1=%s", (long long)t, now);
	hmac(previous, head, body, n, before);
	return arena_printf(c->a, "t=%lld,v1=%s,v1=%s", (long long)t, now, before);
}

/* ---- one attempt ---- */

/* What sql/query/webhook_find.sql gives. */
enum { F_URL, F_SALT, F_PREVIOUS, F_DISABLED, F_EVENT, F_BODY };

static enum err
post(struct ctx *c, const char *endpoint, const char *event, PGresult *r, const struct delivery *d, struct fetch_reply *reply)
{
	char secret[WEBHOOK_SECRET_MAX], previous[WEBHOOK_SECRET_MAX];
	bool two = !PQgetisnull(r, 0, F_PREVIOUS);
	const char *body = PQgetvalue(r, 0, F_BODY);
	size_t n = (size_t)PQgetlength(r, 0, F_BODY);
	struct fetch_header headers[] = { { "Content-Type", "application/json" }, { "Souk-Signature", "" }, { "Souk-Event", PQgetvalue(r, 0, F_EVENT) },
		{ "Souk-Event-Id", event }, { "Souk-Attempt", arena_printf(c->a, "%d", d->attempt) }, { NULL, NULL } };
	struct fetch_request req = { .url = PQgetvalue(r, 0, F_URL), .headers = headers, .body = body, .bodysz = n, .body_max = ANSWER_MAX,
		.timeout_ms = TIMEOUT_MS, .public_only = true };

	memset(reply, 0, sizeof(*reply));
	reply->fault = FETCH_HELD_BACK;
	reply->why = "TOKEN_PEPPER is not set";
	if (webhook_secret(c, endpoint, PQgetvalue(r, 0, F_SALT), secret) || (two && webhook_secret(c, endpoint, PQgetvalue(r, 0, F_PREVIOUS), previous)))
		return c->err;
	headers[1].value = webhook_sign(c, secret, two ? previous : NULL, wall_ms() / 1000, body, n);
	return fetch(c, &req, reply);
}

/* Write the attempt down, and what it says of the endpoint. */
static bool
note(struct ctx *c, const char *endpoint, const char *event, const struct delivery *d, const struct fetch_reply *reply, const struct outcome *out)
{
	bool gone = reply->status == 410, last = d->age_s >= cfg_int("WEBHOOK_RETRY_H") * 3600;
	const char *v[9] = { endpoint, event, d->id, arena_printf(c->a, "%d", d->attempt), arena_printf(c->a, "%d", reply->took_ms),
		arena_printf(c->a, "%d", reply->status), out->kind == OUTCOME_SENT ? NULL : out->reason, gone ? "gone" : last ? "last" : "",
		arena_printf(c->a, "%lld", (long long)cfg_int("WEBHOOK_RETRY_H")) };
	const char *disabled = NULL;
	size_t n;

	metrics_count("souk_webhook_deliveries_total", "result", out->kind == OUTCOME_SENT ? "delivered" : "failed");
	ctx_clear_error(c);
	return db_call(c, DB_WRITE, NULL, &sql_webhook_note, 9, v, &disabled, &n) == E_OK;
}

void
webhook_send(struct ctx *c, const struct delivery *d, struct outcome *out)
{
	const char *endpoint = json_object_get_string(json_object_object_get(d->data, "endpoint"));
	const char *event = json_object_get_string(json_object_object_get(d->data, "event"));
	const char *v[2] = { endpoint, event };
	struct fetch_reply reply;
	PGresult *r;

	*out = (struct outcome){ .kind = OUTCOME_PARK, .reason = "the endpoint or the event is no longer there" };
	if (endpoint == NULL || event == NULL)
		return;
	if (db_begin(c, DB_READ, NULL) || db_exec(c, &sql_webhook_find, 2, v, &r) || db_commit(c)) {
		*out = (struct outcome){ .kind = OUTCOME_HOLD, .reason = "the database did not answer" };
		return;
	}
	if (PQntuples(r) == 0)
		return;
	if (PQgetvalue(r, 0, F_DISABLED)[0] == 't') {
		out->reason = "the endpoint is disabled";
		return;
	}
	if (post(c, endpoint, event, r, d, &reply) != E_OK) {
		channel_no_answer(&reply, out);
	} else if (reply.status >= 200 && reply.status < 300) {
		*out = (struct outcome){ .kind = OUTCOME_SENT };
	} else {
		out->kind = reply.status == 410 ? OUTCOME_PARK : OUTCOME_RETRY;
		out->reason = arena_printf(c->a, "the endpoint answered %d", reply.status);
		out->wait_s = reply.retry_after_s;
	}
	if (out->kind != OUTCOME_HOLD && !note(c, endpoint, event, d, &reply, out))
		out->kind = out->kind == OUTCOME_SENT ? OUTCOME_SENT : OUTCOME_RETRY;
}
