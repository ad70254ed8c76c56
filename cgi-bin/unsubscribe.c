/*
 * Who wants no more messages: the page that the messages' List-Unsubscribe names; see docs/notifications.md.
 *
 *   GET  /unsubscribe/{handle}   asks
 *   POST /unsubscribe/{handle}   does it; mail programs post List-Unsubscribe=One-Click (RFC 8058)
 */
#include "notify/unsubscribe.h"
#include "web/req.h"

#define PAGE_200 "\"responses\":{\"200\":{\"description\":\"The page\",\"content\":{\"text/html\":{\"schema\":{\"type\":\"string\"}}}}}"

const struct route routes[] = {
	{ M_GET, "/unsubscribe/{handle}", "none", "data", unsubscribe_ask, .summary = "Ask for no more messages", .doc = PAGE_200 },
	{ M_POST, "/unsubscribe/{handle}", "none", "data", unsubscribe_do, .summary = "Get no more messages",
	    .doc = "\"requestBody\":{\"required\":false,\"content\":{\"application/x-www-form-urlencoded\":{\"schema\":{\"type\":\"object\"}}}}," PAGE_200,
	    .flags = ROUTE_RAW_BODY },
	{ 0 }
};
