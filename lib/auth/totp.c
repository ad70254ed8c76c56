/* Time-based one-time passwords; see totp.h. */
#include "auth/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/signed.h"
#include "core/banned.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEALED (NONCE + TOTP_KEY_LEN + TAG)

static const char purpose[] = "souk totp keys v1";

void
totp_code(const unsigned char key[TOTP_KEY_LEN], int64_t step, char out[TOTP_DIGITS + 1])
{
	unsigned char message[8], mac[EVP_MAX_MD_SIZE];
	unsigned n = 0, at;
	uint32_t value;

	for (int i = 0; i < 8; i++)
		message[i] = (unsigned char)((uint64_t)step >> (8 * (7 - i)));
	if (HMAC(EVP_sha1(), key, TOTP_KEY_LEN, message, sizeof(message), mac, &n) == NULL || n < 20) {
		memset(out, 'x', TOTP_DIGITS);	/* no code is that */
		out[TOTP_DIGITS] = '\0';
		return;
	}
	at = mac[n - 1] & 15;
	value = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 | mac[at + 3];
	(void)snprintf(out, TOTP_DIGITS + 1, "%06u", value % 1000000);
}

int64_t
totp_match(const unsigned char key[TOTP_KEY_LEN], const char *code, int64_t now_s)
{
	char right[TOTP_DIGITS + 1];
	int64_t now = now_s / TOTP_STEP_S, found = 0;

	if (strnlen(code, TOTP_DIGITS + 1) != TOTP_DIGITS)
		return 0;
	for (int64_t step = now - 1; step <= now + 1; step++) {
		totp_code(key, step, right);
		if (sodium_memcmp(right, code, TOTP_DIGITS) == 0)
			found = step;
	}
	return found;
}

void
totp_base32(const unsigned char key[TOTP_KEY_LEN], char out[TOTP_BASE32_LEN + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint64_t bits = 0;
	int have = 0, n = 0;

	for (int i = 0; i < TOTP_KEY_LEN; i++) {
		bits = bits << 8 | key[i];
		for (have += 8; have >= 5; have -= 5)
			out[n++] = digits[bits >> (have - 5) & 31];
	}
	out[n] = '\0';
}

const char *
totp_seal(struct ctx *c, const char *account, const unsigned char key[TOTP_KEY_LEN])
{
	unsigned char under[32], bin[SEALED];
	char *hex = arena_alloc(c->a, 2 * SEALED + 1);

	if (!signed_key(purpose, under))
		return NULL;
	randombytes_buf(bin, NONCE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(bin + NONCE, NULL, key, TOTP_KEY_LEN, (const unsigned char *)account, strlen(account), NULL,
		bin, under);
	sodium_memzero(under, sizeof(under));
	return sodium_bin2hex(hex, 2 * SEALED + 1, bin, SEALED);
}

bool
totp_open(const char *account, const char *sealed, unsigned char key[TOTP_KEY_LEN])
{
	unsigned char under[32], bin[SEALED];
	size_t n;
	bool ok;

	if (sodium_hex2bin(bin, sizeof(bin), sealed, strlen(sealed), NULL, &n, NULL) != 0 || n != SEALED || !signed_key(purpose, under))
		return false;
	ok = crypto_aead_xchacha20poly1305_ietf_decrypt(key, NULL, NULL, bin + NONCE, SEALED - NONCE, (const unsigned char *)account,
		strlen(account), bin, under) == 0;
	sodium_memzero(under, sizeof(under));
	return ok;
}
