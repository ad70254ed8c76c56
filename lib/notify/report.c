/* Delivery reports; see report.h. */
#include "notify/report.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "core/log.h"
#include "gen/sql.h"
#include "store/db.h"
#include "web/page.h"
#include "web/req.h"

#define SHA1_LEN 20u
#define STATUSES_MAX 1000	/* of one call */
#define CHALLENGE_MAX 200

/* ---- what is told ---- */

struct report {
	const char *channel, *key, *id;	/* id: what the provider calls the message */
	const char *state;		/* the provider's word */
	const char *code;		/* the provider's code, "" without */
};

/* The words of Twilio and of Meta; NULL for those that say nothing. */
static const char *
meaning_of(const char *state)
{
	static const char *const words[][2] = {
		{ "accepted", "sent" }, { "queued", "sent" }, { "sending", "sent" }, { "sent", "sent" }, { "delivered", "delivered" }, { "read", "delivered" },
		{ "failed", "failed" }, { "undelivered", "failed" }, { "canceled", "failed" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i][0], state) == 0)
			return words[i][1];
	return NULL;
}

/* Codes by which a provider says that the recipient wants no more. */
static bool
is_opt_out(const char *code)
{
	return strcmp(code, "21610") == 0 || strcmp(code, "131050") == 0;
}

static enum err
take(struct ctx *c, const struct report *told)
{
	const char *meaning = meaning_of(told->state), *made;
	const char *v[6] = { told->channel, told->key, told->id, meaning, told->code, is_opt_out(told->code) ? "true" : "false" };
	size_t n;

	if (meaning == NULL)
		return E_OK;
	if (db_call(c, DB_WRITE, NULL, &sql_delivery_report, 6, v, &made, &n))
		return c->err;
	log_event(strcmp(meaning, "failed") == 0 ? LOG_WARN_ : LOG_INFO_, c, "delivery report", LOG_S("channel", told->channel), LOG_S("state", meaning),
		LOG_S("code", told->code), LOG_S("outcome", made));
	return E_OK;
}

/* ---- Twilio ---- */

const char *
report_twilio_url(struct ctx *c, const char *key)
{
	const char *set = cfg_str("TWILIO_STATUS_CALLBACK"), *public = cfg_str("PUBLIC_URL");

	if (set[0] != '\0')
		return set;
	return strncmp(public, "https://", 8) == 0 ? arena_printf(c->a, "%s/webhooks/twilio?message=%s", public, key) : NULL;
}

/* The URL without its port; itself when it has none. */
static const char *
without_port(struct ctx *c, const char *url)
{
	const char *host = strstr(url, "://"), *path, *port;

	if (host == NULL)
		return url;
	host += 3;
	path = host + strcspn(host, "/?");
	for (port = path; port > host && port[-1] >= '0' && port[-1] <= '9'; port--)
		;
	if (port == path || port == host || port[-1] != ':')
		return url;
	return arena_printf(c->a, "%s%s", arena_strndup(c->a, url, (size_t)(port - 1 - url)), path);
}

/* url and the fields, name and value, sorted by name. */
static const char *
signed_text(struct ctx *c, const char *url, const struct pair *fields, size_t n)
{
	const struct pair **sorted = arena_alloc(c->a, (n + 1) * sizeof(const struct pair *));
	struct buf b;

	for (size_t i = 0; i < n; i++) {
		size_t at = i;

		for (; at > 0 && strcmp(sorted[at - 1]->name, fields[i].name) > 0; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = &fields[i];
	}
	buf_init(&b, c->a, 1024, FORM_MAX + 4096);
	buf_puts(&b, url);
	for (size_t i = 0; i < n; i++) {
		buf_puts(&b, sorted[i]->name);
		buf_puts(&b, sorted[i]->value);
	}
	return buf_str(&b);
}

bool
report_twilio_signed(struct ctx *c, const char *signature, const char *url, const struct pair *fields, size_t n, const char *token)
{
	const char *urls[2] = { url, without_port(c, url) };
	bool fits = false;

	for (size_t i = 0; signature != NULL && i < 2; i++) {
		const char *text = signed_text(c, urls[i], fields, n);
		unsigned char mac[EVP_MAX_MD_SIZE];
		unsigned int len = 0;
		char want[40];

		if (HMAC(EVP_sha1(), token, (int)strlen(token), (const unsigned char *)text, strlen(text), mac, &len) == NULL || len != SHA1_LEN)
			return false;
		sodium_bin2base64(want, sizeof(want), mac, len, sodium_base64_VARIANT_ORIGINAL);
		fits |= strlen(signature) == strlen(want) && sodium_memcmp(signature, want, strlen(want)) == 0;
	}
	return fits;
}

static const char *
field(const struct pair *fields, size_t n, const char *name)
{
	const char *v = form_value(fields, n, name);

	return v != NULL ? v : "";
}

enum err
report_twilio(struct req *r)
{
	const char *token = cfg_str("TWILIO_AUTH_TOKEN"), *key = req_param(r, "message"), *url;
	struct report told = { .channel = "sms", .key = key };
	struct pair *fields;
	size_t n;

	if (token[0] == '\0' || cfg_str("TWILIO_STATUS_CALLBACK")[0] != '\0' || (url = report_twilio_url(&r->c, key != NULL ? key : "")) == NULL)
		return fail(&r->c, E_NOT_FOUND, "reports of text messages are not expected here");
	if (key == NULL)
		return fail(&r->c, E_INVALID, "message: is missing");
	if (form_parse(r, &fields, &n))
		return r->c.err;
	if (!report_twilio_signed(&r->c, req_header(r, "X-Twilio-Signature"), url, fields, n, token))
		return fail(&r->c, E_FORBIDDEN, "X-Twilio-Signature: does not fit");
	if (strcmp(field(fields, n, "AccountSid"), cfg_str("TWILIO_ACCOUNT_SID")) != 0)
		return fail(&r->c, E_FORBIDDEN, "AccountSid: is another");
	told.id = field(fields, n, "MessageSid");
	told.state = field(fields, n, "MessageStatus");
	told.code = field(fields, n, "ErrorCode");
	return take(&r->c, &told) ? r->c.err : res_send(r, 204, NULL, "", 0);
}

/* ---- Meta ---- */

bool
report_meta_signed(const char *header, const char *body, size_t n, const char *secret)
{
	crypto_auth_hmacsha256_state state;
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	char want[7 + 2 * sizeof(mac) + 1] = "sha256=";

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, n);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_bin2hex(want + 7, sizeof(want) - 7, mac, sizeof(mac));
	return header != NULL && strlen(header) == sizeof(want) - 1 && sodium_memcmp(header, want, sizeof(want) - 1) == 0;
}

