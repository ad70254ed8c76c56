#include "shop/row.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"

void
row_init(struct row *r)
{
	memset(r, 0, sizeof(*r));
}

void
row_release(struct row *r)
{
	size_t i;

	for (i = 0; i < r->columns; i++)
		free(r->name[i]);
	free(r->text);
	memset(r, 0, sizeof(*r));
}

void
row_start(struct row *r, int64_t line)
{
	memset(r->at, 0, r->columns * sizeof(r->at[0]));
	r->used = 0;
	r->line = line;
	r->hint = 0;
}

bool
row_add_column(struct row *r, const char *name, size_t n)
{
	while (n > 0 && (unsigned char)name[0] <= ' ') {
		name++;
		n--;
	}
	while (n > 0 && (unsigned char)name[n - 1] <= ' ')
		n--;
	if (n > ROW_NAME_MAX)
		n = ROW_NAME_MAX;
	while (n > 0 && n == ROW_NAME_MAX && ((unsigned char)name[n] & 0xc0) == 0x80)
		n--;
	if (r->columns == ROW_COLUMNS_MAX || (r->name[r->columns] = strndup(name, n)) == NULL)
		return false;
	r->at[r->columns++] = 0;
	return true;
}

size_t
row_column(struct row *r, const char *name, size_t n)
{
	size_t i, c;

	if (n > ROW_NAME_MAX)
		n = ROW_NAME_MAX;
	/* Objects mostly repeat the order of the one before. */
	for (i = 0; i < r->columns; i++) {
		c = r->hint + i < r->columns ? r->hint + i : r->hint + i - r->columns;
		if (strncmp(r->name[c], name, n) == 0 && r->name[c][n] == '\0') {
			r->hint = c + 1;
			return c;
		}
	}
	if (!row_add_column(r, name, n))
		return ROW_COLUMNS_MAX;
	return r->hint = r->columns - 1;
}

bool
row_put(struct row *r, size_t column, const char *s, size_t n)
{
	size_t room = r->room ? r->room : 8192;
	char *text;

	if (n >= ROW_TEXT_MAX || r->used + n + 1 > ROW_TEXT_MAX)
		return false;
	while (room < r->used + n + 1)
		room *= 2;
	if (room > r->room) {
		if ((text = realloc(r->text, room)) == NULL)
			return false;
		r->text = text;
		r->room = room;
	}
	memcpy(r->text + r->used, s, n);
	r->text[r->used + n] = '\0';
	r->at[column] = r->used + 1;
	r->len[column] = n;
	r->used += n + 1;
	return true;
}

const char *
row_cell(const struct row *r, size_t column, size_t *n)
{
	if (column >= r->columns || r->at[column] == 0)
		return NULL;
	if (n != NULL)
		*n = r->len[column];
	return r->text + r->at[column] - 1;
}

bool
row_blank(const struct row *r)
{
	size_t i, k;
	const char *s;

	for (i = 0; i < r->columns; i++) {
		if ((s = row_cell(r, i, &k)) == NULL)
			continue;
		while (k > 0 && (unsigned char)*s <= ' ') {
			s++;
			k--;
		}
		if (k > 0)
			return false;
	}
	return true;
}

size_t
row_check(const struct row *r, const char **why)
{
	size_t i;

	/* One pass over all cells decides nearly always: the NULs between them are valid UTF-8. */
	if (r->used == 0)
		return ROW_COLUMNS_MAX;
	for (i = 0; i < r->columns; i++) {
		if (r->at[i] == 0)
			continue;
		if (memchr(r->text + r->at[i] - 1, 0, r->len[i]) != NULL) {
			*why = "contains a NUL character";
			return i;
		}
	}
	if (utf8_valid(r->text, r->used))
		return ROW_COLUMNS_MAX;
	for (i = 0; i < r->columns; i++) {
		if (r->at[i] != 0 && !utf8_valid(r->text + r->at[i] - 1, r->len[i])) {
			*why = "is not valid UTF-8";
			return i;
		}
	}
	return ROW_COLUMNS_MAX;
}
