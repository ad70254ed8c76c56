/* The shop's own payment page: what was ordered, who gets it, and how it is paid.  Plain forms, in four languages. */
#include <ctype.h>
#include <string.h>

#include "auth/signed.h"
#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "gen/sql.h"
#include "shop/epc.h"
#include "shop/pay.h"
#include "shop/pay_words.h"
#include "shop/stripe.h"
#include "store/db.h"
#include "web/page.h"

#define FIELD_MAX 200	/* bytes of a field of the form */

/* The page under way. */
struct view {
	struct page p;
	json_object *o;		/* shop.pay_view() */
	const char *order;	/* its id */
	const char *handle;
	const struct pair *form;	/* what was filled in before, NULL: nothing */
	size_t nform;
	int lang;		/* page_language() */
};

static const char *
say(const struct view *w, enum pay_word word)
{
	return pay_words[word][w->lang];
}

static const char *
text_in(json_object *o, const char *name)
{
	const char *s = "";
	size_t n;

	return o != NULL && json_get_string(o, name, 0, 4096, &s, &n) == JSON_OK ? s : "";
}

static json_object *
object_in(json_object *o, const char *name)
{
	json_object *found = NULL;

	return json_get_object(o, name, &found) == JSON_OK ? found : NULL;
}

/* The order behind the page's handle, as it is to be shown.  E_NOT_FOUND for anything wrong with it. */
static enum err
look(struct req *r, struct view *w)
{
	const char *v[2], *json;
	size_t n;

	w->handle = req_var(r, "handle");
	if (signed_check(&r->c, "pay", w->handle, &w->order)) {
		ctx_clear_error(&r->c);
		return fail(&r->c, E_NOT_FOUND, "there is no such payment page");
	}
	w->lang = page_language(r);
	v[0] = w->order;
	v[1] = page_language_code(w->lang);
	if (db_call(&r->c, DB_WRITE, NULL, &sql_pay_view, 2, v, &json, &n))
		return r->c.err;
	if (json == NULL)
		return fail(&r->c, E_NOT_FOUND, "there is no such payment page");
	return json_parse(&r->c, json, n, &w->o);
}

static void
put_items(struct view *w)
{
	json_object *items;

	page_puts(&w->p, "<h2>");
	page_text(&w->p, say(w, W_ITEMS));
	page_puts(&w->p, "</h2>\n<dl class=\"bill\">\n");
	for (size_t i = 0; json_get_array(w->o, "items", &items) == JSON_OK && i < json_object_array_length(items); i++) {
		json_object *item = json_object_array_get_idx(items, i);
		int64_t n = 1;

		(void)json_get_int(item, "quantity", 1, INT32_MAX, &n);
		page_fact(&w->p, arena_printf(w->p.r->c.a, "%d × %s", (int)n, text_in(item, "name")), text_in(item, "total"));
	}
	if (text_in(w->o, "discount")[0] != '\0')
		page_fact(&w->p, say(w, W_DISCOUNT), text_in(w->o, "discount"));
	page_fact(&w->p, say(w, W_SHIPPING), text_in(w->o, "shipping"));
	page_puts(&w->p, "<dt class=\"sum\">");
	page_text(&w->p, say(w, W_TOTAL));
	page_puts(&w->p, "</dt><dd class=\"sum\">");
	page_text(&w->p, text_in(w->o, "total"));
	page_puts(&w->p, "</dd>\n</dl>\n");
}

/* What a banking app reads, for euros; nothing where it cannot be said. */
static void
put_code(struct view *w)
{
	const char *holder = cfg_str("BANK_HOLDER"), *svg;
	const struct epc pay = { .bic = cfg_str("BANK_BIC"), .name = holder[0] != '\0' ? holder : cfg_str("SHOP_NAME"), .iban = cfg_str("BANK_IBAN"),
		.amount = text_in(w->o, "amount"), .text = text_in(object_in(w->o, "payment"), "reference") };

	if (strcmp(text_in(w->o, "currency"), "EUR") != 0 || (svg = epc_svg(&w->p.r->c, &pay, say(w, W_SCAN))) == NULL)
		return;
	page_puts(&w->p, "<figure class=\"code\">\n");
	page_puts(&w->p, svg);
	page_puts(&w->p, "\n<figcaption>");
	page_text(&w->p, say(w, W_SCAN));
	page_puts(&w->p, "</figcaption>\n</figure>\n");
}

