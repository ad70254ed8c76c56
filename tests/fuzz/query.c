/*
 * Any bytes as a query.  What is understood lies inside the query, has a label and a filter, and the words that remain are no longer than what was
 * typed, unless nothing was understood: then they are the query.  A shop that has every phrase as everything asks the most of the parser.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "search/text.h"
#include "search/understand.h"

#define QUERY_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static bool
any_category(const void *arg, const char *phrase, size_t n, int lang, struct understand_category *out)
{
	(void)arg;
	must(n > 0 && phrase[n - 1] != ' ' && lang < TEXT_LANGS);
	*out = (struct understand_category){ "slug", "Name" };
	return n % 2 == 0;
}

static const char *
any_colour(const void *arg, const char *phrase, size_t n)
{
	(void)arg;
	must(n > 0 && phrase[0] != ' ');
	return n % 3 == 0 ? "" : "Colour";
}

static bool
some_brand(const void *arg, const char *phrase, size_t n)
{
	(void)arg;
	return n > 3 && phrase[0] == 'b';
}

static bool
some_words(const void *arg, const char *word, size_t n)
{
	(void)arg;
	return n > 0 && (word[0] & 1) != 0;
}

static bool
some_negated(const void *arg, const char *before, const char *not, const char *word)
{
	(void)arg;
	return (strlen(before) + strlen(not) + strlen(word)) % 2 == 0;
}

static bool
some_names(const void *arg, const char *phrase, size_t n, const char *colour)
{
	(void)arg;
	(void)colour;
	return memchr(phrase, 'q', n) != NULL;
}

static void
check(struct arena *a, const char *query, size_t n, const struct understand_shop *shop, const char *locale)
{
	struct understood u;

	understand(a, query, n, shop, locale, &u);
	must(u.rest != NULL && u.n <= UNDERSTAND_ITEMS_MAX && u.excludes <= UNDERSTAND_EXCLUDE_MAX);
	must(strlen(u.rest) <= n);
	must(u.n > 0 || memcmp(u.rest, query, n) == 0);
	for (unsigned i = 0; i < u.n; i++) {
		must(u.item[i].from < u.item[i].to && u.item[i].to <= n && u.item[i].kind < U_ITEMS);
		must(u.item[i].value != NULL && u.item[i].label != NULL && u.item[i].label[0] != '\0');
		must(understand_filter(u.item[i].kind)[0] != '\0');
	}
	arena_reset(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct understand_shop none = { .langs = 15 },
	    all = { .currency = "EUR", .langs = 15, .category = any_category, .colour = any_colour, .word = some_words, .brand = some_brand,
		.in_names = some_names, .only_negated = some_negated };
	static const char *const locales[] = { NULL, "fr", "en", "es", "de" };
	static struct arena a;
	char *query;

	if (size > QUERY_MAX)
		size = QUERY_MAX;
	if (a.max == 0)
		arena_init(&a, 1 << 20);
	if ((query = malloc(size + 1)) == NULL)
		return 0;
	memcpy(query, data, size);
	check(&a, query, size, &none, locales[size % 5]);
	check(&a, query, size, &all, locales[size % 5]);
	free(query);
	return 0;
}
