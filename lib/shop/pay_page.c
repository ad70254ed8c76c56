/* The shop's own payment page: what was ordered, who gets it, and how it is paid.  Plain forms, in English and French. */
#include <ctype.h>
#include <string.h>

#include "auth/signed.h"
#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "gen/sql.h"
#include "shop/pay.h"
#include "shop/stripe.h"
#include "store/db.h"
#include "web/page.h"

#define FIELD_MAX 200	/* bytes of a field of the form */

/* English, French */
#define WORD(name, en, fr) static const char *const name[2] = { en, fr }

WORD(w_paid, "Thank you, your payment has arrived.", "Merci, votre paiement est bien arrivé.");
WORD(w_soon, "Thank you. As soon as the payment is confirmed, you will get an e-mail.",
	"Merci. Dès que le paiement est confirmé, vous recevrez un e-mail.");
WORD(w_refunded, "This order was refunded.", "Cette commande a été remboursée.");
WORD(w_cancelled, "This order was cancelled; nothing is to be paid.", "Cette commande a été annulée ; il n’y a rien à payer.");
WORD(w_on_way, "Thank you. You pay when the parcel arrives.", "Merci. Vous payez à la réception du colis.");
WORD(w_transfer, "Please transfer the amount. We send your order as soon as it has arrived.",
	"Merci de virer le montant. Nous expédions la commande dès sa réception.");
WORD(w_until, "We keep the goods for you until", "Nous gardons les articles pour vous jusqu’au");
WORD(w_holder, "Account holder", "Titulaire du compte");
WORD(w_amount, "Amount", "Montant");
WORD(w_reference, "Payment reference", "Référence à indiquer");
WORD(w_items, "Your order", "Votre commande");
WORD(w_discount, "Discount", "Remise");
WORD(w_shipping, "Delivery", "Livraison");
WORD(w_total, "Total", "Total");
WORD(w_who, "Delivery address", "Adresse de livraison");
WORD(w_how, "Payment", "Paiement");
WORD(w_name, "Name", "Nom");
WORD(w_email, "E-mail", "E-mail");
WORD(w_line1, "Street and number", "Numéro et rue");
WORD(w_postcode, "Postal code", "Code postal");
WORD(w_city, "Town", "Ville");
WORD(w_country, "Country", "Pays");
WORD(w_card, "By card", "Par carte");
WORD(w_bank, "By bank transfer", "Par virement bancaire");
WORD(w_delivery, "On delivery", "À la livraison");
WORD(w_other, "Pay another way", "Payer autrement");
WORD(w_go, "Order and pay", "Commander et payer");
WORD(w_free, "Order", "Commander");
WORD(w_repriced, "Delivery to this address has another price. Please look at the total and confirm.",
	"La livraison à cette adresse a un autre prix. Merci de vérifier le total et de confirmer.");
WORD(w_wrong, "Please check: ", "Merci de vérifier : ");

static const struct country {
	const char *code, *name[2];
} countries[] = {
	{ "AT", { "Austria", "Autriche" } }, { "BE", { "Belgium", "Belgique" } }, { "CH", { "Switzerland", "Suisse" } },
	{ "DE", { "Germany", "Allemagne" } }, { "ES", { "Spain", "Espagne" } }, { "FR", { "France", "France" } },
	{ "GB", { "United Kingdom", "Royaume-Uni" } }, { "IE", { "Ireland", "Irlande" } }, { "IT", { "Italy", "Italie" } },
	{ "JP", { "Japan", "Japon" } }, { "KW", { "Kuwait", "Koweït" } }, { "LU", { "Luxembourg", "Luxembourg" } },
	{ "NL", { "Netherlands", "Pays-Bas" } }, { "PT", { "Portugal", "Portugal" } }, { "US", { "United States", "États-Unis" } },
};

#define COUNTRIES (sizeof(countries) / sizeof(countries[0]))

