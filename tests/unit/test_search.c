/* The search index: words, the segment file, and that pruning finds what scoring everything finds. */
#include "unit.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/buf.h"
#include "search/build.h"
#include "search/correct.h"
#include "search/engine.h"
#include "search/rates.h"
#include "search/segment.h"
#include "search/text.h"
#include "search/understand_shop.h"

#define PRODUCTS 3000
#define QUERIES 10000

/* ---- words ---- */

static char words[512];

static void
put_word(void *arg, const struct text_word *w)
{
	size_t n = strlen(words);

	(void)arg;
	snprintf(words + n, sizeof(words) - n, "%s%.*s%s", n > 0 ? " " : "", (int)w->n, w->s, w->flags & TEXT_JOINED ? "+" : "");
}

static const char *
words_of(const char *text)
{
	words[0] = '\0';
	text_words(text, strlen(text), put_word, NULL);
	return words;
}

START_TEST(text_folds_and_splits)
{
	ck_assert_str_eq(words_of("Crème BRÛLÉE"), "creme brulee");
	ck_assert_str_eq(words_of("Œuvre, Straße & Ærø"), "oeuvre strasse aero");
	ck_assert_str_eq(words_of("l'applique d’été qu'il"), "applique ete il");
	ck_assert_str_eq(words_of("Men's t-shirt"), "men t shirt tshirt+");
	ck_assert_str_eq(words_of("e\xCC\x81t\xC3\xA9"), "ete");
	ck_assert_str_eq(words_of("1,5 l 1,000 pcs 60x90 PS5"), "1.5 l 1000 pcs 60x90 ps5");
	ck_assert_str_eq(words_of("a\xFF\xFE" "b \xE2\x80\x94 c"), "a b c");
	ck_assert_str_eq(words_of("ЛАМПА Λάμπα"), "лампа λάμπα");
	ck_assert_str_eq(words_of("日本のランプ 2ランプ"), "日本 の ランプ 2 ランプ");
	ck_assert_str_eq(words_of(""), "");
}
END_TEST

START_TEST(text_stems_by_language)
{
	char out[TEXT_WORD_MAX];

	ck_assert_uint_eq(text_stem(text_lang("en", 2), "lamps", 5, out), 4);
	ck_assert_mem_eq(out, "lamp", 4);
	ck_assert_uint_eq(text_stem(text_lang("fr", 2), "lampes", 6, out), 4);
	ck_assert_uint_eq(text_stem(-1, "lamps", 5, out), 5);
	ck_assert_uint_eq(text_stem(text_lang("en", 2), "ps5s", 4, out), 4);
	ck_assert_int_eq(text_lang("it", 2), -1);
	ck_assert(text_is_stop(text_lang("en", 2), "the", 3, 0));
	ck_assert(!text_is_stop(text_lang("fr", 2), "the", 3, TEXT_ACCENTED));
}
END_TEST

START_TEST(correct_counts_edits)
{
	ck_assert_uint_eq(correct_distance("lamp", 4, "lamp", 4, 2), 0);
	ck_assert_uint_eq(correct_distance("lmap", 4, "lamp", 4, 2), 1);
	ck_assert_uint_eq(correct_distance("lam", 3, "lamp", 4, 2), 1);
	ck_assert_uint_eq(correct_distance("xlampx", 6, "lamp", 4, 2), 2);
	ck_assert_uint_eq(correct_distance("table", 5, "lamp", 4, 2), 3);
	ck_assert_uint_eq(correct_distance("", 0, "ab", 2, 2), 2);
	ck_assert_uint_eq(correct_distance("abcdef", 6, "badcfe", 6, 2), 3);
	ck_assert_uint_eq(correct_distance("l\xC3\xA4mp", 5, "lamp", 4, 2), 1);
	ck_assert_uint_eq(correct_distance("", 0, "", 0, 2), 0);
}
END_TEST

/* Optimal string alignment as it is defined, cell by cell. */
static unsigned
plain_distance(const char *a, unsigned an, const char *b, unsigned bn)
{
	unsigned t[24][24];

	for (unsigned i = 0; i <= an; i++)
		for (unsigned j = 0; j <= bn; j++) {
			unsigned d = i == 0 ? j : i;

			if (i > 0 && j > 0) {
				d = t[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
				d = t[i - 1][j] + 1 < d ? t[i - 1][j] + 1 : d;
				d = t[i][j - 1] + 1 < d ? t[i][j - 1] + 1 : d;
				if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && t[i - 2][j - 2] + 1 < d)
					d = t[i - 2][j - 2] + 1;
			}
			t[i][j] = d;
		}
	return t[an][bn];
}

static uint32_t roll(uint32_t n);

