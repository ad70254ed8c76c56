/*
 * Tools of the shop's staff that are not one statement.  Arguments and results are those of their contracts (tools/admin/).
 *
 * list_products: a query for active products is ranked by the search engine (search/search.h), and the rows are fetched by key; everything
 * else is shop.admin_list().  Runs inside the tool's transaction.
 *
 * create_from_file: a file is tried first, over the import's own connection in dry-run mode (shop/import.h), and kept for an hour
 * (shop/upload.h); its id, given back as confirm by the same caller, imports it once; asked again after that, the same answer is given.
 * Progress goes to call->report in bytes of the file; when that says stop, the import ends after the batch under way, and the result says
 * cancelled.  E_INVALID for a file that is none of the formats, E_NOT_FOUND for an id that is unknown, another caller's, in work or too old;
 * E_UNAVAILABLE from the database, after which the id still holds.
 */
#ifndef SOUK_SHOP_ADMIN_TOOLS_H
#define SOUK_SHOP_ADMIN_TOOLS_H

#include "tool/tool.h"

tool_handler_fn list_products_tool, create_from_file_tool;

#endif
