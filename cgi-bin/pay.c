/*
 * The shop's own payment page of an order, for whoever holds its signed handle.  Plain HTML, in four languages; see docs/payments.md.
 *
 *   GET  /pay/{handle}   what is to be paid and how, or what has become of it; ?paid=1 after a visit to the payment provider
 *   POST /pay/{handle}   address and way to pay (form); leads to the provider for cards, back to the page for the others
 */
#include "shop/pay.h"
#include "web/req.h"

#define PAGE_200 "\"200\":{\"description\":\"The page\",\"content\":{\"text/html\":{\"schema\":{\"type\":\"string\"}}}}"

const struct route routes[] = {
	{ M_GET, "/pay/{handle}", "none", "data", pay_show, .summary = "Payment page of an order", .doc = "\"responses\":{" PAGE_200 "}" },
	{ M_POST, "/pay/{handle}", "none", "data", pay_choose, .summary = "Choose how an order is paid",
	    .doc = "\"requestBody\":{\"required\":true,\"content\":{\"application/x-www-form-urlencoded\":{\"schema\":{\"type\":\"object\"}}}},"
	    "\"responses\":{\"303\":{\"description\":\"To the payment provider, or back to the page\"}}",
	    .flags = ROUTE_RAW_BODY },
	{ 0 }
};
