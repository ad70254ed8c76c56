/* Byte strings numbered in the order of their first appearance, and growing arrays that spill to an unlinked file.  For building segments. */
#ifndef SOUK_SEARCH_DICT_H
#define SOUK_SEARCH_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dict {
	char *text;		/* all strings, one behind the other */
	size_t text_n, text_cap;
	uint32_t *at;		/* where each starts; at[n] is the end */
	uint32_t n, cap;
	uint32_t *slot;		/* hash table of number + 1 */
	uint32_t slots;		/* a power of two */
};

/* The string's number; *added tells whether it is new.  UINT32_MAX when memory or numbers run out. */
uint32_t dict_add(struct dict *d, const char *s, size_t n, bool *added);
uint32_t dict_find(const struct dict *d, const char *s, size_t n);
const char *dict_text(const struct dict *d, uint32_t id, size_t *n);
/* The numbers in the order of the strings' bytes; to be freed.  NULL without memory. */
uint32_t *dict_sorted(const struct dict *d);
size_t dict_memory(const struct dict *d);
void dict_release(struct dict *d);

/* A growing array of bytes. */
struct column {
	char *p;
	size_t n, cap;
	int fd;			/* -1: nothing spilled */
	uint64_t spilled;	/* bytes in the file, before those in memory */
};

#define COLUMN_MEMORY ((size_t)1 << 18)	/* bytes kept in memory when there is a folder */

/* Append.  dir is where the file goes; NULL: all stays in memory.  false: no memory or disk (errno). */
bool column_put(struct column *c, const char *dir, const void *p, size_t n);
uint64_t column_size(const struct column *c);
/* Put all bytes into memory; they start at c->p. */
bool column_load(struct column *c);
/* Give all bytes in order to put. */
bool column_each(const struct column *c, bool (*put)(void *arg, const void *p, size_t n), void *arg);
void column_release(struct column *c);

/* An unlinked file in dir, -1. */
int column_file(const char *dir);

#endif
