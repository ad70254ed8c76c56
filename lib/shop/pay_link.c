/* From a basket to an address where it can be paid: the handlers of add_to_basket and get_payment_link. */
#include <string.h>

#include "auth/idempotency.h"
#include "auth/signed.h"
#include "auth/subject.h"
#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "core/random.h"
#include "gen/sql.h"
#include "shop/pay.h"
#include "shop/stripe.h"
#include "store/db.h"

#define VISITOR_LEN 22	/* characters of base62: 131 bits */

static enum err
add_for_visitor(struct ctx *c, struct tool_call *call, const char *visitor)
{
	char handle[SIGNED_MAX];
	const char *v[1] = { visitor }, *args[1] = { call->args_json }, *set, *json;
	struct buf b;
	size_t n;

	if (signed_make(c, "bsk", visitor, 0, handle) || db_text(c, &sql_set_visitor, 1, v, &set, &n) ||
	    db_text(c, &sql_basket_add, 1, args, &json, &n))
		return c->err;
	if (json == NULL || n < 2)
		return fail(c, E_INTERNAL, NULL);
	buf_init(&b, c->a, n + SIGNED_MAX + 16, n + SIGNED_MAX + 64);
	buf_puts(&b, "{\"basket\":");
	buf_json_cstr(&b, handle);
	buf_putc(&b, ',');
	buf_put(&b, json + 1, n - 1);
	call->json = b.p;
	call->n = b.n;
	return E_OK;
}

enum err
basket_add_tool(struct ctx *c, struct tool_call *call)
{
	const char *args[1] = { call->args_json };
	char visitor[VISITOR_LEN + 1];

	if (call->who->customer_id[0] != '\0')
		return db_text(c, &sql_basket_add, 1, args, &call->json, &call->n);
	/* a basket's handle never ends, and must not show tickets */
	if (call->who->visitor != NULL && call->who->visitor[0] != '\0' && !subject_is_contact(call->who->visitor))
		return add_for_visitor(c, call, call->who->visitor);
	random_base62(visitor, VISITOR_LEN);
	return add_for_visitor(c, call, arena_strdup(c->a, visitor));
}

enum err
pay_page_url(struct ctx *c, const char *base_url, const char *order, const char **url)
{
	char handle[SIGNED_MAX];

	*url = NULL;
	if (signed_make(c, "pay", order, 0, handle))
		return c->err;
	*url = arena_printf(c->a, "%s/pay/%s", base_url != NULL ? base_url : cfg_str("PUBLIC_URL"), handle);
	return E_OK;
}

/* ---- get_payment_link --------------------------------------------------------------- */

static struct db_subject
speaker(const struct tool_call *call)
{
	return (struct db_subject){
		.kind = call->who->kind, .customer_id = call->who->customer_id, .token_id = call->who->token_id,
		.locale = call->locale != NULL ? call->locale : "", .visitor = call->who->visitor, .order_id = call->who->order_id,
	};
}

/* The answer that was given under this key, if any.  The claim is taken back: what is kept is kept when all is done. */
static enum err
look_back(struct ctx *c, struct tool_call *call)
{
	struct idem_reply reply = { 0 };
	enum err e;

	if (call->idempotency_key == NULL)
		return E_OK;
	if (idem_check(c, call->idempotency_key) || db_begin(c, DB_WRITE, NULL))
		return c->err;
	e = idem_claim(c, call->who, call->idempotency_key, call->tool->name, call->args_json, call->args_n, &reply);
	db_rollback(c);
	if (e == E_OK && reply.replayed) {
		call->replayed = true;
		call->json = reply.body;
		call->n = reply.n;
	}
	return e;
}

