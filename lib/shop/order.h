/*
 * Lines of an order file: souk's own columns under their usual names, and those of invoices (InvoiceNo, StockCode, ...).  Each row is one
 * line of an order and repeats what concerns the order as a whole; lines of one order may be anywhere in the file.
 */
#ifndef SOUK_SHOP_ORDER_H
#define SOUK_SHOP_ORDER_H

#include "shop/map.h"
#include "shop/report.h"
#include "shop/source.h"

/* In the order of the columns of import_line (sql/query/import_line_table.sql), which knows the bits as 1 << field. */
enum order_field {
	O_NUMBER, O_DATE, O_STATUS, O_CURRENCY, O_CUSTOMER, O_CUSTOMER_EMAIL, O_CUSTOMER_NAME, O_EMAIL, O_SKU, O_NAME, O_QUANTITY, O_PRICE,
	O_OPTIONS, O_DISCOUNT, O_SHIPPING, O_TAX, O_PAID, O_SHIPPED, O_DELIVERED, O_CANCELLED, O_REASON, O_CHARGE, O_CHANNEL, O_ADDRESS,
	O__MAX
};

struct order_line {
	int64_t line;
	uint32_t has;
	const char *v[O__MAX];	/* NULL: empty */
	size_t n[O__MAX];
};

struct order_map;

struct order_map *order_map_open(struct row_source *src, const struct map_options *opt, const char *status, struct report *report);
/* The values live until the next call. */
enum map_got order_map_next(struct order_map *m, struct order_line *out);
const char *order_map_layout(const struct order_map *m);
void order_map_close(struct order_map *m);

#endif