START_TEST(distances_of_many_words_are_exact)
{
	for (unsigned k = 0; k < 100000; k++) {
		char a[24], b[24];
		unsigned an = 1 + roll(20), bn = roll(20), max = 1 + roll(3), d;

		for (unsigned i = 0; i < an; i++)
			a[i] = (char)('a' + roll(3));
		for (unsigned i = 0; i < bn; i++)
			b[i] = (char)(roll(3) > 0 && i < an ? a[i] : 'a' + (char)roll(3));
		d = plain_distance(a, an, b, bn);
		ck_assert_uint_eq(correct_distance(a, an, b, bn, max), d > max ? max + 1 : d);
	}
}
END_TEST

/* ---- a catalogue ---- */

static uint64_t random_state = 88172645463325252u;

static uint32_t
roll(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % n;
}

/* A word of a vocabulary of 400, the first ones much more often than the rest. */
static void
some_word(char out[16])
{
	static const char *const syllables[] = { "la", "mi", "to", "ru", "ke", "sa", "no", "pi", "du", "fe" };
	uint32_t r = roll(20), w = r * roll(20);

	snprintf(out, 16, "%s%s%s", syllables[w % 10], syllables[w / 10 % 10], syllables[w / 100 % 10]);
}

static void
some_text(char *out, size_t outsz, unsigned n)
{
	out[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		char word[16];
		size_t at = strlen(out);

		some_word(word);
		snprintf(out + at, outsz - at, "%s%s", i > 0 ? " " : "", word);
	}
}

static void
set(struct build_row *row, int col, const char *v)
{
	row->v[col] = v;
	row->n[col] = v != NULL ? strlen(v) : 0;
}

static unsigned more_brands;	/* products have one of so many, and colours with and without a translation */

static bool
add_product(struct build *b, unsigned id)
{
	static const char *const brands[] = { "Acme", "Élan", "Noir & Co", "Zeta" }, *const colours[] = { "rouge", "bleu", "vert", NULL };
	char number[12], sku[16], name[200], text[400], pays[12], stock[12], sold[12], category[4], created[16], brand[24];
	struct build_row row = { { NULL }, { 0 } };

	snprintf(number, sizeof(number), "%u", id);
	snprintf(sku, sizeof(sku), "SKU-%u", id);
	snprintf(pays, sizeof(pays), "%u", 100 + roll(100) * 50);
	snprintf(stock, sizeof(stock), "%u", roll(3));
	snprintf(sold, sizeof(sold), "%u", roll(50));
	snprintf(category, sizeof(category), "%u", 1 + roll(6));
	snprintf(created, sizeof(created), "%u", 1700000000 + roll(1000));
	some_text(name, sizeof(name), 2 + roll(6));
	some_text(text, sizeof(text), roll(25));
	set(&row, ROW_ID, number);
	set(&row, ROW_SKU, sku);
	set(&row, ROW_LANG, "en");
	set(&row, ROW_NAME, name);
	set(&row, ROW_NAMES, roll(4) == 0 ? "{\"fr\": \"lami torus\", \"de\": \"kesa\"}" : "{}");
	snprintf(brand, sizeof(brand), "Brand %u", more_brands > 0 ? roll(more_brands) : 0);
	set(&row, ROW_BRAND, more_brands > 0 ? brand : brands[roll(4)]);
	set(&row, ROW_COLOUR, colours[roll(4)]);
	set(&row, ROW_COLOURS, more_brands > 0 && roll(2) == 0 ? "{\"de\": \"farbig\"}" : "{}");
	set(&row, ROW_CATEGORY, category);
	set(&row, ROW_DESCRIPTION, text);
	set(&row, ROW_DESCRIPTIONS, "{}");
	set(&row, ROW_ATTRIBUTES, "{\"material\": \"Bois massif\", \"dimensions\": \"L 45 × H 8 cm\", \"colourHex\": \"#80\"}");
	set(&row, ROW_PAYS, roll(20) == 0 ? NULL : pays);
	set(&row, ROW_CURRENCY, "EUR");
	set(&row, ROW_STOCK, stock);
	set(&row, ROW_RATING, "410");
	set(&row, ROW_FEATURED, roll(5) == 0 ? "t" : "f");
	set(&row, ROW_CREATED, created);
	set(&row, ROW_SOLD, sold);
	return build_product(b, &row);
}

