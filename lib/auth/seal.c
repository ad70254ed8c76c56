#include "auth/seal.h"

#include <sodium.h>
#include <string.h>

#include "auth/signed.h"
#include "core/banned.h"

#define PREFIX "v1."
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define SEALED_MAX 16384

_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32, "a key is 32 bytes");

static const char purpose[] = "souk secrets at rest v1";

const char *
seal_text(struct ctx *c, const char *place, const void *text, size_t n)
{
	unsigned char key[32], *bin;
	size_t all = NONCE + n + TAG, outsz = sodium_base64_ENCODED_LEN(all, VARIANT);
	char *out;

	if (outsz > SEALED_MAX || !signed_key(purpose, key))
		return NULL;
	bin = arena_alloc(c->a, all);
	out = arena_alloc(c->a, PREFIX_LEN + outsz);
	randombytes_buf(bin, NONCE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(bin + NONCE, NULL, text, n, (const unsigned char *)place, strlen(place), NULL, bin, key);
	sodium_memzero(key, sizeof(key));
	memcpy(out, PREFIX, PREFIX_LEN);
	sodium_bin2base64(out + PREFIX_LEN, outsz, bin, all, VARIANT);
	return out;
}

const char *
seal_open(struct ctx *c, const char *place, const char *sealed, size_t *n)
{
	unsigned char key[32], *bin, *plain;
	size_t len = strlen(sealed), all;
	unsigned long long got;
	bool ok;

	if (len > SEALED_MAX || strncmp(sealed, PREFIX, PREFIX_LEN) != 0)
		return NULL;
	bin = arena_alloc(c->a, len);
	if (sodium_base642bin(bin, len, sealed + PREFIX_LEN, len - PREFIX_LEN, NULL, &all, NULL, VARIANT) != 0 || all < NONCE + TAG ||
	    !signed_key(purpose, key))
		return NULL;
	plain = arena_alloc(c->a, all + 1);
	ok = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &got, NULL, bin + NONCE, all - NONCE, (const unsigned char *)place, strlen(place),
		bin, key) == 0;
	sodium_memzero(key, sizeof(key));
	if (!ok)
		return NULL;
	plain[got] = '\0';
	*n = (size_t)got;
	return (const char *)plain;
}
