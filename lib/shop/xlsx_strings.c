/*
 * The shared string table.  Strings and their ends are kept in memory until XLSX_STRINGS_RAM is used, then in one temporary file:
 * texts one after the other, and the ends, 8 bytes each, from offset ENDS_AT on (a sparse file costs nothing for the gap).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shop/xlsx.h"

#define ENDS_AT ((off_t)1 << 36)

struct table {
	struct xlsx *x;
	struct xlsx_handler *h;
	char *now;		/* the string under way */
	size_t nowsz, nowroom;
	int depth_si, depth_t, phonetic;
	char *out;		/* text waiting to be written to the file */
	size_t outsz;
	uint64_t ends[4096];	/* ends waiting */
	size_t nends;
};

#define OUT_MAX (1u << 20)

static void
stop(struct table *t, const char *why)
{
	if (t->x->why[0] == '\0')
		snprintf(t->x->why, sizeof(t->x->why), "%s", why);
	XML_StopParser(t->h->parser, XML_FALSE);
}

static bool
write_all(int fd, const void *p, size_t n, off_t at)
{
	const char *from = p;
	ssize_t w;

	for (; n > 0; from += w, n -= (size_t)w, at += w) {
		if ((w = pwrite(fd, from, n, at)) <= 0)
			return false;
	}
	return true;
}

static bool
flush_out(struct table *t)
{
	struct xlsx_strings *s = &t->x->strings;
	bool ok = true;

	if (t->outsz > 0)
		ok = write_all(s->fd, t->out, t->outsz, (off_t)(s->size - t->outsz));
	if (ok && t->nends > 0)
		ok = write_all(s->fd, t->ends, t->nends * sizeof(t->ends[0]), ENDS_AT + (off_t)((s->n - t->nends) * sizeof(t->ends[0])));
	t->outsz = t->nends = 0;
	return ok;
}

/* Into memory.  false: no room there any more. */
static bool
keep_in_ram(struct xlsx_strings *s, const char *p, size_t n)
{
	size_t room = s->room ? s->room : 65536, atroom = s->atroom ? s->atroom : 4096;
	void *q;

	if (s->size > s->used || s->n > s->atroom || s->used + n + (s->n + 1) * sizeof(s->at[0]) > XLSX_STRINGS_RAM)
		return false;
	while (room < s->used + n)
		room *= 2;
	if (room > s->room) {
		if ((q = realloc(s->text, room)) == NULL)
			return false;
		s->text = q;
		s->room = room;
	}
	if (s->n == s->atroom || s->at == NULL) {
		atroom = s->at == NULL ? atroom : atroom * 2;
		if ((q = realloc(s->at, atroom * sizeof(s->at[0]))) == NULL)
			return false;
		s->at = q;
		s->atroom = atroom;
	}
	if (n > 0)
		memcpy(s->text + s->used, p, n);
	s->used += n;
	s->size += n;
	s->at[s->n++] = s->size;
	return true;
}

static void
string_done(struct table *t)
{
	struct xlsx_strings *s = &t->x->strings;
	size_t n = t->now != NULL ? xlsx_unescape(t->now, t->nowsz) : 0;

	if (s->n >= XLSX_STRINGS_MAX) {
		stop(t, "the workbook has too many different texts");
		return;
	}
	/* Once one string is in the file, all later ones are: atroom then marks the border. */
	if (t->out == NULL && keep_in_ram(s, t->now, n))
		return;
	if (t->out == NULL) {
		s->atroom = s->n;
		if (s->fd < 0 || (t->out = malloc(OUT_MAX + XLSX_CELL_MAX)) == NULL) {
			stop(t, "no temporary file for the texts of the workbook (set TMPDIR)");
			return;
		}
	}
	if (n > 0)
		memcpy(t->out + t->outsz, t->now, n);
	t->outsz += n;
	s->size += n;
	s->n++;
	t->ends[t->nends++] = s->size;
	if ((t->outsz >= OUT_MAX || t->nends == sizeof(t->ends) / sizeof(t->ends[0])) && !flush_out(t))
		stop(t, "the temporary file cannot be written (is the disk full?)");
}