static void
put_bank(struct view *w)
{
	const char *holder = cfg_str("BANK_HOLDER"), *until = text_in(w->o, "until");

	page_puts(&w->p, "<p>");
	page_text(&w->p, say(w, W_TRANSFER));
	page_puts(&w->p, "</p>\n<dl class=\"facts\">\n");
	page_fact(&w->p, say(w, W_AMOUNT), text_in(w->o, "total"));
	page_fact(&w->p, say(w, W_REFERENCE), text_in(object_in(w->o, "payment"), "reference"));
	page_fact(&w->p, say(w, W_HOLDER), holder[0] != '\0' ? holder : cfg_str("SHOP_NAME"));
	page_fact(&w->p, "IBAN", cfg_str("BANK_IBAN"));
	if (cfg_str("BANK_BIC")[0] != '\0')
		page_fact(&w->p, "BIC", cfg_str("BANK_BIC"));
	page_puts(&w->p, "</dl>\n");
	put_code(w);
	if (until[0] != '\0') {
		page_puts(&w->p, "<p class=\"soft\">");
		page_text(&w->p, say(w, W_UNTIL));
		page_puts(&w->p, " ");
		page_text(&w->p, until);
		page_puts(&w->p, ".</p>\n");
	}
}

/* A field of the form, with what was written into it last, else what is known. */
static void
put_field(struct view *w, const char *name, const char *label, const char *type, const char *complete, const char *known)
{
	const char *typed = w->form != NULL ? form_value(w->form, w->nform, name) : NULL;
	struct page *p = &w->p;

	page_puts(p, arena_printf(p->r->c.a, "<label for=\"%s\">", name));
	page_text(p, label);
	page_puts(p, arena_printf(p->r->c.a, "</label>\n<input id=\"%s\" name=\"%s\" type=\"%s\" autocomplete=\"%s\" maxlength=\"%d\" required value=\"",
		name, name, type, complete, FIELD_MAX));
	page_text(p, typed != NULL ? typed : known);
	page_puts(p, "\">\n");
}

static bool
delivers(json_object *o, const char *code)
{
	json_object *list;

	if (json_get_array(o, "countries", &list) != JSON_OK || json_object_array_length(list) == 0)
		return true;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (strcmp(json_object_get_string(json_object_array_get_idx(list, i)), code) == 0)
			return true;
	return false;
}

static void
put_country(struct view *w, const char *known)
{
	const char *typed = w->form != NULL ? form_value(w->form, w->nform, "country") : NULL;
	struct page *p = &w->p;

	typed = typed != NULL ? typed : known[0] != '\0' ? known : "FR";
	page_puts(p, "<label for=\"country\">");
	page_text(p, say(w, W_COUNTRY));
	page_puts(p, "</label>\n<select id=\"country\" name=\"country\" autocomplete=\"country\" required>\n");
	for (const struct pay_country *n = pay_countries; n->code != NULL; n++) {
		if (!delivers(w->o, n->code))
			continue;
		page_puts(p, arena_printf(p->r->c.a, "<option value=\"%s\"%s>", n->code, strcmp(typed, n->code) == 0 ? " selected" : ""));
		page_text(p, n->name[w->lang]);
		page_puts(p, "</option>\n");
	}
	page_puts(p, "</select>\n");
}

static void
put_address(struct view *w)
{
	json_object *a = object_in(w->o, "address");
	bool customer = false;

	page_puts(&w->p, "<h2>");
	page_text(&w->p, say(w, W_WHO));
	page_puts(&w->p, "</h2>\n");
	put_field(w, "name", say(w, W_NAME), "text", "name", text_in(a, "name"));
	(void)json_get_bool(w->o, "customer", &customer);
	if (!customer)
		put_field(w, "email", say(w, W_EMAIL), "email", "email", text_in(w->o, "email"));
	put_field(w, "line1", say(w, W_LINE1), "text", "address-line1", text_in(a, "line1"));
	put_field(w, "postcode", say(w, W_POSTCODE), "text", "postal-code", text_in(a, "postcode"));
	put_field(w, "city", say(w, W_CITY), "text", "address-level2", text_in(a, "city"));
	put_country(w, text_in(a, "country"));
}

static void
put_way(struct view *w, const char *value, const char *label, bool *first)
{
	page_puts(&w->p, arena_printf(w->p.r->c.a, "<li><label><input type=\"radio\" name=\"method\" value=\"%s\" required%s> ", value,
		*first ? " checked" : ""));
	page_text(&w->p, label);
	page_puts(&w->p, "</label></li>\n");
	*first = false;
}

