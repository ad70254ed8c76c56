/* From rows of the catalogue to terms, postings and columns; see build.h. */
#include "search/build.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/banned.h"
#include "search/build_internal.h"

#define VALUE_MAX 2000		/* bytes of a brand or colour with its translations */
#define POSTS_LEAST 65536

const struct field_bits field_bits[FIELD__MAX] = {
	[FIELD_NAME] = { 0, 5 }, [FIELD_BRAND] = { 5, 4 }, [FIELD_COLOUR] = { 9, 4 }, [FIELD_CATEGORY] = { 13, 5 },
	[FIELD_DESCRIPTION] = { 18, 8 }, [FIELD_ATTRIBUTE] = { 26, 6 },
};

bool
build_fail(struct build *b, const char *why)
{
	if (b->why == NULL)
		b->why = why;
	return false;
}

bool
build_put(struct build *b, enum seg_section sec, const void *p, size_t n)
{
	return column_put(&b->sec[sec], b->dir, p, n) || build_fail(b, "no memory or disk for columns");
}

bool
build_reserve(struct build *b, void **p, uint32_t *cap, uint32_t i, size_t size)
{
	uint32_t want = *cap == 0 ? 1024 : *cap;
	void *q;

	if (i < *cap)
		return true;
	while (want <= i)
		want *= 2;
	if ((q = realloc(*p, want * size)) == NULL)
		return build_fail(b, "no memory");
	memset((char *)q + *cap * size, 0, (want - *cap) * size);
	*p = q;
	*cap = want;
	return true;
}

/* ---- terms ---- */

static bool
new_word(struct build *b, uint32_t word, int lang, const char *s, size_t n)
{
	char stem[TEXT_WORD_MAX];
	size_t m = text_stem(lang, s, n, stem);
	bool added;
	uint32_t term = dict_add(&b->terms, stem, m, &added);

	if (term == UINT32_MAX || !build_reserve(b, (void **)&b->term, &b->term_cap, term, sizeof(*b->term)) ||
	    !build_reserve(b, (void **)&b->word, &b->word_cap, word, sizeof(*b->word)))
		return build_fail(b, "no memory for the vocabulary");
	b->term[term].langs |= (uint8_t)(lang >= 0 ? 1u << lang : 0);
	b->word[word] = (struct word_info){ .term = term };
	return true;
}

uint32_t
build_term(struct build *b, int lang, const char *s, size_t n, bool in_title)
{
	char key[TEXT_WORD_MAX + 1];
	struct word_info *w;
	bool added;
	uint32_t word;

	key[0] = (char)(lang + 1);
	memcpy(key + 1, s, n);
	if ((word = dict_add(&b->words, key, n + 1, &added)) == UINT32_MAX) {
		build_fail(b, "no memory for the vocabulary");
		return SEG_NONE;
	}
	if (added && !new_word(b, word, lang, s, n))
		return SEG_NONE;
	w = &b->word[word];
	if (w->doc != b->meta.docs + 1) {
		w->doc = b->meta.docs + 1;
		w->df++;
	}
	w->title |= in_title;
	return w->term;
}

static bool
keep_in_category(struct build *b, uint32_t term)
{
	struct category_info *c = b->into;
	uint32_t *more = realloc(c->terms, (c->n + 1) * sizeof(*more));

	if (more == NULL)
		return build_fail(b, "no memory for categories");
	c->terms = more;
	c->terms[c->n++] = term;
	return true;
}

bool
build_add_term(struct build *b, uint32_t term)
{
	const struct field_bits *f = &field_bits[b->field];
	struct term_info *t = &b->term[term];
	struct posting *p;
	uint32_t most = (1u << f->bits) - 1;

	if (b->into != NULL)
		return keep_in_category(b, term);
	if (t->doc != b->meta.docs + 1) {
		if (b->posts == b->post_cap) {
			size_t cap = b->post_cap == 0 ? 4096 : b->post_cap * 2;

			if ((p = realloc(b->post, cap * sizeof(*p))) == NULL)
				return build_fail(b, "no memory for postings");
			b->post = p;
			b->post_cap = cap;
		}
		t->doc = b->meta.docs + 1;
		t->slot = (uint32_t)b->posts;
		b->post[b->posts++] = (struct posting){ term, b->meta.docs, 0 };
	}
	p = &b->post[t->slot];
	if ((p->counts >> f->shift & most) < most)
		p->counts += 1u << f->shift;
	return true;
}

/* A number of a title: seven bits in each byte, the lowest first; all but the last have the eighth. */
static void
put_title(struct build *b, uint32_t v)
{
	unsigned char bytes[5];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (unsigned char)(v | 0x80);
	bytes[n++] = (unsigned char)v;
	build_put(b, SEC_TITLE, bytes, n);
}

