/*
 * Stripe's interface: https://docs.stripe.com/api.  Requests are form-encoded with an Idempotency-Key and the configured Stripe-Version; what is
 * asked for is made in SQL (sql/app/78_stripe.sql) as JSON and written here in Stripe's nested form, {"a": {"b": [{"c": 1}]}} as a[b][0][c]=1.
 *
 * Settings: STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_URL, STRIPE_API_VERSION.
 */
#ifndef SOUK_SHOP_STRIPE_H
#define SOUK_SHOP_STRIPE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/ctx.h"

#define STRIPE_TOLERANCE_S 300	/* how old, or how far ahead, a webhook's signature may be */
#define STRIPE_FORM_MAX ((size_t)256 << 10)

/* Is there a key? */
bool stripe_configured(void);

struct stripe_reply {
	int status;		/* HTTP status */
	json_object *body;	/* an object; lives in c's arena */
	const char *text;	/* the same as text */
	bool again;		/* the same call may succeed later: 409, 429, 5xx */
};

/*
 * POST params (an object) to a path such as "/v1/refunds".  key is the Idempotency-Key, at most 255 visible characters: the same call with the same key is
 * done once, however often it is repeated.  E_OK for every JSON answer, whatever its status.  E_UNAVAILABLE when none came: the call may have been
 * done then, and the same key finds out.
 */
enum err stripe_post(struct ctx *c, const char *path, json_object *params, const char *key, struct stripe_reply *out)
	__attribute__((warn_unused_result));

/* Write params in Stripe's form encoding.  Values are texts, integers and booleans, in objects and arrays at most 8 deep; false for others. */
bool stripe_form(struct ctx *c, json_object *params, struct buf *out);

/*
 * Is header ("t=1700000000,v1=5257a8...,v1=...") a signature of the n bytes of body, as they came, with one of the secrets, separated by commas or
 * blanks, that is at most STRIPE_TOLERANCE_S away from now_s?  HMAC-SHA256 of "t.body" (https://docs.stripe.com/webhooks); several v1 may stand
 * there while a secret is changed.
 */
bool stripe_signed(const char *header, const char *body, size_t n, const char *secrets, int64_t now_s);

#endif
