/* Runs of postings, their merge, and the file; see build_internal.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/banned.h"
#include "core/clock.h"
#include "search/build_internal.h"

#define RUN_BUFFER ((size_t)1 << 16)

/* Weight of a field, and how much its length counts (b of BM25). */
static const struct { double weight, b; } fields[FIELD__MAX] = {
	[FIELD_NAME] = { 5, 0.5 }, [FIELD_BRAND] = { 3, 0.3 }, [FIELD_COLOUR] = { 3, 0.3 }, [FIELD_CATEGORY] = { 2, 0.3 },
	[FIELD_DESCRIPTION] = { 1, 0.75 }, [FIELD_ATTRIBUTE] = { 1.5, 0.5 },
};

/* ---- runs ---- */

static bool
write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno != EINTR)
			return false;
		at += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	return true;
}

/* Sort by term and keep the order of products: counting sort.  NULL without memory. */
static struct posting *
sorted_postings(const struct build *b)
{
	struct posting *out = calloc(b->posts + 1, sizeof(*out));
	uint32_t *at = calloc((size_t)b->terms.n + 1, sizeof(*at));

	if (out == NULL || at == NULL) {
		free(out);
		free(at);
		return NULL;
	}
	for (size_t i = 0; i < b->posts; i++)
		at[b->post[i].term + 1]++;
	for (uint32_t t = 0; t < b->terms.n; t++)
		at[t + 1] += at[t];
	for (size_t i = 0; i < b->posts; i++)
		out[at[b->post[i].term]++] = b->post[i];
	free(at);
	return out;
}

bool
build_flush(struct build *b)
{
	struct posting *p;
	bool ok;
	int fd;

	if (b->posts == 0)
		return true;
	if (b->dir == NULL || b->runs == BUILD_RUNS_MAX)
		return build_fail(b, "too many products for the memory");
	if ((p = sorted_postings(b)) == NULL)
		return build_fail(b, "no memory");
	ok = (fd = column_file(b->dir)) >= 0 && write_all(fd, p, b->posts * sizeof(*p));
	free(p);
	if (fd >= 0)
		b->run[b->runs++] = fd;
	b->posts = 0;
	return ok || build_fail(b, "no disk for a run");
}

/* ---- merge ---- */

struct reader {
	int fd;			/* -1: all is in memory */
	uint64_t at;
	struct posting *p;
	size_t n, i, cap;
};

static bool
refill(struct reader *r)
{
	ssize_t got;

	if (r->fd < 0)
		return false;
	got = pread(r->fd, r->p, r->cap * sizeof(*r->p), (off_t)r->at);
	if (got < (ssize_t)sizeof(*r->p))
		return false;
	r->n = (size_t)got / sizeof(*r->p);
	r->at += r->n * sizeof(*r->p);
	r->i = 0;
	return true;
}

/* The next posting of this term in the run, NULL at its end. */
static const struct posting *
next_of(struct reader *r, uint32_t term)
{
	if (r->i == r->n && !refill(r))
		return NULL;
	return r->p[r->i].term == term ? &r->p[r->i++] : NULL;
}

static uint8_t
impact(const struct build *b, const struct posting *p)
{
	const uint16_t *len = b->len[p->doc];
	double x = 0, s;

	for (int f = 0; f < FIELD__MAX; f++) {
		uint32_t tf = p->counts >> field_bits[f].shift & ((1u << field_bits[f].bits) - 1);

		if (tf > 0)
			x += fields[f].weight * tf / (1 - fields[f].b + fields[f].b * len[f] / (b->meta.mean[f] > 0.5 ? b->meta.mean[f] : 0.5));
	}
	s = x / (K1 + x) * 255.0 + 0.5;
	return (uint8_t)(s < 1 ? 1 : s);
}

struct merge {
	struct build *b;
	struct reader *r;
	uint32_t readers;
	uint64_t posts;
	uint32_t blocks;
	uint32_t *doc;		/* products of the present term */
	uint32_t cap;
	uint32_t wide, low;	/* products written to either section */
};