static void
add_categories(struct build *b)
{
	static const char *const rows[][3] = { { "1", NULL, "maison" }, { "2", "1", "lampes" }, { "3", "2", "murales" }, { "4", "1", "tables" },
		{ "5", NULL, "jardin" }, { "6", "5", "bancs" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct build_row row = { { NULL }, { 0 } };

		set(&row, CAT_ID, rows[i][0]);
		set(&row, CAT_PARENT, rows[i][1]);
		set(&row, CAT_SLUG, rows[i][2]);
		set(&row, CAT_NAME, rows[i][2]);
		set(&row, CAT_NAMES, "{}");
		ck_assert(build_category(b, &row));
	}
}

/* The bytes of a segment of these products; ids start at first. */
static void *
make_segment(unsigned first, unsigned n, const struct seg *like, const char *dir, size_t *size)
{
	struct build_options o = { .memory = 4096, .main_lang = 0, .change = 7, .like = like, .dir = dir };
	struct build *b = build_new(&o);
	struct stat st;
	void *p;
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert(b != NULL && fd >= 0);
	if (dir == NULL)
		o.memory = (size_t)64 << 20;
	build_free(b);
	b = build_new(&o);
	add_categories(b);
	for (unsigned i = 0; i < n; i++)
		ck_assert(add_product(b, first + i));
	ck_assert_msg(build_finish(b, fd), "%s", build_why(b));
	build_free(b);
	ck_assert_int_eq(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ck_assert(p != MAP_FAILED);
	close(fd);
	return p;
}

static struct seg *
open_segment(const void *p, size_t size)
{
	const char *why;
	struct seg *s = seg_open_bytes(p, size, false, false, &why);

	ck_assert_msg(s != NULL, "%s", why);
	return s;
}

/* ---- pruning ---- */

static void
some_query(char *out, size_t outsz, struct engine_query *q)
{
	static const char *const categories[] = { "maison", "lampes", "jardin", "bancs" };

	some_text(out, outsz, 1 + roll(5));
	if (roll(4) == 0) {	/* a typing error */
		char *c = out + roll((uint32_t)strlen(out));

		*c = (char)('a' + roll(26));
	}
	*q = (struct engine_query){ .text = out, .limit = 10, .filter = { .min_price = NAN, .max_price = NAN } };
	if (roll(2) == 0)
		return;
	if (roll(2) == 0)
		q->filter.category = categories[roll(4)];
	if (roll(3) == 0)
		q->filter.brand = roll(2) == 0 ? "elan" : "ACME";
	if (roll(3) == 0)
		q->filter.colour = "Rouge";
	if (roll(3) == 0)
		q->filter.max_price = 10 + roll(40);
	if (roll(4) == 0)
		q->filter.min_price = roll(20);
	q->filter.in_stock = roll(3) == 0;
	q->filter.featured = roll(4) == 0;
}

static void
same_results(const struct engine_result *a, const struct engine_result *b, const char *text)
{
	ck_assert_msg(a->n == b->n && a->total == b->total, "%s: %zu and %zu products", text, a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		ck_assert_msg(a->hit[i].id == b->hit[i].id && a->hit[i].key == b->hit[i].key, "%s: place %zu", text, i);
}

START_TEST(pruning_finds_what_scoring_everything_finds)
{
	size_t size, more_size;
	void *p = make_segment(1, PRODUCTS, NULL, "/tmp", &size), *more;
	struct seg *s = open_segment(p, size), *changes;
	uint64_t *masked = calloc(PRODUCTS / 64 + 1, sizeof(*masked));
	struct engine_view v = { .part = { { .seg = s, .masked = masked } }, .n = 1 };
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);
	size_t found = 0;

	ck_assert_uint_eq(s->docs, PRODUCTS);
	more = make_segment(1000, 200, s, NULL, &more_size);
	changes = open_segment(more, more_size);
	for (unsigned d = 999; d < 1199; d++)
		masked[d / 64] |= (uint64_t)1 << d % 64;
	for (unsigned i = 0; i < QUERIES; i++) {
		struct engine_result fast, slow;
		struct engine_query q;
		char text[200];

		if (i == QUERIES / 2) {	/* the second half with changed products */
			v.part[1] = (struct engine_part){ .seg = changes };
			v.n = 2;
		}
		some_query(text, sizeof(text), &q);
		engine_search(&c, &v, &q, &fast);
		q.exhaustive = true;
		engine_search(&c, &v, &q, &slow);
		same_results(&fast, &slow, text);
		found += fast.n;
		arena_reset(&arena);
	}
	ck_assert_uint_gt(found, QUERIES);
	arena_release(&arena);
	seg_close(changes);
	seg_close(s);
	free(masked);
}
END_TEST

/* More products than are scored in one go, with what must not be found at both ends. */
START_TEST(sweeping_finds_what_scoring_one_by_one_finds)
{
	size_t size;
	void *p = make_segment(1, 70000, NULL, "/tmp", &size);
	struct seg *s = open_segment(p, size);
	uint64_t *masked = calloc(s->docs / 64 + 1, sizeof(*masked));
	struct engine_view v = { .part = { { .seg = s, .masked = masked } }, .n = 1 };
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);
	unsigned swept = 0;

	for (uint32_t d = 0; d < s->docs; d += 97)
		masked[d / 64] |= (uint64_t)1 << d % 64;
	for (unsigned i = 0; i < 200; i++) {
		struct engine_result fast, slow;
		struct engine_query q;
		char text[200];

		some_query(text, sizeof(text), &q);
		engine_search(&c, &v, &q, &fast);
		swept += engine_sweep_pays(s, 0, &fast.words);
		q.exhaustive = true;
		engine_search(&c, &v, &q, &slow);
		same_results(&fast, &slow, text);
		arena_reset(&arena);
	}
	ck_assert_uint_gt(swept, 50);
	ck_assert_uint_lt(swept, 190);
	arena_release(&arena);
	seg_close(s);
	free(masked);
}
END_TEST

static void
add_named(struct build *b, const char *lang, const char *id, const char *name, const char *names)
{
	struct build_row row = { { NULL }, { 0 } };

	set(&row, ROW_ID, id);
	set(&row, ROW_SKU, id);
	set(&row, ROW_LANG, lang);
	set(&row, ROW_NAME, name);
	set(&row, ROW_NAMES, names);
	set(&row, ROW_CURRENCY, "EUR");
	ck_assert(build_product(b, &row));
}

static struct seg *
finish_segment(struct build *b)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	struct seg *s;
	struct stat st;

	ck_assert(build_finish(b, fd));
	build_free(b);
	ck_assert_int_eq(fstat(fd, &st), 0);
	s = open_segment(mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0), (size_t)st.st_size);
	close(fd);
	return s;
}

