/*
 * What providers tell.  Each message is signed over its raw bytes, written down once, acknowledged, and worked off.
 *
 *   POST /webhooks/stripe     events of payments (Stripe-Signature with STRIPE_WEBHOOK_SECRET); see docs/payments.md
 *   POST /webhooks/twilio     what became of a text message (X-Twilio-Signature with TWILIO_AUTH_TOKEN); see docs/notifications.md
 *   POST /webhooks/whatsapp   what became of a message by WhatsApp (X-Hub-Signature-256 with WHATSAPP_APP_SECRET)
 *   GET  /webhooks/whatsapp   Meta asks whether the address is ours (WHATSAPP_VERIFY_TOKEN)
 */
#include "notify/report.h"
#include "shop/pay.h"
#include "web/req.h"

#define JSON_BODY "\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"}}}}"

const struct route routes[] = {
	{ M_POST, "/webhooks/stripe", "none", "mcp", pay_stripe_event, .summary = "Payment events of Stripe",
	    .doc = JSON_BODY ",\"responses\":{\"200\":{\"description\":\"Written down\"},\"400\":{\"description\":\"Signature or body is wrong\"}}",
	    .flags = ROUTE_RAW_BODY },
	{ M_POST, "/webhooks/twilio", "none", "mcp", report_twilio, .summary = "Delivery reports of text messages",
	    .doc = "\"requestBody\":{\"required\":true,\"content\":{\"application/x-www-form-urlencoded\":{\"schema\":{\"type\":\"object\"}}}},"
	    "\"responses\":{\"204\":{\"description\":\"Written down\"},\"403\":{\"description\":\"The signature does not fit\"}}",
	    .flags = ROUTE_RAW_BODY },
	{ M_POST, "/webhooks/whatsapp", "none", "mcp", report_meta, .summary = "Delivery reports of WhatsApp",
	    .doc = JSON_BODY ",\"responses\":{\"200\":{\"description\":\"Written down\"},\"403\":{\"description\":\"The signature does not fit\"}}",
	    .flags = ROUTE_RAW_BODY },
	{ M_GET, "/webhooks/whatsapp", "none", "mcp", report_meta_setup, .summary = "Meta's question whether the address is the shop's",
	    .doc = "\"responses\":{\"200\":{\"description\":\"The challenge\",\"content\":{\"text/plain\":{\"schema\":{\"type\":\"string\"}}}},"
	    "\"403\":{\"description\":\"Another verify token\"}}" },
	{ 0 }
};
