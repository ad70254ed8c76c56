/* Article numbers of a segment; see segment.h. */
#include "core/banned.h"
#include "search/segment.h"

/* The next letter or digit from *i on, lower case; -1 at the end. */
static int
sku_next(const char *s, size_t n, size_t *i)
{
	while (*i < n) {
		unsigned char c = (unsigned char)s[(*i)++];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'))
			return c;
		if (c >= 'A' && c <= 'Z')
			return c - 'A' + 'a';
	}
	return -1;
}

int
seg_sku_compare(const char *a, size_t an, const char *b, size_t bn)
{
	size_t i = 0, k = 0;

	for (;;) {
		int x = sku_next(a, an, &i), y = sku_next(b, bn, &k);

		if (x != y || x < 0)
			return x - y;
	}
}

/* The first place of the sorted article numbers that is not less than text, or, with after, that is greater. */
static uint32_t
sku_bound(const struct seg *s, const char *text, size_t n, bool after)
{
	const uint32_t *sorted = (const void *)s->sec[SEC_SKU_SORT];
	uint32_t lo = 0, hi = s->docs;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		size_t m;
		const char *sku = seg_sku(s, sorted[mid], &m);
		int d = seg_sku_compare(sku, m, text, n);

		if (d < 0 || (after && d == 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t
seg_sku_find(const struct seg *s, const char *text, size_t n)
{
	uint32_t at;

	if (n < SEG_SKU_LEAST || (at = sku_bound(s, text, n, false)) == s->docs || sku_bound(s, text, n, true) == at ||
	    s->meta->terms > UINT32_MAX - 1 - s->docs)
		return SEG_NONE;
	return s->meta->terms + at;
}

struct seg_list
seg_sku_list(const struct seg *s, uint32_t at)
{
	static const uint8_t impact[SEG_BLOCK] = { [0 ... SEG_BLOCK - 1] = 255 };
	static const uint32_t base;
	const uint32_t *sorted = (const void *)s->sec[SEC_SKU_SORT];
	struct seg_list l = { .wide = sorted + at, .base = &base, .impact = impact, .block_max = impact, .df = 1, .max = 255 };
	size_t n, m;
	const char *sku = seg_sku(s, sorted[at], &n);

	while (l.df < SEG_BLOCK && l.df < s->docs - at) {
		const char *next = seg_sku(s, sorted[at + l.df], &m);

		if (seg_sku_compare(sku, n, next, m) != 0)
			break;
		l.df++;
	}
	return l;
}