/* A word of the name in another language counts less than one in the query's. */
START_TEST(languages_of_names_are_told_apart)
{
	struct build_options o = { .memory = (size_t)1 << 20, .main_lang = 0 };
	struct build *b = build_new(&o);
	struct engine_query q = { .limit = 5, .filter = { .min_price = NAN, .max_price = NAN } };
	struct engine_view v = { .n = 1 };
	struct engine_result r;
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);

	add_named(b, "fr", "1", "lampe chêne brut", "{\"en\": \"table lamp\"}");
	add_named(b, "fr", "2", "table chêne brut", "{\"en\": \"oak desk\"}");
	add_named(b, "fr", "3", "banc", "{\"en\": \"bench\"}");
	v.part[0].seg = finish_segment(b);
	q.text = "table chêne";
	engine_search(&c, &v, &q, &r);
	ck_assert_int_eq(r.words.lang, text_lang("fr", 2));
	ck_assert_uint_eq(r.n, 2);
	ck_assert_uint_eq(r.hit[0].id, 2);
	ck_assert(r.hit[1].key > r.hit[0].key / 2);
	q.text = "table lamp";
	engine_search(&c, &v, &q, &r);
	ck_assert_int_eq(r.words.lang, text_lang("en", 2));
	ck_assert_uint_eq(r.hit[0].id, 1);
	q.text = "table";
	engine_search(&c, &v, &q, &r);
	ck_assert_int_eq(r.words.lang, -1);
	q.locale = "en";
	engine_search(&c, &v, &q, &r);
	ck_assert_int_eq(r.words.lang, text_lang("en", 2));
	ck_assert_uint_eq(r.hit[0].id, 1);
	arena_release(&arena);
	seg_close((struct seg *)(uintptr_t)v.part[0].seg);
}
END_TEST

/* The ids of all that is found, best first. */
static const char *
ids_of(struct ctx *c, const struct engine_view *v, const char *text)
{
	struct engine_query q = { .text = text, .locale = "en", .limit = 20, .filter = { .min_price = NAN, .max_price = NAN } };
	struct engine_result r;
	struct understood u;
	struct buf b;

	understand_search(c, v, &q, &r, &u);
	buf_init(&b, c->a, 64, 1024);
	for (size_t i = 0; i < r.n; i++)
		buf_printf(&b, "%s%llu", i > 0 ? " " : "", (unsigned long long)r.hit[i].id);
	return buf_str(&b);
}

START_TEST(names_that_negate_are_wanted)
{
	static const char *const names[] = { "knife set block", "knife set steel", "knife set without block", "knife set wood", "sugar free tea",
		"tea with sugar", "tea unsweetened", "wine glasses stem", "stemless wine glasses", "wine glasses stem blue", "listen without prejudice shirt",
		"listen shirt", "bottle without a straw", "bottle straw" };
	struct build *b = build_new(&(struct build_options){ .memory = (size_t)1 << 20, .main_lang = text_lang("en", 2) });
	struct engine_view v = { .n = 1 };
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add_named(b, "en", arena_printf(&arena, "%zu", i + 1), names[i], "{}");
	v.part[0].seg = finish_segment(b);
	ck_assert_str_eq(ids_of(&c, &v, "knife set without block"), "3 2 4 1");
	ck_assert_str_eq(ids_of(&c, &v, "knife set withuot block"), "3 2 4 1");
	ck_assert_str_eq(ids_of(&c, &v, "tea without sugar"), "5 7 6");
	ck_assert_str_eq(ids_of(&c, &v, "wine glasses without stem"), "9 8 10");
	ck_assert_str_eq(ids_of(&c, &v, "bottle without straw"), "13 14");
	ck_assert_str_eq(ids_of(&c, &v, "listen without prejudice"), "11 12 13 3");
	arena_release(&arena);
	seg_close((struct seg *)(uintptr_t)v.part[0].seg);
}
END_TEST

