/*
 * Masking by member names.  One pass over JSON text that is known to be valid: it hops from quote to quote, looks at each member's name, and skips
 * the value of those that identify a person or a means of payment.
 */
#include <stdint.h>
#include <string.h>

#include "core/banned.h"
#include "tool/record.h"

#define NAME_KEPT 48	/* longer member names are compared by their beginning */

/* A member is masked when its name, in lower case and without '_' and '-', contains one of these ... */
static const char *const parts[] = {
	"email", "phone", "address", "password", "passwd", "secret", "iban", "cardnumber", "creditcard", "paymentmethod", "postalcode",
	"zipcode", "firstname", "lastname", "fullname", "birthdate", "apikey", "accesstoken",
};
/* ... or is one of these. */
static const char *const wholes[] = {
	"mail", "tel", "mobile", "street", "street1", "street2", "line1", "line2", "cvc", "cvv", "pan", "card", "token", "city", "customername",
	"recipient", "ip", "ipaddress", "guest", "onetimecode",
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))
#define WHOLES (sizeof(wholes) / sizeof(wholes[0]))

/*
 * The characters that occur in each word, as a set: most names are ruled out by one look at all of them.  The number of rows is a round one, so that
 * the compiler looks at several at once; a row without a word holds what no name has.
 */
#define ROWS 20

static uint32_t part_letters[ROWS], whole_letters[ROWS];

static uint32_t
letter(char ch)
{
	return 1u << ((unsigned char)ch & 31);
}

static void
rows_prepare(uint32_t *rows, const char *const *words, size_t n)
{
	for (size_t i = 0; i < ROWS; i++)
		rows[i] = i < n ? 0 : UINT32_MAX;
	for (size_t i = 0; i < n; i++)
		for (const char *p = words[i]; *p != '\0'; p++)
			rows[i] |= letter(*p);
}

static bool
word_fits(const char *name, uint32_t letters)
{
	for (size_t i = 0; i < PARTS; i++)
		if ((part_letters[i] & ~letters) == 0 && strstr(name, parts[i]) != NULL)
			return true;
	for (size_t i = 0; i < WHOLES; i++)
		if (whole_letters[i] == letters && strcmp(name, wholes[i]) == 0)
			return true;
	return false;
}

static bool
name_is_private(const char *p, size_t n)
{
	char name[NAME_KEPT + 1];
	uint32_t letters = 0;
	unsigned candidates = 0;
	size_t k = 0;

	_Static_assert(PARTS <= ROWS && WHOLES <= ROWS, "more words than rows");
	if (part_letters[0] == 0) {
		rows_prepare(part_letters, parts, PARTS);
		rows_prepare(whole_letters, wholes, WHOLES);
	}
	for (size_t i = 0; i < n && k < NAME_KEPT; i++) {
		if (p[i] == '_' || p[i] == '-')
			continue;
		name[k] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] + ('a' - 'A')) : p[i];
		letters |= letter(name[k++]);
	}
	name[k] = '\0';
	for (size_t i = 0; i < ROWS; i++)
		candidates |= (unsigned)((part_letters[i] & ~letters) == 0) | (unsigned)(whole_letters[i] == letters);
	return candidates != 0 && word_fits(name, letters);
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

/* The longest beginning of p[n] of at most *max characters; *max is reduced by what was taken, or by more when that spares counting. */
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
	size_t kept = max;
	const char *end = p + take(p, n, &kept), *from = p;

	while (p < end) {
		const char *open = memchr(p, '"', (size_t)(end - p)), *close, *colon;

		if (open == NULL)
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
