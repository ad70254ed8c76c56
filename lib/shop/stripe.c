#include "shop/stripe.h"

#include <sodium.h>
#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "store/fetch.h"

#define DEPTH_MAX 8
#define SIGNATURES_MAX 16	/* v1 entries of one header that are looked at */
#define REST_MS 1500		/* of the caller's time that a call leaves: who waits in vain has another way to offer yet */
#define CALL_MAX_MS 20000
#define HEX_LEN ((size_t)crypto_auth_hmacsha256_BYTES * 2)

bool
stripe_configured(void)
{
	return cfg_str("STRIPE_SECRET_KEY")[0] != '\0';
}

static bool
put_value(struct ctx *c, struct buf *out, const char *name, json_object *v, int depth)
{
	switch (json_object_get_type(v)) {
	case json_type_object: {
		json_object_object_foreach(v, key, member) {
			const char *sub = name[0] == '\0' ? key : arena_printf(c->a, "%s[%s]", name, key);

			if (depth >= DEPTH_MAX || !put_value(c, out, sub, member, depth + 1))
				return false;
		}
		return true;
	}
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(v); i++)
			if (depth >= DEPTH_MAX ||
			    !put_value(c, out, arena_printf(c->a, "%s[%zu]", name, i), json_object_array_get_idx(v, i), depth + 1))
				return false;
		return true;
	case json_type_string:
	case json_type_int:
	case json_type_boolean:
		if (name[0] == '\0')
			return false;
		buf_puts(out, out->n > 0 ? "&" : "");
		buf_puts(out, fetch_escape(c, name));
		buf_putc(out, '=');
		buf_puts(out, fetch_escape(c, json_object_get_string(v)));
		return true;
	default:
		return false;
	}
}

bool
stripe_form(struct ctx *c, json_object *params, struct buf *out)
{
	return json_object_is_type(params, json_type_object) && put_value(c, out, "", params, 0);
}

enum err
stripe_post(struct ctx *c, const char *path, json_object *params, const char *key, struct stripe_reply *out)
{
	struct buf form, url;
	struct fetch_reply got;
	const struct fetch_header headers[] = {
		{ "Authorization", arena_printf(c->a, "Bearer %s", cfg_str("STRIPE_SECRET_KEY")) },
		{ "Content-Type", "application/x-www-form-urlencoded" },
		{ "Stripe-Version", cfg_str("STRIPE_API_VERSION") },
		{ "Idempotency-Key", key },
		{ NULL, NULL },
	};
	int left = ctx_left_ms(c, CALL_MAX_MS + REST_MS);
	struct fetch_request ask = { .method = "POST", .headers = headers, .timeout_ms = left > 2 * REST_MS ? left - REST_MS : left };

	buf_init(&form, c->a, 1024, STRIPE_FORM_MAX);
	if (!stripe_form(c, params, &form))
		return fail(c, E_INTERNAL, NULL);
	buf_init(&url, c->a, 128, 2048);
	buf_puts(&url, cfg_str("STRIPE_API_URL"));
	buf_puts(&url, path);
	ask.url = buf_str(&url);
	ask.body = buf_str(&form);
	ask.bodysz = form.n;
	if (fetch(c, &ask, &got)) {
		ctx_clear_error(c);
		return fail(c, E_UNAVAILABLE, "the payment provider cannot be reached; try again");
	}
	if (json_parse(c, got.body, got.n, &out->body) || !json_object_is_type(out->body, json_type_object)) {
		ctx_clear_error(c);
		return fail(c, E_UNAVAILABLE, "the payment provider gave no proper answer; try again");
	}
	out->status = got.status;
	out->text = got.body;
	out->again = got.status == 409 || got.status == 429 || got.status >= 500;
	return E_OK;
}

/* "t=" of the header, at most 12 digits; -1 without one. */
static int64_t
signed_at(const char *header, const char **text, size_t *n)
{
	const char *p = strncmp(header, "t=", 2) == 0 ? header : strstr(header, ",t=");
	int64_t t = 0;

	if (p == NULL)
		return -1;
	p += *p == ',' ? 3 : 2;
	*text = p;
	*n = strspn(p, "0123456789");
	if (*n == 0 || *n > 12 || (p[*n] != ',' && p[*n] != '\0'))
		return -1;
	for (size_t i = 0; i < *n; i++)
		t = t * 10 + (p[i] - '0');
	return t;
}

static void
sign(const char *secret, size_t secretsz, const char *t, size_t tn, const char *body, size_t n, char hex[HEX_LEN + 1])
{
	crypto_auth_hmacsha256_state st;
	unsigned char mac[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&st, (const unsigned char *)secret, secretsz);
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)t, tn);
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)".", 1);
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)body, n);
	crypto_auth_hmacsha256_final(&st, mac);
	sodium_bin2hex(hex, HEX_LEN + 1, mac, sizeof(mac));
}

/* Does one of the header's v1 entries hold this? */
static bool
holds(const char *header, const char hex[HEX_LEN + 1])
{
	const char *p = header;
	bool found = false;

	for (int i = 0; p != NULL && i < SIGNATURES_MAX; i++) {
		const char *next = strchr(p, ',');
		size_t n = next != NULL ? (size_t)(next - p) : strlen(p);

		if (n == 3 + HEX_LEN && strncmp(p, "v1=", 3) == 0)
			found |= sodium_memcmp(p + 3, hex, HEX_LEN) == 0;
		p = next != NULL ? next + 1 : NULL;
	}
	return found;
}

bool
stripe_signed(const char *header, const char *body, size_t n, const char *secrets, int64_t now_s)
{
	const char *t, *s = secrets;
	size_t tn, len;
	int64_t at;

	if (header == NULL || strlen(header) > 4096 || (at = signed_at(header, &t, &tn)) < 0 ||
	    at < now_s - STRIPE_TOLERANCE_S || at > now_s + STRIPE_TOLERANCE_S)
		return false;
	for (; (len = strcspn(s += strspn(s, ", "), ", ")) > 0; s += len) {
		char hex[HEX_LEN + 1];

		sign(s, len, t, tn, body, n, hex);
		if (holds(header, hex))
			return true;
	}
	return false;
}