START_TEST(german_compounds_are_found_by_their_parts)
{
	static const char *const names[] = { "Geburtstagskarte rot", "Glückwunschkarten", "Marke", "Lampen aus Glas", "Tische aus Holz", "Tisch Lampe" };
	struct build *b = build_new(&(struct build_options){ .memory = (size_t)1 << 20, .main_lang = text_lang("de", 2) });
	struct engine_view v = { .n = 1 };
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add_named(b, "de", arena_printf(&arena, "%zu", i + 1), names[i], "{}");
	v.part[0].seg = finish_segment(b);
	ck_assert_str_eq(ids_of(&c, &v, "Karte"), "2 1");
	ck_assert_str_eq(ids_of(&c, &v, "Karten"), "2 1");
	ck_assert_str_eq(ids_of(&c, &v, "Tischlampe"), "6 4 5");
	ck_assert_str_eq(ids_of(&c, &v, "Wohnzimmertisch"), "5 6");
	arena_release(&arena);
	seg_close((struct seg *)(uintptr_t)v.part[0].seg);
}
END_TEST

static enum engine_place
is_behind(const void *arg, unsigned part, uint32_t doc)
{
	(void)arg;
	(void)part;
	return doc % 3 == 0 ? ENGINE_BEHIND : ENGINE_IN_LINE;
}

START_TEST(products_behind_count_half)
{
	size_t size;
	void *p = make_segment(1, 2000, NULL, NULL, &size);
	struct seg *s = open_segment(p, size);
	struct engine_view v = { .part = { { .seg = s } }, .n = 1 };
	struct engine_query q = { .text = "lami torusa", .limit = 300, .filter = { .min_price = NAN, .max_price = NAN } };
	struct engine_result all, some;
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);
	size_t before = 0, after = 0;

	engine_search(&c, &v, &q, &all);
	q.place = is_behind;
	engine_search(&c, &v, &q, &some);
	ck_assert_int_eq(all.total, some.total);
	for (size_t i = 0; i < 20; i++) {
		before += all.hit[i].doc % 3 == 0;
		after += some.hit[i].doc % 3 == 0;
	}
	ck_assert_uint_gt(before, 0);
	ck_assert_uint_lt(after, before);
	arena_release(&arena);
	seg_close(s);
}
END_TEST

/* Left out is what is behind and suspected, whatever the order and the filters; nothing else. */
START_TEST(products_are_left_out)
{
	static const enum search_sort sorts[] = { SORT_RELEVANCE, SORT_PRICE_ASC };
	size_t size;
	void *p = make_segment(1, 2000, NULL, NULL, &size);
	struct seg *s = open_segment(p, size);
	struct engine_view v = { .part = { { .seg = s } }, .n = 1 };
	uint64_t suspected[2000 / 64 + 1];
	const uint64_t *suspects[1] = { suspected };
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);

	for (size_t i = 0; i < sizeof(suspected) / sizeof(suspected[0]); i++)
		suspected[i] = 0x00FF00FF00FF00FF;
	for (unsigned k = 0; k < 8; k++) {
		struct engine_query q = { .text = k & 1 ? "lami" : "lami torusa", .limit = 2000, .sort = sorts[k >> 1 & 1],
			.filter = { .min_price = NAN, .max_price = k & 4 ? 30 : NAN } };
		struct engine_result all, some;
		size_t at = 0;

		engine_search(&c, &v, &q, &all);
		q.place = is_behind;
		q.suspects = suspects;
		q.leave_out = true;
		engine_search(&c, &v, &q, &some);
		for (size_t i = 0; i < all.n; i++) {
			uint32_t doc = all.hit[i].doc;

			if (doc % 3 == 0 && suspected[doc / 64] >> doc % 64 & 1)
				continue;
			ck_assert_uint_lt(at, some.n);
			if (q.sort != SORT_RELEVANCE)	/* the best ones are ordered anew among themselves */
				ck_assert_uint_eq(some.hit[at].id, all.hit[i].id);
			at++;
		}
		ck_assert_uint_eq(at, some.n);
		ck_assert_uint_lt(some.n, all.n);
		ck_assert_int_eq(some.total, (int64_t)at);
		arena_reset(&arena);
	}
	arena_release(&arena);
	seg_close(s);
}
END_TEST