static void
on_start(void *arg, const char *name, const char **attrs)
{
	struct table *t = arg;

	(void)attrs;
	if (strcmp(name, "si") == 0) {
		t->depth_si++;
		t->nowsz = 0;
	} else if (strcmp(name, "t") == 0) {
		t->depth_t++;
	} else if (strcmp(name, "rPh") == 0) {
		t->phonetic++;
	}
}

static void
on_end(void *arg, const char *name)
{
	struct table *t = arg;

	if (strcmp(name, "si") == 0) {
		t->depth_si--;
		string_done(t);
	} else if (strcmp(name, "t") == 0) {
		t->depth_t--;
	} else if (strcmp(name, "rPh") == 0) {
		t->phonetic--;
	}
}

static void
on_text(void *arg, const char *p, int n)
{
	struct table *t = arg;
	size_t room = t->nowroom ? t->nowroom : 1024;
	char *q;

	if (t->depth_si <= 0 || t->depth_t <= 0 || t->phonetic > 0 || n <= 0)
		return;
	if (t->nowsz + (size_t)n > XLSX_CELL_MAX) {
		stop(t, "the workbook has a text of more than 1 MiB");
		return;
	}
	while (room < t->nowsz + (size_t)n)
		room *= 2;
	if (room > t->nowroom) {
		if ((q = realloc(t->now, room)) == NULL) {
			stop(t, "out of memory");
			return;
		}
		t->now = q;
		t->nowroom = room;
	}
	memcpy(t->now + t->nowsz, p, (size_t)n);
	t->nowsz += (size_t)n;
}

bool
xlsx_strings_read(struct xlsx *x)
{
	struct table *t = calloc(1, sizeof(*t));
	struct xlsx_handler h = { on_start, on_end, on_text, t, NULL };
	bool ok;

	if (t == NULL)
		return false;
	t->x = x;
	t->h = &h;
	ok = xlsx_part(x, "xl/sharedStrings.xml", true, &h) && x->why[0] == '\0';
	if (ok && !flush_out(t)) {
		snprintf(x->why, sizeof(x->why), "the temporary file cannot be written (is the disk full?)");
		ok = false;
	}
	if (t->out == NULL)
		x->strings.atroom = x->strings.n;
	free(t->out);
	free(t->now);
	free(t);
	return ok;
}

static bool
read_all(int fd, void *p, size_t n, off_t at)
{
	char *to = p;
	ssize_t r;

	for (; n > 0; to += r, n -= (size_t)r, at += r) {
		if ((r = pread(fd, to, n, at)) <= 0)
			return false;
	}
	return true;
}

const char *
xlsx_string(struct xlsx *x, uint64_t i, size_t *n)
{
	struct xlsx_strings *s = &x->strings;
	uint64_t ends[2] = { 0, 0 };
	char *q;

	if (i >= s->n)
		return NULL;
	if (i < s->atroom) {
		ends[0] = i > 0 ? s->at[i - 1] : 0;
		*n = (size_t)(s->at[i] - ends[0]);
		return s->text != NULL ? s->text + ends[0] : "";
	}
	if (i == s->atroom)
		ends[0] = i > 0 ? s->at[i - 1] : 0;
	if (!read_all(s->fd, i == s->atroom ? ends + 1 : ends, i == s->atroom ? 8 : 16,
	    ENDS_AT + (off_t)((i == s->atroom ? i : i - 1) * 8)))
		return NULL;
	if (ends[1] < ends[0] || ends[1] - ends[0] > XLSX_CELL_MAX)
		return NULL;
	*n = (size_t)(ends[1] - ends[0]);
	if (*n + 1 > s->spareroom) {
		if ((q = realloc(s->spare, *n + 4096)) == NULL)
			return NULL;
		s->spare = q;
		s->spareroom = *n + 4096;
	}
	return read_all(s->fd, s->spare, *n, (off_t)ends[0]) ? s->spare : NULL;
}
