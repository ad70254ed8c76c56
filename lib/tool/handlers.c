/* The one table of C handlers that contracts may name in x-handler. */
#include <string.h>

#include "core/banned.h"
#include "notify/tool.h"
#include "search/faq.h"
#include "search/search.h"
#include "shop/admin_tools.h"
#include "shop/answer.h"
#include "shop/contact.h"
#include "shop/pay.h"
#include "tool/identity.h"
#include "tool/registry.h"

#define HANDLER(name, fn) { name, fn, #fn }

static const struct {
	const char *name;
	tool_handler_fn *fn;
	const char *symbol;
} handlers[] = {
	HANDLER("add_to_basket", basket_add_tool),
	HANDLER("answer_question", answer_question_tool),
	HANDLER("ai_search", ai_search_tool),
	HANDLER("customer_login_start", customer_login_start_tool),
	HANDLER("customer_login_verify", customer_login_verify_tool),
	HANDLER("create_from_file", create_from_file_tool),
	HANDLER("create_ticket", create_ticket_tool),
	HANDLER("customers_search", customers_search_tool),
	HANDLER("escalate", escalate_tool),
	HANDLER("guest_start", guest_start_tool),
	HANDLER("guest_verify", guest_verify_tool),
	HANDLER("list_products", list_products_tool),
	HANDLER("log_out", log_out_tool),
	HANDLER("payment_link", payment_link_tool),
	HANDLER("search_faq", search_faq_tool),
	HANDLER("search_products", search_products_tool),
	HANDLER("search_suggest", search_suggest_tool),
	HANDLER("send_message", send_message_tool),
	HANDLER("similar_products", similar_products_tool),
};

tool_handler_fn *
handler_find(const char *name)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (strcmp(handlers[i].name, name) == 0)
			return handlers[i].fn;
	return NULL;
}

const char *
handler_symbol(tool_handler_fn *fn)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].fn == fn)
			return handlers[i].symbol;
	return NULL;
}