static bool
put_posting(struct merge *m, struct seg_term *t, uint8_t *block_max, const struct posting *p)
{
	struct build *b = m->b;
	uint8_t v = impact(b, p);

	if (t->df > 0 && t->df % SEG_BLOCK == 0) {
		if (!build_put(b, SEC_POST_MAX, block_max, 1))
			return false;
		m->blocks++;
		*block_max = 0;
	}
	if (v > *block_max)
		*block_max = v;
	if (v > t->max)
		t->max = v;
	if (t->df == m->cap) {
		uint32_t cap = m->cap == 0 ? 1024 : m->cap * 2, *doc = realloc(m->doc, cap * sizeof(*doc));

		if (doc == NULL)
			return build_fail(b, "no memory for a list");
		m->doc = doc;
		m->cap = cap;
	}
	m->doc[t->df++] = p->doc;
	m->posts++;
	return build_put(b, SEC_POST_IMPACT, &v, 1);
}

/* Does each block of the list fit into 16 bits above its first product? */
static bool
is_narrow(const struct merge *m, uint32_t df)
{
	if (df < SEG_WIDE_MAX)
		return false;
	for (uint32_t i = 0; i < df; i += SEG_BLOCK) {
		uint32_t last = i + SEG_BLOCK < df ? i + SEG_BLOCK - 1 : df - 1;

		if (m->doc[last] - m->doc[i] > UINT16_MAX)
			return false;
	}
	return true;
}

static bool
put_docs(struct merge *m, struct seg_term *t)
{
	struct build *b = m->b;
	bool ok = true;

	t->wide = !is_narrow(m, t->df);
	t->docs = t->wide ? m->wide : m->low;
	*(t->wide ? &m->wide : &m->low) += t->df;
	for (uint32_t i = 0; ok && i < t->df; i += SEG_BLOCK)
		ok = build_put(b, SEC_POST_BASE, &m->doc[i], 4);
	if (t->wide)
		return ok && build_put(b, SEC_POST_DOC, m->doc, (size_t)t->df * 4);
	for (uint32_t i = 0; ok && i < t->df; i++) {
		uint16_t low = (uint16_t)(m->doc[i] - m->doc[i - i % SEG_BLOCK]);

		ok = build_put(b, SEC_POST_LOW, &low, 2);
	}
	return ok;
}

static bool
merge_term(struct merge *m, uint32_t term, struct seg_term *t)
{
	const struct posting *p;
	uint8_t block_max = 0;

	t->post = m->posts;
	t->block = m->blocks;
	for (uint32_t i = 0; i < m->readers; i++)
		while ((p = next_of(&m->r[i], term)) != NULL)
			if (!put_posting(m, t, &block_max, p))
				return false;
	if (t->df == 0)
		return true;
	m->blocks++;
	return build_put(m->b, SEC_POST_MAX, &block_max, 1) && put_docs(m, t);
}

static bool
open_readers(struct merge *m)
{
	struct build *b = m->b;

	if ((m->r = calloc(b->runs + 1, sizeof(*m->r))) == NULL)
		return build_fail(b, "no memory");
	for (m->readers = 0; m->readers < b->runs; m->readers++) {
		struct reader *r = &m->r[m->readers];

		*r = (struct reader){ .fd = b->run[m->readers], .cap = RUN_BUFFER / sizeof(*r->p), .p = malloc(RUN_BUFFER) };
		if (r->p == NULL)
			return build_fail(b, "no memory");
	}
	m->r[m->readers++] = (struct reader){ .fd = -1, .p = sorted_postings(b), .n = b->posts };
	return m->r[m->readers - 1].p != NULL || build_fail(b, "no memory");
}

bool
build_merge(struct build *b)
{
	struct merge m = { .b = b };
	struct seg_term *t = calloc((size_t)b->terms.n + 1, sizeof(*t));
	bool ok = (t != NULL || build_fail(b, "no memory")) && open_readers(&m);

	for (uint32_t term = 0; ok && term < b->terms.n; term++) {
		size_t n;
		const char *s = dict_text(&b->terms, term, &n);

		t[term].text = (uint32_t)column_size(&b->sec[SEC_TERM_TEXT]);
		t[term].n = (uint16_t)n;
		ok = build_put(b, SEC_TERM_TEXT, s, n) && merge_term(&m, term, &t[term]);
	}
	ok = ok && build_compounds(b, t) && build_put(b, SEC_TERM, t, b->terms.n * sizeof(*t));
	for (uint32_t i = 0; i < m.readers; i++)
		free(m.r[i].p);
	free(m.r);
	free(m.doc);
	free(t);
	return ok;
}

