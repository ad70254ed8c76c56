#include "shop/text.h"

#include <stdlib.h>
#include <string.h>

bool
text_init(struct text *t, struct bytes *b)
{
	const unsigned char *p;
	ssize_t n;
	size_t skip = 0;

	memset(t, 0, sizeof(*t));
	t->b = b;
	t->line = 1;
	t->newline = '\n';
	if ((t->buf = malloc(ENCODING_GROWTH * (BYTES_CHUNK + 4))) == NULL)
		return false;
	if ((n = bytes_peek(b, BYTES_CHUNK, &p)) > 0) {
		if (memchr(p, '\n', (size_t)n) == NULL && memchr(p, '\r', (size_t)n) != NULL)
			t->newline = '\r';
		encoding_init(&t->e, p, (size_t)n, &skip);
	}
	/* The mark is taken off by reading the first chunk here. */
	if (skip > 0 && (n = bytes_next(b, &p)) > 0)
		t->len = encoding_convert(&t->e, p + skip, (size_t)n - skip, false, t->buf);
	return true;
}

void
text_release(struct text *t)
{
	free(t->buf);
	free(t->one);
	t->buf = NULL;
	t->one = NULL;
}

int
text_fill(struct text *t)
{
	const unsigned char *p = (const unsigned char *)"";
	ssize_t n;

	while (!t->end) {
		if ((n = bytes_next(t->b, &p)) < 0)
			return -1;
		t->end = n == 0;
		t->len = encoding_convert(&t->e, n == 0 ? (const unsigned char *)"" : p, (size_t)n, t->end, t->buf);
		t->pos = 0;
		if (t->len > 0)
			return 1;
	}
	return 0;
}

/* Append to the line under assembly; over the maximum it only remembers that. */
static bool
gather(struct text *t, const unsigned char *p, size_t n)
{
	size_t room = t->oneroom ? t->oneroom : 4096;
	char *one;

	if (t->onesz + n > TEXT_LINE_MAX) {
		t->onesz = TEXT_LINE_MAX + 1;
		return true;
	}
	while (room < t->onesz + n)
		room *= 2;
	if (room > t->oneroom) {
		if ((one = realloc(t->one, room)) == NULL)
			return false;
		t->one = one;
		t->oneroom = room;
	}
	memcpy(t->one + t->onesz, p, n);
	t->onesz += n;
	return true;
}

ssize_t
text_line(struct text *t, const char **p)
{
	const unsigned char *from, *nl;
	size_t n;
	int rc;

	t->onesz = 0;
	for (;;) {
		if (t->pos == t->len && (rc = text_fill(t)) <= 0) {
			if (rc < 0)
				return TEXT_FAILED;
			if (t->onesz == 0)
				return 0;
			nl = NULL;
			break;
		}
		from = t->buf + t->pos;
		nl = memchr(from, t->newline, t->len - t->pos);
		n = nl != NULL ? (size_t)(nl - from) + 1 : t->len - t->pos;
		t->pos += n;
		if (nl != NULL && t->onesz == 0 && n <= TEXT_LINE_MAX) {
			t->line++;
			*p = (const char *)from;
			return (ssize_t)n;
		}
		if (!gather(t, from, n))
			return TEXT_FAILED;
		if (nl != NULL)
			break;
	}
	t->line++;
	*p = t->one;
	return t->onesz > TEXT_LINE_MAX ? TEXT_LONG : (ssize_t)t->onesz;
}
