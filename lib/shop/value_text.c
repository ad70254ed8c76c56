/* Dates, addresses, category paths and HTML; see value.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/banned.h"
#include "core/json.h"
#include "shop/value.h"

/* ---- dates ---- */

/* Digits at *s, at most max of them; -1 when there are none. */
static int
digits(const char **s, const char *end, int max, int *count)
{
	int v = 0;

	*count = 0;
	while (*s < end && **s >= '0' && **s <= '9' && *count < max) {
		v = v * 10 + (*(*s)++ - '0');
		(*count)++;
	}
	return *count > 0 ? v : -1;
}

static bool
real_day(int y, int m, int d)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return y >= 1900 && y <= 9999 && m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] + (m == 2 && leap);
}

/* "14:30", "14:30:05.123", "2:30 PM"; nothing is midnight.  hms[3] is microseconds. */
static bool
clock_part(const char **s, const char *end, int hms[4])
{
	int i, n, k;

	hms[0] = hms[1] = hms[2] = hms[3] = 0;
	while (*s < end && (**s == ' ' || **s == 'T' || **s == 't'))
		(*s)++;
	if (*s == end)
		return true;
	for (i = 0; i < 3; i++) {
		if ((hms[i] = digits(s, end, 2, &n)) < 0)
			return false;
		if (*s == end || **s != ':')
			break;
		if (i < 2)
			(*s)++;
	}
	if (i == 0)
		return false;
	if (*s < end && **s == '.') {
		(*s)++;
		if ((hms[3] = digits(s, end, 6, &n)) < 0)
			return false;
		for (; n < 6; n++)
			hms[3] *= 10;
		digits(s, end, 9, &k);
	}
	while (*s < end && **s == ' ')
		(*s)++;
	if (end - *s >= 2 && ((*s)[1] | 32) == 'm' && (((*s)[0] | 32) == 'a' || ((*s)[0] | 32) == 'p')) {
		if (hms[0] < 1 || hms[0] > 12)
			return false;
		hms[0] = hms[0] % 12 + (((*s)[0] | 32) == 'p' ? 12 : 0);
		*s += 2;
	}
	return hms[0] <= 23 && hms[1] <= 59 && hms[2] <= 60;
}

/* "Z", "+02:00", "-0500"; nothing is UTC. */
static bool
zone_part(const char **s, const char *end, char out[8])
{
	int h, m = 0, n;
	char sign;

	snprintf(out, 8, "+00");
	if (*s < end && (**s == 'Z' || **s == 'z'))
		(*s)++;
	if (end - *s >= 3 && memcmp(*s, "UTC", 3) == 0)
		*s += 3;
	if (*s == end)
		return true;
	if ((sign = *(*s)++) != '+' && sign != '-')
		return false;
	if ((h = digits(s, end, 2, &n)) < 0 || n != 2)
		return false;
	if (*s < end && **s == ':')
		(*s)++;
	if (*s < end && (m = digits(s, end, 2, &n)) < 0)
		return false;
	snprintf(out, 8, "%c%02d:%02d", sign, h % 24, m % 60);
	return h <= 15 && m <= 59 && *s == end;
}

bool
value_date(const char *s, size_t n, bool month_first, char out[VALUE_DATE_MAX], const char **why)
{
	const char *end;
	int a, b, c, na, nb, nc, hms[4];
	char zone[8], sep;

	value_trim(&s, &n);
	end = s + n;
	*why = "is not a date";
	if ((a = digits(&s, end, 4, &na)) < 0 || s == end)
		return false;
	sep = *s++;
	if ((sep != '-' && sep != '/' && sep != '.') || (b = digits(&s, end, 2, &nb)) < 0 || s == end || *s++ != sep ||
	    (c = digits(&s, end, 4, &nc)) < 0)
		return false;
	if (na != 4) {
		int year = nc == 2 ? 2000 + c : c, month = month_first && sep == '/' ? a : b, day = month_first && sep == '/' ? b : a;

		a = year;
		b = month;
		c = day;
		if (nc != 4 && nc != 2)
			return false;
	}
	if (!real_day(a, b, c) || !clock_part(&s, end, hms) || !zone_part(&s, end, zone))
		return false;
	snprintf(out, VALUE_DATE_MAX, "%04d-%02d-%02d %02d:%02d:%02d.%06d%s", a, b, c, hms[0], hms[1], hms[2], hms[3], zone);
	return true;
}

/* ---- addresses ---- */

static bool
is_address(const char *s, size_t n)
{
	size_t i;

	if (n < 2 || n > 2000)
		return false;
	for (i = 0; i < n; i++) {
		if ((unsigned char)s[i] <= ' ' || strchr("\"<>\\^`{|}", s[i]) != NULL)
			return false;
	}
	return (n > 8 && strncasecmp(s, "https://", 8) == 0) || (n > 7 && strncasecmp(s, "http://", 7) == 0) || (s[0] == '/' && s[1] != '/');
}

static bool
check_image(int *count, const char *url, size_t n, const char **why)
{
	*why = "is not a list of web addresses (http, https, or /path)";
	if (!is_address(url, n))
		return false;
	*why = "has more than 250 addresses";
	return ++*count <= 250;
}

