#include "mcp/orchestrator.h"

#include <json-c/json.h>
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"

#define RESPONSE_MAX 65536

struct message {
	const char *user, *text, *client, *locale;
};

static const char *const clients[] = { "web-admin", "web-storefront", "whatsapp", "instagram", "mobile", NULL };

/* By language of the shop; the first stands for all others. */
static const struct {
	const char *locale, *text;
} unavailable[] = {
	{ "en", "Conversations are not available here. Please use the shop's pages." },
	{ "fr", "La conversation n'est pas disponible ici. Merci d'utiliser les pages de la boutique." },
	{ "es", "La conversación no está disponible aquí. Utilice las páginas de la tienda." },
	{ "de", "Unterhaltungen sind hier nicht verfügbar. Bitte nutzen Sie die Seiten des Shops." },
};

bool
orchestrator_is_message(struct ctx *c, const char *text, size_t n)
{
	json_object *o;
	bool ok = json_parse(c, text, n, &o) == E_OK && json_object_is_type(o, json_type_object) &&
	    json_object_object_get_ex(o, "type", NULL) && !json_object_object_get_ex(o, "jsonrpc", NULL);

	ctx_clear_error(c);
	return ok;
}

static bool
among(const char *const *list, const char *s)
{
	while (*list != NULL && strcmp(*list, s) != 0)
		list++;
	return *list != NULL;
}

static enum err
read_text(struct ctx *c, json_object *o, const char *name, size_t max, const char **out)
{
	size_t n;

	switch (json_get_string(o, name, 1, max, out, &n)) {
	case JSON_OK:
		return E_OK;
	case JSON_ABSENT:
		return fail(c, E_INVALID, "%s: is required", name);
	case JSON_RANGE:
		return fail(c, E_INVALID, "%s: must have 1 to %zu bytes", name, max);
	default:
		return fail(c, E_INVALID, "%s: must be a string", name);
	}
}

static enum err
read_message(struct ctx *c, const struct mcp_io *io, json_object *o, struct message *m)
{
	const char *type, *locale;

	if (read_text(c, o, "type", 40, &type) || read_text(c, o, "userId", 200, &m->user) || read_text(c, o, "message", 4000, &m->text))
		return c->err;
	if (strcmp(type, "message") != 0)
		return fail(c, E_INVALID, "type: must be message");
	m->client = "web-storefront";
	if (json_object_object_get_ex(o, "clientType", NULL) && read_text(c, o, "clientType", 40, &m->client))
		return c->err;
	if (!among(clients, m->client))
		return fail(c, E_INVALID, "clientType: must be web-admin, web-storefront, whatsapp, instagram or mobile");
	if (json_object_object_get_ex(o, "locale", NULL)) {
		if (read_text(c, o, "locale", 40, &locale))
			return c->err;
		for (size_t i = 0; i < sizeof(unavailable) / sizeof(unavailable[0]); i++)
			if (strncmp(unavailable[i].locale, locale, 2) == 0 && strstr(cfg_str("SHOP_LOCALES"), unavailable[i].locale) != NULL)
				m->locale = unavailable[i].locale;
	}
	/* who speaks is known from the connection: the message cannot speak for another customer */
	if (io->who->customer_id[0] != '\0' && strcmp(io->who->customer_id, m->user) != 0)
		return fail(c, E_FORBIDDEN, "userId: is not the customer of this connection");
	return E_OK;
}

const char *
orchestrator_answer(struct ctx *c, const struct mcp_io *io, const char *text, size_t n, size_t *out)
{
	struct message m = { .user = NULL, .locale = io->locale != NULL ? io->locale : cfg_str("SHOP_LOCALE") };
	struct rate_state rate;
	const char *said = NULL;
	char now[RFC3339_LEN];
	json_object *o;
	struct buf b;
	enum err e;

	ctx_clear_error(c);
	if ((e = json_parse(c, text, n, &o)) == E_OK && (e = read_message(c, io, o, &m)) == E_OK)
		e = rate_hit(c, io->who, "chat", &rate);
	if (e == E_OK) {
		e = fail(c, E_UNAVAILABLE, "conversations are not available on this server");
		said = unavailable[0].text;
		for (size_t i = 0; i < sizeof(unavailable) / sizeof(unavailable[0]); i++)
			if (strcmp(unavailable[i].locale, m.locale) == 0)
				said = unavailable[i].text;
	}
	buf_init(&b, c->a, 512, RESPONSE_MAX);
	buf_puts(&b, "{\"type\":\"response\",\"userId\":");
	buf_json_cstr(&b, m.user);
	buf_puts(&b, ",\"message\":");
	buf_json_cstr(&b, said != NULL ? said : ctx_message(c));
	buf_printf(&b, ",\"error\":{\"code\":\"%s\",\"message\":", err_info(e)->code);
	buf_json_cstr(&b, ctx_message(c));
	buf_puts(&b, "},\"metadata\":{\"locale\":");
	buf_json_cstr(&b, m.locale);
	buf_printf(&b, ",\"timestamp\":\"%s\"}}", rfc3339(wall_ms(), now));
	ctx_clear_error(c);
	*out = b.n;
	return b.p;
}
