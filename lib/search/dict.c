/* See dict.h. */
#include "search/dict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/banned.h"

/* ---- strings ---- */

/* FNV-1a over 64 bits, folded. */
static uint32_t
hash(const char *s, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	return (uint32_t)(h ^ (h >> 29));
}

static uint32_t *
place(const struct dict *d, const char *s, size_t n)
{
	uint32_t i = hash(s, n) & (d->slots - 1);

	for (; d->slot[i] != 0; i = (i + 1) & (d->slots - 1)) {
		uint32_t id = d->slot[i] - 1;

		if (d->at[id + 1] - d->at[id] == n && memcmp(d->text + d->at[id], s, n) == 0)
			break;
	}
	return &d->slot[i];
}

static bool
grow_slots(struct dict *d)
{
	uint32_t *old = d->slot, slots = d->slots == 0 ? 1024 : d->slots * 2;
	uint32_t *fresh = calloc(slots, sizeof(*fresh));

	if (fresh == NULL)
		return false;
	d->slot = fresh;
	d->slots = slots;
	for (uint32_t id = 0; id < d->n; id++)
		*place(d, d->text + d->at[id], d->at[id + 1] - d->at[id]) = id + 1;
	free(old);
	return true;
}

static bool
room(struct dict *d, size_t n)
{
	if (d->n + 2 > d->cap) {
		uint32_t cap = d->cap == 0 ? 1024 : d->cap * 2;
		uint32_t *at = realloc(d->at, cap * sizeof(*at));

		if (at == NULL)
			return false;
		d->at = at;
		d->cap = cap;
		if (d->n == 0)
			d->at[0] = 0;
	}
	if (d->text_n + n > d->text_cap) {
		size_t cap = d->text_cap == 0 ? 16384 : d->text_cap * 2;
		char *text = realloc(d->text, cap);

		if (text == NULL)
			return false;
		d->text = text;
		d->text_cap = cap;
	}
	return (d->n < d->slots / 2 || grow_slots(d)) && d->text_n + n < UINT32_MAX && d->n < UINT32_MAX - 2;
}

uint32_t
dict_add(struct dict *d, const char *s, size_t n, bool *added)
{
	uint32_t *slot;

	*added = false;
	if (d->slots > 0 && *(slot = place(d, s, n)) != 0)
		return *slot - 1;
	if (n > 16384 || !room(d, n))
		return UINT32_MAX;
	slot = place(d, s, n);
	memcpy(d->text + d->text_n, s, n);
	d->text_n += n;
	*slot = ++d->n;
	d->at[d->n] = (uint32_t)d->text_n;
	*added = true;
	return d->n - 1;
}

uint32_t
dict_find(const struct dict *d, const char *s, size_t n)
{
	return d->slots == 0 ? UINT32_MAX : *place(d, s, n) - 1;
}

const char *
dict_text(const struct dict *d, uint32_t id, size_t *n)
{
	*n = d->at[id + 1] - d->at[id];
	return d->text + d->at[id];
}

static int
by_text(const void *a, const void *b, void *arg)
{
	const struct dict *d = arg;
	size_t an, bn;
	const char *at = dict_text(d, *(const uint32_t *)a, &an), *bt = dict_text(d, *(const uint32_t *)b, &bn);
	int c = memcmp(at, bt, an < bn ? an : bn);

	return c != 0 ? c : (an > bn) - (an < bn);
}

uint32_t *
dict_sorted(const struct dict *d)
{
	uint32_t *ids = malloc(((size_t)d->n + 1) * sizeof(*ids));

	if (ids == NULL)
		return NULL;
	for (uint32_t i = 0; i < d->n; i++)
		ids[i] = i;
	if (d->n > 1)
		qsort_r(ids, d->n, sizeof(*ids), by_text, (void *)(uintptr_t)d);
	return ids;
}

size_t
dict_memory(const struct dict *d)
{
	return d->text_cap + (size_t)d->cap * 4 + (size_t)d->slots * 4;
}

void
dict_release(struct dict *d)
{
	free(d->text);
	free(d->at);
	free(d->slot);
	*d = (struct dict){ 0 };
}

/* ---- columns ---- */

int
column_file(const char *dir)
{
	char name[4096];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	snprintf(name, sizeof(name), "%s/search.XXXXXX", dir);
	if ((fd = mkostemp(name, O_CLOEXEC)) >= 0)
		unlink(name);
	return fd;
}

static bool
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno != EINTR)
			return false;
		p += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	return true;
}

static bool
spill(struct column *c, const char *dir)
{
	if (c->spilled == 0 && c->fd <= 0 && (c->fd = column_file(dir)) < 0)
		return false;
	if (!write_all(c->fd, c->p, c->n))
		return false;
	c->spilled += c->n;
	c->n = 0;
	return true;
}

bool
column_put(struct column *c, const char *dir, const void *p, size_t n)
{
	if (dir != NULL && c->n + n > COLUMN_MEMORY && c->n > 0 && !spill(c, dir))
		return false;
	if (c->n + n > c->cap) {
		size_t cap = c->cap == 0 ? 1024 : c->cap;
		char *q;

		while (cap < c->n + n)
			cap *= 2;
		if ((q = realloc(c->p, cap)) == NULL)
			return false;
		c->p = q;
		c->cap = cap;
	}
	if (n > 0)
		memcpy(c->p + c->n, p, n);
	c->n += n;
	return true;
}

uint64_t
column_size(const struct column *c)
{
	return c->spilled + c->n;
}

bool
column_each(const struct column *c, bool (*put)(void *arg, const void *p, size_t n), void *arg)
{
	static char block[1 << 16];
	uint64_t at = 0;

	while (at < c->spilled) {
		ssize_t r = pread(c->fd, block, sizeof(block), (off_t)at);

		if (r <= 0 || !put(arg, block, (size_t)r))
			return false;
		at += (uint64_t)r;
	}
	return c->n == 0 || put(arg, c->p, c->n);
}

bool
column_load(struct column *c)
{
	size_t n = (size_t)column_size(c), at = 0;
	char *all;

	if (c->spilled == 0)
		return true;
	if ((all = malloc(n)) == NULL)
		return false;
	while (at < c->spilled) {
		ssize_t r = pread(c->fd, all + at, (size_t)c->spilled - at, (off_t)at);

		if (r <= 0) {
			free(all);
			return false;
		}
		at += (size_t)r;
	}
	memcpy(all + at, c->p, c->n);
	free(c->p);
	c->p = all;
	c->n = c->cap = n;
	c->spilled = 0;
	return true;
}

void
column_release(struct column *c)
{
	free(c->p);
	if (c->fd > 0)
		close(c->fd);
	*c = (struct column){ 0 };
}
