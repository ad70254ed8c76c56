#include "shop/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/banned.h"
#include "core/failstop.h"
#include "core/json.h"
#include "core/money.h"

#define ARENA_MAX (16u << 20)

enum extra { X_COUNTRY = O__MAX, X_CITY, X_POSTCODE, X_STREET, X__MAX };

static const struct {
	const char *name;
	int field;
} names[] = {
	{ "number", O_NUMBER }, { "invoiceno", O_NUMBER }, { "invoice", O_NUMBER }, { "ordernumber", O_NUMBER }, { "orderid", O_NUMBER },
	{ "order", O_NUMBER }, { "orderno", O_NUMBER }, { "commande", O_NUMBER }, { "numero", O_NUMBER },
	{ "date", O_DATE }, { "invoicedate", O_DATE }, { "orderdate", O_DATE }, { "createdat", O_DATE }, { "placedat", O_DATE },
	{ "status", O_STATUS }, { "orderstatus", O_STATUS }, { "currency", O_CURRENCY }, { "devise", O_CURRENCY },
	{ "customer", O_CUSTOMER }, { "customerid", O_CUSTOMER }, { "customerreference", O_CUSTOMER }, { "client", O_CUSTOMER },
	{ "customeremail", O_CUSTOMER_EMAIL }, { "customername", O_CUSTOMER_NAME }, { "email", O_EMAIL }, { "guestemail", O_EMAIL },
	{ "sku", O_SKU }, { "stockcode", O_SKU }, { "productsku", O_SKU }, { "itemsku", O_SKU }, { "reference", O_SKU },
	{ "name", O_NAME }, { "description", O_NAME }, { "item", O_NAME }, { "itemname", O_NAME }, { "product", O_NAME }, { "productname", O_NAME },
	{ "quantity", O_QUANTITY }, { "qty", O_QUANTITY }, { "quantite", O_QUANTITY }, { "quantit\xc3\xa9", O_QUANTITY },
	{ "unitprice", O_PRICE }, { "price", O_PRICE }, { "itemprice", O_PRICE }, { "prix", O_PRICE }, { "options", O_OPTIONS },
	{ "discount", O_DISCOUNT }, { "shipping", O_SHIPPING }, { "tax", O_TAX }, { "paidat", O_PAID }, { "shippedat", O_SHIPPED },
	{ "deliveredat", O_DELIVERED }, { "cancelledat", O_CANCELLED }, { "cancelreason", O_REASON }, { "chargecode", O_CHARGE },
	{ "channel", O_CHANNEL }, { "address", O_ADDRESS }, { "shippingaddress", O_ADDRESS },
	{ "country", X_COUNTRY }, { "city", X_CITY }, { "postcode", X_POSTCODE }, { "street", X_STREET }
};

struct order_map {
	struct row_source *src;
	const struct row *row;
	struct map_options opt;
	const char *status;
	struct report *report;
	struct arena a;
	size_t at[X__MAX];	/* the column of each field, plus one; 0: none */
	size_t known;
	bool invoices;		/* the columns of invoices: a number that begins with C is a cancellation */
	bool bad;
};

struct order_map *
order_map_open(struct row_source *src, const struct map_options *opt, const char *status, struct report *report)
{
	struct order_map *m = calloc(1, sizeof(*m));

	if (m == NULL)
		failstop("out of memory");
	m->src = src;
	m->row = &src->row;
	m->opt = *opt;
	m->status = status;
	m->report = report;
	arena_init(&m->a, ARENA_MAX);
	return m;
}

void
order_map_close(struct order_map *m)
{
	if (m == NULL)
		return;
	arena_release(&m->a);
	free(m);
}

const char *
order_map_layout(const struct order_map *m)
{
	return m->invoices ? "invoice lines" : "order lines";
}

/* Lower case letters and digits of the name decide. */
static int
find_field(const char *name)
{
	char p[ROW_NAME_MAX + 1];
	size_t n = 0, i;

	for (; *name != '\0' && n + 1 < sizeof(p); name++) {
		unsigned char c = (unsigned char)*name;

		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + 32);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80)
			p[n++] = (char)c;
	}
	p[n] = '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, p) == 0)
			return names[i].field;
	}
	return -1;
}

