/* See random.h. */
#include "core/banned.h"
#include "core/failstop.h"
#include "core/random.h"

#include <sodium.h>
#include <string.h>
#include <unistd.h>

static void
fill(unsigned char *p, size_t n)
{
	static int ready;

	if (!ready) {
		if (sodium_init() < 0)
			failstop("libsodium cannot start");
		ready = 1;
	}
	randombytes_buf(p, n);
}

void
random_base62(char *out, size_t n)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned char raw[64];
	size_t done = 0;

	while (done < n) {
		fill(raw, sizeof raw);
		/* 248 = 4 * 62: what lies above would make the first digits likelier. */
		for (size_t i = 0; i < sizeof raw && done < n; i++)
			if (raw[i] < 248)
				out[done++] = digits[raw[i] % 62];
	}
	out[n] = '\0';
	sodium_memzero(raw, sizeof raw);
}

/* Sixteen bytes of a stock, since each request takes some and asking the kernel costs more than all the rest.  A child makes its own. */
static void
draw(unsigned char raw[16])
{
	static unsigned char stock[16 * 64];
	static size_t left;
	static pid_t owner;

	if (left == 0 || owner != getpid()) {
		fill(stock, sizeof stock);
		left = sizeof stock;
		owner = getpid();
	}
	left -= 16;
	memcpy(raw, stock + left, 16);
	sodium_memzero(stock + left, 16);
}

void
random_uuid(char out[37])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[16];
	char *p = out;

	draw(raw);
	raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x40);	/* version 4 */
	raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);	/* variant of RFC 9562 */
	for (size_t i = 0; i < sizeof raw; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[raw[i] >> 4];
		*p++ = hex[raw[i] & 15];
	}
	*p = '\0';
}
