/* See utf8.h and, for utf8_valid and utf8_length, json.h. */
#include "core/banned.h"
#include "core/json.h"
#include "core/utf8.h"

static int
continues(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

size_t
utf8_step(const unsigned char *s, size_t n)
{
	unsigned char c = s[0], lo = 0x80, hi = 0xBF;

	if (c < 0x80)
		return 1;
	if (c < 0xC2 || c > 0xF4 || n < 2)
		return 0;
	/* The second byte's range shuts out overlong forms, surrogates and what lies above U+10FFFF. */
	if (c == 0xE0)
		lo = 0xA0;
	else if (c == 0xED)
		hi = 0x9F;
	else if (c == 0xF0)
		lo = 0x90;
	else if (c == 0xF4)
		hi = 0x8F;
	if (s[1] < lo || s[1] > hi)
		return 0;
	if (c < 0xE0)
		return 2;
	if (n < 3 || !continues(s[2]))
		return 0;
	if (c < 0xF0)
		return 3;
	return n >= 4 && continues(s[3]) ? 4 : 0;
}

size_t
utf8_cut(const char *s, size_t n, size_t max)
{
	if (n <= max)
		return n;
	while (max > 0 && continues((unsigned char)s[max]))
		max--;
	return max;
}

size_t
utf8_length(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !continues((unsigned char)s[i]);
	return count;
}

bool
utf8_valid(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t step;

	for (size_t i = 0; i < n; i += step)
		if ((step = utf8_step(p + i, n - i)) == 0)
			return false;
	return true;
}

bool
utf8_has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			return true;
	return false;
}
