/*
 * Stock for ERP and scripts.
 *
 *   GET /api/mcp/inventory?category=&low_stock=&q=&page=&limit=   items, categories, pagination (token with inventory:read)
 */
#include "web/route.h"

const struct route routes[] = {
	{ M_GET, "/api/mcp/inventory", .tool = "inventory" },
	{ 0 }
};