START_TEST(attributes_filter)
{
	size_t size;
	void *p = make_segment(1, 300, NULL, NULL, &size);
	struct seg *s = open_segment(p, size);
	struct engine_view v = { .part = { { .seg = s } }, .n = 1 };
	struct engine_query q = { .limit = 5, .filter = { .min_price = NAN, .max_price = NAN, .attributes = 1 } };
	struct engine_result all, r;
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);
	static const struct {
		const char *key, *value;
		unsigned found;
	} rows[] = { { "Material", "Bois", 300 }, { "material", "massif bois", 300 }, { "material", "bois dur", 0 }, { "style", "bois", 0 },
		{ "material", "", 0 }, { "dimensions", "45", 300 }, { "dimensions", "80", 0 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		q.filter.attribute[0] = (struct search_attribute){ rows[i].key, rows[i].value };
		engine_search(&c, &v, &q, &r);
		ck_assert_msg(r.total == rows[i].found, "%s=%s: %d", rows[i].key, rows[i].value, (int)r.total);
	}
	q.filter.attributes = 0;
	q.text = "material=bois \001material";
	engine_search(&c, &v, &q, &all);
	ck_assert_uint_eq(all.words.n, 2);	/* no attribute can be named in a query */
	arena_release(&arena);
	seg_close(s);
}
END_TEST

/* The limits of a range in another currency, by hand. */
START_TEST(prices_compare_at_the_rates)
{
	int64_t out;

	ck_assert(rates_set("{\"USD\":\"1.08\",\"JPY\":\"163.5\",\"KWD\":\"0.33333333\",\"XXL\":\"-1\",\"CHF\":\"x\"}", "EUR"));
	ck_assert(rates_convert("USD", "EUR", 5000, true, &out) && out == 4630);	/* 46.296... */
	ck_assert(rates_convert("USD", "EUR", 5000, false, &out) && out == 4629);
	ck_assert(rates_convert("EUR", "USD", 5000, true, &out) && out == 5400);
	ck_assert(rates_convert("EUR", "USD", 5000, false, &out) && out == 5400);
	ck_assert(rates_convert("EUR", "JPY", 1999, false, &out) && out == 3268);	/* 3268.365 */
	ck_assert(rates_convert("JPY", "USD", 1000, true, &out) && out == 661);	/* 6.6055 */
	ck_assert(rates_convert("KWD", "EUR", 1, true, &out) && out == 1);	/* a thousandth of a dinar is 0.3 cents */
	ck_assert(rates_convert("USD", "JPY", INT64_MAX, false, &out) && out > 0);
	ck_assert(rates_convert("GBP", "GBP", 7, true, &out) && out == 7);
	ck_assert(!rates_convert("GBP", "EUR", 7, true, &out));
	ck_assert(!rates_known("CHF", "EUR") && !rates_known("XXL", "EUR") && rates_known("JPY", "KWD"));
	ck_assert(!rates_set("[1]", "EUR"));
	ck_assert(rates_set(NULL, "EUR") && !rates_known("USD", "EUR"));
}
END_TEST

START_TEST(a_range_is_in_its_currency)
{
	size_t size;
	void *p = make_segment(1, 400, NULL, NULL, &size);
	struct seg *s = open_segment(p, size);
	struct engine_view v = { .part = { { .seg = s } }, .n = 1 };
	struct engine_query q = { .limit = 5, .filter = { .min_price = 10, .max_price = 21.6, .currency = "USD" } };
	struct engine_result r;
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);
	unsigned want = 0;

	for (uint32_t d = 0; d < s->docs; d++)
		want += s->pays[d] * 108 >= 100000 && s->pays[d] * 108 <= 216000;
	ck_assert_uint_gt(want, 10);
	engine_search(&c, &v, &q, &r);
	ck_assert_int_eq(r.total, 0);
	ck_assert(rates_set("{\"USD\":\"1.08\"}", "EUR"));
	engine_search(&c, &v, &q, &r);
	ck_assert_int_eq(r.total, want);
	ck_assert(rates_set(NULL, "EUR"));
	arena_release(&arena);
	seg_close(s);
}
END_TEST

START_TEST(article_numbers_are_found)
{
	static const char *const typed[] = { "SKU-77", "sku77", "sku 77", "Sku_77" };
	size_t size;
	void *p = make_segment(1, 200, NULL, NULL, &size);
	struct seg *s = open_segment(p, size);
	struct engine_view v = { .part = { { .seg = s } }, .n = 1 };
	struct engine_query q = { .limit = 5, .filter = { .min_price = NAN, .max_price = NAN } };
	struct engine_result r;
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);

	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		q.text = typed[i];
		engine_search(&c, &v, &q, &r);
		ck_assert_msg(r.n > 0 && r.hit[0].id == 77, "%s", typed[i]);
	}
	ck_assert_uint_eq(seg_sku_find(s, "sku", 3), SEG_NONE);
	ck_assert_uint_eq(seg_sku_find(s, "sku201", 6), SEG_NONE);
	ck_assert_uint_eq(seg_list(s, s->meta->terms + s->docs).df, 0);
	arena_release(&arena);
	seg_close(s);
}
END_TEST

