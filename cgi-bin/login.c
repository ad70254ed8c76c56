/*
 * Who speaks.  Public; docs/identity.md.
 *
 *   GET  /login[?next=PATH]      who is logged in, or a form for a customer's e-mail address
 *   POST /login, /login/code     a code by mail, and the code
 *   GET  /login/staff            the form of people of the shop
 *   POST /login/staff, /login/second    password, second factor
 *   POST /logout
 *   POST /api/guest/start, /api/guest/verify          a guest proves one order with a code by mail
 *   POST /api/customer/login, /api/customer/verify    a customer logs in with a code by mail, for a token
 */
#include "auth/login_pages.h"
#include "web/route.h"

#define HTML(status, what) "{\"responses\":{\"" status "\":{\"description\":\"" what "\",\"content\":{\"text/html\":{}}}}}"
#define NEXT "\"parameters\":[{\"name\":\"next\",\"in\":\"query\",\"description\":\"path of this site to go to afterwards\",\"schema\":{\"type\":\"string\"}}]"
#define SHOWN "{" NEXT ",\"responses\":{\"200\":{\"description\":\"the page\",\"content\":{\"text/html\":{}}}}}"

const struct route routes[] = {
	{ M_GET, "/login", "none", "data", login_show, .summary = "Log-in page", .doc = SHOWN },
	{ M_POST, "/login", "none", "data", login_send_code, .summary = "Send a customer a code", .flags = ROUTE_RAW_BODY,
	    .doc = HTML("200", "the page that asks for the code") },
	{ M_POST, "/login/code", "none", "data", login_take_code, .summary = "Log in a customer with a code", .flags = ROUTE_RAW_BODY,
	    .doc = HTML("200", "logged in: 303 to next") },
	{ M_GET, "/login/staff", "none", "data", login_show_staff, .summary = "Log-in page for people of the shop", .doc = SHOWN },
	{ M_POST, "/login/staff", "none", "data", login_take_password, .summary = "Log in with a password", .flags = ROUTE_RAW_BODY,
	    .doc = HTML("200", "the page that asks for the second factor; without one 303 to next") },
	{ M_POST, "/login/second", "none", "data", login_take_second, .summary = "Log in with a second factor", .flags = ROUTE_RAW_BODY,
	    .doc = HTML("200", "logged in: 303 to next") },
	{ M_POST, "/logout", "none", "data", login_leave, .summary = "Log out", .flags = ROUTE_RAW_BODY,
	    .doc = HTML("200", "logged out: 303 to the log-in page") },
	{ M_POST, "/api/guest/start", .tool = "guest_start" },
	{ M_POST, "/api/guest/verify", .tool = "guest_verify" },
	{ M_POST, "/api/customer/login", .tool = "customer_login_start" },
	{ M_POST, "/api/customer/verify", .tool = "customer_login_verify" },
	{ 0 }
};