/* A JSON array of addresses or of objects with url or src; whatever else an object tells is kept. */
static bool
images_from_json(struct buf *json, const char *s, size_t n, const char **why)
{
	struct ctx c = { .a = json->a };
	json_object *list, *e, *url;
	const char *text;
	size_t i;
	int count = 0;

	*why = "is not a list of web addresses";
	if (json_parse(&c, s, n, &list) != E_OK || !json_object_is_type(list, json_type_array))
		return false;
	for (i = 0; i < json_object_array_length(list); i++) {
		url = e = json_object_array_get_idx(list, i);
		if (json_object_is_type(e, json_type_object) && !json_object_object_get_ex(e, "url", &url) &&
		    json_object_object_get_ex(e, "src", &url)) {
			json_object_object_add(e, "url", json_object_get(url));
			json_object_object_del(e, "src");
		}
		if (!json_object_is_type(url, json_type_string) ||
		    !check_image(&count, json_object_get_string(url), (size_t)json_object_get_string_len(url), why))
			return false;
		text = json_text(&c, e, &n);
		buf_puts(json, i > 0 ? "," : "");
		if (url == e)
			buf_puts(json, "{\"url\":");
		buf_put(json, text, n);
		if (url == e)
			buf_putc(json, '}');
	}
	return true;
}

bool
value_images(struct buf *json, const char *s, size_t n, const char **why)
{
	size_t i, from;
	int count = 0;

	value_trim(&s, &n);
	buf_putc(json, '[');
	if (n > 0 && s[0] == '[') {
		if (!images_from_json(json, s, n, why))
			return false;
	} else {
		for (i = 0; i < n; i++) {
			while (i < n && ((unsigned char)s[i] <= ' ' || s[i] == ',' || s[i] == '|'))
				i++;
			/* a comma inside an address is none at its end */
			for (from = i; i < n && (unsigned char)s[i] > ' ' && s[i] != '|' && !(s[i] == ',' && (i + 1 == n ||
			    (unsigned char)s[i + 1] <= ' ' || strncasecmp(s + i + 1, "http", n - i - 1 < 4 ? n - i - 1 : 4) == 0)); i++)
				;
			if (i == from)
				continue;
			if (!check_image(&count, s + from, i - from, why))
				return false;
			buf_puts(json, count > 1 ? ",{\"url\":" : "{\"url\":");
			buf_json_string(json, s + from, i - from);
			buf_putc(json, '}');
		}
	}
	buf_putc(json, ']');
	return true;
}

/* ---- categories ---- */

bool
value_category(struct buf *out, const char *s, size_t n, const char **why)
{
	const char *end = s + n, *gt, *part;
	size_t len;
	int level = 0;

	for (; s <= end; s = gt + 1) {
		gt = memchr(s, '>', (size_t)(end - s));
		gt = gt != NULL ? gt : end;
		part = s;
		len = (size_t)(gt - s);
		value_trim(&part, &len);
		if (len > 200) {
			for (len = 200; ((unsigned char)part[len] & 0xc0) == 0x80; len--)
				;
			value_trim(&part, &len);
		}
		if (len == 0)
			continue;
		if (++level > 10) {
			*why = "has more than 10 levels";
			return false;
		}
		if (level > 1)
			buf_puts(out, " > ");
		buf_put(out, part, len);
	}
	return true;
}

/* ---- HTML ---- */

static void
put_char(struct buf *out, unsigned long u)
{
	char b[4];

	if (u < 0x80) {
		buf_putc(out, (char)u);
	} else if (u < 0x800) {
		b[0] = (char)(0xc0 | u >> 6);
		b[1] = (char)(0x80 | (u & 0x3f));
		buf_put(out, b, 2);
	} else if (u < 0x10000) {
		b[0] = (char)(0xe0 | u >> 12);
		b[1] = (char)(0x80 | (u >> 6 & 0x3f));
		b[2] = (char)(0x80 | (u & 0x3f));
		buf_put(out, b, 3);
	} else {
		b[0] = (char)(0xf0 | u >> 18);
		b[1] = (char)(0x80 | (u >> 12 & 0x3f));
		b[2] = (char)(0x80 | (u >> 6 & 0x3f));
		b[3] = (char)(0x80 | (u & 0x3f));
		buf_put(out, b, 4);
	}
}

