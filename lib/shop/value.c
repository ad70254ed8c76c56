#include "shop/value.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/banned.h"
#include "core/money.h"

#define DIGITS_MAX 15

/* Length of the blank at s, 0 when there is none.  U+00A0, U+202F and U+2009 are what spreadsheets put into numbers. */
static size_t
blank_at(const char *s, size_t n)
{
	if (n > 0 && (unsigned char)s[0] <= ' ')
		return 1;
	if (n >= 2 && memcmp(s, "\xc2\xa0", 2) == 0)
		return 2;
	if (n >= 3 && (memcmp(s, "\xe2\x80\xaf", 3) == 0 || memcmp(s, "\xe2\x80\x89", 3) == 0))
		return 3;
	return 0;
}

void
value_trim(const char **s, size_t *n)
{
	size_t k;

	while ((k = blank_at(*s, *n)) > 0) {
		*s += k;
		*n -= k;
	}
	for (;;) {
		if (*n >= 1 && (unsigned char)(*s)[*n - 1] <= ' ')
			*n -= 1;
		else if (*n >= 2 && blank_at(*s + *n - 2, 2) == 2)
			*n -= 2;
		else if (*n >= 3 && blank_at(*s + *n - 3, 3) == 3)
			*n -= 3;
		else
			break;
	}
}

enum decimal
value_decimal(const char *locale)
{
	if (strncmp(locale, "de", 2) == 0 || strncmp(locale, "es", 2) == 0)
		return DECIMAL_COMMA;
	return strncmp(locale, "fr", 2) == 0 ? DECIMAL_BOTH : DECIMAL_POINT;
}

/* ---- amounts ---- */

static const struct {
	const char *mark, *code;
} marks[] = {
	{ "\xe2\x82\xac", "EUR" }, { "\xc2\xa3", "GBP" }, { "$", "USD" }, { "\xc2\xa5", "JPY" }
};

/* Take a currency off either end of the text; out as in value_currency(). */
static void
strip_currency(const char **s, size_t *n, char out[4])
{
	size_t i, k;

	out[0] = '\0';
	value_trim(s, n);
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		k = strlen(marks[i].mark);
		if (*n >= k && memcmp(*s, marks[i].mark, k) == 0)
			*s += k;
		else if (*n < k || memcmp(*s + *n - k, marks[i].mark, k) != 0)
			continue;
		*n -= k;
		memcpy(out, marks[i].code, 4);
		value_trim(s, n);
		return;
	}
	for (i = 0; i < 2 && *n >= 4; i++) {
		const char *at = i == 0 ? *s : *s + *n - 3;

		memcpy(out, at, 3);
		out[3] = '\0';
		if (out[0] >= 'A' && out[0] <= 'Z' && money_scale(out) >= 0) {
			*s += i == 0 ? 3 : 0;
			*n -= 3;
			value_trim(s, n);
			return;
		}
		out[0] = '\0';
	}
}

void
value_currency(const char *s, size_t n, char out[4])
{
	strip_currency(&s, &n, out);
}

/* Where the decimals begin: index of the separator, n when there is none, n + 1 when the text makes no sense. */
static size_t
decimal_at(const char *s, size_t n, enum decimal d, int scale)
{
	size_t dots = 0, commas = 0, last = n, i, after;
	char sep;

	for (i = 0; i < n; i++) {
		dots += s[i] == '.';
		commas += s[i] == ',';
		if (s[i] == '.' || s[i] == ',')
			last = i;
	}
	if (last == n)
		return n;
	sep = s[last];
	if (dots > 0 && commas > 0)
		return (sep == '.' ? dots : commas) == 1 ? last : n + 1;
	if (dots > 1 || commas > 1)
		return n;
	for (after = 0, i = last + 1; i < n; i++)
		after += s[i] >= '0' && s[i] <= '9';
	if (after != 3 || last == 0 || last > 3 || (last == 1 && s[0] == '0'))
		return last;
	if (d == DECIMAL_BOTH || scale == 3)
		return last;
	return (d == DECIMAL_POINT) == (sep == '.') ? last : n;
}

/* Thousands: 1 to 3 digits, then groups of 3; of 2 before the last (12,34,567 in India). */
struct grouping {
	bool seen;
	size_t digits;		/* since the last separator */
};

static bool
group_ends(struct grouping *g, bool last)
{
	bool ok = g->seen ? g->digits == 3 || (!last && g->digits == 2) : last || (g->digits >= 1 && g->digits <= 3);

	g->seen = true;
	g->digits = 0;
	return ok;
}

/* Digits with separators to minor units; the decimals begin at point. */
static bool
read_digits(const char *s, size_t n, size_t point, int scale, int64_t *minor)
{
	struct grouping g = { false, 0 };
	int decimals = -1;
	size_t i, k, digits = 0;
	int64_t v = 0;
	bool up = false;

	for (i = 0; i < n; i++) {
		if (s[i] >= '0' && s[i] <= '9') {
			digits++;
			g.digits++;
			if (decimals >= scale) {
				up |= decimals++ == scale && s[i] >= '5';
				continue;
			}
			if (digits > DIGITS_MAX)
				return false;
			v = v * 10 + (s[i] - '0');
			decimals += decimals >= 0;
		} else if (decimals >= 0) {
			return false;
		} else if (i == point) {
			if (!group_ends(&g, true))
				return false;
			decimals = 0;
		} else if ((k = blank_at(s + i, n - i)) > 0 || s[i] == '.' || s[i] == ',' || s[i] == '\'') {
			if (!group_ends(&g, false))
				return false;
			i += k > 1 ? k - 1 : 0;
		} else {
			return false;
		}
	}
	if (digits == 0 || (decimals < 0 && !group_ends(&g, true)))
		return false;
	for (decimals = decimals < 0 ? 0 : decimals; decimals < scale; decimals++)
		v *= 10;
	*minor = v + up;
	return true;
}

