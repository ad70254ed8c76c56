/* See correct.h. */
#include "search/correct.h"

#include <math.h>
#include <string.h>

#include "core/banned.h"
#include "core/utf8.h"

#define CHARS_MAX 48

uint32_t
correct_letters(const char *s, size_t n)
{
	uint32_t set = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 'a' && c <= 'z')
			set |= 1u << (c - 'a');
		else if (c < 0x80 || i + 1 == n || ((unsigned char)s[i + 1] & 0xC0) != 0x80)	/* the last byte of its character */
			set |= 1u << (26 + c % 6);
	}
	return set;
}

/* Code points of a folded word; 0 when it has too many. */
static size_t
points(const char *s, size_t n, uint32_t out[CHARS_MAX])
{
	size_t k = 0, step;

	for (size_t i = 0; i < n; i += step) {
		uint32_t cp = 0;

		if ((step = utf8_step((const unsigned char *)s + i, n - i)) == 0)
			step = 1;
		for (size_t j = 0; j < step; j++)
			cp = cp << 8 | (unsigned char)s[i + j];
		if (k == CHARS_MAX)
			return 0;
		out[k++] = cp;
	}
	return k;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Three rows of the table, and of each only what lies within max of the diagonal. */
static unsigned
distance(const uint32_t *a, size_t an, const uint32_t *b, size_t bn, unsigned max)
{
	unsigned row[3][CHARS_MAX + 1], far = max + 1;

	if ((an > bn ? an - bn : bn - an) > max)
		return far;
	for (size_t j = 0; j <= bn; j++)
		row[0][j] = (unsigned)least((unsigned)j, far);
	for (size_t i = 1; i <= an; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *two = row[(i + 1) % 3], best = far;
		size_t from = i > max ? i - max : 1, to = i + max < bn ? i + max : bn;

		now[from - 1] = from == 1 ? least((unsigned)i, far) : far;
		for (size_t j = from; j <= to; j++) {
			unsigned d = before[j - 1] + (a[i - 1] != b[j - 1]);

			if (j < i + max)
				d = least(d, before[j] + 1);
			d = least(d, now[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = least(d, two[j - 2] + 1);
			now[j] = least(d, far);
			best = least(best, now[j]);
		}
		if (to < bn)
			now[to + 1] = far;
		if (best > max && from > 1)
			return far;
	}
	return row[an % 3][bn];
}

/*
 * The same for ASCII words of at most 63 bytes, 64 cells of the table at once: Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau
 * Edit Distances", 2003.  Where each letter stands in the word is worked out once.
 */
struct pattern {
	uint64_t at[128];
	size_t n;		/* 0: not such a word */
};

static void
read_pattern(struct pattern *p, const char *s, size_t n)
{
	memset(p, 0, sizeof(*p));
	if (n > 63)
		return;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] >= 128)
			return;
		p->at[(unsigned char)s[i]] |= (uint64_t)1 << i;
	}
	p->n = n;
}

/* max + 1 when it is more than max; 255 for a text that is not ASCII. */
static unsigned
pattern_distance(const struct pattern *p, const char *s, size_t n, unsigned max)
{
	uint64_t vp = UINT64_MAX, vn = 0, d0 = 0, before = 0, last = (uint64_t)1 << (p->n - 1);
	unsigned score = (unsigned)p->n;

	for (size_t i = 0; i < n; i++) {
		uint64_t here, hp, hn;

		if ((unsigned char)s[i] >= 128)
			return 255;
		here = p->at[(unsigned char)s[i]];
		d0 = (((~d0 & here) << 1) & before) | (((here & vp) + vp) ^ vp) | here | vn;
		hp = vn | ~(d0 | vp);
		hn = d0 & vp;
		score += (hp & last) != 0;
		score -= (hn & last) != 0;
		hp = hp << 1 | 1;
		hn <<= 1;
		vp = hn | ~(d0 | hp);
		vn = hp & d0;
		before = here;
	}
	return score > max ? max + 1 : score;
}

unsigned
correct_distance(const char *a, size_t an, const char *b, size_t bn, unsigned max)
{
	uint32_t x[CHARS_MAX], y[CHARS_MAX];

	struct pattern p;
	unsigned d;

	read_pattern(&p, a, an);
	if (p.n > 0 && (d = pattern_distance(&p, b, bn, max)) != 255)
		return d;
	return distance(x, points(a, an, x), y, points(b, bn, y), max);
}

/* The first word with at least so many characters: words are sorted by them. */
static uint32_t
first_of_length(const struct seg *s, size_t chars)
{
	uint32_t lo = 0, hi = s->meta->words;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (seg_word(s, mid)->chars < chars)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
compare_word(const struct seg *s, uint32_t i, const struct pattern *p, const uint32_t *word, size_t chars, unsigned max, struct correct_guess *guess)
{
	const struct seg_word *w = seg_word(s, i);
	uint32_t other[CHARS_MAX];
	size_t n, m;
	const char *text = seg_word_text(s, i, &n);
	unsigned d = p->n > 0 ? pattern_distance(p, text, n, max) : 255;
	double cost;

	if (d != 255 && d > max)
		return;
	if ((m = points(text, n, other)) == 0 || (d == 255 && (d = distance(word, chars, other, m, max)) > max))
		return;
	cost = d - 0.15 * log(w->df > 1 ? w->df : 1) - (other[0] == word[0] ? 0.5 : 0);
	if (guess->s == NULL || cost < guess->cost)
		*guess = (struct correct_guess){ text, n, d, cost, w->df };
}

/* Are no more than max bits set? */
static bool
at_most(uint32_t bits, unsigned max)
{
	while (bits != 0 && max-- > 0)
		bits &= bits - 1;
	return bits == 0;
}

void
correct_within(const struct seg *s, const char *word, size_t n, unsigned max, struct correct_guess *guess)
{
	uint32_t letters = correct_letters(word, n), chars[CHARS_MAX];
	size_t m = points(word, n, chars);
	struct pattern p;
	uint32_t to;

	if (m < 3 || m <= max)
		return;
	read_pattern(&p, word, n);
	to = first_of_length(s, m + max + 1);
	for (uint32_t i = first_of_length(s, m - max); i < to; i++) {
		uint32_t other = seg_word(s, i)->letters;

		if (at_most(other & ~letters, max) && at_most(letters & ~other, max))
			compare_word(s, i, &p, chars, m, max, guess);
	}
}

void
correct_word(const struct seg *s, const char *word, size_t n, struct correct_guess *guess)
{
	uint32_t chars[CHARS_MAX];

	correct_within(s, word, n, points(word, n, chars) < 5 ? 1 : 2, guess);
}
