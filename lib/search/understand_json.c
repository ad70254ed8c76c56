/* What was understood, as JSON. */
#include <string.h>

#include "core/banned.h"
#include "search/search_internal.h"
#include "search/understand_json.h"

/* Prices and ratings are numbers, switches true, all others strings. */
static void
put_value(struct buf *b, const struct understand_item *item)
{
	if (item->kind == U_MAX || item->kind == U_MIN || item->kind == U_RATING || item->kind == U_STOCK)
		buf_puts(b, item->value);
	else
		buf_json_cstr(b, item->value);
}

void
search_put_understood(struct buf *b, const struct search_query *q, const struct search_result *found)
{
	const struct understood *u = found->understood;

	buf_puts(b, ",\"understood\":[");
	for (unsigned i = 0; u != NULL && i < u->n; i++) {
		const struct understand_item *item = &u->item[i];

		buf_puts(b, i > 0 ? ",{\"label\":" : "{\"label\":");
		buf_json_cstr(b, item->label);
		buf_printf(b, ",\"filter\":\"%s\",\"value\":", understand_filter(item->kind));
		put_value(b, item);
		buf_puts(b, ",\"text\":");
		buf_json_string(b, q->text + item->from, item->to - item->from);
		buf_printf(b, ",\"applied\":%s}", item->applied ? "true" : "false");
	}
	buf_putc(b, ']');
}

/* The values of one filter as an array. */
static void
put_list(struct buf *b, const char *name, const struct understood *u, enum understand_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < u->n; i++) {
		if (u->item[i].kind != kind)
			continue;
		if (n++ == 0)
			buf_printf(b, ",\"%s\":[", name);
		else
			buf_putc(b, ',');
		buf_json_cstr(b, u->item[i].value);
	}
	if (n > 0)
		buf_putc(b, ']');
}

static void
put_one(struct buf *b, const char *name, const char *value, bool number)
{
	if (value == NULL)
		return;
	buf_printf(b, ",\"%s\":", name);
	if (number)
		buf_puts(b, value);
	else
		buf_json_cstr(b, value);
}

void
understand_put_intent(struct buf *b, const struct understood *u)
{
	buf_puts(b, "{\"words\":");
	buf_json_cstr(b, u->rest);
	put_one(b, "category", u->category, false);
	if (u->budget || u->luxury)
		buf_printf(b, ",\"priceLevel\":\"%s\"", u->budget ? "low" : "high");
	put_one(b, "minPrice", u->min_price, true);
	put_one(b, "maxPrice", u->max_price, true);
	put_one(b, "namedCurrency", u->currency, false);
	put_one(b, "colour", u->colour, false);
	put_list(b, "sizes", u, U_SIZE);
	put_list(b, "styles", u, U_STYLE);
	put_list(b, "exclude", u, U_NOT);
	if (u->in_stock)
		buf_puts(b, ",\"inStock\":true");
	if (u->rated)
		buf_puts(b, ",\"minRating\":4");
	if (u->by_model)
		buf_puts(b, ",\"readBy\":\"model\"");
	if (u->by_model && u->sorted)
		put_one(b, "sortBy", search_sort_name(u->sort), false);
	for (unsigned i = 0; i < u->n; i++)
		if (u->item[i].kind >= U_PRICE_ASC && u->item[i].kind <= U_POPULAR)
			put_one(b, "sortBy", u->item[i].value, false);
	buf_putc(b, '}');
}
