/* The text of a token: mcp_key_<id>_<secret><checksum>, and the hash of its secret. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "auth/token_internal.h"
#include "core/config.h"
#include "core/random.h"

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#define PREFIX_LEN (sizeof(TOKEN_PREFIX) - 1)
#define SECRET_AT (PREFIX_LEN + TOKEN_ID_LEN + 1)
#define SUM_AT (SECRET_AT + TOKEN_SECRET_LEN)
#define TEXT_LEN (SUM_AT + TOKEN_SUM_LEN)

/* CRC-32 of id_secret, six digits of base 62, most significant first. */
static void
checksum(const char *text, char out[TOKEN_SUM_LEN])
{
	unsigned long crc = crc32(0, (const unsigned char *)text + PREFIX_LEN, (unsigned)(SUM_AT - PREFIX_LEN));

	for (int i = TOKEN_SUM_LEN - 1; i >= 0; i--) {
		out[i] = digits[crc % 62];
		crc /= 62;
	}
}

static bool
is_base62(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= 'a' && p[i] <= 'z')))
			return false;
	return true;
}

bool
token_parse(const char *text, char id[TOKEN_ID_LEN + 1], const char **secret)
{
	char sum[TOKEN_SUM_LEN];

	if (strnlen(text, TEXT_LEN + 1) != TEXT_LEN || memcmp(text, TOKEN_PREFIX, PREFIX_LEN) != 0 ||
	    !is_base62(text + PREFIX_LEN, TOKEN_ID_LEN) || text[SECRET_AT - 1] != '_' ||
	    !is_base62(text + SECRET_AT, TEXT_LEN - SECRET_AT))
		return false;
	checksum(text, sum);
	if (memcmp(sum, text + SUM_AT, TOKEN_SUM_LEN) != 0)
		return false;
	memcpy(id, text + PREFIX_LEN, TOKEN_ID_LEN);
	id[TOKEN_ID_LEN] = '\0';
	*secret = text + SECRET_AT;
	return true;
}

/* The pepper has any length, the key of BLAKE2b 32 bytes. */
static const unsigned char *
hash_key(void)
{
	static unsigned char key[crypto_generichash_KEYBYTES];
	static bool ready;
	const char *pepper;

	if (ready)
		return key;
	pepper = cfg_str("TOKEN_PEPPER");
	if (pepper[0] == '\0' || sodium_init() < 0)
		return NULL;
	(void)crypto_generichash(key, sizeof(key), (const unsigned char *)pepper, strlen(pepper), NULL, 0);
	ready = true;
	return key;
}

bool
token_hash(const char *secret, unsigned char hash[TOKEN_HASH_LEN])
{
	const unsigned char *key = hash_key();

	return key != NULL && crypto_generichash(hash, TOKEN_HASH_LEN, (const unsigned char *)secret, TOKEN_SECRET_LEN, key,
		crypto_generichash_KEYBYTES) == 0;
}

bool
token_new(char out[TOKEN_TEXT_MAX], struct token_text *t)
{
	char secret[TOKEN_SECRET_LEN + 1];
	bool ok;

	random_base62(t->id, TOKEN_ID_LEN);
	random_base62(secret, TOKEN_SECRET_LEN);
	ok = token_hash(secret, t->hash);
	(void)snprintf(out, TOKEN_TEXT_MAX, TOKEN_PREFIX "%s_%s", t->id, secret);
	checksum(out, out + SUM_AT);
	out[TEXT_LEN] = '\0';
	sodium_memzero(secret, sizeof(secret));
	return ok;
}
