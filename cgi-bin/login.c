/*
 * Who speaks.  Public; docs/identity.md.
 *
 *   POST /api/guest/start, /api/guest/verify          a guest proves one order with a code by mail
 *   POST /api/customer/login, /api/customer/verify    a customer logs in with a code by mail
 */
#include "web/route.h"

const struct route routes[] = {
	{ M_POST, "/api/guest/start", .tool = "guest_start" },
	{ M_POST, "/api/guest/verify", .tool = "guest_verify" },
	{ M_POST, "/api/customer/login", .tool = "customer_login_start" },
	{ M_POST, "/api/customer/verify", .tool = "customer_login_verify" },
	{ 0 }
};
