#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop/value.h"
#include "shop/xlsx.h"

/* Days since 1970-01-01 to a date (H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days). */
static void
civil(int64_t z, int *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

size_t
xlsx_date(double serial, bool from_1904, char *out, size_t outsz)
{
	int64_t seconds, day, rest;
	int y, m, d, n;

	if (!(serial >= 0 && serial < 2958466))	/* 9999-12-31 */
		return 0;
	seconds = (int64_t)floor(serial * 86400.0 + 0.5);
	day = seconds / 86400;
	rest = seconds % 86400;
	/* Excel believes in 1900-02-29; days before it are one off. */
	civil(from_1904 ? day - 24107 : day < 60 ? day - 25568 : day - 25569, &y, &m, &d);
	if (rest == 0)
		n = snprintf(out, outsz, "%04d-%02d-%02d", y, m, d);
	else
		n = snprintf(out, outsz, "%04d-%02d-%02d %02d:%02d:%02d", y, m, d, (int)(rest / 3600), (int)(rest / 60 % 60),
		    (int)(rest % 60));
	return n > 0 && (size_t)n < outsz ? (size_t)n : 0;
}

size_t
xlsx_number(const char *s, char *out, size_t outsz)
{
	size_t digits = 0;
	const char *p;
	char *end;
	double v;
	int n;

	for (p = s; *p != '\0' && *p != 'e' && *p != 'E'; p++)
		digits += *p >= '0' && *p <= '9';
	if (*p == '\0' && digits <= 15) {
		n = snprintf(out, outsz, "%s", s);
		return (size_t)n < outsz ? (size_t)n : 0;
	}
	v = strtod(s, &end);
	if (end == s || *end != '\0' || !isfinite(v))
		return 0;
	if (v == floor(v) && fabs(v) < 1e18)
		n = snprintf(out, outsz, "%.0f", v);
	else
		n = snprintf(out, outsz, "%.15g", v);
	if (n > 0 && (size_t)n < outsz && memchr(out, 'e', (size_t)n) != NULL) {
		char plain[256];

		n = value_unexponent(out, (size_t)n, plain, sizeof(plain)) ? snprintf(out, outsz, "%s", plain) : n;
	}
	return n > 0 && (size_t)n < outsz ? (size_t)n : 0;
}

bool
xlsx_format_is_date(const char *code)
{
	const char *p;

	for (p = code; *p != '\0'; p++) {
		if (*p == '"') {
			if ((p = strchr(p + 1, '"')) == NULL)
				return false;
		} else if (*p == '\\' || *p == '_' || *p == '*') {
			if (*++p == '\0')
				return false;
		} else if (*p == '[') {
			/* [h] is a duration; [Red], [$EUR-40C] are not dates */
			if (strchr("hHmMsS", p[1]) != NULL && p[1] != '\0')
				return true;
			if ((p = strchr(p, ']')) == NULL)
				return false;
		} else if (strchr("yYdDhHsS", *p) != NULL) {
			return true;
		} else if (*p == 'm' || *p == 'M') {
			return true;
		} else if (strncmp(p, "General", 7) == 0) {
			p += 6;
		}
	}
	return false;
}

static int
hex4(const char *p)
{
	int v = 0, i;

	for (i = 0; i < 4; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

size_t
xlsx_unescape(char *s, size_t n)
{
	size_t i, o = 0;
	int v;

	if (memmem(s, n, "_x", 2) == NULL)
		return n;
	for (i = 0; i < n; i++) {
		if (i + 7 <= n && s[i] == '_' && s[i + 1] == 'x' && s[i + 6] == '_' && (v = hex4(s + i + 2)) > 0 && v < 0x80) {
			s[o++] = (char)v;
			i += 6;
		} else {
			s[o++] = s[i];
		}
	}
	return o;
}
