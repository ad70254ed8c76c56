/* Words that mean nearly the same; see synonyms.h. */
#include "search/synonyms.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "gen/sql.h"
#include "search/text.h"
#include "store/db.h"

#define REFRESH_MS 60000
#define ENTRIES_MAX 1024
#define POOL_MAX 16384

#define SAME(words) words,
static const char *const rows[] = {
#include "search/words/synonyms.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Built in: made at the first use, and as long as the process. */
static struct entry {
	const char *s;
	uint16_t n, row;
} entry[ENTRIES_MAX];
static size_t entries;
static char pool[POOL_MAX];

/* The owner's: folded words to arrays of folded words. */
static json_object *own;
static int64_t read_ms;

static int
by_word(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int d = memcmp(a->s, b->s, a->n < b->n ? a->n : b->n);

	if (d != 0)
		return d;
	return a->n != b->n ? (int)a->n - (int)b->n : (int)a->row - (int)b->row;
}

/* The one word of a text, folded; 0 when it is none or several. */
static size_t
fold_word(const char *s, size_t n, char out[TEXT_WORD_MAX + 1])
{
	size_t m = text_fold(s, n, out, TEXT_WORD_MAX + 1);

	return memchr(out, ' ', m) == NULL ? m : 0;
}

static void
load(void)
{
	size_t used = 0;

	if (entries > 0)
		return;
	for (size_t i = 0; i < ROWS; i++)
		for (const char *s = rows[i]; *s != '\0'; s += *s == '|') {
			size_t len = strcspn(s, "|"), n;
			char word[TEXT_WORD_MAX + 1];

			n = fold_word(s, len, word);
			s += len;
			if (n == 0)
				continue;
			if (entries == ENTRIES_MAX || used + n > POOL_MAX)
				abort();	/* the set outgrew its limits; the tests see that */
			memcpy(pool + used, word, n);
			entry[entries++] = (struct entry){ pool + used, (uint16_t)n, (uint16_t)i };
			used += n;
		}
	qsort(entry, entries, sizeof(entry[0]), by_word);
}

static void
put(struct synonym out[SYNONYMS_MAX], size_t *k, const char *s, size_t n)
{
	for (size_t i = 0; i < *k; i++)
		if (out[i].n == n && memcmp(out[i].s, s, n) == 0)
			return;
	if (*k < SYNONYMS_MAX)
		out[(*k)++] = (struct synonym){ s, n };
}

static size_t
built_in(const char *word, size_t n, struct synonym out[SYNONYMS_MAX])
{
	struct entry key = { word, (uint16_t)n, 0 };
	size_t lo = 0, hi, k = 0;

	load();
	for (hi = entries; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_word(&entry[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < entries && entry[lo].n == n && memcmp(entry[lo].s, word, n) == 0; lo++)
		for (size_t i = 0; i < entries; i++)
			if (entry[i].row == entry[lo].row && (entry[i].n != n || memcmp(entry[i].s, word, n) != 0))
				put(out, &k, entry[i].s, entry[i].n);
	return k;
}

size_t
synonyms_of(const char *word, size_t n, struct synonym out[SYNONYMS_MAX])
{
	char key[TEXT_WORD_MAX + 1];
	json_object *list;
	size_t k = 0;

	if (n == 0 || n > TEXT_WORD_MAX)
		return 0;
	memcpy(key, word, n);
	key[n] = '\0';
	if (own == NULL || !json_object_object_get_ex(own, key, &list))
		return built_in(word, n, out);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *s = json_object_array_get_idx(list, i);

		put(out, &k, json_object_get_string(s), (size_t)json_object_get_string_len(s));
	}
	return k;
}

/* The list with folded words. */
static json_object *
fold_list(json_object *list)
{
	json_object *out = json_object_new_array();

	for (size_t i = 0; json_object_is_type(list, json_type_array) && i < json_object_array_length(list); i++) {
		json_object *s = json_object_array_get_idx(list, i);
		char word[TEXT_WORD_MAX + 1];
		size_t n = 0;

		if (json_object_is_type(s, json_type_string))
			n = fold_word(json_object_get_string(s), (size_t)json_object_get_string_len(s), word);
		if (n > 0)
			(void)json_object_array_add(out, json_object_new_string_len(word, (int)n));
	}
	return out;
}

bool
synonyms_set(const char *json)
{
	json_object *o = json != NULL ? json_tokener_parse(json) : NULL, *folded = NULL;

	if (json != NULL && !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return false;
	}
	if (o != NULL) {
		folded = json_object_new_object();
		json_object_object_foreach(o, key, list) {
			char word[TEXT_WORD_MAX + 1];

			if (fold_word(key, strlen(key), word) > 0)
				(void)json_object_object_add(folded, word, fold_list(list));
		}
	}
	json_object_put(o);
	json_object_put(own);
	own = folded;
	return true;
}

enum err
synonyms_refresh(struct ctx *c)
{
	const char *text;
	size_t n;

	if (read_ms != 0 && now_ms() - read_ms < REFRESH_MS)
		return E_OK;
	if (db_text(c, &sql_search_synonyms, 0, NULL, &text, &n))
		return c->err;
	read_ms = now_ms();
	(void)synonyms_set(text);
	return E_OK;
}
