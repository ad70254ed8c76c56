/*
 * Payment of an order: by Stripe where a key is configured, else and besides on the shop's own page /pay/{handle} by bank transfer or on
 * delivery.  See docs/payments.md.  Everything that decides is in SQL (sql/app/76 to 79); here are the calls outside and the pages.
 */
#ifndef SOUK_SHOP_PAY_H
#define SOUK_SHOP_PAY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/ctx.h"
#include "tool/tool.h"

struct req;

/* The address of an order's payment page, "https://shop.example/pay/pay_...", in c's arena.  order is the decimal id. */
enum err pay_page_url(struct ctx *c, const char *base_url, const char *order, const char **url) __attribute__((warn_unused_result));

/*
 * An address at Stripe where the order can be paid: form "checkout" (a session, for as long as the stock is held) or "link" (until it is paid).  Asking again gives
 * the same one.  back is where the buyer returns to, with ?paid=1 or without.  Writes in transactions of its own: none may be open.
 * E_CONFLICT when nothing is to be paid any more, E_UNAVAILABLE when Stripe cannot be reached.
 */
enum err pay_stripe_url(struct ctx *c, const char *order, const char *form, const char *back, const char *locale, const char **url)
	__attribute__((warn_unused_result));

/* x-handler of add_to_basket: a caller who is nobody yet becomes a visitor and is given the basket's handle. */
enum err basket_add_tool(struct ctx *c, struct tool_call *call);
/* x-handler of get_payment_link: places the order and says where it can be paid. */
enum err payment_link_tool(struct ctx *c, struct tool_call *call);

/* GET and POST /pay/{handle}. */
enum err pay_show(struct req *r);
enum err pay_choose(struct req *r);

/* POST /webhooks/stripe. */
enum err pay_stripe_event(struct req *r);

/* Work off payment events that wait, cancel orders that were not paid in time, drop old baskets: at most some hundred of each; `souk deliver` calls it often. */
enum err pay_sweep(struct ctx *c) __attribute__((warn_unused_result));

/*
 * Send what a row of the outbox, channel "stripe", asks for.  E_OK: done, or never to be done (*failed then says why); E_UNAVAILABLE: try again later.
 */
enum err pay_deliver(struct ctx *c, const char *task, const char **failed) __attribute__((warn_unused_result));

#endif
