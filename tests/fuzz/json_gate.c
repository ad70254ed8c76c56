/*
 * Any bytes into the JSON gate.  What it refuses it explains; what it accepts json-c accepts too, unless a member is there twice,
 * and the text written from the result passes again and comes out the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* The same value, written and read again. */
static void
check_round_trip(struct ctx *c, json_object *o)
{
	struct json_fault fault;
	json_object *again;
	size_t n, m;
	const char *text = json_text(c, o, &n), *twice;

	must(n == strlen(text) && utf8_valid(text, n));
	must(json_gate(text, n, NULL, &fault));
	must(json_parse(c, text, n, &again) == E_OK);
	twice = json_text(c, again, &m);
	must(m == n && memcmp(text, twice, n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct ctx c = { .a = &a, .deadline_ms = now_ms() + 1000, .id = "fuzz-json" };
	struct json_fault fault = { .offset = SIZE_MAX };
	size_t members = 0;
	json_object *o;
	enum err e;
	bool passes;

	arena_init(&a, 256 << 20);
	passes = json_gate((const char *)data, size, &members, &fault);
	e = json_parse(&c, (const char *)data, size, &o);
	must(fault.offset <= size);
	if (passes) {
		must(fault.offset == size && fault.reason == NULL && utf8_valid((const char *)data, size));
		must(e == E_OK || (members > 1 && strncmp(ctx_message(&c), "JSON: duplicate member \"", 24) == 0));
	} else {
		must(e == (fault.is_json ? E_INVALID : E_MALFORMED) && fault.reason != NULL && strstr(ctx_message(&c), fault.reason) != NULL);
	}
	if (e == E_OK)
		check_round_trip(&c, o);
	else
		must(o == NULL && utf8_valid(ctx_message(&c), strlen(ctx_message(&c))));
	arena_release(&a);
	return 0;
}
