#include "shop/answer.h"

#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/config.h"
#include "core/json.h"
#include "gen/sql.h"
#include "search/faq.h"
#include "search/search.h"
#include "store/db.h"

#define ANSWER_MAX (1u << 16)

/* The products that the question may be about, as an array of PostgreSQL. */
static enum err
candidates(struct ctx *c, const char *question, const char *locale, const char **list)
{
	struct search_query q = { .text = question, .limit = ANSWER_CANDIDATES, .locale = locale };
	struct search_result found = { 0 };
	struct buf b;

	if (search_products(c, &q, &found))
		return c->err;
	buf_init(&b, c->a, 128, 1024);
	buf_putc(&b, '{');
	for (size_t i = 0; i < found.n; i++) {
		buf_puts(&b, i > 0 ? "," : "");
		buf_puts(&b, found.ids[i]);
	}
	buf_putc(&b, '}');
	*list = buf_str(&b);
	return E_OK;
}

/* The frequent question that fits, as an answer; call->json stays NULL when none does well enough. */
static enum err
from_faq(struct ctx *c, struct tool_call *call, const char *question, const char *locale)
{
	struct tool_call ask = *call;
	json_object *found, *results, *best;
	const char *id, *title, *text;
	double score;
	struct buf b;
	size_t n;

	ask.args = json_object_new_object();
	json_object_object_add(ask.args, "query", json_object_new_string(question));
	json_object_object_add(ask.args, "limit", json_object_new_int(1));
	json_object_object_add(ask.args, "locale", json_object_new_string(locale));
	ask.json = NULL;
	if (search_faq_tool(c, &ask)) {
		json_object_put(ask.args);
		return c->err;
	}
	json_object_put(ask.args);
	if (json_parse(c, ask.json, ask.n, &found))
		return c->err;
	if (json_get_array(found, "results", &results) != JSON_OK || json_object_array_length(results) == 0)
		return E_OK;
	best = json_object_array_get_idx(results, 0);
	if (json_get_double(best, "score", 0, 1e9, &score) != JSON_OK || score < ANSWER_FAQ_LEAST ||
	    json_get_string(best, "id", 1, 100, &id, &n) != JSON_OK || json_get_string(best, "question", 1, 4096, &title, &n) != JSON_OK ||
	    json_get_string(best, "answer", 1, 32768, &text, &n) != JSON_OK)
		return E_OK;
	buf_init(&b, c->a, 512, ANSWER_MAX);
	buf_puts(&b, "{\"known\":true,\"answer\":");
	buf_json_cstr(&b, text);
	buf_puts(&b, ",\"sources\":[{\"type\":\"faq\",\"id\":");
	buf_json_cstr(&b, id);
	buf_puts(&b, ",\"title\":");
	buf_json_cstr(&b, title);
	buf_puts(&b, "}]}");
	call->json = b.p;
	call->n = b.n;
	return E_OK;
}

static void
not_known(struct ctx *c, struct tool_call *call, const char *locale)
{
	static const struct {
		const char *locale, *text;
	} words[] = {
		{ "fr", "Les données de la boutique ne le disent pas. create_support_ticket transmet la question à une personne." },
		{ "es", "Los datos de la tienda no lo dicen. create_support_ticket pasa la pregunta a una persona." },
		{ "de", "Die Daten des Shops sagen das nicht. create_support_ticket gibt die Frage an einen Menschen weiter." },
		{ "en", "The shop's data does not say. create_support_ticket passes the question on to a person." },
	};
	struct buf b;
	size_t i = 0;

	while (i < 3 && strcmp(words[i].locale, locale) != 0)
		i++;
	buf_init(&b, c->a, 256, 1024);
	buf_puts(&b, "{\"known\":false,\"answer\":");
	buf_json_cstr(&b, words[i].text);
	buf_puts(&b, ",\"sources\":[]}");
	call->json = b.p;
	call->n = b.n;
}

enum err
answer_question_tool(struct ctx *c, struct tool_call *call)
{
	const char *question, *locale = call->locale != NULL && call->locale[0] != '\0' ? call->locale : cfg_str("SHOP_LOCALE"), *v[3] = { NULL };
	size_t n;

	if (json_get_string(call->args, "question", 1, 4096, &question, &n) != JSON_OK)
		return fail(c, E_INVALID, "question: is missing");
	(void)json_get_string(call->args, "locale", 2, 2, &locale, &n);
	v[0] = call->args_json;
	v[1] = "{}";
	v[2] = locale;
	if (!json_object_object_get_ex(call->args, "productId", NULL) && candidates(c, question, locale, &v[1]))
		return c->err;
	if (db_text(c, &sql_answer_product, 3, v, &call->json, &call->n))
		return c->err;
	if (call->json == NULL && from_faq(c, call, question, locale))
		return c->err;
	v[0] = question;
	v[1] = locale;
	if (call->json == NULL && db_text(c, &sql_answer_policy, 2, v, &call->json, &call->n))
		return c->err;
	if (call->json == NULL)
		not_known(c, call, locale);
	return E_OK;
}
