/* Opening and reading a segment; see segment.h and docs/search-format.md. */
#include "search/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/banned.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "segments are little-endian");
_Static_assert(sizeof(struct seg_header) == 48 && sizeof(struct seg_place) == 24 && sizeof(struct seg_term) == 40, "layout");
_Static_assert(sizeof(struct seg_word) == 16 && sizeof(struct seg_category) == 24 && sizeof(struct seg_value) == 8, "layout");
_Static_assert(sizeof(struct seg_meta) == 32 + 8 * FIELD__MAX + 4 * SEG_CURRENCIES, "layout");

#define CRC_STEP ((size_t)1 << 30)

static uint32_t
checksum(const unsigned char *p, size_t n)
{
	uLong crc = crc32(0, NULL, 0);

	for (size_t part; n > 0; p += part, n -= part) {
		part = n < CRC_STEP ? n : CRC_STEP;
		crc = crc32(crc, p, (uInt)part);
	}
	return (uint32_t)crc;
}

/* ---- opening ---- */

static const char *
check_header(struct seg *s)
{
	struct seg_header h;
	size_t table;
	uLong crc;

	if (s->size < sizeof(h))
		return "too short";
	memcpy(&h, s->base, sizeof(h));
	if (memcmp(h.magic, SEG_MAGIC, 8) != 0)
		return "not a search segment";
	if (h.version != SEG_VERSION)
		return "of another version";
	if (h.sections != SEC__MAX || h.size != s->size)
		return "cut off or grown";
	table = sizeof(struct seg_place) * SEC__MAX;
	if (s->size < sizeof(h) + table)
		return "too short";
	crc = h.checksum;
	h.checksum = 0;
	if (crc32(crc32(crc32(0, NULL, 0), (const unsigned char *)&h, sizeof(h)), s->base + sizeof(h), (uInt)table) != crc)
		return "header damaged";
	s->header = (const void *)s->base;
	return NULL;
}

static const char *
check_sections(struct seg *s, bool trust)
{
	const struct seg_place *place = (const void *)(s->base + sizeof(struct seg_header));

	for (uint32_t i = 0; i < SEC__MAX; i++) {
		const struct seg_place *p = &place[i];

		if (p->id != i || p->at % 8 != 0 || p->at > s->size || p->size > s->size - p->at)
			return "section table damaged";
		s->sec[i] = s->base + p->at;
		s->len[i] = p->size;
		if (!trust && checksum(s->sec[i], p->size) != p->checksum)
			return "section damaged";
	}
	return NULL;
}

/* Every array must have as many entries as the header of the content says. */
static const char *
check_counts(struct seg *s)
{
	static const struct { uint8_t sec, size; } columns[] = {
		{ SEC_ID, 8 }, { SEC_PAYS, 8 }, { SEC_CREATED, 4 }, { SEC_STOCK, 4 }, { SEC_SOLD, 4 }, { SEC_CATEGORY_OF, 4 }, { SEC_BRAND_OF, 4 },
		{ SEC_COLOUR_OF, 4 }, { SEC_RATING_COUNT, 4 }, { SEC_RATING, 2 }, { SEC_FLAGS, 1 }, { SEC_CURRENCY, 1 }, { SEC_SKU_SORT, 4 },
	};
	const struct seg_meta *m;

	if (s->len[SEC_META] != sizeof(*m))
		return "content damaged";
	m = s->meta = (const void *)s->sec[SEC_META];
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		if (s->len[columns[i].sec] != (uint64_t)m->docs * columns[i].size)
			return "content damaged";
	if (m->docs > SEG_DOCS_MAX || m->currencies > SEG_CURRENCIES || s->len[SEC_TERM] != (uint64_t)m->terms * sizeof(struct seg_term) ||
	    s->len[SEC_TERM_SORT] != (uint64_t)m->terms * 4 || s->len[SEC_WORD] != (uint64_t)m->words * sizeof(struct seg_word) ||
	    s->len[SEC_WORD_SORT] != (uint64_t)m->words * 4 || s->len[SEC_TITLE_AT] != ((uint64_t)m->docs + 1) * 4 ||
	    s->len[SEC_SKU_AT] != ((uint64_t)m->docs + 1) * 4 || s->len[SEC_CATEGORY] != (uint64_t)m->categories * sizeof(struct seg_category) ||
	    s->len[SEC_BRAND] != (uint64_t)m->brands * sizeof(struct seg_value) ||
	    s->len[SEC_COLOUR] != (uint64_t)m->colours * sizeof(struct seg_value) || s->len[SEC_POST_BASE] != s->len[SEC_POST_MAX] * 4)
		return "content damaged";
	for (int f = 0; f < FIELD__MAX; f++)
		if (!(m->mean[f] >= 0 && m->mean[f] < 1e9))
			return "content damaged";
	s->posts = s->len[SEC_POST_IMPACT];
	s->blocks = s->len[SEC_POST_MAX];
	s->docs = m->docs;
	return NULL;
}

