/* The formats that contracts may ask for: RFC 3339 dates, mailbox addresses, absolute URIs, UUIDs. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "tool/schema_node.h"

/* n digits at s as a number, -1 when there are others. */
static int
digits(const char *s, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

static bool
is_date(const char *s, size_t n)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int y, m, d;

	if (n != 10 || s[4] != '-' || s[7] != '-')
		return false;
	y = digits(s, 4);
	m = digits(s + 5, 2);
	d = digits(s + 8, 2);
	/* PostgreSQL has no year 0 */
	if (y < 1 || m < 1 || m > 12 || d < 1)
		return false;
	if (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))
		return d <= 29;
	return d <= days[m - 1];
}

/* "12:30:00", fraction, and Z or an offset. */
static bool
is_time(const char *s, size_t n)
{
	size_t i = 8;

	if (n < 9 || s[2] != ':' || s[5] != ':')
		return false;
	if (digits(s, 2) < 0 || digits(s, 2) > 23 || digits(s + 3, 2) < 0 || digits(s + 3, 2) > 59 || digits(s + 6, 2) < 0 ||
	    digits(s + 6, 2) > 60)
		return false;
	if (s[i] == '.') {
		size_t from = ++i;

		while (i < n && isdigit((unsigned char)s[i]))
			i++;
		if (i == from || i - from > 9)
			return false;
	}
	if (i + 1 == n && (s[i] == 'Z' || s[i] == 'z'))
		return true;
	if (i + 6 != n || (s[i] != '+' && s[i] != '-') || s[i + 3] != ':')
		return false;
	return digits(s + i + 1, 2) >= 0 && digits(s + i + 1, 2) <= 23 && digits(s + i + 4, 2) >= 0 && digits(s + i + 4, 2) <= 59;
}

static bool
is_date_time(const char *s, size_t n)
{
	return n > 11 && is_date(s, 10) && (s[10] == 'T' || s[10] == 't') && is_time(s + 11, n - 11);
}

static bool
is_domain(const char *s, size_t n)
{
	size_t label = 0;

	if (n == 0 || n > 253)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char ch = (unsigned char)s[i];

		if (ch == '.') {
			if (label == 0 || s[i - 1] == '-')
				return false;
			label = 0;
		} else if (isalnum(ch) || ch >= 0x80 || (ch == '-' && label > 0)) {
			if (++label > 63)
				return false;
		} else {
			return false;
		}
	}
	return label > 0 && s[n - 1] != '-';
}

static bool
is_email(const char *s, size_t n)
{
	const char *at = memchr(s, '@', n);
	size_t local = at != NULL ? (size_t)(at - s) : 0;

	if (local == 0 || local > 64 || n > 254 || s[0] == '.' || s[local - 1] == '.')
		return false;
	for (size_t i = 0; i < local; i++) {
		unsigned char ch = (unsigned char)s[i];

		if (ch <= ' ' || ch == 0x7f || strchr("\"(),:;<>[\\]", ch) != NULL || (ch == '.' && s[i + 1] == '.'))
			return false;
	}
	return is_domain(at + 1, n - local - 1);
}

static bool
is_uri(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && (isalnum((unsigned char)s[i]) || (i > 0 && strchr("+-.", s[i]) != NULL)))
		i++;
	if (i == 0 || i + 1 >= n || s[i] != ':' || !isalpha((unsigned char)s[0]))
		return false;
	for (; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f || strchr("\"<>\\^`{|}", s[i]) != NULL)
			return false;
	return true;
}

static bool
is_uuid(const char *s, size_t n)
{
	if (n != 36)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	}
	return true;
}

static const struct {
	const char *name;
	bool (*valid)(const char *s, size_t n);
} formats[] = {
	{ "date", is_date }, { "date-time", is_date_time }, { "email", is_email }, { "uri", is_uri }, { "uuid", is_uuid },
};

bool
format_known(const char *format)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, format) == 0)
			return true;
	return false;
}

bool
format_valid(const char *format, const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, format) == 0)
			return formats[i].valid(s, n);
	return false;
}
