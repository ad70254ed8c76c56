/* The channel sms: Twilio's Messages resource (POST /2010-04-01/Accounts/{sid}/Messages.json). */
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "gen/sql.h"
#include "notify/channel.h"
#include "notify/report.h"
#include "store/db.h"
#include "store/fetch.h"

#define TEXT_MAX 1600	/* characters that Twilio takes */

/* ---- segments ---- */

/* Septets of a character in GSM 03.38; 0: it is not in that alphabet. */
static int
septets(unsigned long ch)
{
	static const unsigned short beyond[] = { 0xA1, 0xA3, 0xA4, 0xA5, 0xA7, 0xBF, 0xC4, 0xC5, 0xC6, 0xC7, 0xC9, 0xD1, 0xD6, 0xD8, 0xDC, 0xDF, 0xE0, 0xE4, 0xE5,
		0xE6, 0xE8, 0xE9, 0xEC, 0xF1, 0xF2, 0xF6, 0xF8, 0xF9, 0xFC, 0x393, 0x394, 0x398, 0x39B, 0x39E, 0x3A0, 0x3A3, 0x3A6, 0x3A8, 0x3A9 };

	if (ch == 0x20AC || (ch < 128 && ch != 0 && strchr("^{}\\[~]|", (int)ch) != NULL))
		return 2;
	if (ch < 128)
		return (ch >= ' ' && ch != '`' && ch != 127) || ch == '\n' || ch == '\r';
	for (size_t i = 0; i < sizeof(beyond) / sizeof(*beyond); i++)
		if (beyond[i] == ch)
			return 1;
	return 0;
}

/* The next character of valid UTF-8. */
static unsigned long
next_character(const unsigned char **p)
{
	unsigned long ch = *(*p)++;
	int more = ch >= 0xF0 ? 3 : ch >= 0xE0 ? 2 : ch >= 0xC0 ? 1 : 0;

	ch &= more == 3 ? 7 : more == 2 ? 15 : more == 1 ? 31 : 127;
	for (; more > 0 && (**p & 0xC0) == 0x80; more--)
		ch = ch << 6 | (*(*p)++ & 63);
	return ch;
}

int
sms_segments(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	int gsm = 0, ucs = 0;
	bool is_gsm = true;

	while (*p != '\0') {
		unsigned long ch = next_character(&p);
		int n = septets(ch);

		is_gsm = is_gsm && n > 0;
		gsm += n;
		ucs += ch > 0xFFFF ? 2 : 1;
	}
	if (is_gsm)
		return gsm <= 160 ? 1 : (gsm + 152) / 153;
	return ucs <= 70 ? 1 : (ucs + 66) / 67;
}

/* ---- the request ---- */

static void
put_pair(struct ctx *c, struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "%s%s=%s", b->n > 0 ? "&" : "", name, fetch_escape(c, value));
}

/* What an error of Twilio's means; its codes are those of its error dictionary. */
static void
judge_error(struct ctx *c, const struct fetch_reply *reply, struct outcome *out)
{
	json_object *o;
	int64_t code = 0;

	if (json_parse(c, reply->body, reply->n, &o) != E_OK || json_get_int(o, "code", 0, 999999, &code) != JSON_OK)
		code = 0;
	ctx_clear_error(c);
	out->reason = arena_printf(c->a, "Twilio refused the message (%d, code %d)", reply->status, (int)code);
	out->wait_s = reply->retry_after_s;
	if (code == 21610)			/* the recipient has answered STOP */
		out->kind = OUTCOME_OPT_OUT;
	else if (reply->status == 429 || reply->status >= 500 || code == 20429 || code == 14107)
		out->kind = OUTCOME_RETRY;
	else if (reply->status == 401 || reply->status == 403)
		out->kind = OUTCOME_RETRY;	/* credentials can be mended while it waits */
	else
		out->kind = OUTCOME_PARK;	/* 21211 no number, 21408 region, 21614 no mobile telephone, 21617 too long, ... */
}

static void
judge(struct ctx *c, const struct fetch_reply *reply, int segments, struct outcome *out)
{
	const char *sid;
	json_object *o;
	size_t n;

	if (reply->status != 201 && reply->status != 200) {
		judge_error(c, reply, out);
		return;
	}
	out->kind = OUTCOME_SENT;
	if (json_parse(c, reply->body, reply->n, &o) == E_OK && json_get_string(o, "sid", 1, 64, &sid, &n) == JSON_OK)
		out->provider_id = arena_printf(c->a, "%s (%d segment%s)", sid, segments, segments == 1 ? "" : "s");
	ctx_clear_error(c);
}

/* ---- repeats ---- */