static void
set_columns(struct seg *s)
{
	s->id = (const void *)s->sec[SEC_ID];
	s->pays = (const void *)s->sec[SEC_PAYS];
	s->created = (const void *)s->sec[SEC_CREATED];
	s->stock = (const void *)s->sec[SEC_STOCK];
	s->sold = (const void *)s->sec[SEC_SOLD];
	s->category = (const void *)s->sec[SEC_CATEGORY_OF];
	s->brand = (const void *)s->sec[SEC_BRAND_OF];
	s->colour = (const void *)s->sec[SEC_COLOUR_OF];
	s->rating_count = (const void *)s->sec[SEC_RATING_COUNT];
	s->rating = (const void *)s->sec[SEC_RATING];
	s->flags = s->sec[SEC_FLAGS];
	s->currency = s->sec[SEC_CURRENCY];
}

struct seg *
seg_open_bytes(const void *p, size_t size, bool mapped, bool trust, const char **why)
{
	struct seg *s = calloc(1, sizeof(*s));

	*why = "no memory";
	if (s == NULL)
		return NULL;
	s->base = p;
	s->size = size;
	if ((*why = check_header(s)) != NULL || (*why = check_sections(s, trust)) != NULL || (*why = check_counts(s)) != NULL) {
		free(s);
		return NULL;
	}
	set_columns(s);
	s->mapped = mapped;
	return s;
}

void
seg_file_of(const struct stat *st, struct seg_file *out)
{
	*out = (struct seg_file){ (uint64_t)st->st_dev, (uint64_t)st->st_ino, (uint64_t)st->st_size,
		(int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec };
}

bool
seg_stat(const char *path, struct seg_file *file)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	seg_file_of(&st, file);
	return true;
}

bool
seg_same(const struct seg_file *a, const struct seg_file *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size && a->changed_ns == b->changed_ns;
}

struct seg *
seg_open(const char *path, bool trust, struct seg_file *file, const char **why)
{
	struct seg *s = NULL;
	struct stat st;
	void *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*why = "cannot be read";
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (p != MAP_FAILED) {
			seg_file_of(&st, file);
			if ((s = seg_open_bytes(p, (size_t)st.st_size, true, trust, why)) == NULL)
				munmap(p, (size_t)st.st_size);
		}
	} else {
		*why = "too short";
	}
	close(fd);
	return s;
}

void
seg_close(struct seg *s)
{
	if (s == NULL)
		return;
	if (s->mapped)
		munmap((void *)(uintptr_t)s->base, s->size);
	free(s);
}

/* ---- reading ---- */

/* n bytes at `at` of a section of texts; "" with n 0 when they are not inside. */
static const char *
text_at(const struct seg *s, enum seg_section sec, uint64_t at, uint64_t want, size_t *n)
{
	*n = 0;
	if (at > s->len[sec] || want > s->len[sec] - at)
		return "";
	*n = (size_t)want;
	return (const char *)s->sec[sec] + at;
}

static const struct seg_term *
term_at(const struct seg *s, uint32_t term)
{
	return term < s->meta->terms ? (const struct seg_term *)(const void *)s->sec[SEC_TERM] + term : NULL;
}

