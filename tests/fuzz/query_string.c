/*
 * Any bytes as a URL's query string and as Accept-Language.  What is decoded is valid UTF-8 without NUL, no longer than what was sent, at most 64
 * pairs, and encoding it again gives the same pairs.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/json.h"
#include "web/request.h"

#define QUERY_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
put_encoded(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%%%02X", (unsigned char)s[i]);
}

static void
check_pairs(struct ctx *c, const struct pair *pairs, size_t n, size_t size)
{
	struct pair *again;
	struct buf b;
	size_t m;

	must(n <= 64);
	buf_init(&b, c->a, 1024, 1u << 20);
	for (size_t i = 0; i < n; i++) {
		must(utf8_valid(pairs[i].name, strlen(pairs[i].name)) && utf8_valid(pairs[i].value, pairs[i].valuesz));
		must(strlen(pairs[i].value) == pairs[i].valuesz && strlen(pairs[i].name) + pairs[i].valuesz <= size);
		buf_puts(&b, i > 0 ? "&" : "");
		put_encoded(&b, pairs[i].name, strlen(pairs[i].name));
		buf_putc(&b, '=');
		put_encoded(&b, pairs[i].value, pairs[i].valuesz);
	}
	must(query_parse(c, buf_str(&b), &again, &m) == E_OK && m == n);
	for (size_t i = 0; i < n; i++)
		must(strcmp(pairs[i].name, again[i].name) == 0 && strcmp(pairs[i].value, again[i].value) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool configured;
	char err[256];
	struct arena a;
	struct ctx c = { .a = &a, .deadline_ms = INT64_MAX, .id = "fuzz-id-" };
	const char *query, *locale;
	struct pair *pairs;
	size_t n;

	if (!configured)
		must(cfg_load(NULL, err, sizeof(err)));
	configured = true;
	if (size > QUERY_MAX)
		return 0;
	arena_init(&a, 8u << 20);
	query = arena_strndup(&a, (const char *)data, size);
	if (query_parse(&c, query, &pairs, &n) == E_OK)
		check_pairs(&c, pairs, n, size);
	else
		must(c.err == E_INVALID && c.message != NULL);
	locale = locale_negotiate(&c, query);
	must(strlen(locale) == 2);
	arena_release(&a);
	return 0;
}
