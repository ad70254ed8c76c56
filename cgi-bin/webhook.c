/*
 * What providers tell.  Each message is signed over its raw bytes, written down once, acknowledged, and worked off.
 *
 *   POST /webhooks/stripe   events of payments (Stripe-Signature with STRIPE_WEBHOOK_SECRET); see docs/payments.md
 */
#include "shop/pay.h"
#include "web/req.h"

#define JSON_BODY "\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"}}}}"

const struct route routes[] = {
	{ M_POST, "/webhooks/stripe", "none", "mcp", pay_stripe_event, .summary = "Payment events of Stripe",
	    .doc = JSON_BODY ",\"responses\":{\"200\":{\"description\":\"Written down\"},\"400\":{\"description\":\"Signature or body is wrong\"}}",
	    .flags = ROUTE_RAW_BODY },
	{ 0 }
};