const char *
seg_term_text(const struct seg *s, uint32_t term, size_t *n)
{
	const struct seg_term *t = term_at(s, term);

	*n = 0;
	return t == NULL ? "" : text_at(s, SEC_TERM_TEXT, t->text, t->n, n);
}

static int
compare(const char *a, size_t an, const char *b, size_t bn)
{
	int d = memcmp(a, b, an < bn ? an : bn);

	return d != 0 ? d : (an > bn) - (an < bn);
}

uint32_t
seg_term_find(const struct seg *s, const char *text, size_t n)
{
	const uint32_t *sorted = (const void *)s->sec[SEC_TERM_SORT];
	uint32_t lo = 0, hi = s->meta->terms;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		size_t m;
		const char *t = seg_term_text(s, sorted[mid], &m);
		int d = compare(text, n, t, m);

		if (d == 0)
			return sorted[mid];
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return SEG_NONE;
}

uint32_t
seg_attribute_find(const struct seg *s, const char *key, size_t keyn, const char *word, size_t n)
{
	char text[SEG_ATTRIBUTE_MAX];

	if (keyn + n + 2 > sizeof(text))
		return SEG_NONE;
	text[0] = SEG_ATTRIBUTE_MARK;
	memcpy(text + 1, key, keyn);
	text[keyn + 1] = '=';
	memcpy(text + keyn + 2, word, n);
	return seg_term_find(s, text, keyn + n + 2);
}

struct seg_list
seg_list(const struct seg *s, uint32_t term)
{
	const struct seg_term *t = term_at(s, term);
	struct seg_list l = { 0 };
	uint64_t blocks;

	if (term >= s->meta->terms && term - s->meta->terms < s->docs)
		return seg_sku_list(s, term - s->meta->terms);
	if (t == NULL || t->post > s->posts || t->df > s->posts - t->post)
		return l;
	blocks = ((uint64_t)t->df + SEG_BLOCK - 1) / SEG_BLOCK;
	if (t->block > s->blocks || blocks > s->blocks - t->block)
		return l;
	if (t->docs > s->len[t->wide ? SEC_POST_DOC : SEC_POST_LOW] / (t->wide ? 4 : 2) ||
	    t->df > s->len[t->wide ? SEC_POST_DOC : SEC_POST_LOW] / (t->wide ? 4 : 2) - t->docs)
		return l;
	l.wide = t->wide ? (const uint32_t *)(const void *)s->sec[SEC_POST_DOC] + t->docs : NULL;
	l.low = (const uint16_t *)(const void *)s->sec[SEC_POST_LOW] + (t->wide ? 0 : t->docs);
	l.base = (const uint32_t *)(const void *)s->sec[SEC_POST_BASE] + t->block;
	l.impact = s->sec[SEC_POST_IMPACT] + t->post;
	l.block_max = s->sec[SEC_POST_MAX] + t->block;
	l.df = t->df;
	l.max = t->max;
	return l;
}

const uint32_t *
seg_compounds(const struct seg *s, uint32_t term, size_t *n)
{
	const struct seg_term *t = term_at(s, term);
	uint64_t all = s->len[SEC_PART] / 4;

	*n = 0;
	if (t == NULL || t->parts > all || t->part > all - t->parts)
		return NULL;
	*n = t->part;
	return (const uint32_t *)(const void *)s->sec[SEC_PART] + t->parts;
}

const struct seg_word *
seg_word(const struct seg *s, uint32_t word)
{
	return word < s->meta->words ? (const struct seg_word *)(const void *)s->sec[SEC_WORD] + word : NULL;
}

const char *
seg_word_text(const struct seg *s, uint32_t word, size_t *n)
{
	const struct seg_word *w = seg_word(s, word);

	*n = 0;
	return w == NULL ? "" : text_at(s, SEC_WORD_TEXT, w->text, w->n, n);
}

uint32_t
seg_word_sorted(const struct seg *s, uint32_t position)
{
	return position < s->meta->words ? ((const uint32_t *)(const void *)s->sec[SEC_WORD_SORT])[position] : SEG_NONE;
}