/* false: the file cannot be one of orders; src->why. */
static bool
columns(struct order_map *m)
{
	static const struct {
		enum order_field f;
		const char *what;
	} needed[] = { { O_NUMBER, "number" }, { O_SKU, "sku" }, { O_QUANTITY, "quantity" }, { O_PRICE, "unit_price" }, { O_DATE, "date" } };
	size_t i;
	int f;

	for (; m->known < m->row->columns; m->known++) {
		f = find_field(m->row->name[m->known]);
		if (f >= 0 && m->at[f] == 0)
			m->at[f] = m->known + 1;
		m->invoices |= strcasecmp(m->row->name[m->known], "InvoiceNo") == 0;
	}
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (m->at[needed[i].f] != 0)
			continue;
		source_fail(m->src, "no column is called \"%s\", which order lines need (the first column is \"%.40s\")", needed[i].what,
		    m->row->columns > 0 ? m->row->name[0] : "");
		return false;
	}
	return true;
}

/* ---- values ---- */

static const char *
cell(struct order_map *m, int f, size_t *n)
{
	const char *s;

	*n = 0;
	if (m->at[f] == 0 || (s = row_cell(m->row, m->at[f] - 1, n)) == NULL)
		return NULL;
	value_trim(&s, n);
	return s;
}

static void
bad(struct order_map *m, int f, const char *why)
{
	if (!m->bad)
		report_bad(m->report, m->row->line, m->at[f] != 0 ? m->row->name[m->at[f] - 1] : NULL, "%s", why);
	m->bad = true;
}

static void
set(struct order_line *l, enum order_field f, const char *s, size_t n)
{
	l->has |= 1u << f;
	l->v[f] = n > 0 ? s : NULL;
	l->n[f] = n;
}

static void
take_text(struct order_map *m, struct order_line *l, enum order_field f, size_t max)
{
	size_t n;
	const char *s = cell(m, (int)f, &n);

	if (s == NULL)
		return;
	if (n > max && utf8_length(s, n) > max)
		bad(m, (int)f, "is too long");
	else
		set(l, f, s, n);
}

/* 17850.0, as spreadsheets make of numbers, is customer 17850. */
static void
take_customer(struct order_map *m, struct order_line *l)
{
	size_t n;
	const char *s = cell(m, O_CUSTOMER, &n);

	if (s == NULL)
		return;
	if (n > 2 && memcmp(s + n - 2, ".0", 2) == 0 && strspn(s, "0123456789") == n - 2)
		n -= 2;
	if (n > 100)
		bad(m, O_CUSTOMER, "is too long");
	else
		set(l, O_CUSTOMER, s, n);
}

static void
take_date(struct order_map *m, struct order_line *l, enum order_field f)
{
	size_t n;
	const char *s = cell(m, (int)f, &n), *why;
	char *out;

	if (s == NULL)
		return;
	if (n == 0) {
		set(l, f, NULL, 0);
		return;
	}
	out = arena_alloc(&m->a, VALUE_DATE_MAX);
	if (!value_date(s, n, strcmp(m->opt.locale, "en") == 0, out, &why))
		bad(m, (int)f, why);
	else
		set(l, f, out, strlen(out));
}

static void
take_amount(struct order_map *m, struct order_line *l, enum order_field f, bool sign)
{
	enum format is = m->src->format;
	enum decimal d = m->invoices || is == FORMAT_JSON || is == FORMAT_JSONL || is == FORMAT_XLSX ? DECIMAL_POINT : m->opt.decimal;
	char currency[4];
	size_t n;
	const char *s = cell(m, (int)f, &n), *why;
	int64_t v;

	if (s == NULL)
		return;
	if (n == 0) {
		set(l, f, NULL, 0);
		return;
	}
	snprintf(currency, sizeof(currency), "%.3s", l->v[O_CURRENCY]);
	if (!value_amount(s, n, money_scale(currency), d, sign, &v, &why)) {
		bad(m, (int)f, why);
		return;
	}
	s = arena_printf(&m->a, "%lld", (long long)v);
	set(l, f, s, strlen(s));
}