/* ---- file ---- */

struct output {
	int fd;
	uint64_t n;
	uint32_t crc;
};

static bool
put_out(void *arg, const void *p, size_t n)
{
	struct output *o = arg;

	o->crc = (uint32_t)crc32(o->crc, p, (uInt)n);
	o->n += n;
	return write_all(o->fd, p, n);
}

static bool
put_values(struct build *b, const struct dict *d, enum seg_section sec)
{
	for (uint32_t i = 0; i < d->n; i++) {
		size_t n;
		const char *s = dict_text(d, i, &n);
		struct seg_value v = { (uint32_t)column_size(&b->sec[sec + 1]), (uint32_t)n };

		if (!build_put(b, sec, &v, sizeof(v)) || !build_put(b, sec + 1, s, n))
			return false;
	}
	return true;
}

/* The last category below each: they stand in the order of their paths, so a parent comes before its children. */
static bool
finish_categories(struct build *b)
{
	struct column *c = &b->sec[SEC_CATEGORY];
	struct seg_category *all;
	bool ok = column_load(c);

	all = (struct seg_category *)(void *)c->p;
	for (uint32_t i = b->meta.categories; ok && i-- > 0;)
		if (all[i].parent < i && all[all[i].parent].last < all[i].last)
			all[all[i].parent].last = all[i].last;
	return ok || build_fail(b, "no memory for categories");
}

static bool
finish_columns(struct build *b)
{
	uint32_t sku = (uint32_t)column_size(&b->sec[SEC_SKU]), title = (uint32_t)column_size(&b->sec[SEC_TITLE]), *sorted;
	bool ok;

	if (column_size(&b->sec[SEC_TITLE]) > UINT32_MAX || column_size(&b->sec[SEC_SKU]) > UINT32_MAX)
		return build_fail(b, "too many words in names");
	if ((sorted = dict_sorted(&b->terms)) == NULL)
		return build_fail(b, "no memory");
	b->meta.terms = b->terms.n;
	b->meta.brands = b->brands.n;
	b->meta.colours = b->colours.n;
	ok = build_put(b, SEC_SKU_AT, &sku, 4) && build_put(b, SEC_TITLE_AT, &title, 4) && finish_categories(b) &&
	    put_values(b, &b->brands, SEC_BRAND) && put_values(b, &b->colours, SEC_COLOUR) &&
	    build_put(b, SEC_TERM_SORT, sorted, (size_t)b->terms.n * 4) && build_words(b) && build_skus(b);
	free(sorted);
	return ok && build_put(b, SEC_META, &b->meta, sizeof(b->meta));
}

static bool
write_file(struct build *b, int fd)
{
	struct seg_header h = { .magic = SEG_MAGIC, .version = SEG_VERSION, .sections = SEC__MAX, .change = b->o.change, .built_ms = wall_ms() };
	struct seg_place place[SEC__MAX];
	struct output o = { .fd = fd };
	static const char zero[8];

	memset(place, 0, sizeof(place));
	if (!put_out(&o, &h, sizeof(h)) || !put_out(&o, place, sizeof(place)))
		return false;
	for (uint32_t i = 0; i < SEC__MAX; i++) {
		place[i] = (struct seg_place){ .id = i, .at = o.n, .size = column_size(&b->sec[i]) };
		o.crc = 0;
		if (!column_each(&b->sec[i], put_out, &o))
			return false;
		place[i].checksum = o.crc;
		column_release(&b->sec[i]);
		if (o.n % 8 != 0 && !put_out(&o, zero, 8 - o.n % 8))
			return false;
	}
	h.size = o.n;
	h.checksum = (uint32_t)crc32(crc32(0, (const void *)&h, sizeof(h)), (const void *)place, sizeof(place));
	return pwrite(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) && pwrite(fd, place, sizeof(place), sizeof(h)) == (ssize_t)sizeof(place);
}

bool
build_finish(struct build *b, int fd)
{
	if (b->why != NULL)
		return false;
	for (int f = 0; f < FIELD__MAX; f++)
		if (b->meta.mean[f] <= 0 && b->meta.docs > 0)
			b->meta.mean[f] = b->sum[f] / b->meta.docs;
	return build_merge(b) && finish_columns(b) && (write_file(b, fd) || build_fail(b, "no disk for the segment"));
}
