/* Attributes of a product: their words are searched, and each is a term of its own that filters look up.  See build_internal.h. */
#include <json-c/json.h>
#include <string.h>

#include "core/banned.h"
#include "search/build_internal.h"

struct attribute {
	struct build *b;
	char text[SEG_ATTRIBUTE_MAX];	/* mark, key, "=" */
	size_t n;
};

/* A word of an attribute's value as a term of its own, for filters. */
static void
put_attribute_word(void *arg, const struct text_word *w)
{
	struct attribute *a = arg;
	struct build *b = a->b;
	bool added;
	uint32_t term;

	if (b->why != NULL || w->flags & TEXT_JOINED || a->n + w->n > sizeof(a->text))
		return;
	memcpy(a->text + a->n, w->s, w->n);
	term = dict_add(&b->terms, a->text, a->n + w->n, &added);
	if (term == UINT32_MAX || !build_reserve(b, (void **)&b->term, &b->term_cap, term, sizeof(*b->term)))
		build_fail(b, "no memory for attributes");
	else
		build_add_term(b, term);
}

static void
put_attribute(struct build *b, const char *key, const char *s)
{
	struct attribute a = { .b = b, .text = { SEG_ATTRIBUTE_MARK } };

	a.n = 1 + text_fold(key, strlen(key), a.text + 1, sizeof(a.text) - 2);
	a.text[a.n++] = '=';
	text_words(s, strlen(s), put_attribute_word, &a);
}

void
build_attributes(struct build *b, const struct build_row *row, int lang)
{
	json_object *o = build_object_of(row->v[ROW_ATTRIBUTES], row->n[ROW_ATTRIBUTES]);

	b->field = FIELD_ATTRIBUTE;
	b->count = 0;
	if (o != NULL) {
		json_object_object_foreach(o, key, value) {
			const char *s = json_object_get_string(value);

			if (s != NULL && strcmp(key, "colourHex") != 0 && !json_object_is_type(value, json_type_boolean)) {
				build_read_text(b, lang, s, strlen(s));
				put_attribute(b, key, s);
			}
		}
	}
	b->len[b->meta.docs][FIELD_ATTRIBUTE] = (uint16_t)(b->count < UINT16_MAX ? b->count : UINT16_MAX);
	json_object_put(o);
}