/* Write the answer down under its key; a twin that was faster has given its own. */
static enum err
keep(struct ctx *c, struct tool_call *call)
{
	struct idem_reply reply = { 0 };
	enum err e;

	if (call->idempotency_key == NULL)
		return E_OK;
	if (db_begin(c, DB_WRITE, NULL))
		return c->err;
	e = idem_claim(c, call->who, call->idempotency_key, call->tool->name, call->args_json, call->args_n, &reply);
	if (e == E_OK && reply.replayed) {
		call->replayed = true;
		call->json = reply.body;
		call->n = reply.n;
		db_rollback(c);
		return E_OK;
	}
	if (e == E_OK)
		e = idem_store(c, call->who, call->idempotency_key, E_OK, call->json, call->n);
	if (e == E_OK)
		e = db_commit(c);
	if (e != E_OK)
		db_rollback(c);
	return e;
}

/* The order as the speaker's basket stands; *order is its id, *here tells that only our own page will do: it costs nothing, or its buyer has to be asked. */
static enum err
place(struct ctx *c, struct tool_call *call, const char **order, bool *here)
{
	struct db_subject who = speaker(call);
	json_object *got;
	const char *v[2], *json;
	int64_t total;
	bool ask = false;
	size_t n;

	*order = NULL;
	*here = false;
	json_object_object_add(call->args, "channel", json_object_new_string(call->via == VIA_REST ? "web" : call->via == VIA_CHAT ? "chat" : "assistant"));
	if (call->locale != NULL && !json_object_object_get_ex(call->args, "locale", NULL))
		json_object_object_add(call->args, "locale", json_object_new_string(call->locale));
	v[0] = json_text(c, call->args, &n);
	v[1] = arena_printf(c->a, "%d", (int)cfg_int("PAYMENT_HOLD_MIN"));
	if (db_call(c, DB_WRITE, &who, &sql_pay_checkout, 2, v, &json, &n) || json_parse(c, json, n, &got))
		return c->err;
	if (json_get_string(got, "order", 1, 20, order, &n) != JSON_OK || json_get_int(got, "total", 0, INT64_MAX, &total) != JSON_OK ||
	    json_get_bool(got, "ask", &ask) != JSON_OK)
		return fail(c, E_INTERNAL, NULL);
	*here = total == 0 || ask;
	return E_OK;
}

/* By which ways the page lets the order be paid. */
static const char *
methods(struct ctx *c)
{
	struct buf b;

	buf_init(&b, c->a, 64, 128);
	buf_putc(&b, '[');
	buf_puts(&b, stripe_configured() ? "\"card\"," : "");
	buf_puts(&b, cfg_str("BANK_IBAN")[0] != '\0' ? "\"bank_transfer\"," : "");
	buf_puts(&b, cfg_bool("PAY_ON_DELIVERY") ? "\"on_delivery\"," : "");
	if (b.p[b.n - 1] == ',')
		b.p[--b.n] = '\0';
	buf_putc(&b, ']');
	return b.p;
}

enum err
payment_link_tool(struct ctx *c, struct tool_call *call)
{
	const char *order, *page, *url, *method = "any", *v[4];
	bool lasting = false, here = false, card;
	size_t n;

	if (look_back(c, call) || call->replayed)
		return c->err;
	(void)json_get_string(call->args, "method", 1, 20, &method, &n);
	(void)json_get_bool(call->args, "lasting", &lasting);
	if (strcmp(method, "card") == 0 && !stripe_configured())
		return fail(c, E_INVALID, "method: this shop takes no cards; it offers %s", methods(c));
	if (place(c, call, &order, &here) || pay_page_url(c, c->base_url, order, &page))
		return c->err;
	url = page;
	card = stripe_configured() && !here && (strcmp(method, "card") == 0 || strcmp(method, "any") == 0);
	if (card && pay_stripe_url(c, order, lasting ? "link" : "checkout", page, call->locale, &url)) {
		/* the page offers the other ways, and this one again */
		if (strcmp(method, "card") == 0)
			return c->err;
		ctx_clear_error(c);
		url = page;
	}
	v[0] = order;
	v[1] = url;
	v[2] = url == page ? "shop" : "stripe";
	v[3] = methods(c);
	if (db_call(c, DB_WRITE, NULL, &sql_pay_link, 4, v, &call->json, &call->n))
		return c->err;
	return keep(c, call);
}
