/*
 * The gate before json-c: one pass, no allocation, no recursion.  json-c 0.16 in its strictest mode accepts texts that RFC 8259
 * refuses (-01, 2., NaN, {'a':0}, raw newlines in strings) and changes values silently (numbers are clamped, names end at
 * \u0000), so only what passes here reaches it.
 *
 * The stack is a byte per open bracket: the bracket that has to close it.
 */
#include "core/json.h"
#include "core/utf8.h"

#include <string.h>

#define EXPONENT_MAX 300

struct scan {
	const unsigned char *p;
	size_t i, n;		/* position, length */
	const char *why;	/* set by what returns false */
	bool is_json;		/* the fault is a value, not the grammar */
};

static bool
refuse(struct scan *s, const char *why)
{
	s->why = s->i >= s->n ? "text ends too early" : why;
	return false;
}

/* As refuse, at a place that was already passed. */
static bool
refuse_at(struct scan *s, size_t at, const char *why)
{
	s->i = at;
	s->why = why;
	return false;
}

/* What is JSON, but not for us. */
static bool
refuse_value(struct scan *s, size_t at, const char *why)
{
	s->is_json = true;
	return refuse_at(s, at, why);
}

static int
peek(const struct scan *s)
{
	return s->i < s->n ? s->p[s->i] : -1;
}

