/* The page behind List-Unsubscribe; see unsubscribe.h. */
#include "notify/unsubscribe.h"

#include <string.h>

#include "auth/signed.h"
#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "gen/sql.h"
#include "store/db.h"
#include "web/page.h"

#define KIND "uns"

/* English, Spanish, French, German: as page_language() counts. */
#define WORD(name, ...) static const char *const name[PAGE_LANGUAGES] = { __VA_ARGS__ }

WORD(w_title, "Messages from the shop", "Mensajes de la tienda", "Messages de la boutique", "Nachrichten des Shops");
WORD(w_ask, "Send no more messages to this address:", "No enviar más mensajes a esta dirección:", "Ne plus envoyer de messages à cette adresse :",
	"Keine Nachrichten mehr an diese Adresse senden:");
WORD(w_codes, "Codes that you ask for yourself still come.", "Los códigos que usted mismo pida seguirán llegando.",
	"Les codes que vous demandez vous-même arrivent toujours.", "Codes, die Sie selbst anfordern, kommen weiterhin.");
WORD(w_go, "No more messages", "No más mensajes", "Plus de messages", "Keine Nachrichten mehr");
WORD(w_done, "Done. No more messages go to this address:", "Hecho. No se enviarán más mensajes a esta dirección:",
	"C’est fait. Plus aucun message ne sera envoyé à cette adresse :", "Erledigt. An diese Adresse gehen keine Nachrichten mehr:");

const char *
unsubscribe_url(struct ctx *c, const char *id)
{
	const char *url = cfg_str("PUBLIC_URL");
	char handle[SIGNED_MAX];

	if (url[0] == '\0')
		return "";
	if (signed_make(c, KIND, id, 0, handle) != E_OK) {
		ctx_clear_error(c);
		return "";
	}
	return arena_printf(c->a, "%s/unsubscribe/%s", url, handle);
}

/* Look at the message, or take its recipient off; the address, masked. */
static enum err
look(struct req *r, const char *really, const char **address)
{
	const char *v[2] = { NULL, really }, *json;
	json_object *o;
	size_t n;

	*address = NULL;
	if (signed_check(&r->c, KIND, req_var(r, "handle"), &v[0])) {
		ctx_clear_error(&r->c);
		return fail(&r->c, E_NOT_FOUND, "there is no such page");
	}
	if (db_call(&r->c, DB_WRITE, NULL, &sql_unsubscribe, 2, v, &json, &n))
		return r->c.err;
	if (json == NULL)
		return fail(&r->c, E_NOT_FOUND, "there is no such page");
	if (json_parse(&r->c, json, n, &o))
		return r->c.err;
	return json_get_string(o, "address", 1, 400, address, &n) == JSON_OK ? E_OK : fail(&r->c, E_INTERNAL, NULL);
}

static void
put_line(struct page *p, const char *text, const char *address)
{
	page_puts(p, "<p>");
	page_text(p, text);
	if (address != NULL) {
		page_puts(p, " <strong>");
		page_text(p, address);
		page_puts(p, "</strong>");
	}
	page_puts(p, "</p>\n");
}

enum err
unsubscribe_ask(struct req *r)
{
	int lang = page_language(r);
	const char *address;
	struct page p;

	if (look(r, "false", &address))
		return r->c.err;
	page_begin(&p, r, page_language_code(lang), w_title[lang]);
	put_line(&p, w_ask[lang], address);
	put_line(&p, w_codes[lang], NULL);
	page_puts(&p, "<form method=\"post\"><button>");
	page_text(&p, w_go[lang]);
	page_puts(&p, "</button></form>\n");
	return page_send(&p, 200);
}

enum err
unsubscribe_do(struct req *r)
{
	int lang = page_language(r);
	const char *address;
	struct page p;

	if (look(r, "true", &address))
		return r->c.err;
	page_begin(&p, r, page_language_code(lang), w_title[lang]);
	put_line(&p, w_done[lang], address);
	put_line(&p, w_codes[lang], NULL);
	return page_send(&p, 200);
}
