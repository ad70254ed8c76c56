/*
 * One immutable part of the search index, as a file that is mapped read-only (docs/search-format.md), or in memory for recent changes.
 *
 * seg_open() checks magic, version, size, the checksum of header and section table, the place and size of every section, and each section's
 * checksum; what it accepts can be read without crashing whatever its content is: every offset found inside is bounded where it is used
 * (seg_* functions), never trusted.  Hosts are little-endian.
 */
#ifndef SOUK_SEARCH_SEGMENT_H
#define SOUK_SEARCH_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEG_MAGIC "SOUKSEG\n"
#define SEG_VERSION 3u
#define SEG_BLOCK 128		/* postings of one block */
#define SEG_WIDE_MAX 32		/* shorter lists are 32-bit numbers always */
#define SEG_NONE UINT32_MAX	/* no term, category, brand or colour */
#define SEG_NO_PRICE (-1)
#define SEG_BREAK 0xFFFFFF00u	/* this or more: a name in another language follows; less it, the number of the language + 1, 0 for none */
#define SEG_TITLE_TERMS 8u	/* smaller numbers in a title are breaks */
#define SEG_TITLE_MAX 512	/* terms and breaks of a title that are read */
#define SEG_ATTRIBUTE_MARK '\1'	/* before the term of an attribute: key, "=", word */
#define SEG_ATTRIBUTE_MAX 128	/* bytes of such a term */
#define SEG_SKU_LEAST 3		/* bytes of an article number that is looked for */
#define SEG_DOCS_MAX 100000000u

/* Fields of BM25F. */
enum seg_field { FIELD_NAME, FIELD_BRAND, FIELD_COLOUR, FIELD_CATEGORY, FIELD_DESCRIPTION, FIELD_ATTRIBUTE, FIELD__MAX };

enum seg_section {
	SEC_META, SEC_TERM, SEC_TERM_TEXT, SEC_TERM_SORT, SEC_POST_DOC, SEC_POST_IMPACT, SEC_POST_MAX, SEC_WORD, SEC_WORD_TEXT, SEC_WORD_SORT,
	SEC_TITLE_AT, SEC_TITLE, SEC_ID, SEC_PAYS, SEC_CREATED, SEC_STOCK, SEC_SOLD, SEC_CATEGORY_OF, SEC_BRAND_OF, SEC_COLOUR_OF,
	SEC_RATING_COUNT, SEC_RATING, SEC_FLAGS, SEC_CURRENCY, SEC_SKU_AT, SEC_SKU, SEC_CATEGORY, SEC_CATEGORY_TEXT, SEC_BRAND, SEC_BRAND_TEXT,
	SEC_COLOUR, SEC_COLOUR_TEXT, SEC_PART, SEC_POST_LOW, SEC_POST_BASE, SEC_SKU_SORT, SEC__MAX
};

struct seg_header {
	char magic[8];
	uint32_t version, sections;
	uint64_t size;		/* of the file */
	uint64_t change;	/* changes of transactions from this one on may not be in it */
	int64_t built_ms;	/* wall clock */
	uint32_t checksum;	/* CRC-32 of header and table with this member 0 */
	uint32_t reserved;
};

struct seg_place {
	uint32_t id, checksum;	/* enum seg_section; CRC-32 of its bytes */
	uint64_t at, size;	/* at is a multiple of 8 */
};

#define SEG_CURRENCIES 32

struct seg_meta {
	uint32_t docs, terms, words, categories, brands, colours;
	uint32_t langs;			/* bit mask of text_langs: languages of the texts */
	uint32_t currencies;
	double mean[FIELD__MAX];	/* words of each field in the mean product */
	char currency[SEG_CURRENCIES][4];
};

struct seg_term {
	uint64_t post;		/* its first posting */
	uint32_t df;		/* postings, one for each product */
	uint32_t text;		/* where its text starts */
	uint32_t block;		/* its first block maximum */
	uint16_t n;		/* bytes of text */
	uint8_t max;		/* largest impact */
	uint8_t part;		/* number of compounds that contain it, at parts */
	uint32_t parts;		/* where its compounds start in SEC_PART */
	uint32_t docs;		/* where its products start, in SEC_POST_LOW or SEC_POST_DOC */
	uint8_t wide, reserved[7];	/* 1: SEC_POST_DOC */
};

/* A word as people write it, folded, to correct and complete queries.  Sorted by characters, then bytes. */
struct seg_word {
	uint32_t text, df;	/* df: products with it */
	uint32_t letters;	/* set of its characters, see correct.h */
	uint8_t n, chars;	/* bytes, characters */
	uint8_t langs;		/* of texts that have it */
	uint8_t title;		/* is it in a name, brand, colour or category? */
};

/* Sorted so that those below a category follow it. */
struct seg_category {
	uint64_t id;
	uint32_t parent, last;	/* SEG_NONE for a root; the last one below (itself when none is) */
	uint32_t text, n;	/* slug, NUL, then the name in each language as "fr=...", NUL after each; n bytes */
};

/* A brand or colour: its name, NUL, then the folded names in all languages, NUL after each; n bytes. */
struct seg_value {
	uint32_t text, n;
};

