#include "shop/encoding.h"

#include <stdint.h>
#include <string.h>

/* Windows-1252, 0x80..0x9f (https://encoding.spec.whatwg.org/index-windows-1252.txt); the rest is Latin-1. */
static const uint16_t windows_1252[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
	0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178
};

/* Do the first characters, which are ASCII in the head of any file, have their zero bytes at odd (1) or even (0) places? */
static bool
zeros_at(const unsigned char *p, size_t n, size_t place)
{
	size_t i, end = n < 64 ? n & ~(size_t)1 : 64;

	for (i = 0; i < end; i++) {
		if ((p[i] == 0) != (i % 2 == place))
			return false;
	}
	return end >= 8;
}

void
encoding_init(struct encoder *e, const unsigned char *p, size_t n, size_t *skip)
{
	memset(e, 0, sizeof(*e));
	*skip = 0;
	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		e->is = ENC_UTF8;
		*skip = 3;
	} else if (n >= 2 && p[0] == 0xff && p[1] == 0xfe) {
		e->is = ENC_UTF16LE;
		*skip = 2;
	} else if (n >= 2 && p[0] == 0xfe && p[1] == 0xff) {
		e->is = ENC_UTF16BE;
		*skip = 2;
	} else if (zeros_at(p, n, 1)) {
		e->is = ENC_UTF16LE;
	} else if (zeros_at(p, n, 0)) {
		e->is = ENC_UTF16BE;
	}
}

const char *
encoding_name(enum encoding e)
{
	switch (e) {
	case ENC_WINDOWS_1252:
		return "Windows-1252";
	case ENC_UTF16LE:
	case ENC_UTF16BE:
		return "UTF-16";
	default:
		return "UTF-8";
	}
}

static size_t
put_utf8(unsigned char *out, uint32_t u)
{
	if (u < 0x80) {
		out[0] = (unsigned char)u;
		return 1;
	}
	if (u < 0x800) {
		out[0] = (unsigned char)(0xc0 | u >> 6);
		out[1] = (unsigned char)(0x80 | (u & 0x3f));
		return 2;
	}
	if (u < 0x10000) {
		out[0] = (unsigned char)(0xe0 | u >> 12);
		out[1] = (unsigned char)(0x80 | (u >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (u & 0x3f));
		return 3;
	}
	out[0] = (unsigned char)(0xf0 | u >> 18);
	out[1] = (unsigned char)(0x80 | (u >> 12 & 0x3f));
	out[2] = (unsigned char)(0x80 | (u >> 6 & 0x3f));
	out[3] = (unsigned char)(0x80 | (u & 0x3f));
	return 4;
}

/* Length of the UTF-8 sequence at p: 1..4, 0 when invalid, -1 when the n bytes are a valid beginning only. */
static int
sequence(const unsigned char *p, size_t n)
{
	unsigned char c = p[0], lo = 0x80, hi = 0xbf;
	int len, i;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c == 0xe0)
		lo = 0xa0;
	else if (c == 0xed)
		hi = 0x9f;
	else if (c == 0xf0)
		lo = 0x90;
	else if (c == 0xf4)
		hi = 0x8f;
	for (i = 1; i < len; i++) {
		if ((size_t)i >= n)
			return -1;
		if (p[i] < lo || p[i] > hi)
			return 0;
		lo = 0x80;
		hi = 0xbf;
	}
	return len;
}

/* What are the sequences above ASCII?  *cut: bytes at the end that begin a sequence. */
static enum encoding
decide(const unsigned char *p, size_t n, size_t *cut)
{
	size_t i = 0, good = 0, bad = 0;
	int len;

	*cut = 0;
	while (i < n) {
		len = sequence(p + i, n - i);
		if (len == -1) {
			*cut = n - i;
			break;
		}
		if (len == 0) {
			bad++;
			i++;
			continue;
		}
		if (len > 1)
			good++;
		i += (size_t)len;
	}
	if (good == 0 && bad == 0)
		return ENC_UNDECIDED;
	return good >= bad ? ENC_UTF8 : ENC_WINDOWS_1252;
}

static size_t
from_windows(const unsigned char *p, size_t n, unsigned char *out)
{
	size_t i, o = 0;

	for (i = 0; i < n; i++)
		o += put_utf8(out + o, p[i] >= 0x80 && p[i] < 0xa0 ? windows_1252[p[i] - 0x80] : p[i]);
	return o;
}

/* UTF-16 units to UTF-8; *used tells how many bytes were consumed (a pair is never split unless last). */
static size_t
from_utf16(const unsigned char *p, size_t n, bool big, bool last, unsigned char *out, size_t *used)
{
	size_t i, o = 0;
	uint32_t u, v;

	for (i = 0; i + 1 < n; i += 2) {
		u = big ? (uint32_t)(p[i] << 8 | p[i + 1]) : (uint32_t)(p[i + 1] << 8 | p[i]);
		if (u >= 0xd800 && u < 0xdc00) {
			if (i + 3 >= n && !last)
				break;
			v = i + 3 >= n ? 0 : big ? (uint32_t)(p[i + 2] << 8 | p[i + 3]) : (uint32_t)(p[i + 3] << 8 | p[i + 2]);
			if (v >= 0xdc00 && v < 0xe000) {
				u = 0x10000 + ((u - 0xd800) << 10) + (v - 0xdc00);
				i += 2;
			} else {
				u = 0xfffd;
			}
		} else if (u >= 0xdc00 && u < 0xe000) {
			u = 0xfffd;
		}
		o += put_utf8(out + o, u);
	}
	*used = last ? n : i;
	return o;
}

/* The held bytes are completed from the new ones first, so that the bulk is converted in place. */
static size_t
convert(struct encoder *e, const unsigned char *p, size_t n, bool last, unsigned char *out)
{
	size_t used = n, o;

	if (e->is == ENC_UNDECIDED)
		e->is = decide(p, n, &used);
	else
		used = 0;
	switch (e->is) {
	case ENC_UNDECIDED:
		used = last ? n : n - used;
		if (last && used > 0 && p[used - 1] >= 0x80) {
			/* The file ends inside what might have been a sequence. */
			e->is = ENC_WINDOWS_1252;
			return from_windows(p, n, out);
		}
		memcpy(out, p, used);
		o = used;
		break;
	case ENC_WINDOWS_1252:
		used = n;
		o = from_windows(p, n, out);
		break;
	case ENC_UTF16LE:
	case ENC_UTF16BE:
		o = from_utf16(p, n, e->is == ENC_UTF16BE, last, out, &used);
		break;
	default:
		used = n;
		memcpy(out, p, n);
		o = n;
		break;
	}
	e->nheld = n - used;
	memcpy(e->held, p + used, e->nheld);
	return o;
}

size_t
encoding_convert(struct encoder *e, const unsigned char *p, size_t n, bool last, unsigned char *out)
{
	unsigned char joint[16];
	size_t take, o = 0, had = e->nheld;

	if (had > 0) {
		take = n < sizeof(joint) - had ? n : sizeof(joint) - had;
		memcpy(joint, e->held, had);
		memcpy(joint + had, p, take);
		e->nheld = 0;
		o = convert(e, joint, had + take, last && take == n, out);
		p += take;
		n -= take;
		if (n == 0)
			return o;
		if (e->nheld > 0) {
			/* take leaves at most 3 bytes over; give them back to the chunk they came from */
			p -= e->nheld;
			n += e->nheld;
			e->nheld = 0;
		}
	}
	return o + convert(e, p, n, last, out + o);
}
