/*
 * Orders of customers in the form of ClicShopping's customerOrders; also as index.php?mcp&customerOrders&action=...  Scopes orders:read and
 * orders:write: a customer and a guest have them for what is theirs.
 *
 *   GET  /api/mcp/customerOrders?action=list_orders&customer_id=   orders of a customer, who is compared with who asks
 *   GET  /api/mcp/customerOrders?action=read_order&order_id=       one order
 *   POST /api/mcp/customerOrders?action=cancel_order               {"order_id", "reason"}
 *   POST /api/mcp/customerOrders?action=send_message               {"order_id", "message"}
 *   GET  /api/mcp/customerOrders?action=history&order_id=          steps and messages
 */
#include "web/route.h"

#define PATH "/api/mcp/customerOrders"

const struct route routes[] = {
	{ M_GET, PATH, .tool = "customer_orders_list", .query = "action=list_orders" },
	{ M_GET, PATH, .tool = "customer_orders_read", .query = "action=read_order" },
	{ M_POST, PATH, .tool = "customer_orders_cancel", .query = "action=cancel_order" },
	{ M_POST, PATH, .tool = "customer_orders_message", .query = "action=send_message" },
	{ M_GET, PATH, .tool = "customer_orders_history", .query = "action=history" },
	{ 0 }
};