/* Pages by cursor are the long list cut into pieces, in every order. */
START_TEST(pages_follow_each_other)
{
	static const enum search_sort sorts[] = { SORT_RELEVANCE, SORT_PRICE_ASC, SORT_PRICE_DESC, SORT_NEWEST, SORT_POPULAR };
	size_t size;
	void *p = make_segment(1, 1500, NULL, NULL, &size);
	struct seg *s = open_segment(p, size);
	struct engine_view v = { .part = { { .seg = s } }, .n = 1 };
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);

	for (size_t k = 0; k < sizeof(sorts) / sizeof(sorts[0]); k++) {
		struct engine_query q = { .text = "lalala lami", .limit = 1000, .sort = sorts[k], .filter = { .min_price = NAN, .max_price = NAN } };
		struct engine_result all, page;
		size_t at = 0;

		engine_search(&c, &v, &q, &all);
		ck_assert_uint_gt(all.n, 320);
		q.limit = 7;
		do {
			engine_search(&c, &v, &q, &page);
			for (size_t i = 0; i < page.n && at < all.n; i++, at++)
				ck_assert_msg(page.hit[i].id == all.hit[at].id, "order %zu, place %zu", k, at);
			if (page.n > 0)
				q.after = (struct engine_after){ .favour = page.favour, .set = true, .raw = page.hit[page.n - 1].raw,
					.key = page.hit[page.n - 1].key, .id = page.hit[page.n - 1].id };
		} while (page.more && at < all.n);
		ck_assert_uint_eq(at, all.n);
		arena_reset(&arena);
	}
	arena_release(&arena);
	seg_close(s);
}
END_TEST

START_TEST(totals_and_facets_are_exact)
{
	size_t size;
	void *p = make_segment(1, 800, NULL, NULL, &size);
	struct seg *s = open_segment(p, size);
	struct engine_view v = { .part = { { .seg = s } }, .n = 1 };
	struct engine_query q = { .limit = 10, .facets = true, .filter = { .min_price = NAN, .max_price = NAN, .category = "maison", .brand = "élan" } };
	struct engine_result r;
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);
	unsigned total = 0, red = 0;

	engine_search(&c, &v, &q, &r);
	for (uint32_t d = 0; d < s->docs; d++) {
		size_t n;
		const char *brand = seg_value_text(s, SEC_BRAND, s->brand[d], &n);
		bool counts = strcmp(brand, "Élan") == 0 && s->category[d] <= 3;

		total += counts;
		red += counts && s->colour[d] != SEG_NONE && strcmp(seg_value_text(s, SEC_COLOUR, s->colour[d], &n), "rouge") == 0;
	}
	ck_assert_int_eq(r.total, total);
	ck_assert_uint_eq(r.brand.n, 1);
	ck_assert_uint_eq(r.brand.value[0].count, total);
	for (unsigned i = 0; i < r.colour.n; i++)
		if (strcmp(r.colour.value[i].name, "rouge") == 0)
			ck_assert_uint_eq(r.colour.value[i].count, red);
	ck_assert_uint_gt(red, 0);
	arena_release(&arena);
	seg_close(s);
}
END_TEST

/* One value of a facet as counting by hand gives it. */
struct by_hand {
	char name[16];
	unsigned n;
};

static int
more_first(const void *a, const void *b)
{
	const struct by_hand *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->name, y->name);
}

static void
count_by_hand(const struct engine_view *v, enum seg_section which, struct by_hand *out, unsigned max)
{
	for (unsigned p = 0; p < v->n; p++)
		for (uint32_t d = 0; d < v->part[p].seg->docs; d++) {
			const struct seg *s = v->part[p].seg;
			uint32_t value = which == SEC_BRAND ? s->brand[d] : s->colour[d];
			size_t n;
			const char *name = seg_value_text(s, which, value, &n);
			unsigned i = 0;

			if (value == SEG_NONE || (v->part[p].masked != NULL && v->part[p].masked[d / 64] >> d % 64 & 1))
				continue;
			while (i < max && out[i].name[0] != '\0' && strcmp(out[i].name, name) != 0)
				i++;
			ck_assert_uint_lt(i, max);
			snprintf(out[i].name, sizeof(out[i].name), "%s", name);
			out[i].n++;
		}
	qsort(out, max, sizeof(*out), more_first);
}