/* The first position whose word is not less than text (after: greater, where words that begin with it count as equal). */
static uint32_t
word_bound(const struct seg *s, const char *text, size_t n, bool after)
{
	uint32_t lo = 0, hi = s->meta->words;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		size_t m;
		const char *t = seg_word_text(s, seg_word_sorted(s, mid), &m);
		int d = after && m >= n ? memcmp(t, text, n) : compare(t, m, text, n);

		if (d < 0 || (after && d == 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t
seg_word_find(const struct seg *s, const char *text, size_t n)
{
	uint32_t at = word_bound(s, text, n, false), word = seg_word_sorted(s, at);
	size_t m;
	const char *t = seg_word_text(s, word, &m);

	return m == n && n > 0 && memcmp(t, text, n) == 0 ? word : SEG_NONE;
}

void
seg_word_prefix(const struct seg *s, const char *prefix, size_t n, uint32_t *from, uint32_t *to)
{
	*from = word_bound(s, prefix, n, false);
	*to = word_bound(s, prefix, n, true);
}

/* Entry i of a column of offsets, and the bytes up to the next. */
static bool
span(const struct seg *s, enum seg_section at, uint32_t doc, uint32_t *from, uint32_t *to)
{
	const uint32_t *a = (const void *)s->sec[at];

	if (doc >= s->docs)
		return false;
	*from = a[doc];
	*to = a[doc + 1];
	return *from <= *to;
}

size_t
seg_title(const struct seg *s, uint32_t doc, uint32_t out[SEG_TITLE_MAX])
{
	uint32_t from, to;
	size_t n = 0;

	if (!span(s, SEC_TITLE_AT, doc, &from, &to) || to > s->len[SEC_TITLE])
		return 0;
	for (const unsigned char *p = s->sec[SEC_TITLE] + from, *end = s->sec[SEC_TITLE] + to; p < end && n < SEG_TITLE_MAX;) {
		uint32_t v = 0;

		for (unsigned shift = 0; p < end && shift < 32; shift += 7) {
			v |= (uint32_t)(*p & 0x7F) << shift;
			if (!(*p++ & 0x80))
				break;
		}
		out[n++] = v < SEG_TITLE_TERMS ? SEG_BREAK + v : v - SEG_TITLE_TERMS;
	}
	return n;
}

void
seg_title_ahead(const struct seg *s, uint32_t doc, bool far)
{
	uint32_t from, to;

	if (doc >= s->docs)
		return;
	if (far)
		__builtin_prefetch(s->sec[SEC_TITLE_AT] + (size_t)doc * 4);
	else if (span(s, SEC_TITLE_AT, doc, &from, &to) && from < s->len[SEC_TITLE])
		__builtin_prefetch(s->sec[SEC_TITLE] + from);
}

const char *
seg_sku(const struct seg *s, uint32_t doc, size_t *n)
{
	uint32_t from, to;

	*n = 0;
	return span(s, SEC_SKU_AT, doc, &from, &to) ? text_at(s, SEC_SKU, from, to - from, n) : "";
}

const struct seg_category *
seg_category(const struct seg *s, uint32_t category)
{
	return category < s->meta->categories ? (const struct seg_category *)(const void *)s->sec[SEC_CATEGORY] + category : NULL;
}

const char *
seg_category_text(const struct seg *s, const struct seg_category *c, size_t *n)
{
	return text_at(s, SEC_CATEGORY_TEXT, c->text, c->n, n);
}

uint32_t
seg_values(const struct seg *s, enum seg_section which)
{
	return which == SEC_BRAND ? s->meta->brands : s->meta->colours;
}

const char *
seg_value_text(const struct seg *s, enum seg_section which, uint32_t value, size_t *n)
{
	const struct seg_value *v = (const struct seg_value *)(const void *)s->sec[which] + value;

	*n = 0;
	return value < seg_values(s, which) ? text_at(s, which + 1, v->text, v->n, n) : "";
}