/* A character reference at s ("&eacute;", "&#233;"); its length, or 0 when it is none.  The names that shop texts use. */
static size_t
reference(struct buf *out, const char *s, size_t n)
{
	static const struct {
		const char *name;
		unsigned u;
	} names[] = {
		{ "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' }, { "nbsp", ' ' }, { "eacute", 0xe9 },
		{ "egrave", 0xe8 }, { "ecirc", 0xea }, { "agrave", 0xe0 }, { "acirc", 0xe2 }, { "ccedil", 0xe7 }, { "ocirc", 0xf4 },
		{ "ucirc", 0xfb }, { "ugrave", 0xf9 }, { "icirc", 0xee }, { "iuml", 0xef }, { "euml", 0xeb }, { "auml", 0xe4 }, { "ouml", 0xf6 },
		{ "uuml", 0xfc }, { "szlig", 0xdf }, { "ntilde", 0xf1 }, { "Eacute", 0xc9 }, { "Agrave", 0xc0 }, { "euro", 0x20ac },
		{ "pound", 0xa3 }, { "copy", 0xa9 }, { "reg", 0xae }, { "trade", 0x2122 }, { "deg", 0xb0 }, { "times", 0xd7 }, { "hellip", 0x2026 },
		{ "ndash", 0x2013 }, { "mdash", 0x2014 }, { "rsquo", 0x2019 }, { "lsquo", 0x2018 }, { "ldquo", 0x201c }, { "rdquo", 0x201d },
		{ "laquo", 0xab }, { "raquo", 0xbb }, { "bull", 0x2022 }, { "oelig", 0x153 }
	};
	const char *semi = memchr(s, ';', n < 12 ? n : 12);
	size_t len, i;
	unsigned long u;
	char *end;

	if (semi == NULL || semi - s < 3)
		return 0;
	len = (size_t)(semi - s) - 1;
	if (s[1] == '#') {
		u = s[2] == 'x' || s[2] == 'X' ? strtoul(s + 3, &end, 16) : strtoul(s + 2, &end, 10);
		if (end != semi || u < 9 || (u >= 0x7f && u < 0xa0) || (u >= 0xd800 && u < 0xe000) || u > 0x10ffff || (u < 32 && u != 10 && u != 9))
			return 0;
		put_char(out, u);
		return len + 2;
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i].name) == len && memcmp(names[i].name, s + 1, len) == 0) {
			put_char(out, names[i].u);
			return len + 2;
		}
	}
	return 0;
}

static bool
tag_is(const char *s, size_t n, const char *name)
{
	size_t k = strlen(name);

	if (n > 0 && s[0] == '/') {
		s++;
		n--;
	}
	return n >= k && strncasecmp(s, name, k) == 0 && (n == k || strchr(" \t\r\n/>", s[k]) != NULL);
}

static void
line_break(struct buf *out)
{
	while (out->n > 0 && (out->p[out->n - 1] == ' ' || out->p[out->n - 1] == '\t'))
		out->p[--out->n] = '\0';
	if (out->n > 0 && out->p[out->n - 1] != '\n')
		buf_putc(out, '\n');
}

/* Length of the tag at s with what belongs to it (a script's text), 0 when it is no tag. */
static size_t
tag(struct buf *out, const char *s, size_t n)
{
	static const char *const blocks[] = { "p", "br", "div", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "section" };
	static const char *const silent[] = { "script", "style" };
	const char *gt, *close;
	size_t i;

	if (n >= 4 && memcmp(s, "<!--", 4) == 0) {
		close = memmem(s, n, "-->", 3);
		return close != NULL ? (size_t)(close - s) + 3 : n;
	}
	if (n < 3 || !((s[1] >= 'a' && s[1] <= 'z') || (s[1] >= 'A' && s[1] <= 'Z') || s[1] == '/' || s[1] == '!'))
		return 0;
	if ((gt = memchr(s, '>', n)) == NULL)
		return 0;
	for (i = 0; i < 2 && s[1] != '/'; i++) {
		char end[12];

		if (!tag_is(s + 1, n - 1, silent[i]))
			continue;
		snprintf(end, sizeof(end), "</%s", silent[i]);
		close = strcasestr(gt, end);
		gt = close != NULL && close < s + n ? memchr(close, '>', (size_t)(s + n - close)) : NULL;
		return gt != NULL ? (size_t)(gt - s) + 1 : n;
	}
	for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		if (tag_is(s + 1, n - 1, blocks[i])) {
			line_break(out);
			if (tag_is(s + 1, n - 1, "li") && s[1] != '/')
				buf_puts(out, "- ");
			break;
		}
	}
	return (size_t)(gt - s) + 1;
}

void
value_html(struct buf *out, const char *s, size_t n)
{
	bool html = memchr(s, '<', n) != NULL && memchr(s, '>', n) != NULL;
	size_t i, k;

	if (!html && memchr(s, '&', n) == NULL) {
		buf_put(out, s, n);
		return;
	}
	for (i = 0; i < n; i += k) {
		k = 0;
		if (s[i] == '<' && html)
			k = tag(out, s + i, n - i);
		else if (s[i] == '&')
			k = reference(out, s + i, n - i);
		else if (html && (s[i] == '\n' || s[i] == '\r' || s[i] == '\t' || s[i] == ' ')) {
			/* in HTML line ends are blanks, and blanks are one */
			if (out->n > 0 && out->p[out->n - 1] != '\n' && out->p[out->n - 1] != ' ')
				buf_putc(out, ' ');
			k = 1;
		}
		if (k == 0) {
			buf_putc(out, s[i]);
			k = 1;
		}
	}
	while (out->n > 0 && (unsigned char)out->p[out->n - 1] <= ' ')
		out->p[--out->n] = '\0';
}
