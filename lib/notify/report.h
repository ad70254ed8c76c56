/*
 * Delivery reports: what Twilio and Meta tell of a message after they have taken it.  Each names the message by the key of its row in the outbox, which
 * it was sent with, so that a report also settles a row whose dispatcher was killed before it could note the provider's answer.
 *
 *   Twilio	form, X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and the fields, sorted by name, under TWILIO_AUTH_TOKEN
 *		(https://www.twilio.com/docs/usage/webhooks/webhooks-security, https://www.twilio.com/docs/messaging/guides/track-outbound-message-status)
 *   Meta	JSON, X-Hub-Signature-256: sha256=HMAC-SHA256 of the raw bytes under WHATSAPP_APP_SECRET; GET with hub.challenge when it is set up
 *		(https://developers.facebook.com/docs/graph-api/webhooks/getting-started)
 */
#ifndef SOUK_NOTIFY_REPORT_H
#define SOUK_NOTIFY_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/ctx.h"

struct req;
struct pair;

/*
 * Where Twilio is asked to report to, in c's arena: TWILIO_STATUS_CALLBACK as it is, else our own route with the row's key, under PUBLIC_URL; NULL
 * where that is not https, which Twilio could not reach.
 */
const char *report_twilio_url(struct ctx *c, const char *key);

/* Is signature Twilio's of a form of n fields that was posted to url?  Twilio leaves a port out of what it signs, so both forms count. */
bool report_twilio_signed(struct ctx *c, const char *signature, const char *url, const struct pair *fields, size_t n, const char *token);

/* Is header ("sha256=5257a8...") Meta's signature of the n bytes of body? */
bool report_meta_signed(const char *header, const char *body, size_t n, const char *secret);

enum err report_twilio(struct req *r);		/* POST /webhooks/twilio?message=KEY */
enum err report_meta(struct req *r);		/* POST /webhooks/whatsapp */
enum err report_meta_setup(struct req *r);	/* GET /webhooks/whatsapp?hub.mode=subscribe&... */

#endif