static void
take_quantity(struct order_map *m, struct order_line *l)
{
	size_t n;
	const char *s = cell(m, O_QUANTITY, &n), *why;
	int64_t v = 0;

	if (s == NULL || n == 0)
		bad(m, O_QUANTITY, "is missing");
	else if (!value_int(s, n, INT32_MIN, INT32_MAX, &v, &why))
		bad(m, O_QUANTITY, why);
	else if (v == 0)
		bad(m, O_QUANTITY, "must not be 0");
	if (m->bad)
		return;
	s = arena_printf(&m->a, "%lld", (long long)v);
	set(l, O_QUANTITY, s, strlen(s));
}

/* Ours, and what other systems call them. */
static void
take_status(struct order_map *m, struct order_line *l)
{
	static const struct {
		const char *said, *is;
	} words[] = {
		{ "pending", "PENDING" }, { "open", "PENDING" }, { "on-hold", "PENDING" }, { "processing", "PROCESSING" }, { "paid", "PAID" },
		{ "shipped", "SHIPPED" }, { "fulfilled", "SHIPPED" }, { "delivered", "DELIVERED" }, { "completed", "DELIVERED" },
		{ "complete", "DELIVERED" }, { "cancelled", "CANCELLED" }, { "canceled", "CANCELLED" }, { "refunded", "CANCELLED" },
		{ "failed", "CANCELLED" }, { "en attente", "PENDING" }, { "en cours", "PROCESSING" }, { "pay\xc3\xa9" "e", "PAID" },
		{ "exp\xc3\xa9" "di\xc3\xa9" "e", "SHIPPED" }, { "livr\xc3\xa9" "e", "DELIVERED" }, { "termin\xc3\xa9" "e", "DELIVERED" },
		{ "annul\xc3\xa9" "e", "CANCELLED" }, { "rembours\xc3\xa9" "e", "CANCELLED" }, { "offen", "PENDING" },
		{ "in bearbeitung", "PROCESSING" }, { "bezahlt", "PAID" }, { "versandt", "SHIPPED" }, { "geliefert", "DELIVERED" },
		{ "abgeschlossen", "DELIVERED" }, { "storniert", "CANCELLED" }, { "pendiente", "PENDING" }, { "procesando", "PROCESSING" },
		{ "pagado", "PAID" }, { "enviado", "SHIPPED" }, { "entregado", "DELIVERED" }, { "completado", "DELIVERED" }, { "cancelado", "CANCELLED" }
	};
	size_t n, i;
	const char *s = cell(m, O_STATUS, &n), *number = l->v[O_NUMBER];

	if (n > 3 && strncasecmp(s, "wc-", 3) == 0) {	/* as WooCommerce stores them */
		s += 3;
		n -= 3;
	}
	if (n == 0) {
		s = m->status;
		if (m->invoices && number != NULL && (number[0] == 'C' || number[0] == 'c') && number[1] >= '0' && number[1] <= '9') {
			s = "CANCELLED";
			l->has |= 1u << O_STATUS;
		}
		l->v[O_STATUS] = s;
		l->n[O_STATUS] = strlen(s);
		return;
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].said) == n && strncasecmp(words[i].said, s, n) == 0) {
			set(l, O_STATUS, words[i].is, strlen(words[i].is));
			return;
		}
	}
	bad(m, O_STATUS, "is not a status such as PAID or DELIVERED");
}

static void
take_currency(struct order_map *m, struct order_line *l)
{
	char code[4] = "";
	size_t n;
	const char *s = cell(m, O_CURRENCY, &n);

	if (n == 3)
		memcpy(code, s, 4 - 1);
	if (n == 0) {
		l->v[O_CURRENCY] = m->opt.currency;
		l->n[O_CURRENCY] = 3;
	} else if (money_scale(code) < 0) {
		bad(m, O_CURRENCY, "is not a currency such as EUR");
		l->v[O_CURRENCY] = m->opt.currency;
	} else {
		set(l, O_CURRENCY, s, n);
	}
}