struct seg {
	const unsigned char *base;
	size_t size;
	bool mapped;		/* munmap at close */
	const struct seg_header *header;
	const struct seg_meta *meta;
	const unsigned char *sec[SEC__MAX];
	uint64_t len[SEC__MAX];	/* bytes */
	uint64_t posts, blocks;
	uint32_t docs;
	/* columns, one entry for each product */
	const uint64_t *id;
	const int64_t *pays;	/* minor units a buyer pays; SEG_NO_PRICE */
	const int32_t *stock;
	const uint32_t *created;	/* seconds since 1970 */
	const uint32_t *sold, *category, *brand, *colour, *rating_count;
	const uint16_t *rating;	/* hundredths */
	const uint8_t *flags, *currency;
};

#define SEG_FEATURED 1u

/* The values of struct seg_file tell one file from the next. */
struct seg_file {
	uint64_t device, inode, size;
	int64_t changed_ns;
};

/*
 * Map a file.  NULL with a reason (static text) when it is not there, is of another version, or is damaged; errno says the former.
 * Checksums of whole sections are compared unless trust is set (the same file was verified before).
 */
struct seg *seg_open(const char *path, bool trust, struct seg_file *file, const char **why);

/* The same over bytes in memory; on success they belong to the segment when mapped is set (munmap at close). */
struct seg *seg_open_bytes(const void *p, size_t size, bool mapped, bool trust, const char **why);

void seg_close(struct seg *s);

struct stat;
void seg_file_of(const struct stat *st, struct seg_file *out);
/* Which file is at path now.  false: none. */
bool seg_stat(const char *path, struct seg_file *file);
bool seg_same(const struct seg_file *a, const struct seg_file *b);

/* A term by its text; SEG_NONE. */
uint32_t seg_term_find(const struct seg *s, const char *text, size_t n);
/* The term of a word of an attribute's value, both folded; products with it are its postings. */
uint32_t seg_attribute_find(const struct seg *s, const char *key, size_t keyn, const char *word, size_t n);
/*
 * Article numbers are no terms, but found like one: by their ASCII letters and digits alone, without regard to case; text is lower case.  The number
 * given stands for the products that have it, and only seg_list() knows it.  SEG_NONE.
 */
uint32_t seg_sku_find(const struct seg *s, const char *text, size_t n);
/* How the article numbers a and b compare so. */
int seg_sku_compare(const char *a, size_t an, const char *b, size_t bn);
/*
 * Its postings, bounded by the file: products ascending (seg_doc), impacts, block maxima.  df 0 for a damaged entry.  Products are 32-bit
 * numbers, or, where every block of a list spans fewer than 65,536 products, 16-bit ones above the block's first.
 */
struct seg_list {
	const uint32_t *wide;		/* NULL: low and base */
	const uint16_t *low;
	const uint32_t *base;		/* one for each block */
	const uint8_t *impact, *block_max;
	uint32_t df;
	uint8_t max;
};
struct seg_list seg_list(const struct seg *s, uint32_t term);
/* The same of the article number at a place of SEC_SKU_SORT, which is below docs; many products of one number are cut off. */
struct seg_list seg_sku_list(const struct seg *s, uint32_t at);

/* The product of posting i, which is below df. */
static inline uint32_t
seg_doc(const struct seg_list *l, uint32_t i)
{
	return l->wide != NULL ? l->wide[i] : l->base[i / SEG_BLOCK] + l->low[i];
}

/* The products of a block of postings that begins before df; how many.  Faster than seg_doc() for each. */
static inline unsigned
seg_block(const struct seg_list *l, uint32_t block, uint32_t out[SEG_BLOCK])
{
	uint32_t from = block * SEG_BLOCK, n = l->df - from < SEG_BLOCK ? l->df - from : SEG_BLOCK;

	if (l->wide != NULL)
		for (uint32_t i = 0; i < n; i++)
			out[i] = l->wide[from + i];
	else
		for (uint32_t i = 0; i < n; i++)
			out[i] = l->base[block] + l->low[from + i];
	return n;
}

const char *seg_term_text(const struct seg *s, uint32_t term, size_t *n);
/* Terms that are compounds with this one as a part. */
const uint32_t *seg_compounds(const struct seg *s, uint32_t term, size_t *n);

/* Words. */
const char *seg_word_text(const struct seg *s, uint32_t word, size_t *n);
const struct seg_word *seg_word(const struct seg *s, uint32_t word);
uint32_t seg_word_find(const struct seg *s, const char *text, size_t n);
/* The range of words that begin so, as positions of the sorted list: seg_word_sorted() gives the word. */
void seg_word_prefix(const struct seg *s, const char *prefix, size_t n, uint32_t *from, uint32_t *to);
uint32_t seg_word_sorted(const struct seg *s, uint32_t position);

/* The terms of a product's names in order, each name behind a break; how many. */
size_t seg_title(const struct seg *s, uint32_t doc, uint32_t out[SEG_TITLE_MAX]);
/* Have the memory that seg_title() will read brought near: with far where the names start, without it the names themselves. */
void seg_title_ahead(const struct seg *s, uint32_t doc, bool far);
const char *seg_sku(const struct seg *s, uint32_t doc, size_t *n);
const struct seg_category *seg_category(const struct seg *s, uint32_t category);
const char *seg_category_text(const struct seg *s, const struct seg_category *c, size_t *n);
/* SEC_BRAND or SEC_COLOUR. */
uint32_t seg_values(const struct seg *s, enum seg_section which);
const char *seg_value_text(const struct seg *s, enum seg_section which, uint32_t value, size_t *n);

#endif
