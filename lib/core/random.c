/* See random.h. */
#include "core/banned.h"
#include "core/failstop.h"
#include "core/random.h"

#include <sodium.h>

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

void
random_uuid(char out[37])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[16];
	char *p = out;

	fill(raw, sizeof raw);
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