bool
value_amount(const char *s, size_t n, int scale, enum decimal d, bool sign, int64_t *minor, const char **why)
{
	bool negative = false;
	size_t point;
	int64_t v;
	char code[4];

	strip_currency(&s, &n, code);
	*why = "is not an amount";
	if (n > 0 && (s[0] == '-' || s[0] == '+')) {
		negative = s[0] == '-';
		s++;
		n--;
		strip_currency(&s, &n, code);
	}
	if ((point = decimal_at(s, n, d, scale)) > n || !read_digits(s, n, point, scale, &v))
		return false;
	*why = "must not be negative";
	if (negative && !sign && v > 0)
		return false;
	*minor = negative ? -v : v;
	return true;
}

/* ---- numbers and switches ---- */

bool
value_unexponent(const char *s, size_t n, char *out, size_t outsz)
{
	char digit[64];
	size_t digits = 0, i = 0, o = 0;
	int64_t exponent;
	int point = -1;
	const char *why;
	bool minus = n > 0 && s[0] == '-';

	for (i = minus; i < n && s[i] != 'e' && s[i] != 'E'; i++) {
		if (s[i] == '.' && point < 0)
			point = (int)digits;
		else if (s[i] >= '0' && s[i] <= '9' && digits < sizeof(digits))
			digit[digits++] = s[i];
		else
			return false;
	}
	if (digits == 0 || i == n || !value_int(s + i + 1, n - i - 1, -60, 60, &exponent, &why))
		return false;
	point = (point < 0 ? (int)digits : point) + (int)exponent;
	if (outsz < 256)
		return false;
	if (minus)
		out[o++] = '-';
	for (int at = point < 0 ? point : 0; at < (int)digits || at < point; at++) {
		if (at == point) {
			if (at <= 0)
				out[o++] = '0';
			out[o++] = '.';
		}
		out[o++] = at >= 0 && at < (int)digits ? digit[at] : '0';
	}
	out[o] = '\0';
	return true;
}

bool
value_int(const char *s, size_t n, int64_t lo, int64_t hi, int64_t *out, const char **why)
{
	int64_t v = 0;
	size_t i, digits = 0;
	bool negative = false, fraction = false;

	value_trim(&s, &n);
	*why = "is not a whole number";
	if (n > 0 && (s[0] == '-' || s[0] == '+')) {
		negative = s[0] == '-';
		s++;
		n--;
	}
	for (i = 0; i < n; i++) {
		size_t k = blank_at(s + i, n - i);

		if (s[i] == '.' && !fraction && digits > 0) {
			fraction = true;
		} else if (fraction && s[i] == '0') {
			continue;
		} else if (!fraction && s[i] >= '0' && s[i] <= '9' && digits < 18) {
			v = v * 10 + (s[i] - '0');
			digits++;
		} else if (!fraction && k > 0) {
			i += k - 1;
		} else {
			return false;
		}
	}
	if (digits == 0)
		return false;
	v = negative ? -v : v;
	*why = "is out of range";
	if (v < lo || v > hi)
		return false;
	*out = v;
	return true;
}

bool
value_rating(const char *s, size_t n, char out[8], const char **why)
{
	int64_t v;

	*why = "is not a rating from 0 to 5";
	if (!value_amount(s, n, 2, DECIMAL_BOTH, false, &v, why) || v > 500) {
		*why = "is not a rating from 0 to 5";
		return false;
	}
	snprintf(out, 8, "%d.%02d", (int)(v / 100), (int)(v % 100));
	return true;
}

bool
value_bool(const char *s, size_t n, bool *out, const char **why)
{
	static const char *const yes[] = { "1", "true", "yes", "y", "oui", "o", "ja", "j", "si", "s\xc3\xad", "x", "t", "on", "vrai", "wahr" };
	static const char *const no[] = { "0", "false", "f", "no", "n", "non", "nein", "off", "faux", "falsch", "-1" };
	size_t i;

	value_trim(&s, &n);
	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strlen(yes[i]) == n && strncasecmp(yes[i], s, n) == 0) {
			*out = true;
			return true;
		}
	}
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (strlen(no[i]) == n && strncasecmp(no[i], s, n) == 0) {
			*out = false;
			return true;
		}
	}
	*why = "is neither yes nor no";
	return false;
}

size_t
value_slug_ascii(const char *s, size_t n, char *out, size_t max)
{
	size_t i, o = 0;
	bool gap = false;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x80)
			return 0;
		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + 32);
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) {
			gap = true;
			continue;
		}
		if (o + 2 > max)
			continue;
		if (gap && o > 0)
			out[o++] = '-';
		gap = false;
		out[o++] = (char)c;
	}
	return o;
}
