/*
 * Masking by member names.  One pass over JSON text that is known to be valid: it hops from quote to quote, looks at each member's name, and skips
 * the value of those that identify a person or a means of payment.
 */
#include <stdint.h>
#include <string.h>

#include "core/banned.h"
#include "core/json.h"
#include "tool/record.h"

#define NAME_KEPT 48	/* longer member names are compared by their beginning */

/*
 * A member is masked when its name, in lower case and without '_' and '-', contains one of the first list or is one of the second.  letters is the
 * set of characters that occur in the text, which rules out most candidates with one comparison.
 */
static struct word {
	const char *text;
	bool whole;
	uint32_t letters;
} words[] = {
	{ "email", false, 0 }, { "phone", false, 0 }, { "address", false, 0 }, { "password", false, 0 }, { "passwd", false, 0 },
	{ "secret", false, 0 }, { "iban", false, 0 }, { "cardnumber", false, 0 }, { "creditcard", false, 0 }, { "paymentmethod", false, 0 },
	{ "postalcode", false, 0 }, { "zipcode", false, 0 }, { "firstname", false, 0 }, { "lastname", false, 0 }, { "fullname", false, 0 },
	{ "birthdate", false, 0 }, { "apikey", false, 0 }, { "accesstoken", false, 0 },
	{ "mail", true, 0 }, { "tel", true, 0 }, { "mobile", true, 0 }, { "street", true, 0 }, { "street1", true, 0 }, { "street2", true, 0 },
	{ "line1", true, 0 }, { "line2", true, 0 }, { "cvc", true, 0 }, { "cvv", true, 0 }, { "pan", true, 0 }, { "card", true, 0 },
	{ "token", true, 0 }, { "city", true, 0 }, { "customername", true, 0 }, { "recipient", true, 0 }, { "ip", true, 0 },
};

static uint32_t
letter(char ch)
{
	return 1u << ((unsigned char)ch & 31);
}

static void
words_prepare(void)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (const char *p = words[i].text; *p != '\0'; p++)
			words[i].letters |= letter(*p);
}

static bool
name_is_private(const char *p, size_t n)
{
	char name[NAME_KEPT + 1];
	uint32_t letters = 0;
	size_t k = 0;

	if (words[0].letters == 0)
		words_prepare();
	for (size_t i = 0; i < n && k < NAME_KEPT; i++) {
		if (p[i] == '_' || p[i] == '-')
			continue;
		name[k] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] + ('a' - 'A')) : p[i];
		letters |= letter(name[k++]);
	}
	name[k] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct word *w = &words[i];

		if ((letters & w->letters) != w->letters)
			continue;
		if (w->whole ? strcmp(name, w->text) == 0 : strstr(name, w->text) != NULL)
			return true;
	}
	return false;
}

/* p is behind an opening quote; returns the closing one. */
static const char *
string_end(const char *p, const char *end)
{
	for (;;) {
		const char *quote = memchr(p, '"', (size_t)(end - p)), *back;
		size_t slashes = 0;

		if (quote == NULL)
			return end;
		for (back = quote; back > p && back[-1] == '\\'; back--)
			slashes++;
		if (slashes % 2 == 0)
			return quote;
		p = quote + 1;
	}
}

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* Behind the value that begins at p. */
static const char *
skip_value(const char *p, const char *end)
{
	size_t depth = 0;

	while (p < end) {
		if (*p == '"')
			p = string_end(p + 1, end);
		else if (*p == '{' || *p == '[')
			depth++;
		else if (depth == 0 && (*p == ',' || *p == '}' || *p == ']'))
			return p;
		else if (*p == '}' || *p == ']')
			depth--;
		if (p < end)
			p++;
		if (depth == 0 && p < end && (p[-1] == '"' || p[-1] == '}' || p[-1] == ']'))
			return p;
	}
	return end;
}

/* The longest beginning of p[n] of at most *max characters; *max is reduced by what was taken. */
static size_t
take(const char *p, size_t n, size_t *max)
{
	size_t i = 0, chars = 0;

	if (n <= *max) {		/* bytes are at least as many as characters */
		*max -= n;
		return n;
	}
	while (i < n) {
		if (((unsigned char)p[i] & 0xC0) != 0x80 && chars++ == *max)
			break;
		i++;
	}
	*max = chars > *max ? 0 : *max - chars;
	return i;
}

static void
put(struct buf *b, const char *p, const char *to, size_t *max)
{
	if (to > p && *max > 0)
		buf_put(b, p, take(p, (size_t)(to - p), max));
}

void
record_mask(struct buf *b, const char *p, size_t n, size_t max)
{
	static const char redacted[] = "\"[REDACTED]\"";
	const char *end = p + n, *from = p;

	while (p < end) {
		const char *open = memchr(p, '"', (size_t)(end - p)), *close, *colon;

		/* what is beyond max need not be read */
		if (open == NULL || ((size_t)(open - from) > max && utf8_length(from, (size_t)(open - from)) > max))
			break;
		close = string_end(open + 1, end);
		p = close < end ? close + 1 : end;
		colon = skip_blanks(p, end);
		if (colon == end || *colon != ':' || !name_is_private(open + 1, (size_t)(close - open - 1)))
			continue;
		p = skip_blanks(colon + 1, end);
		put(b, from, p, &max);
		put(b, redacted, redacted + sizeof(redacted) - 1, &max);
		p = from = skip_value(p, end);
	}
	put(b, from, end, &max);
}