static void
skip_space(struct scan *s)
{
	while (s->i < s->n && (s->p[s->i] == ' ' || s->p[s->i] == '\n' || s->p[s->i] == '\r' || s->p[s->i] == '\t'))
		s->i++;
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
hex4(struct scan *s, unsigned *out)
{
	unsigned v = 0;

	for (int k = 0; k < 4; k++, s->i++) {
		int c = peek(s);

		if (is_digit(c))
			v = v * 16 + (unsigned)(c - '0');
		else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
			v = v * 16 + (unsigned)((c | 0x20) - 'a' + 10);
		else
			return refuse(s, "\\u needs four hexadecimal digits");
	}
	*out = v;
	return true;
}

/* Behind the 'u' of an escape that began at start. */
static bool
unicode_escape(struct scan *s, size_t start)
{
	unsigned high, low;

	if (!hex4(s, &high))
		return false;
	if (high == 0)
		return refuse_value(s, start, "\\u0000 cannot be stored");
	if (high < 0xD800 || high > 0xDFFF)
		return true;
	if (high > 0xDBFF || peek(s) != '\\' || s->i + 1 >= s->n || s->p[s->i + 1] != 'u')
		return refuse_at(s, start, "lone surrogate");
	s->i += 2;
	if (!hex4(s, &low))
		return false;
	if (low < 0xDC00 || low > 0xDFFF)
		return refuse_at(s, start, "lone surrogate");
	return true;
}

static bool
escape(struct scan *s)
{
	size_t start = s->i++;
	int c = peek(s);

	if (c < 0)
		return refuse(s, NULL);
	if (c == 0 || strchr("\"\\/bfnrtu", c) == NULL)
		return refuse(s, "unknown escape in a string");
	s->i++;
	return c != 'u' || unicode_escape(s, start);
}

/* A string, at its opening quote. */
static bool
string(struct scan *s)
{
	size_t step;

	for (s->i++; s->i < s->n;) {
		unsigned char c = s->p[s->i];

		if (c == '"') {
			s->i++;
			return true;
		}
		if (c == '\\') {
			if (!escape(s))
				return false;
		} else if (c < 0x20) {
			return refuse(s, "control character in a string");
		} else if (c < 0x80) {
			s->i++;
		} else if ((step = utf8_step(s->p + s->i, s->n - s->i)) > 0) {
			s->i += step;
		} else {
			return refuse(s, "invalid UTF-8");
		}
	}
	return refuse(s, NULL);
}

/* At least one digit; *v is their value, saturated above any limit asked for here. */
static bool
digits(struct scan *s, uint64_t *v)
{
	const uint64_t top = UINT64_MAX / 10 - 1;
	uint64_t sum = 0;

	if (!is_digit(peek(s)))
		return refuse(s, "digit expected");
	for (; is_digit(peek(s)); s->i++)
		sum = sum > top ? UINT64_MAX : sum * 10 + (uint64_t)(s->p[s->i] - '0');
	*v = sum;
	return true;
}

static bool
exponent(struct scan *s)
{
	size_t start = s->i++;
	uint64_t v = 0;

	if (peek(s) == '+' || peek(s) == '-')
		s->i++;
	if (!digits(s, &v))
		return false;
	return v <= EXPONENT_MAX || refuse_value(s, start, "exponent above 300");
}

static bool
number(struct scan *s)
{
	size_t start = s->i, first;
	bool negative = peek(s) == '-', whole = true;
	uint64_t v = 0, unused = 0;

	s->i += negative;
	first = s->i;
	if (!digits(s, &v))
		return false;
	if (s->p[first] == '0' && s->i > first + 1)
		return refuse_at(s, first, "number begins with 0");
	if (peek(s) == '.') {
		whole = false;
		s->i++;
		if (!digits(s, &unused))
			return false;
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		whole = false;
		if (!exponent(s))
			return false;
	}
	if (s->i - start > JSON_NUMBER_MAX)
		return refuse_value(s, start, "number longer than 128 bytes");
	if (whole && v > (uint64_t)INT64_MAX + negative)
		return refuse_value(s, start, "integer outside 64 bits");
	return true;
}

static bool
word(struct scan *s, const char *w)
{
	size_t n = strlen(w);

	if (s->n - s->i < n || memcmp(s->p + s->i, w, n) != 0)
		return refuse_at(s, s->i, "unexpected character");
	s->i += n;
	return true;
}

static bool
scalar(struct scan *s)
{
	int c = peek(s);

	if (c == '"')
		return string(s);
	if (c == '-' || is_digit(c))
		return number(s);
	if (c == 't')
		return word(s, "true");
	if (c == 'f')
		return word(s, "false");
	if (c == 'n')
		return word(s, "null");
	if (s->i == 0 && s->n >= 3 && memcmp(s->p, "\xEF\xBB\xBF", 3) == 0)
		return refuse(s, "byte order mark");
	return refuse(s, "unexpected character");
}

/* A member's name and its colon. */
static bool
name(struct scan *s, size_t *members)
{
	if (peek(s) != '"')
		return refuse(s, peek(s) == '}' ? "comma before }" : "member name in quotes expected");
	if (!string(s))
		return false;
	++*members;
	skip_space(s);
	if (peek(s) != ':')
		return refuse(s, "colon expected");
	s->i++;
	skip_space(s);
	return true;
}

/*
 * After a value: close brackets, or pass one comma (and the next member's name).  Returns with *depth 0 at the end of the
 * outermost value, otherwise where a value has to begin.
 */
static bool
after_value(struct scan *s, const unsigned char *stack, unsigned *depth, size_t *members)
{
	for (skip_space(s); *depth > 0; skip_space(s)) {
		unsigned char close = stack[*depth - 1];

		if (peek(s) == close) {
			s->i++;
			--*depth;
			continue;
		}
		if (peek(s) != ',')
			return refuse(s, close == ']' ? "comma or ] expected" : "comma or } expected");
		s->i++;
		skip_space(s);
		if (close == '}')
			return name(s, members);
		return peek(s) != ']' || refuse(s, "comma before ]");
	}
	return true;
}

/* A value; brackets are opened until a scalar, or an empty bracket's end, is reached. */
static bool
value(struct scan *s, unsigned char *stack, unsigned *depth, size_t *members)
{
	while (peek(s) == '[' || peek(s) == '{') {
		unsigned char close = peek(s) == '[' ? ']' : '}';

		if (*depth == JSON_DEPTH_MAX)
			return refuse(s, "nesting deeper than 32");
		stack[(*depth)++] = close;
		s->i++;
		skip_space(s);
		if (peek(s) == close)
			return true;
		if (close == '}' && !name(s, members))
			return false;
	}
	return scalar(s);
}

bool
json_gate(const char *p, size_t n, size_t *members, struct json_fault *fault)
{
	struct scan s = { .p = (const unsigned char *)p, .n = n };
	unsigned char stack[JSON_DEPTH_MAX];
	unsigned depth = 0;
	size_t count = 0;
	bool ok;

	skip_space(&s);
	do
		ok = value(&s, stack, &depth, &count) && after_value(&s, stack, &depth, &count);
	while (ok && depth > 0);
	if (ok && s.i < n)
		ok = refuse(&s, "text after the value");
	if (members != NULL)
		*members = count;
	*fault = (struct json_fault){ s.i, ok ? NULL : s.why, s.is_json };
	return ok;
}