static void
same_facet(const struct engine_facet *f, const struct by_hand *all)
{
	for (unsigned i = 0; i < ENGINE_FACET_MAX; i++) {
		if (all[i].n == 0) {
			ck_assert_uint_eq(f->n, i);
			return;
		}
		ck_assert_uint_lt(i, f->n);
		ck_assert_msg(strlen(all[i].name) == f->value[i].n && memcmp(all[i].name, f->value[i].name, f->value[i].n) == 0,
		    "place %u: %s", i, all[i].name);
		ck_assert_uint_eq(f->value[i].count, all[i].n);
	}
}

/* Changes bring a value among the most frequent ones, or take it from there, and parts number values each in their own way. */
START_TEST(facets_are_exact_while_products_change)
{
	enum { SHOP_SZ = 3000, CHANGED = 120, BRANDS = 200 };
	struct by_hand brands[BRANDS + 1] = { { { 0 }, 0 } }, colours[8] = { { { 0 }, 0 } };
	uint64_t masked[SHOP_SZ / 64 + 1] = { 0 };
	size_t size[2];
	void *p[2];
	struct seg *s[2];
	struct engine_query q = { .limit = 10, .facets = true, .filter = { .min_price = NAN, .max_price = NAN } };
	struct engine_result r;
	struct engine_view v;
	struct arena arena;
	struct ctx c = unit_ctx(&arena, (size_t)64 << 20);

	more_brands = BRANDS;
	p[0] = make_segment(1, SHOP_SZ, NULL, NULL, &size[0]);
	s[0] = open_segment(p[0], size[0]);
	p[1] = make_segment(500, CHANGED, s[0], NULL, &size[1]);
	s[1] = open_segment(p[1], size[1]);
	more_brands = 0;
	for (uint32_t d = 499; d < 499 + CHANGED; d++)
		masked[d / 64] |= (uint64_t)1 << d % 64;
	v = (struct engine_view){ .part = { { .seg = s[0], .masked = masked, .masked_n = CHANGED }, { .seg = s[1] } }, .n = 2 };
	engine_search(&c, &v, &q, &r);
	ck_assert_int_eq(r.total, SHOP_SZ);
	count_by_hand(&v, SEC_BRAND, brands, BRANDS + 1);
	count_by_hand(&v, SEC_COLOUR, colours, 8);
	ck_assert_uint_gt(brands[ENGINE_FACET_MAX].n, 0);
	same_facet(&r.brand, brands);
	same_facet(&r.colour, colours);
	arena_release(&arena);
	seg_close(s[0]);
	seg_close(s[1]);
}
END_TEST

/* ---- hostile files ---- */

START_TEST(damaged_files_are_refused)
{
	const char *why;
	size_t size;
	unsigned char *p = make_segment(1, 50, NULL, NULL, &size);

	seg_close(open_segment(p, size));
	for (size_t at = 0; at < size; at += 1 + roll(40)) {
		size_t n;
		struct seg *s;

		p[at] ^= (unsigned char)(1 + roll(255));
		s = seg_open_bytes(p, size, false, false, &why);
		if (s != NULL)	/* only the blanks between sections are not covered */
			for (unsigned i = 0; i < SEC__MAX; i++)
				ck_assert(p + at < s->sec[i] || p + at >= s->sec[i] + s->len[i]);
		seg_close(s);
		munmap(p, size);
		random_state = 88172645463325252u + at;
		p = make_segment(1, 5, NULL, NULL, &n);
		size = n;
	}
	for (size_t n = 0; n < size; n += 1 + size / 200)
		ck_assert_ptr_null(seg_open_bytes(p, n, false, false, &why));
}
END_TEST

START_TEST(unreadable_files_are_told)
{
	struct seg_file file;
	const char *why;

	ck_assert_ptr_null(seg_open("/nonexistent/search.seg", false, &file, &why));
	ck_assert_str_eq(why, "cannot be read");
	ck_assert_ptr_null(seg_open("/dev/null", false, &file, &why));
	ck_assert_ptr_null(seg_open("/proc/self/exe", false, &file, &why));
	ck_assert_str_eq(why, "not a search segment");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { text_folds_and_splits, text_stems_by_language, correct_counts_edits, distances_of_many_words_are_exact,
		pruning_finds_what_scoring_everything_finds,
		sweeping_finds_what_scoring_one_by_one_finds, languages_of_names_are_told_apart, attributes_filter,
		prices_compare_at_the_rates, a_range_is_in_its_currency, products_behind_count_half, products_are_left_out, names_that_negate_are_wanted,
		german_compounds_are_found_by_their_parts,
		article_numbers_are_found, pages_follow_each_other, totals_and_facets_are_exact, facets_are_exact_while_products_change,
		damaged_files_are_refused,
		unreadable_files_are_told, NULL };

	return unit_run("search", tests);
}
