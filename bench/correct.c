/*
 * How long the correction of a word takes beside a large vocabulary.  usage: correct [WORDS] [TRIES]
 *
 * Builds an index in memory whose products have so many different words (300,000), then corrects words of it with one or two random
 * edits, and prints one line with the times in microseconds and how many came back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "search/build.h"
#include "search/correct.h"
#include "search/segment.h"

static uint64_t state = 88172645463325252u;

static uint32_t
roll(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33) % n;
}

/* Word number i: syllables of the number, so that all differ, of four to twelve letters. */
static void
word_of(uint32_t i, char out[32])
{
	static const char *const syllables[] = { "ba", "ren", "ti", "lo", "mus", "ka", "de", "vor", "si", "pel", "ga", "nu", "ris", "to", "hem", "fa" };
	size_t n = 0;
	uint32_t x = i * 2654435761u % 16777216u;

	for (unsigned k = 0; k < 2 + i % 3 || x > 0; k++, x /= 16)
		n += (size_t)snprintf(out + n, 32 - n, "%s", syllables[x % 16]);
}

static void
set(struct build_row *row, int col, const char *v)
{
	row->v[col] = v;
	row->n[col] = strlen(v);
}

static struct seg *
make(uint32_t words)
{
	struct build_options o = { .memory = (size_t)256 << 20, .main_lang = -1 };
	struct build *b = build_new(&o);
	int fd = memfd_create("words", 0);
	const char *why = "no memory";
	struct stat st;
	void *p;

	for (uint32_t i = 0; b != NULL && i < words; i += 10) {
		struct build_row row = { { NULL }, { 0 } };
		char id[12], name[400] = "", word[32];

		snprintf(id, sizeof(id), "%u", i / 10 + 1);
		for (uint32_t k = 0; k < 10; k++) {
			word_of(i + k, word);
			snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s ", word);
		}
		set(&row, ROW_ID, id);
		set(&row, ROW_SKU, id);
		set(&row, ROW_CURRENCY, "EUR");
		set(&row, ROW_NAME, name);
		if (!build_product(b, &row))
			break;
	}
	if (b == NULL || !build_finish(b, fd) || fstat(fd, &st) != 0 || (p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED) {
		fprintf(stderr, "correct: %s\n", b != NULL ? build_why(b) : why);
		exit(1);
	}
	build_free(b);
	return seg_open_bytes(p, (size_t)st.st_size, true, true, &why);
}

static void
edit(char *s)
{
	size_t n = strlen(s), at = 1 + roll((uint32_t)n - 1);
	char c;

	switch (roll(3)) {
	case 0:
		s[at] = (char)('a' + roll(26));
		break;
	case 1:
		memmove(s + at, s + at + 1, n - at);
		break;
	default:
		c = s[at - 1];
		s[at - 1] = s[at];
		s[at] = c;
	}
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	uint32_t words = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 300000, tries = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000;
	struct seg *s = make(words);
	double *us = calloc(tries + 1, sizeof(*us));
	uint32_t back = 0;

	for (uint32_t i = 0; i < tries && s != NULL && us != NULL; i++) {
		char word[32], typed[32];
		struct correct_guess guess = { 0 };
		int64_t began;

		word_of(roll(words), word);
		memcpy(typed, word, sizeof(typed));
		edit(typed);
		if (i % 2 == 1 && strlen(typed) > 5)
			edit(typed);
		began = now_us();
		correct_word(s, typed, strlen(typed), &guess);
		us[i] = (double)(now_us() - began);
		back += guess.s != NULL && guess.n == strlen(word) && memcmp(guess.s, word, guess.n) == 0;
	}
	qsort(us, tries, sizeof(*us), compare);
	printf("%u words: median %.3f ms, 95 %% below %.3f ms, longest %.3f ms; %.0f %% corrected to the word they came from\n", s->meta->words,
	    us[tries / 2] / 1e3, us[tries * 95 / 100] / 1e3, us[tries - 1] / 1e3, 100.0 * back / tries);
	return 0;
}