static void
on_word(void *arg, const struct text_word *w)
{
	struct build *b = arg;
	uint32_t term;

	if (b->why != NULL || (text_is_stop(b->lang, w->s, w->n, w->flags) && !text_is_negation(w->s, w->n)))
		return;
	term = build_term(b, b->lang, w->s, w->n, b->field <= FIELD_CATEGORY);
	if (term == SEG_NONE || !build_add_term(b, term))
		return;
	if (w->flags & TEXT_JOINED)
		return;
	b->count++;
	if (b->title)
		put_title(b, term + SEG_TITLE_TERMS);
}

void
build_read_text(struct build *b, int lang, const char *s, size_t n)
{
	b->lang = lang;
	if (lang >= 0)
		b->meta.langs |= 1u << lang;
	text_words(s, n, on_word, b);
}

/* ---- texts in several languages ---- */

json_object *
build_object_of(const char *s, size_t n)
{
	struct json_tokener *tok;
	json_object *o;

	if (s == NULL || n <= 2 || n > INT32_MAX || (tok = json_tokener_new()) == NULL)
		return NULL;
	o = json_tokener_parse_ex(tok, s, (int)n);
	json_tokener_free(tok);
	if (o != NULL && !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

/* A field's text in its main and its other languages; its length is that of the mean language. */
static void
read_field(struct build *b, enum seg_field field, int lang, const char *s, size_t n, json_object *others)
{
	uint32_t langs = 1;

	b->field = field;
	b->count = 0;
	if (b->title)
		put_title(b, (uint32_t)(lang + 1));
	if (s != NULL)
		build_read_text(b, lang, s, n);
	if (others != NULL) {
		json_object_object_foreach(others, key, value) {
			int other = text_lang(key, strlen(key));

			if (other == lang || !json_object_is_type(value, json_type_string))
				continue;
			if (b->title)
				put_title(b, (uint32_t)(other + 1));
			build_read_text(b, other, json_object_get_string(value), (size_t)json_object_get_string_len(value));
			langs++;
		}
	}
	b->count /= langs;
	if (b->into == NULL && b->why == NULL)
		b->len[b->meta.docs][field] = (uint16_t)(b->count < UINT16_MAX ? b->count : UINT16_MAX);
}

/* ---- categories ---- */

static bool
put_category_text(struct build *b, const struct build_row *row, json_object *names)
{
	const char *lang = b->o.main_lang >= 0 ? text_langs[b->o.main_lang] : "--";
	bool ok = build_put(b, SEC_CATEGORY_TEXT, row->v[CAT_SLUG], row->n[CAT_SLUG] + 1) && build_put(b, SEC_CATEGORY_TEXT, lang, 2) &&
	    build_put(b, SEC_CATEGORY_TEXT, "=", 1) && build_put(b, SEC_CATEGORY_TEXT, row->v[CAT_NAME], row->n[CAT_NAME] + 1);

	if (names == NULL)
		return ok;
	json_object_object_foreach(names, key, value) {
		if (!json_object_is_type(value, json_type_string) || strlen(key) != 2)
			continue;
		ok = ok && build_put(b, SEC_CATEGORY_TEXT, key, 2) && build_put(b, SEC_CATEGORY_TEXT, "=", 1) &&
		    build_put(b, SEC_CATEGORY_TEXT, json_object_get_string(value), (size_t)json_object_get_string_len(value) + 1);
	}
	return ok;
}

bool
build_category(struct build *b, const struct build_row *row)
{
	uint32_t at = (uint32_t)column_size(&b->sec[SEC_CATEGORY_TEXT]), i, parent = SEG_NONE;
	json_object *names = build_object_of(row->v[CAT_NAMES], row->n[CAT_NAMES]);
	struct seg_category out;
	struct category_info *c;
	bool added, ok;

	i = dict_add(&b->category_ids, row->v[CAT_ID], row->n[CAT_ID], &added);
	ok = i != UINT32_MAX && added && build_reserve(b, (void **)&b->category, &b->category_cap, i, sizeof(*b->category)) &&
	    put_category_text(b, row, names);
	if (row->v[CAT_PARENT] != NULL)
		parent = dict_find(&b->category_ids, row->v[CAT_PARENT], row->n[CAT_PARENT]);
	out = (struct seg_category){ strtoull(row->v[CAT_ID], NULL, 10), parent, i, at,
		(uint32_t)(column_size(&b->sec[SEC_CATEGORY_TEXT]) - at) };
	if (ok && build_put(b, SEC_CATEGORY, &out, sizeof(out))) {
		c = &b->category[i];
		b->into = c;
		read_field(b, FIELD_CATEGORY, b->o.main_lang, row->v[CAT_NAME], row->n[CAT_NAME], names);
		c->words = b->count;
		for (uint32_t k = 0; parent != SEG_NONE && k < b->category[parent].n; k++)
			keep_in_category(b, b->category[parent].terms[k]);
		c->words += parent != SEG_NONE ? b->category[parent].words : 0;
		b->into = NULL;
		b->meta.categories++;
	}
	json_object_put(names);
	return b->why == NULL && (ok || build_fail(b, "categories cannot be read"));
}

static void
read_category(struct build *b, uint32_t category)
{
	const struct category_info *c = &b->category[category];

	b->field = FIELD_CATEGORY;
	for (uint32_t i = 0; i < c->n && b->why == NULL; i++)
		build_add_term(b, c->terms[i]);
	b->len[b->meta.docs][FIELD_CATEGORY] = (uint16_t)c->words;
}

/* ---- products ---- */

static size_t
put_folded(char *out, size_t at, const char *s, size_t n)
{
	if (at + 2 >= VALUE_MAX)
		return at;
	return at + text_fold(s, n, out + at, VALUE_MAX - at - 1) + 1;
}

/* The number of a brand or colour; SEG_NONE for none. */
static uint32_t
value_of(struct build *b, struct dict *d, const char *s, size_t n, json_object *others)
{
	char text[VALUE_MAX];
	size_t at;
	bool added;
	uint32_t id;

	if (s == NULL || n == 0 || n > VALUE_MAX / 4)
		return SEG_NONE;
	memcpy(text, s, n);
	text[n] = '\0';
	at = put_folded(text, n + 1, s, n);
	if (others != NULL) {
		json_object_object_foreach(others, key, value) {
			(void)key;
			if (json_object_is_type(value, json_type_string))
				at = put_folded(text, at, json_object_get_string(value), (size_t)json_object_get_string_len(value));
		}
	}
	if ((id = dict_add(d, text, at, &added)) == UINT32_MAX)
		build_fail(b, "no memory for brands and colours");
	return id;
}

static void
read_texts(struct build *b, const struct build_row *row, uint32_t category)
{
	int lang = row->v[ROW_LANG] != NULL ? text_lang(row->v[ROW_LANG], row->n[ROW_LANG]) : -1;
	json_object *names = build_object_of(row->v[ROW_NAMES], row->n[ROW_NAMES]);
	json_object *colours = build_object_of(row->v[ROW_COLOURS], row->n[ROW_COLOURS]);
	json_object *descriptions = build_object_of(row->v[ROW_DESCRIPTIONS], row->n[ROW_DESCRIPTIONS]);
	uint32_t v;

	b->title = true;
	read_field(b, FIELD_NAME, lang, row->v[ROW_NAME], row->n[ROW_NAME], names);
	b->title = false;
	read_field(b, FIELD_BRAND, lang, row->v[ROW_BRAND], row->n[ROW_BRAND], NULL);
	read_field(b, FIELD_COLOUR, lang, row->v[ROW_COLOUR], row->n[ROW_COLOUR], colours);
	read_field(b, FIELD_DESCRIPTION, lang, row->v[ROW_DESCRIPTION], row->n[ROW_DESCRIPTION], descriptions);
	build_attributes(b, row, lang);
	if (category != SEG_NONE)
		read_category(b, category);
	v = value_of(b, &b->brands, row->v[ROW_BRAND], row->n[ROW_BRAND], NULL);
	build_put(b, SEC_BRAND_OF, &v, sizeof(v));
	v = value_of(b, &b->colours, row->v[ROW_COLOUR], row->n[ROW_COLOUR], colours);
	build_put(b, SEC_COLOUR_OF, &v, sizeof(v));
	json_object_put(names);
	json_object_put(colours);
	json_object_put(descriptions);
}

static int64_t
number(const struct build_row *row, enum build_col col, int64_t otherwise)
{
	return row->v[col] != NULL ? strtoll(row->v[col], NULL, 10) : otherwise;
}

static uint8_t
currency_of(struct build *b, const struct build_row *row)
{
	uint32_t i;

	for (i = 0; i < b->meta.currencies; i++)
		if (strcmp(b->meta.currency[i], row->v[ROW_CURRENCY]) == 0)
			return (uint8_t)i;
	if (i == SEG_CURRENCIES || row->n[ROW_CURRENCY] != 3)
		return UINT8_MAX;
	memcpy(b->meta.currency[i], row->v[ROW_CURRENCY], 4);
	b->meta.currencies++;
	return (uint8_t)i;
}

static bool
put_columns(struct build *b, const struct build_row *row, uint32_t category)
{
	uint64_t id = strtoull(row->v[ROW_ID], NULL, 10);
	int64_t pays = number(row, ROW_PAYS, SEG_NO_PRICE), at = number(row, ROW_CREATED, 0);
	uint32_t created = (uint32_t)(at < 0 ? 0 : at > UINT32_MAX ? UINT32_MAX : at);
	int32_t stock = (int32_t)number(row, ROW_STOCK, 0);
	uint32_t sold = (uint32_t)number(row, ROW_SOLD, 0), ratings = (uint32_t)number(row, ROW_RATING_COUNT, 0);
	uint16_t rating = (uint16_t)number(row, ROW_RATING, 0);
	uint8_t flags = row->v[ROW_FEATURED] != NULL && row->v[ROW_FEATURED][0] == 't' ? SEG_FEATURED : 0, currency = currency_of(b, row);
	uint32_t sku = (uint32_t)column_size(&b->sec[SEC_SKU]), title = (uint32_t)column_size(&b->sec[SEC_TITLE]);

	return build_put(b, SEC_ID, &id, 8) && build_put(b, SEC_PAYS, &pays, 8) && build_put(b, SEC_CREATED, &created, 4) &&
	    build_put(b, SEC_STOCK, &stock, 4) && build_put(b, SEC_SOLD, &sold, 4) && build_put(b, SEC_RATING_COUNT, &ratings, 4) &&
	    build_put(b, SEC_RATING, &rating, 2) && build_put(b, SEC_FLAGS, &flags, 1) && build_put(b, SEC_CURRENCY, &currency, 1) &&
	    build_put(b, SEC_CATEGORY_OF, &category, 4) && build_put(b, SEC_SKU_AT, &sku, 4) && build_put(b, SEC_TITLE_AT, &title, 4) &&
	    build_put(b, SEC_SKU, row->v[ROW_SKU], row->n[ROW_SKU]);
}

bool
build_product(struct build *b, const struct build_row *row)
{
	uint32_t doc = b->meta.docs, category = SEG_NONE;

	if (row->v[ROW_ID] == NULL || row->v[ROW_SKU] == NULL || row->v[ROW_CURRENCY] == NULL || doc >= SEG_DOCS_MAX)
		return build_fail(b, "a product without id, sku or currency, or too many products");
	if (b->posts >= b->post_max && !build_flush(b))
		return false;
	if (row->v[ROW_CATEGORY] != NULL)
		category = dict_find(&b->category_ids, row->v[ROW_CATEGORY], row->n[ROW_CATEGORY]);
	if (!build_reserve(b, (void **)&b->len, &b->len_cap, doc, sizeof(*b->len)) || !put_columns(b, row, category))
		return false;
	memset(b->len[doc], 0, sizeof(b->len[doc]));
	read_texts(b, row, category);
	if (b->why != NULL)
		return false;
	for (int f = 0; f < FIELD__MAX; f++)
		b->sum[f] += b->len[doc][f];
	b->meta.docs++;
	return true;
}

/* ---- life ---- */

struct build *
build_new(const struct build_options *o)
{
	struct build *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->o = *o;
	b->o.like = NULL;
	b->dir = o->dir != NULL ? strdup(o->dir) : NULL;
	/* A posting is sorted into a second array when a run is written. */
	b->post_max = o->memory / (2 * sizeof(struct posting));
	if (b->post_max < POSTS_LEAST)
		b->post_max = POSTS_LEAST;
	if (o->like != NULL) {
		memcpy(b->meta.mean, o->like->meta->mean, sizeof(b->meta.mean));
		b->meta.langs = o->like->meta->langs;
	}
	return b;
}

uint32_t
build_docs(const struct build *b)
{
	return b->meta.docs;
}

const char *
build_why(const struct build *b)
{
	return b->why != NULL ? b->why : "no memory";
}

void
build_free(struct build *b)
{
	if (b == NULL)
		return;
	dict_release(&b->terms);
	dict_release(&b->words);
	dict_release(&b->category_ids);
	dict_release(&b->brands);
	dict_release(&b->colours);
	for (uint32_t i = 0; i < b->category_cap; i++)
		free(b->category[i].terms);
	for (uint32_t i = 0; i < b->runs; i++)
		close(b->run[i]);
	for (int i = 0; i < SEC__MAX; i++)
		column_release(&b->sec[i]);
	free(b->category);
	free(b->term);
	free(b->word);
	free(b->post);
	free(b->len);
	free(b->dir);
	free(b);
}
