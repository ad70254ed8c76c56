/* The one table of C handlers that contracts may name in x-handler. */
#include <string.h>

#include "core/banned.h"
#include "notify/tool.h"
#include "search/faq.h"
#include "search/search.h"
#include "shop/admin_tools.h"
#include "shop/answer.h"
#include "shop/pay.h"
#include "tool/identity.h"
#include "tool/registry.h"

static const struct {
	const char *name;
	tool_handler_fn *fn;
} handlers[] = {
	{ "add_to_basket", basket_add_tool },
	{ "answer_question", answer_question_tool },
	{ "ai_search", ai_search_tool },
	{ "customer_login_start", customer_login_start_tool },
	{ "customer_login_verify", customer_login_verify_tool },
	{ "create_from_file", create_from_file_tool },
	{ "customers_search", customers_search_tool },
	{ "guest_start", guest_start_tool },
	{ "guest_verify", guest_verify_tool },
	{ "list_products", list_products_tool },
	{ "payment_link", payment_link_tool },
	{ "search_faq", search_faq_tool },
	{ "search_products", search_products_tool },
	{ "search_suggest", search_suggest_tool },
	{ "send_message", send_message_tool },
	{ "similar_products", similar_products_tool },
};

tool_handler_fn *
handler_find(const char *name)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (strcmp(handlers[i].name, name) == 0)
			return handlers[i].fn;
	return NULL;
}
