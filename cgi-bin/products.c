/*
 * The catalogue in the form of ClicShopping's customersProducts; also as index.php?mcp&customersProducts&action=...  Public.
 *
 *   GET /api/mcp/customersProducts?action=products          list
 *   GET /api/mcp/customersProducts?action=product&id=       one product
 *   GET /api/mcp/customersProducts?action=search&query=     search
 *   GET /api/mcp/customersProducts?action=stats             figures of the catalogue
 *   GET /api/mcp/customersProducts?action=categories        categories
 *   GET /api/mcp/customersProducts?action=recommendations   bought together, else similar
 */
#include "web/route.h"

#define PATH "/api/mcp/customersProducts"

const struct route routes[] = {
	{ M_GET, PATH, .tool = "customers_products", .query = "action=products" },
	{ M_GET, PATH, .tool = "customers_product", .query = "action=product" },
	{ M_GET, PATH, .tool = "customers_search", .query = "action=search" },
	{ M_GET, PATH, .tool = "customers_stats", .query = "action=stats" },
	{ M_GET, PATH, .tool = "customers_categories", .query = "action=categories" },
	{ M_GET, PATH, .tool = "customers_recommendations", .query = "action=recommendations" },
	{ 0 }
};