static const char *
text_of(json_object *o, const char *name)
{
	const char *s = "";
	size_t n;

	return json_get_string(o, name, 0, 512, &s, &n) == JSON_OK ? s : "";
}

/* The code of the first error; "" without. */
static const char *
code_of(struct ctx *c, json_object *status)
{
	json_object *errors;
	int64_t code;

	if (json_get_array(status, "errors", &errors) != JSON_OK || json_get_int(json_object_array_get_idx(errors, 0), "code", 0, 999999999, &code) != JSON_OK)
		return "";
	return arena_printf(c->a, "%lld", (long long)code);
}

/* The reports in one change of one entry, if it is about our number. */
static enum err
take_change(struct ctx *c, json_object *change, int *left)
{
	json_object *value, *statuses, *about;

	if (json_get_object(change, "value", &value) != JSON_OK || json_get_array(value, "statuses", &statuses) != JSON_OK ||
	    json_get_object(value, "metadata", &about) != JSON_OK || strcmp(text_of(about, "phone_number_id"), cfg_str("WHATSAPP_PHONE_NUMBER_ID")) != 0)
		return E_OK;
	for (size_t i = 0; i < json_object_array_length(statuses) && (*left)-- > 0; i++) {
		json_object *status = json_object_array_get_idx(statuses, i);
		const struct report told = { .channel = "whatsapp", .key = text_of(status, "biz_opaque_callback_data"), .id = text_of(status, "id"),
			.state = text_of(status, "status"), .code = code_of(c, status) };

		if (take(c, &told))
			return c->err;
	}
	return E_OK;
}

enum err
report_meta(struct req *r)
{
	static const char taken[] = "{\"received\":true}";
	struct ctx *c = &r->c;
	json_object *body, *entries, *changes;
	int left = STATUSES_MAX;

	if (cfg_str("WHATSAPP_APP_SECRET")[0] == '\0')
		return fail(c, E_NOT_FOUND, "WhatsApp is not configured (WHATSAPP_APP_SECRET)");
	if (!report_meta_signed(req_header(r, "X-Hub-Signature-256"), r->body, r->bodysz, cfg_str("WHATSAPP_APP_SECRET")))
		return fail(c, E_FORBIDDEN, "X-Hub-Signature-256: does not fit the body");
	if (json_parse(c, r->body, r->bodysz, &body))
		return c->err;
	if (strcmp(text_of(body, "object"), "whatsapp_business_account") != 0 || json_get_array(body, "entry", &entries) != JSON_OK)
		return fail(c, E_INVALID, "body: is no event of WhatsApp");
	for (size_t i = 0; i < json_object_array_length(entries); i++) {
		if (json_get_array(json_object_array_get_idx(entries, i), "changes", &changes) != JSON_OK)
			continue;
		for (size_t k = 0; k < json_object_array_length(changes); k++)
			if (take_change(c, json_object_array_get_idx(changes, k), &left))
				return c->err;
	}
	return res_send(r, 200, "application/json", taken, sizeof(taken) - 1);
}

enum err
report_meta_setup(struct req *r)
{
	const char *word = cfg_str("WHATSAPP_VERIFY_TOKEN"), *mode = req_param(r, "hub.mode"), *given = req_param(r, "hub.verify_token");
	const char *challenge = req_param(r, "hub.challenge");

	if (word[0] == '\0')
		return fail(&r->c, E_NOT_FOUND, "WhatsApp is not configured (WHATSAPP_VERIFY_TOKEN)");
	if (mode == NULL || strcmp(mode, "subscribe") != 0 || given == NULL || strlen(given) != strlen(word) || sodium_memcmp(given, word, strlen(word)) != 0)
		return fail(&r->c, E_FORBIDDEN, "hub.verify_token: is not the one that was set");
	if (challenge == NULL || challenge[0] == '\0' || strlen(challenge) > CHALLENGE_MAX)
		return fail(&r->c, E_INVALID, "hub.challenge: 1 to %d bytes are needed", CHALLENGE_MAX);
	return res_send(r, 200, "text/plain; charset=utf-8", challenge, strlen(challenge));
}
