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
 *   POST /api/logout                                  what either was given ends
 */
#include "auth/login_pages.h"
#include "web/route.h"

#define PAGE "\"200\":{\"description\":\"The page\",\"content\":{\"text/html\":{\"schema\":{\"type\":\"string\"}}}}"
#define SHOWN "\"responses\":{" PAGE "}"
#define FORM "\"requestBody\":{\"required\":true,\"content\":{\"application/x-www-form-urlencoded\":{\"schema\":{\"type\":\"object\"}}}}," \
	"\"responses\":{" PAGE ",\"303\":{\"description\":\"Done: on to the next page\"}}"

const struct route routes[] = {
	{ M_GET, "/login", "none", "data", login_show, .summary = "Log-in page", .doc = SHOWN },
	{ M_POST, "/login", "none", "data", login_send_code, .summary = "Send a customer a code", .doc = FORM, .flags = ROUTE_RAW_BODY },
	{ M_POST, "/login/code", "none", "data", login_take_code, .summary = "Log in a customer with a code", .doc = FORM, .flags = ROUTE_RAW_BODY },
	{ M_GET, "/login/staff", "none", "data", login_show_staff, .summary = "Log-in page for people of the shop", .doc = SHOWN },
	{ M_POST, "/login/staff", "none", "data", login_take_password, .summary = "Log in with a password", .doc = FORM, .flags = ROUTE_RAW_BODY },
	{ M_POST, "/login/second", "none", "data", login_take_second, .summary = "Log in with a second factor", .doc = FORM, .flags = ROUTE_RAW_BODY },
	{ M_POST, "/logout", "none", "data", login_leave, .summary = "Log out", .doc = FORM, .flags = ROUTE_RAW_BODY },
	{ M_POST, "/api/guest/start", .tool = "guest_start" },
	{ M_POST, "/api/guest/verify", .tool = "guest_verify" },
	{ M_POST, "/api/logout", .tool = "log_out" },
	{ M_POST, "/api/customer/login", .tool = "customer_login_start" },
	{ M_POST, "/api/customer/verify", .tool = "customer_login_verify" },
	{ 0 }
};
