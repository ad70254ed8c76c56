/*
 * Sales for ERP and scripts.
 *
 *   GET /api/mcp/sales?from=&to=&status=&page=&limit=   sales, pagination (token with sales:read)
 */
#include "web/route.h"

const struct route routes[] = {
	{ M_GET, "/api/mcp/sales", .tool = "sales" },
	{ 0 }
};