/* One of Twilio's messages: is it this text, not failed, and noted for no other row? */
static bool
is_ours(struct ctx *c, const struct delivery *d, const char *text, json_object *m, const char **sid)
{
	const char *body, *status, *v[2] = { d->id }, *noted;
	size_t n, len;

	if (json_get_string(m, "sid", 1, 64, sid, &n) != JSON_OK || json_get_string(m, "body", 1, 8192, &body, &n) != JSON_OK ||
	    json_get_string(m, "status", 1, 30, &status, &len) != JSON_OK || strcmp(status, "failed") == 0 || strcmp(status, "undelivered") == 0 ||
	    strcmp(status, "canceled") == 0 || strcmp(body, text) != 0)
		return false;
	v[1] = *sid;
	return db_call(c, DB_READ, NULL, &sql_outbox_noted, 2, v, &noted, &n) == E_OK && strcmp(noted, "f") == 0;
}

/*
 * Twilio takes no key against repeats.  Where the answer to the attempt before was lost, or its dispatcher killed, it is asked whether it has the
 * message (GET Messages.json).  true: *out says that it is sent.
 */
static bool
was_sent(struct ctx *c, const struct delivery *d, const char *text, struct outcome *out)
{
	const char *account = cfg_str("TWILIO_ACCOUNT_SID"), *sid;
	struct fetch_request req = { .user = account, .password = cfg_str("TWILIO_AUTH_TOKEN"), .timeout_ms = CHANNEL_TIMEOUT_MS };
	struct fetch_reply reply;
	json_object *o, *list;
	char since[RFC3339_LEN];
	bool found = false;

	(void)rfc3339((wall_ms() / 1000 - d->age_s) * 1000, since);
	req.url = arena_printf(c->a, "%s/2010-04-01/Accounts/%s/Messages.json?To=%s&DateSent%%3E=%.10s&PageSize=50", cfg_str("TWILIO_URL"),
		fetch_escape(c, account), fetch_escape(c, d->recipient), since);
	if (fetch(c, &req, &reply) == E_OK && reply.status == 200 && json_parse(c, reply.body, reply.n, &o) == E_OK && json_get_array(o, "messages", &list) == JSON_OK)
		for (size_t i = 0; !found && i < json_object_array_length(list); i++)
			found = is_ours(c, d, text, json_object_array_get_idx(list, i), &sid);
	ctx_clear_error(c);
	if (found)
		*out = (struct outcome){ .kind = OUTCOME_SENT, .provider_id = sid };
	return found;
}

static void
send_by_twilio(struct ctx *c, const struct delivery *d, const char *text, struct outcome *out)
{
	const char *sid = cfg_str("TWILIO_ACCOUNT_SID"), *from = cfg_str("TWILIO_FROM_NUMBER"), *callback = report_twilio_url(c, d->key);
	const struct fetch_header headers[] = { { "Content-Type", "application/x-www-form-urlencoded" }, { "Accept", "application/json" },
		{ "Idempotency-Key", d->key }, { NULL, NULL } };
	struct fetch_request req = { .headers = headers, .user = sid, .password = cfg_str("TWILIO_AUTH_TOKEN"), .timeout_ms = CHANNEL_TIMEOUT_MS };
	struct fetch_reply reply;
	struct buf form;

	buf_init(&form, c->a, 512, 16384);
	put_pair(c, &form, "To", d->recipient);
	put_pair(c, &form, strncmp(from, "MG", 2) == 0 ? "MessagingServiceSid" : "From", from);
	put_pair(c, &form, "Body", text);
	if (callback != NULL)
		put_pair(c, &form, "StatusCallback", callback);
	req.url = arena_printf(c->a, "%s/2010-04-01/Accounts/%s/Messages.json", cfg_str("TWILIO_URL"), fetch_escape(c, sid));
	req.body = form.p;
	req.bodysz = form.n;
	if (fetch(c, &req, &reply) == E_OK)
		judge(c, &reply, sms_segments(text), out);
	else
		channel_no_answer(&reply, out);
}

void
sms_send(struct ctx *c, const struct delivery *d, struct outcome *out)
{
	bool set = cfg_str("TWILIO_ACCOUNT_SID")[0] != '\0' && cfg_str("TWILIO_AUTH_TOKEN")[0] != '\0' && cfg_str("TWILIO_FROM_NUMBER")[0] != '\0';
	struct notify_message m;
	const char *text;

	if (!set && cfg_str("MAIL_DIR")[0] == '\0') {
		*out = (struct outcome){ .kind = OUTCOME_PARK, .reason = "no account for text messages is set (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM_NUMBER)" };
		return;
	}
	if (!channel_message(c, d, &m, out))
		return;
	text = m.part[PART_SMS];
	if (d->recipient[0] != '+' || strspn(d->recipient + 1, "0123456789") != strlen(d->recipient + 1)) {
		*out = (struct outcome){ .kind = OUTCOME_PARK, .reason = "the recipient is no telephone number of the form +33612345678" };
	} else if (text[0] == '\0' || utf8_length(text, strlen(text)) > TEXT_MAX) {
		*out = (struct outcome){ .kind = OUTCOME_PARK, .reason = "the text is empty, or longer than 1600 characters" };
	} else if (set) {
		if (!d->unsure || !was_sent(c, d, text, out))
			send_by_twilio(c, d, text, out);
	} else {
		text = arena_printf(c->a, "To: %s\n\n%s\n", d->recipient, text);
		(void)channel_write(c, d, "sms.txt", text, strlen(text), out);
	}
}
