/* Frequent questions; see faq.h. */
#include "search/faq.h"

#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/json.h"
#include "gen/sql.h"
#include "search/correct.h"
#include "search/synonyms.h"
#include "search/text.h"
#include "store/db.h"

#define LIST_MAX 65536
#define RESULT_MAX (1u << 20)
#define CORRECT_LEAST 4		/* bytes of a word that may be wrong */

struct asked {
	char word[FAQ_WORDS_MAX][TEXT_WORD_MAX];	/* folded */
	size_t len[FAQ_WORDS_MAX];
	const char *right[FAQ_WORDS_MAX];		/* what it was taken for, or NULL */
	size_t rightsz[FAQ_WORDS_MAX];
	unsigned n;
};

/*
 * Words that make a question of any sentence and tell nothing of what it is about.  They are no stop words elsewhere, and in a few dozen entries they look rare.
 * Folded, for all languages at once, in order.
 */
static const char *const asking[] = {
	"can", "comment", "como", "could", "cual", "cuales", "faire", "hacer", "how", "kann", "konnen", "mochte", "peut", "peux", "pouvez", "puede", "puedo",
	"puis", "quel", "quelle", "quelles", "quels", "quiero", "quisiera", "souhaite", "veux", "voudrais", "want", "welche", "welchen", "welcher", "welches",
	"what", "which", "wie", "would",
};

static int
by_word(const void *key, const void *row)
{
	const struct text_word *w = key;
	const char *s = *(const char *const *)row;
	int d = strncmp(w->s, s, w->n);

	return d != 0 ? d : -(s[w->n] != '\0');
}

static bool
only_asks(const struct text_word *w)
{
	return bsearch(w, asking, sizeof(asking) / sizeof(asking[0]), sizeof(asking[0]), by_word) != NULL;
}

static void
take_word(void *arg, const struct text_word *w)
{
	struct asked *q = arg;

	if (w->flags & TEXT_JOINED || w->n < 2 || q->n == FAQ_WORDS_MAX || only_asks(w))
		return;
	for (int lang = 0; lang < TEXT_LANGS; lang++)
		if (text_is_stop(lang, w->s, w->n, w->flags))
			return;
	for (unsigned i = 0; i < q->n; i++)
		if (q->len[i] == w->n && memcmp(q->word[i], w->s, w->n) == 0)
			return;
	memcpy(q->word[q->n], w->s, w->n);
	q->len[q->n++] = w->n;
}

/* Each word as a list of those that count for it: [["refund", "reimbursement"], ["time"]] */
static const char *
word_lists(struct ctx *c, const struct asked *q)
{
	struct synonym same[SYNONYMS_MAX];
	struct buf b;

	buf_init(&b, c->a, 512, LIST_MAX);
	buf_putc(&b, '[');
	for (unsigned i = 0; i < q->n; i++) {
		const char *s = q->right[i] != NULL ? q->right[i] : q->word[i];
		size_t n = q->right[i] != NULL ? q->rightsz[i] : q->len[i], k = synonyms_of(s, n, same);

		buf_puts(&b, i > 0 ? ",[" : "[");
		buf_json_string(&b, s, n);
		for (size_t j = 0; j < k; j++) {
			buf_putc(&b, ',');
			buf_json_string(&b, same[j].s, same[j].n);
		}
		buf_putc(&b, ']');
	}
	buf_putc(&b, ']');
	return buf_str(&b);
}

const char *
faq_correct(const char *list, const char *wrong, size_t wrongsz, size_t *n)
{
	unsigned max = wrongsz < 5 ? 1 : 2, best = max + 1;
	const char *found = NULL;

	*n = 0;
	if (wrongsz < CORRECT_LEAST)
		return NULL;
	for (const char *p = list; *p != '\0'; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		unsigned d = correct_distance(p, len, wrong, wrongsz, max);

		/* the first letter is seldom wrong */
		if (d < best || (d == best && found != NULL && *found != *wrong && *p == *wrong)) {
			best = d;
			found = p;
			*n = len;
		}
		p += len;
	}
	return best <= max ? found : NULL;
}

/* Look words up that no entry has; nothing is read when all are known. */
static enum err
correct_words(struct ctx *c, struct asked *q)
{
	json_object *answer, *unknown;
	const char *v[1] = { word_lists(c, q) }, *text, *list;
	size_t n, listsz;

	if (db_text(c, &sql_faq_unknown, 1, v, &text, &n))
		return c->err;
	if (text == NULL)
		return E_OK;
	if (json_parse(c, text, n, &answer))
		return c->err;
	if (json_get_array(answer, "unknown", &unknown) != JSON_OK || json_get_string(answer, "words", 1, SIZE_MAX, &list, &listsz) != JSON_OK)
		return E_OK;
	for (size_t i = 0; i < json_object_array_length(unknown); i++) {
		int at = json_object_get_int(json_object_array_get_idx(unknown, i));

		if (at >= 0 && (unsigned)at < q->n)
			q->right[at] = faq_correct(list, q->word[at], q->len[at], &q->rightsz[at]);
	}
	return E_OK;
}

/* {"query": ..., the members of found, "corrected": {...}} */
static void
put_answer(struct ctx *c, struct tool_call *call, const struct asked *q, const char *query, const char *found, size_t n)
{
	struct buf b;
	unsigned said = 0;

	buf_init(&b, c->a, n + 512, RESULT_MAX);
	buf_puts(&b, "{\"query\":");
	buf_json_cstr(&b, query);
	buf_putc(&b, ',');
	buf_put(&b, found + 1, n - 2);
	for (unsigned i = 0; i < q->n; i++) {
		if (q->right[i] == NULL)
			continue;
		buf_puts(&b, said++ == 0 ? ",\"corrected\":{" : ",");
		buf_json_string(&b, q->word[i], q->len[i]);
		buf_putc(&b, ':');
		buf_json_string(&b, q->right[i], q->rightsz[i]);
	}
	buf_puts(&b, said > 0 ? "}}" : "}");
	call->json = b.p;
	call->n = b.n;
}

enum err
search_faq_tool(struct ctx *c, struct tool_call *call)
{
	struct asked *q = arena_alloc(c->a, sizeof(*q));
	const char *query = "", *category = NULL, *locale = call->locale, *found, *v[4];
	int64_t limit = 5;
	size_t n;

	memset(q, 0, sizeof(*q));
	(void)json_get_string(call->args, "query", 0, SIZE_MAX, &query, &n);
	text_words(query, n, take_word, q);
	(void)json_get_string(call->args, "category", 0, SIZE_MAX, &category, &n);
	(void)json_get_string(call->args, "locale", 0, SIZE_MAX, &locale, &n);
	(void)json_get_int(call->args, "limit", 1, 20, &limit);
	if (synonyms_refresh(c) || correct_words(c, q))
		return c->err;
	v[0] = word_lists(c, q);
	v[1] = category;
	v[2] = locale;
	v[3] = arena_printf(c->a, "%lld", (long long)limit);
	if (db_text(c, &sql_faq_search, 4, v, &found, &n))
		return c->err;
	put_answer(c, call, q, query, found, n);
	return E_OK;
}
