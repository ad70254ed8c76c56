/*
 * Any bytes as a search segment: refused, or read without harm. Sizes and the header's checksum are put right first, and sections are trusted, so
 * that what stands inside is reached: a search over it must end, whatever it finds.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/clock.h"
#include "search/correct.h"
#include "search/engine.h"
#include "search/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const queries[] = { "lami torus", "lalala", "lamitorus", "rouge lampe acme", "sku 1", "lamu" };

static volatile size_t sum;	/* so that what is read is needed */

static void
read_everything(const struct seg *s)
{
	size_t n;

	for (uint32_t i = 0; i < s->meta->terms && i < 500; i++) {
		struct seg_list l = seg_list(s, i);

		sum += l.df > 0 ? seg_doc(&l, l.df - 1) + l.impact[l.df - 1] + l.block_max[(l.df - 1) / SEG_BLOCK] : 0;
		(void)seg_term_text(s, i, &n);
		(void)seg_compounds(s, i, &n);
	}
	for (uint32_t i = 0; i < s->docs && i < 500; i++) {
		uint32_t t[SEG_TITLE_MAX];

		n = seg_title(s, i, t);
		sum += n > 0 ? t[n - 1] : 0;
		(void)seg_sku(s, i, &n);
	}
}

static void
search(const struct seg *s, const char *text, enum search_sort sort, const char *category)
{
	struct arena a;
	struct ctx c = { .a = &a, .deadline_ms = now_ms() + 1000, .id = "fuzz-segment" };
	struct engine_view v = { .part = { { .seg = s }, { .seg = s } }, .n = 2 };
	struct engine_query q = { .text = text, .sort = sort, .limit = 10, .facets = true,
		.filter = { .min_price = 0, .max_price = NAN, .category = category, .brand = category != NULL ? "acme" : NULL } };
	struct engine_result r;
	struct engine_hit like[5];

	arena_init(&a, (size_t)256 << 20);
	engine_search(&c, &v, &q, &r);
	for (size_t i = 0; i < r.n; i++)
		if (r.hit[i].doc >= s->docs)
			abort();
	(void)engine_similar(&c, &v, s->docs > 0 ? s->id[0] : 1, 5, like);
	arena_release(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t table = sizeof(struct seg_place) * SEC__MAX;
	struct seg_header h;
	const char *why;
	struct seg *s;
	uint8_t *copy = malloc(size + 1);

	memcpy(copy, data, size);
	seg_close(seg_open_bytes(copy, size, false, false, &why));
	if (size >= sizeof(h) + table) {
		memcpy(&h, copy, sizeof(h));
		h.size = size;
		h.checksum = 0;
		h.checksum = (uint32_t)crc32(crc32(0, (const void *)&h, sizeof(h)), copy + sizeof(h), (uInt)table);
		memcpy(copy, &h, sizeof(h));
	}
	s = seg_open_bytes(copy, size, false, true, &why);
	/* Larger ones are only slower. */
	if (s != NULL && s->docs < 100000 && s->meta->words < 100000) {
		read_everything(s);
		for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
			search(s, queries[i], i % 2 == 0 ? SORT_RELEVANCE : SORT_PRICE_ASC, i % 3 == 0 ? "maison" : NULL);
		search(s, NULL, SORT_NEWEST, NULL);
	}
	seg_close(s);
	free(copy);
	return 0;
}
