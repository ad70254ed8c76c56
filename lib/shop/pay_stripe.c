/* Payments at Stripe: sessions and links, its webhooks, what the outbox has for it. */
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/log.h"
#include "gen/sql.h"
#include "shop/pay.h"
#include "shop/stripe.h"
#include "store/db.h"
#include "web/req.h"

#define EVENTS_AT_ONCE 8	/* an event may make others due that waited for it */

static const char *
text_of(json_object *o, const char *name)
{
	const char *s = NULL;
	size_t n;

	return json_get_string(o, name, 1, 4096, &s, &n) == JSON_OK ? s : NULL;
}

/* Stripe's own words for it; its messages may repeat what was sent. */
static void
log_refusal(const struct ctx *c, const char *path, const struct stripe_reply *reply)
{
	json_object *error = NULL;
	const char *code = NULL, *param = NULL;

	if (json_get_object(reply->body, "error", &error) == JSON_OK) {
		code = text_of(error, "code");
		code = code != NULL ? code : text_of(error, "type");
		param = text_of(error, "param");
	}
	log_event(reply->again ? LOG_WARN_ : LOG_ERROR_, c, "stripe refused a call", LOG_S("path", path), LOG_I("status", reply->status),
		LOG_S("code", code != NULL ? code : ""), LOG_S("param", param != NULL ? param : ""));
}

/* One step of pay_start(); previous is the id that the step before gave, NULL for the first. */
static enum err
step(struct ctx *c, json_object *s, const char *previous, struct stripe_reply *reply)
{
	json_object *params, *lines;
	const char *path = text_of(s, "path"), *key = text_of(s, "key");

	if (path == NULL || key == NULL || json_get_object(s, "params", &params) != JSON_OK)
		return fail(c, E_INTERNAL, NULL);
	if (previous != NULL && json_get_array(params, "line_items", &lines) == JSON_OK && json_object_array_length(lines) == 1)
		json_object_object_add(json_object_array_get_idx(lines, 0), "price", json_object_new_string(previous));
	if (stripe_post(c, path, params, key, reply))
		return c->err;
	if (reply->status != 200) {
		log_refusal(c, path, reply);
		return fail(c, reply->again ? E_UNAVAILABLE : E_INTERNAL, "the payment provider did not accept the order");
	}
	return E_OK;
}

enum err
pay_stripe_url(struct ctx *c, const char *order, const char *form, const char *back, const char *locale, const char **url)
{
	struct stripe_reply reply = { 0 };
	json_object *got, *steps;
	const char *v[4], *json, *id = NULL, *payment;
	size_t n;
	struct buf b;

	buf_init(&b, c->a, 512, 8192);
	buf_puts(&b, "{\"success\":");
	buf_json_cstr(&b, arena_printf(c->a, "%s?paid=1", back));
	buf_puts(&b, ",\"cancel\":");
	buf_json_cstr(&b, back);
	buf_puts(&b, ",\"locale\":");
	buf_json_cstr(&b, locale != NULL && locale[0] != '\0' ? locale : cfg_str("SHOP_LOCALE"));
	buf_putc(&b, '}');
	v[0] = order;
	v[1] = "stripe";
	v[2] = form;
	v[3] = buf_str(&b);
	if (db_call(c, DB_WRITE, NULL, &sql_pay_start, 4, v, &json, &n) || json_parse(c, json, n, &got))
		return c->err;
	*url = text_of(got, "url");
	if (*url != NULL)
		return E_OK;
	payment = text_of(got, "payment");
	if (payment == NULL || json_get_array(got, "steps", &steps) != JSON_OK)
		return fail(c, E_INTERNAL, NULL);
	for (size_t i = 0; i < json_object_array_length(steps); i++) {
		if (step(c, json_object_array_get_idx(steps, i), id, &reply))
			return c->err;
		id = text_of(reply.body, "id");
	}
	*url = id != NULL ? text_of(reply.body, "url") : NULL;
	if (*url == NULL)
		return fail(c, E_UNAVAILABLE, "the payment provider gave no address");
	v[0] = payment;
	v[1] = id;
	v[2] = *url;
	if (db_call(c, DB_WRITE, NULL, &sql_pay_started, 3, v, &json, &n))
		return c->err;
	return strcmp(json, "t") == 0 ? E_OK : fail(c, E_CONFLICT, "the order was changed at that moment; ask again");
}