static void
put_form(struct view *w)
{
	struct page *p = &w->p;
	bool first = true, card = false, nothing = false;

	(void)json_get_bool(w->o, "card", &card);
	(void)json_get_bool(w->o, "free", &nothing);
	page_puts(p, "<form method=\"post\" action=\"");
	page_text(p, page_path(p->r, arena_printf(p->r->c.a, "/pay/%s", w->handle)));
	page_puts(p, "\">\n");
	put_address(w);
	if (!nothing) {
		page_puts(p, "<fieldset class=\"ways\">\n<legend>");
		page_text(p, say(w, W_HOW));
		page_puts(p, "</legend>\n<ul>\n");
		if (stripe_configured() && card)
			put_way(w, "card", say(w, W_CARD), &first);
		if (cfg_str("BANK_IBAN")[0] != '\0')
			put_way(w, "bank_transfer", say(w, W_BANK), &first);
		if (cfg_bool("PAY_ON_DELIVERY"))
			put_way(w, "on_delivery", say(w, W_DELIVERY), &first);
		page_puts(p, "</ul>\n</fieldset>\n");
	}
	page_puts(p, "<p class=\"choice\"><button class=\"main\" type=\"submit\">");
	page_text(p, nothing ? say(w, W_FREE) : say(w, W_GO));
	page_puts(p, "</button></p>\n</form>\n");
}

/* What there is to say of the order's state; NULL: it waits for a choice. */
static const char *
state_words(const struct view *w)
{
	const char *status = text_in(w->o, "status"), *paid = text_in(w->o, "paymentStatus");

	if (strcmp(paid, "refunded") == 0)
		return say(w, W_REFUNDED);
	if (strcmp(status, "CANCELLED") == 0)
		return say(w, W_CANCELLED);
	if (strcmp(paid, "paid") == 0 || strcmp(paid, "part_refunded") == 0 || strcmp(paid, "disputed") == 0)
		return say(w, W_PAID);
	if (strcmp(status, "PENDING") != 0)
		return say(w, W_ON_WAY);
	return strcmp(paid, "pending") == 0 ? say(w, W_SOON) : NULL;
}

static void
put_alert(struct view *w, const char *text, const char *more)
{
	page_puts(&w->p, "<p class=\"alert\" role=\"alert\">");
	page_text(&w->p, text);
	page_text(&w->p, more);
	page_puts(&w->p, "</p>\n");
}

/* status: 200; 422: wrong says what the buyer has to correct; 503: cards cannot be paid with now. */
static enum err
show(struct req *r, struct view *w, int status, const char *wrong)
{
	const char *words = state_words(w);
	const char *back = req_param(r, "paid");
	bool bank = strcmp(text_in(object_in(w->o, "payment"), "provider"), "bank_transfer") == 0;

	page_begin(&w->p, r, page_language_code(w->lang), arena_printf(r->c.a, "%s %s", say(w, W_TITLE), text_in(w->o, "number")));
	w->p.form_to = stripe_configured() ? "https://checkout.stripe.com" : NULL;
	if (wrong != NULL)
		put_alert(w, say(w, W_WRONG), wrong);
	if (status == 503)
		put_alert(w, say(w, W_NO_CARD), "");
	if (words == NULL && req_param(r, "repriced") != NULL)
		put_alert(w, say(w, W_REPRICED), "");
	if (words == NULL && back != NULL && !bank)
		words = say(w, W_SOON);
	if (words != NULL) {
		page_puts(&w->p, "<p role=\"status\">");
		page_text(&w->p, words);
		page_puts(&w->p, "</p>\n");
	} else if (bank) {
		put_bank(w);
	}
	put_items(w);
	if (words == NULL && bank) {
		page_puts(&w->p, "<details>\n<summary>");
		page_text(&w->p, say(w, W_OTHER));
		page_puts(&w->p, "</summary>\n");
	}
	if (words == NULL)
		put_form(w);
	if (words == NULL && bank)
		page_puts(&w->p, "</details>\n");
	return page_send(&w->p, status);
}

enum err
pay_show(struct req *r)
{
	struct view w = { 0 };

	return look(r, &w) ? r->c.err : show(r, &w, 200, NULL);
}

/* ---- the choice ---------------------------------------------------------------------- */

