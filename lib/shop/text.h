/*
 * Text on top of struct bytes: converted to UTF-8, counted in lines.  Readers take whole physical lines (CSV, JSONL) or single
 * characters (JSON), not both at once.
 */
#ifndef SOUK_SHOP_TEXT_H
#define SOUK_SHOP_TEXT_H

#include <stdint.h>
#include <sys/types.h>

#include "shop/bytes.h"
#include "shop/encoding.h"

#define TEXT_LINE_MAX (1u << 20)	/* longest line, and longest row of any text format, in bytes */
#define TEXT_FAILED (-1)		/* read error: bytes_why() */
#define TEXT_LONG (-2)			/* the line was longer than TEXT_LINE_MAX and has been skipped */
#define TEXT_END (-3)			/* text_char(): nothing left */

struct text {
	struct bytes *b;
	struct encoder e;
	unsigned char *buf;	/* converted text, pos..len not yet taken */
	size_t pos, len;
	bool end;
	char newline;		/* '\n', or '\r' for files of old Macs */
	int64_t line;		/* number of the line that comes next, from 1 */
	char *one;		/* a line that spans chunks */
	size_t onesz, oneroom;
};

/* b must outlive t.  false: out of memory. */
bool text_init(struct text *t, struct bytes *b);
void text_release(struct text *t);

/* The next line with its newline; *p is valid until the next call and not NUL-terminated.  0 at the end, else TEXT_FAILED, TEXT_LONG. */
ssize_t text_line(struct text *t, const char **p);

/* Refill; used by text_char().  1, 0 at the end, -1 on error. */
int text_fill(struct text *t);

/* The next byte (0..255), TEXT_END or TEXT_FAILED. */
static inline int
text_char(struct text *t)
{
	int rc, c;

	if (t->pos == t->len && (rc = text_fill(t)) <= 0)
		return rc < 0 ? TEXT_FAILED : TEXT_END;
	if ((c = t->buf[t->pos++]) == '\n')
		t->line++;
	return c;
}

/* The next byte without taking it. */
static inline int
text_ahead(struct text *t)
{
	int rc;

	if (t->pos == t->len && (rc = text_fill(t)) <= 0)
		return rc < 0 ? TEXT_FAILED : TEXT_END;
	return t->buf[t->pos];
}

#endif