/* ---- what Stripe tells -------------------------------------------------------------- */

/* Work off what is due.  What fails stays in the inbox, and is tried again by `souk deliver`. */
static void
work_off(struct ctx *c, int most)
{
	for (int i = 0; i < most; i++) {
		const char *json;
		size_t n;

		if (db_call(c, DB_WRITE, NULL, &sql_payment_event_next, 0, NULL, &json, &n)) {
			log_event(LOG_ERROR_, c, "a payment event was not worked off", LOG_S("why", ctx_message(c)));
			ctx_clear_error(c);
			return;
		}
		if (json == NULL)
			return;
		log_event(LOG_INFO_, c, "payment event", LOG_S("event", json));
	}
}

enum err
pay_stripe_event(struct req *r)
{
	static const char taken[] = "{\"received\":true}";
	struct ctx *c = &r->c;
	const char *v[2] = { "stripe", NULL }, *added, *type;
	json_object *event, *data, *object;
	size_t n;
	bool live;

	if (cfg_str("STRIPE_WEBHOOK_SECRET")[0] == '\0')
		return fail(c, E_NOT_FOUND, "payments by Stripe are not configured");
	if (!stripe_signed(req_header(r, "Stripe-Signature"), r->body, r->bodysz, cfg_str("STRIPE_WEBHOOK_SECRET"), wall_ms() / 1000))
		return fail(c, E_INVALID, "Stripe-Signature: does not fit the body, or is too old");
	if (json_parse(c, r->body, r->bodysz, &event))
		return c->err;
	if (json_get_string(event, "id", 1, 255, &added, &n) != JSON_OK || json_get_string(event, "type", 1, 255, &type, &n) != JSON_OK ||
	    json_get_object(event, "data", &data) != JSON_OK || json_get_object(data, "object", &object) != JSON_OK)
		return fail(c, E_INVALID, "body: is no event");
	/* an endpoint in live mode is told of tests only by mistake; they must not make an order paid */
	if (strstr(cfg_str("STRIPE_SECRET_KEY"), "_live_") != NULL && (json_get_bool(event, "livemode", &live) != JSON_OK || !live))
		return fail(c, E_INVALID, "livemode: a test event, but the shop's key is live");
	v[1] = r->body;
	if (db_call(c, DB_WRITE, NULL, &sql_payment_event_add, 2, v, &added, &n))
		return c->err;
	if (strcmp(added, "t") == 0)
		work_off(c, EVENTS_AT_ONCE);
	return res_send(r, 200, "application/json", taken, sizeof(taken) - 1);
}

enum err
pay_sweep(struct ctx *c)
{
	const char *json;
	size_t n;

	work_off(c, 100);
	return db_call(c, DB_WRITE, NULL, &sql_payments_sweep, 0, NULL, &json, &n);
}

/* ---- what the outbox has for Stripe ------------------------------------------------- */

enum err
pay_deliver(struct ctx *c, const char *task, const char **failed)
{
	struct stripe_reply reply = { 0 };
	json_object *ask, *params;
	const char *v[3] = { task }, *json, *path, *key;
	size_t n;

	*failed = NULL;
	if (db_call(c, DB_WRITE, NULL, &sql_stripe_task, 1, v, &json, &n))
		return c->err;
	if (json == NULL)
		return E_OK;
	if (!stripe_configured())
		return fail(c, E_UNAVAILABLE, "STRIPE_SECRET_KEY is not set");
	if (json_parse(c, json, n, &ask))
		return c->err;
	path = text_of(ask, "path");
	key = text_of(ask, "key");
	if (path == NULL || key == NULL || json_get_object(ask, "params", &params) != JSON_OK)
		return fail(c, E_INTERNAL, NULL);
	if (stripe_post(c, path, params, key, &reply))
		return c->err;
	if (reply.status >= 300)
		log_refusal(c, path, &reply);
	if (reply.again)
		return fail(c, E_UNAVAILABLE, "stripe answered %d", reply.status);
	v[1] = arena_printf(c->a, "%d", reply.status);
	v[2] = reply.text;
	if (db_call(c, DB_WRITE, NULL, &sql_stripe_task_done, 3, v, &json, &n))
		return c->err;
	if (strcmp(json, "done") != 0)
		*failed = arena_printf(c->a, "stripe answered %d", reply.status);
	return E_OK;
}