/* What the buyer says of themselves, as JSON; NULL: something is missing or too long, *wrong says which field. */
static const char *
buyer_of(struct req *r, const struct view *w, const char **wrong)
{
	static const char *const fields[] = { "line1", "postcode", "city", "country" };
	const char *name = form_value(w->form, w->nform, "name"), *email = form_value(w->form, w->nform, "email");
	struct buf b;

	buf_init(&b, r->c.a, 512, 16384);
	*wrong = name == NULL || name[0] == '\0' || strlen(name) > FIELD_MAX ? say(w, W_NAME) : NULL;
	if (email != NULL && (strlen(email) > FIELD_MAX || strchr(email, '@') == NULL || strpbrk(email, " \r\n\t<>") != NULL))
		*wrong = say(w, W_EMAIL);
	buf_puts(&b, "{\"name\":");
	buf_json_cstr(&b, name);
	if (email != NULL) {
		buf_puts(&b, ",\"email\":");
		buf_json_cstr(&b, email);
	}
	buf_puts(&b, ",\"address\":{");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *v = form_value(w->form, w->nform, fields[i]);

		if (v == NULL || v[0] == '\0' || strlen(v) > FIELD_MAX ||
		    (i == 3 && !(strlen(v) == 2 && isupper((unsigned char)v[0]) && isupper((unsigned char)v[1]) && delivers(w->o, v))))
			*wrong = say(w, (const enum pay_word[]){ W_LINE1, W_POSTCODE, W_CITY, W_COUNTRY }[i]);
		buf_puts(&b, i > 0 ? "," : "");
		buf_json_cstr(&b, fields[i]);
		buf_putc(&b, ':');
		buf_json_cstr(&b, v);
	}
	buf_puts(&b, "}}");
	return *wrong == NULL ? b.p : NULL;
}

/* The way that was chosen, as the database knows it; NULL for one that is not offered. */
static const char *
way_of(const struct view *w)
{
	const char *m = form_value(w->form, w->nform, "method");
	bool nothing = false;

	(void)json_get_bool(w->o, "free", &nothing);
	if (nothing)
		return "bank_transfer";
	if (m == NULL)
		return NULL;
	if (strcmp(m, "card") == 0 && stripe_configured())
		return "stripe";
	if (strcmp(m, "bank_transfer") == 0 && cfg_str("BANK_IBAN")[0] != '\0')
		return "bank_transfer";
	return strcmp(m, "on_delivery") == 0 && cfg_bool("PAY_ON_DELIVERY") ? "on_delivery" : NULL;
}

enum err
pay_choose(struct req *r)
{
	struct view w = { 0 };
	struct pair *fields;
	const char *v[4], *json, *wrong, *url, *way, *page;
	json_object *done;
	bool repriced = false;
	size_t n;

	if (look(r, &w) || form_parse(r, &fields, &w.nform))
		return r->c.err;
	w.form = fields;
	way = way_of(&w);
	if (way == NULL)
		return show(r, &w, 422, say(&w, W_HOW));
	page = page_path(r, arena_printf(r->c.a, "/pay/%s", w.handle));
	if (state_words(&w) != NULL)
		return page_redirect(r, page);
	v[0] = w.order;
	v[1] = way;
	v[2] = buyer_of(r, &w, &wrong);
	v[3] = arena_printf(r->c.a, "%d", (int)cfg_int("BANK_TRANSFER_DAYS"));
	if (v[2] == NULL)
		return show(r, &w, 422, wrong);
	if (db_call(&r->c, DB_WRITE, NULL, &sql_pay_choose, 4, v, &json, &n)) {
		if (r->c.err != E_CONFLICT && r->c.err != E_INVALID)
			return r->c.err;
		wrong = arena_strdup(r->c.a, ctx_message(&r->c));
		ctx_clear_error(&r->c);
		return look(r, &w) ? r->c.err : show(r, &w, 422, wrong);
	}
	if (json_parse(&r->c, json, n, &done))
		return r->c.err;
	(void)json_get_bool(done, "repriced", &repriced);
	if (repriced || strcmp(way, "stripe") != 0)
		return page_redirect(r, repriced ? arena_printf(r->c.a, "%s?repriced=1", page) : page);
	if (pay_page_url(&r->c, r->c.base_url, w.order, &page))
		return r->c.err;
	if (pay_stripe_url(&r->c, w.order, "checkout", page, page_language_code(w.lang), &url)) {
		/* the buyer is in front of a browser: there are other ways, and this one may work again */
		ctx_clear_error(&r->c);
		return look(r, &w) ? r->c.err : show(r, &w, 503, NULL);
	}
	return page_redirect(r, url);
}