/* The page under way. */
struct view {
	struct page p;
	json_object *o;		/* shop.pay_view() */
	const char *order;	/* its id */
	const char *handle;
	const struct pair *form;	/* what was filled in before, NULL: nothing */
	size_t nform;
	int lang;		/* index of the words */
};

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
	w->lang = strcmp(r->locale, "fr") == 0;
	v[0] = w->order;
	v[1] = w->lang ? "fr" : "en";
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
	page_text(&w->p, w_items[w->lang]);
	page_puts(&w->p, "</h2>\n<dl class=\"bill\">\n");
	for (size_t i = 0; json_get_array(w->o, "items", &items) == JSON_OK && i < json_object_array_length(items); i++) {
		json_object *item = json_object_array_get_idx(items, i);
		int64_t n = 1;

		(void)json_get_int(item, "quantity", 1, INT32_MAX, &n);
		page_fact(&w->p, arena_printf(w->p.r->c.a, "%d × %s", (int)n, text_in(item, "name")), text_in(item, "total"));
	}
	if (text_in(w->o, "discount")[0] != '\0')
		page_fact(&w->p, w_discount[w->lang], text_in(w->o, "discount"));
	page_fact(&w->p, w_shipping[w->lang], text_in(w->o, "shipping"));
	page_puts(&w->p, "<dt class=\"sum\">");
	page_text(&w->p, w_total[w->lang]);
	page_puts(&w->p, "</dt><dd class=\"sum\">");
	page_text(&w->p, text_in(w->o, "total"));
	page_puts(&w->p, "</dd>\n</dl>\n");
}