static void
take_json(struct order_map *m, struct order_line *l, enum order_field f)
{
	struct ctx c = { .a = &m->a };
	json_object *o;
	size_t n;
	const char *s = cell(m, (int)f, &n);

	if (s == NULL)
		return;
	if (n > 0 && (json_parse(&c, s, n, &o) != E_OK || !json_object_is_type(o, json_type_object)))
		bad(m, (int)f, "is not a JSON object");
	else
		set(l, f, s, n);
}

/* Country, city and so on in columns of their own. */
static void
take_address(struct order_map *m, struct order_line *l)
{
	static const struct {
		int f;
		const char *key;
	} parts[] = { { X_STREET, "street" }, { X_POSTCODE, "postcode" }, { X_CITY, "city" }, { X_COUNTRY, "country" } };
	struct buf b;
	size_t n, i;
	const char *s;
	bool any = false;

	take_json(m, l, O_ADDRESS);
	if (m->at[O_ADDRESS] != 0)
		return;
	buf_init(&b, &m->a, 128, 8192);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		s = cell(m, parts[i].f, &n);
		any |= s != NULL;
		if (n == 0 || n > 500)
			continue;
		buf_printf(&b, "%s\"%s\":", b.n == 0 ? "{" : ",", parts[i].key);
		buf_json_string(&b, s, n);
	}
	if (!any)
		return;
	buf_puts(&b, b.n == 0 ? "{}" : "}");
	set(l, O_ADDRESS, b.p, b.n);
}

static void
take_email(struct order_map *m, struct order_line *l, enum order_field f)
{
	take_text(m, l, f, 254);
	if (l->v[f] != NULL && memchr(l->v[f], '@', l->n[f]) == NULL)
		bad(m, (int)f, "is not an e-mail address");
}

static void
take_line(struct order_map *m, struct order_line *l)
{
	memset(l, 0, sizeof(*l));
	l->line = m->row->line;
	take_text(m, l, O_NUMBER, 64);
	if (l->v[O_NUMBER] == NULL)
		bad(m, O_NUMBER, "is missing");
	take_date(m, l, O_DATE);
	if (l->v[O_DATE] == NULL)
		bad(m, O_DATE, "is missing");
	take_status(m, l);
	take_currency(m, l);
	take_customer(m, l);
	take_email(m, l, O_CUSTOMER_EMAIL);
	take_text(m, l, O_CUSTOMER_NAME, 200);
	take_email(m, l, O_EMAIL);
	take_text(m, l, O_SKU, 100);
	if (l->v[O_SKU] == NULL)
		bad(m, O_SKU, "is missing");
	take_text(m, l, O_NAME, 1000);
	if (l->v[O_NAME] == NULL) {
		l->v[O_NAME] = l->v[O_SKU];
		l->n[O_NAME] = l->n[O_SKU];
	}
	take_quantity(m, l);
	take_amount(m, l, O_PRICE, true);
	if (l->v[O_PRICE] == NULL)
		bad(m, O_PRICE, "is missing");
	take_json(m, l, O_OPTIONS);
	take_amount(m, l, O_DISCOUNT, false);
	take_amount(m, l, O_SHIPPING, false);
	take_amount(m, l, O_TAX, false);
	take_date(m, l, O_PAID);
	take_date(m, l, O_SHIPPED);
	take_date(m, l, O_DELIVERED);
	take_date(m, l, O_CANCELLED);
	take_text(m, l, O_REASON, 500);
	take_text(m, l, O_CHARGE, 100);
	take_text(m, l, O_CHANNEL, 40);
	take_address(m, l);
}

enum map_got
order_map_next(struct order_map *m, struct order_line *out)
{
	enum row_got got;

	for (;;) {
		arena_reset(&m->a);
		got = source_next(m->src);
		if (got == ROW_FAIL)
			return MAP_FAIL;
		if (got == ROW_END)
			return MAP_END;
		m->report->rows++;
		m->bad = false;
		if (got == ROW_BAD) {
			report_bad(m->report, m->row->line, m->src->column, "%s", m->src->why);
			continue;
		}
		if (m->known < m->row->columns && !columns(m))
			return MAP_FAIL;
		take_line(m, out);
		if (!m->bad)
			return MAP_ITEM;
	}
}
