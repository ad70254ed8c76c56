/*
 * Any bytes as a form: up to the first line feed the Content-Type, behind it the body.  Parts lie inside the body, do not overlap, and have names.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "web/multipart.h"

#define PARTS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nl = memchr(data, '\n', size);
	struct part parts[PARTS];
	struct arena a;
	struct ctx c = { .a = &a, .deadline_ms = INT64_MAX, .id = "fuzz-id-" };
	const char *type, *body, *after;
	size_t n, bodysz;

	if (nl == NULL || size > 65536)
		return 0;
	arena_init(&a, 1u << 20);
	type = arena_strndup(&a, (const char *)data, (size_t)(nl - data));
	bodysz = size - (size_t)(nl - data) - 1;
	body = after = arena_strndup(&a, (const char *)nl + 1, bodysz);
	if (multipart_parse(&c, type, body, bodysz, parts, PARTS, &n) != E_OK) {
		must(c.err != E_OK && c.message != NULL);
	} else {
		must(n <= PARTS);
		for (size_t i = 0; i < n; i++) {
			must(parts[i].p >= after && parts[i].p + parts[i].n <= body + bodysz);
			must(parts[i].name[0] != '\0' && utf8_valid(parts[i].name, strlen(parts[i].name)));
			after = parts[i].p + parts[i].n;
		}
	}
	arena_release(&a);
	return 0;
}
