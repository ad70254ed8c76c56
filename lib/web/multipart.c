#include "web/multipart.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/banned.h"
#include "core/json.h"

/* The value of a parameter (; name=value or ; name="value") in a header's value; NULL when it is not there, or not well formed. */
static const char *
parameter(struct ctx *c, const char *value, size_t n, const char *name)
{
	const char *p = memchr(value, ';', n), *end = value + n, *from;
	size_t len = strlen(name);

	while (p != NULL) {
		for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
			;
		if ((size_t)(end - p) > len + 1 && strncasecmp(p, name, len) == 0 && p[len] == '=') {
			from = p + len + 1;
			if (*from != '"') {
				for (p = from; p < end && *p != ';' && *p != ' '; p++)
					;
				return arena_strndup(c->a, from, (size_t)(p - from));
			}
			from++;
			p = memchr(from, '"', (size_t)(end - from));
			return p != NULL ? arena_strndup(c->a, from, (size_t)(p - from)) : NULL;
		}
		/* the next one; a semicolon inside quotes does not end this */
		for (bool quoted = false; p < end && (quoted || *p != ';'); p++)
			quoted ^= *p == '"';
		if (p >= end)
			return NULL;
	}
	return NULL;
}

/* UTF-8 without NUL; without other control characters too where it is a name. */
static bool
is_text(const char *s, size_t n, bool name)
{
	for (size_t i = 0; name && i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return memchr(s, '\0', n) == NULL && utf8_valid(s, n);
}

/* Old browsers send a path; only its last part is a name. */
static const char *
base_name(const char *s)
{
	const char *slash = strrchr(s, '/'), *back = strrchr(s, '\\');

	if (back != NULL && (slash == NULL || back > slash))
		slash = back;
	return slash != NULL ? slash + 1 : s;
}

/* The lines up to the blank one: who is this part? */
static enum err
read_headers(struct ctx *c, const char *p, size_t n, struct part *out)
{
	static const char wanted[] = "content-disposition:";
	const char *end = p + n;

	*out = (struct part){ 0 };
	while (p < end) {
		const char *nl = memchr(p, '\r', (size_t)(end - p)), *stop = nl != NULL ? nl : end;
		size_t len = (size_t)(stop - p);

		if (len > sizeof(wanted) - 1 && strncasecmp(p, wanted, sizeof(wanted) - 1) == 0) {
			const char *v = p + sizeof(wanted) - 1;

			len -= sizeof(wanted) - 1;
			for (; len > 0 && *v == ' '; v++)
				len--;
			if (len < 9 || strncasecmp(v, "form-data", 9) != 0)
				return fail(c, E_INVALID, "body: a part is no form-data");
			out->name = parameter(c, v, len, "name");
			out->filename = parameter(c, v, len, "filename");
		}
		p = stop + (nl != NULL ? 2 : 0);
	}
	if (out->name == NULL || out->name[0] == '\0' || !is_text(out->name, strlen(out->name), true) || strlen(out->name) > 100)
		return fail(c, E_INVALID, "body: a part has no name");
	if (out->filename != NULL && !is_text(out->filename, strlen(out->filename), true))
		return fail(c, E_INVALID, "%.60s: the file's name must be UTF-8 without control characters", out->name);
	if (out->filename != NULL)
		out->filename = base_name(out->filename);
	return E_OK;
}

static bool
repeated(const struct part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(parts[i].name, parts[n].name) == 0)
			return true;
	return false;
}

/* p stands behind a delimiter.  Behind it are CR LF, headers, a blank line, and the bytes up to the next delimiter. */
static enum err
read_part(struct ctx *c, const char **p, const char *end, const char *mark, size_t marksz, struct part *out)
{
	const char *head = *p + 2, *blank, *next;

	if (end - *p < 2 || memcmp(*p, "\r\n", 2) != 0)
		return fail(c, E_INVALID, "body: a delimiter is followed by something else");
	blank = memmem(head, (size_t)(end - head), "\r\n\r\n", 4);
	if (blank == NULL || (size_t)(blank - head) > MULTIPART_HEADER_MAX)
		return fail(c, E_INVALID, "body: the headers of a part do not end");
	if (read_headers(c, head, (size_t)(blank - head), out))
		return c->err;
	out->p = blank + 4;
	next = memmem(blank + 2, (size_t)(end - blank - 2), mark, marksz);
	if (next == NULL)
		return fail(c, E_INVALID, "%.60s: the part does not end", out->name);
	out->n = next > out->p ? (size_t)(next - out->p) : 0;
	*p = next + marksz;
	if (out->filename == NULL && !is_text(out->p, out->n, false))
		return fail(c, E_INVALID, "%.60s: must be UTF-8", out->name);
	return E_OK;
}

enum err
multipart_parse(struct ctx *c, const char *type, const char *body, size_t n, struct part *parts, size_t max, size_t *count)
{
	const char *boundary = NULL, *mark, *p = body, *end = body + n;
	size_t marksz;

	*count = 0;
	if (type != NULL && strncasecmp(type, "multipart/form-data", 19) == 0)
		boundary = parameter(c, type, strlen(type), "boundary");
	if (boundary == NULL || boundary[0] == '\0' || strlen(boundary) > MULTIPART_BOUNDARY_MAX)
		return fail(c, E_MEDIA_TYPE, "Content-Type: must be multipart/form-data with a boundary");
	mark = arena_printf(c->a, "\r\n--%s", boundary);
	marksz = strlen(mark);
	/* The first delimiter has no line before it. */
	if (n < marksz - 2 || memcmp(p, mark + 2, marksz - 2) != 0)
		return fail(c, E_INVALID, "body: must begin with the boundary");
	p += marksz - 2;
	while (end - p < 2 || memcmp(p, "--", 2) != 0) {
		if (*count == max)
			return fail(c, E_INVALID, "body: must have at most %zu parts", max);
		if (read_part(c, &p, end, mark, marksz, &parts[*count]))
			return c->err;
		if (repeated(parts, *count))
			return fail(c, E_INVALID, "%.60s: given twice", parts[*count].name);
		++*count;
	}
	return E_OK;
}
