/* Bytes of a pipe into lines: one message each, ended by LF (CR before it is dropped), of at most max bytes. */
#ifndef SOUK_MCP_LINE_H
#define SOUK_MCP_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct line_reader {
	char *p;
	size_t n, cap;
	size_t max;	/* a line that is longer is dropped to its end */
	bool skipping;
};

/* What was found: a line of n bytes (line[n] is '\0'), or line NULL for one that was too long.  Empty lines are not told. */
typedef void line_fn(void *arg, char *line, size_t n);

void line_init(struct line_reader *r, size_t max);
void line_feed(struct line_reader *r, const char *p, size_t n, line_fn *fn, void *arg);
/* The input has ended: a last line without LF is one too. */
void line_end(struct line_reader *r, line_fn *fn, void *arg);
void line_release(struct line_reader *r);

#endif