static void
put_bank(struct view *w)
{
	const char *holder = cfg_str("BANK_HOLDER"), *until = text_in(w->o, "until");

	page_puts(&w->p, "<p>");
	page_text(&w->p, w_transfer[w->lang]);
	page_puts(&w->p, "</p>\n<dl class=\"facts\">\n");
	page_fact(&w->p, w_amount[w->lang], text_in(w->o, "total"));
	page_fact(&w->p, w_reference[w->lang], text_in(object_in(w->o, "payment"), "reference"));
	page_fact(&w->p, w_holder[w->lang], holder[0] != '\0' ? holder : cfg_str("SHOP_NAME"));
	page_fact(&w->p, "IBAN", cfg_str("BANK_IBAN"));
	if (cfg_str("BANK_BIC")[0] != '\0')
		page_fact(&w->p, "BIC", cfg_str("BANK_BIC"));
	page_puts(&w->p, "</dl>\n");
	if (until[0] != '\0') {
		page_puts(&w->p, "<p class=\"soft\">");
		page_text(&w->p, w_until[w->lang]);
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
	page_text(p, w_country[w->lang]);
	page_puts(p, "</label>\n<select id=\"country\" name=\"country\" autocomplete=\"country\" required>\n");
	for (size_t i = 0; i < COUNTRIES; i++) {
		if (!delivers(w->o, countries[i].code))
			continue;
		page_puts(p, arena_printf(p->r->c.a, "<option value=\"%s\"%s>", countries[i].code,
			strcmp(typed, countries[i].code) == 0 ? " selected" : ""));
		page_text(p, countries[i].name[w->lang]);
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
	page_text(&w->p, w_who[w->lang]);
	page_puts(&w->p, "</h2>\n");
	put_field(w, "name", w_name[w->lang], "text", "name", text_in(a, "name"));
	(void)json_get_bool(w->o, "customer", &customer);
	if (!customer)
		put_field(w, "email", w_email[w->lang], "email", "email", text_in(w->o, "email"));
	put_field(w, "line1", w_line1[w->lang], "text", "address-line1", text_in(a, "line1"));
	put_field(w, "postcode", w_postcode[w->lang], "text", "postal-code", text_in(a, "postcode"));
	put_field(w, "city", w_city[w->lang], "text", "address-level2", text_in(a, "city"));
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
	bool first = true, exact = false, nothing = false;

	(void)json_get_bool(w->o, "cardExact", &exact);
	(void)json_get_bool(w->o, "free", &nothing);
	page_puts(p, "<form method=\"post\" action=\"");
	page_text(p, page_path(p->r, arena_printf(p->r->c.a, "/pay/%s", w->handle)));
	page_puts(p, "\">\n");
	put_address(w);
	if (!nothing) {
		page_puts(p, "<fieldset class=\"ways\">\n<legend>");
		page_text(p, w_how[w->lang]);
		page_puts(p, "</legend>\n<ul>\n");
		if (stripe_configured() && exact)
			put_way(w, "card", w_card[w->lang], &first);
		if (cfg_str("BANK_IBAN")[0] != '\0')
			put_way(w, "bank_transfer", w_bank[w->lang], &first);
		if (cfg_bool("PAY_ON_DELIVERY"))
			put_way(w, "on_delivery", w_delivery[w->lang], &first);
		page_puts(p, "</ul>\n</fieldset>\n");
	}
	page_puts(p, "<p class=\"choice\"><button class=\"main\" type=\"submit\">");
	page_text(p, nothing ? w_free[w->lang] : w_go[w->lang]);
	page_puts(p, "</button></p>\n</form>\n");
}

/* What there is to say of the order's state; NULL: it waits for a choice. */
static const char *const *
state_words(const struct view *w)
{
	const char *status = text_in(w->o, "status"), *paid = text_in(w->o, "paymentStatus");

	if (strcmp(paid, "refunded") == 0)
		return w_refunded;
	if (strcmp(status, "CANCELLED") == 0)
		return w_cancelled;
	if (strcmp(paid, "paid") == 0 || strcmp(paid, "part_refunded") == 0 || strcmp(paid, "disputed") == 0)
		return w_paid;
	if (strcmp(status, "PENDING") != 0)
		return w_on_way;
	return strcmp(paid, "pending") == 0 ? w_soon : NULL;
}

/* wrong: what the buyer has to correct, or NULL. */
static enum err
show(struct req *r, struct view *w, const char *wrong)
{
	const char *const *words = state_words(w);
	const char *back = req_param(r, "paid");
	bool bank = strcmp(text_in(object_in(w->o, "payment"), "provider"), "bank_transfer") == 0;

	page_begin(&w->p, r, w->lang ? "fr" : "en", arena_printf(r->c.a, w->lang ? "Commande %s" : "Order %s", text_in(w->o, "number")));
	w->p.form_to = stripe_configured() ? "https://checkout.stripe.com" : NULL;
	if (wrong != NULL) {
		page_puts(&w->p, "<p class=\"alert\" role=\"alert\">");
		page_text(&w->p, w_wrong[w->lang]);
		page_text(&w->p, wrong);
		page_puts(&w->p, "</p>\n");
	}
	if (words == NULL && req_param(r, "repriced") != NULL) {
		page_puts(&w->p, "<p class=\"alert\" role=\"alert\">");
		page_text(&w->p, w_repriced[w->lang]);
		page_puts(&w->p, "</p>\n");
	}
	if (words == NULL && back != NULL && !bank)
		words = w_soon;
	if (words != NULL) {
		page_puts(&w->p, "<p role=\"status\">");
		page_text(&w->p, words[w->lang]);
		page_puts(&w->p, "</p>\n");
	} else if (bank) {
		put_bank(w);
	}
	put_items(w);
	if (words == NULL && bank) {
		page_puts(&w->p, "<details>\n<summary>");
		page_text(&w->p, w_other[w->lang]);
		page_puts(&w->p, "</summary>\n");
	}
	if (words == NULL)
		put_form(w);
	if (words == NULL && bank)
		page_puts(&w->p, "</details>\n");
	return page_send(&w->p, wrong != NULL ? 422 : 200);
}

enum err
pay_show(struct req *r)
{
	struct view w = { 0 };

	return look(r, &w) ? r->c.err : show(r, &w, NULL);
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
	*wrong = name == NULL || name[0] == '\0' || strlen(name) > FIELD_MAX ? w_name[w->lang] : NULL;
	if (email != NULL && (strlen(email) > FIELD_MAX || strchr(email, '@') == NULL || strpbrk(email, " \r\n\t<>") != NULL))
		*wrong = w_email[w->lang];
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
			*wrong = (const char *const *[]){ w_line1, w_postcode, w_city, w_country }[i][w->lang];
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
		return show(r, &w, w_how[w.lang]);
	page = page_path(r, arena_printf(r->c.a, "/pay/%s", w.handle));
	if (state_words(&w) != NULL)
		return page_redirect(r, page);
	v[0] = w.order;
	v[1] = way;
	v[2] = buyer_of(r, &w, &wrong);
	v[3] = arena_printf(r->c.a, "%d", (int)cfg_int("BANK_TRANSFER_DAYS"));
	if (v[2] == NULL)
		return show(r, &w, wrong);
	if (db_call(&r->c, DB_WRITE, NULL, &sql_pay_choose, 4, v, &json, &n)) {
		if (r->c.err != E_CONFLICT && r->c.err != E_INVALID)
			return r->c.err;
		wrong = arena_strdup(r->c.a, ctx_message(&r->c));
		ctx_clear_error(&r->c);
		return look(r, &w) ? r->c.err : show(r, &w, wrong);
	}
	if (json_parse(&r->c, json, n, &done))
		return r->c.err;
	(void)json_get_bool(done, "repriced", &repriced);
	if (repriced || strcmp(way, "stripe") != 0)
		return page_redirect(r, repriced ? arena_printf(r->c.a, "%s?repriced=1", page) : page);
	if (pay_page_url(&r->c, r->c.base_url, w.order, &page) || pay_stripe_url(&r->c, w.order, "checkout", page, r->locale, &url))
		return r->c.err;
	return page_redirect(r, url);
}
