/* Signed handles; see signed.h. */
#include "auth/signed.h"

#include <sodium.h>
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"

#define MAC_LEN 16
#define EXPIRY_LEN 8
#define BIN_MAX (EXPIRY_LEN + SIGNED_ID_MAX + MAC_LEN)
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(SIGNED_KIND + 1 + (BIN_MAX * 4 + 2) / 3 + 1 <= SIGNED_MAX, "the longest handle does not fit");
_Static_assert(crypto_generichash_KEYBYTES == 32, "a key is 32 bytes");

bool
signed_key(const char *purpose, unsigned char key[32])
{
	const char *pepper = cfg_str("TOKEN_PEPPER");
	unsigned char whole[crypto_generichash_KEYBYTES];
	bool ok;

	if (pepper[0] == '\0' || sodium_init() < 0)
		return false;
	/* the pepper has any length, a key 32 bytes */
	ok = crypto_generichash(whole, sizeof(whole), (const unsigned char *)pepper, strlen(pepper), NULL, 0) == 0 &&
	    crypto_generichash(key, 32, (const unsigned char *)purpose, strlen(purpose), whole, sizeof(whole)) == 0;
	sodium_memzero(whole, sizeof(whole));
	return ok;
}

static bool
mac_of(const char *kind, const unsigned char *bin, size_t n, unsigned char mac[MAC_LEN])
{
	static unsigned char key[32];
	static bool ready;
	crypto_generichash_state st;

	if (!ready)
		ready = signed_key("souk signed handles v1", key);
	if (!ready)
		return false;
	(void)crypto_generichash_init(&st, key, sizeof(key), MAC_LEN);
	(void)crypto_generichash_update(&st, (const unsigned char *)kind, SIGNED_KIND + 1);
	(void)crypto_generichash_update(&st, bin, n);
	return crypto_generichash_final(&st, mac, MAC_LEN) == 0;
}

static bool
kind_ok(const char *kind)
{
	return strlen(kind) == SIGNED_KIND && strspn(kind, "abcdefghijklmnopqrstuvwxyz") == SIGNED_KIND;
}

static bool
id_ok(const char *id, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (id[i] < 0x21 || id[i] > 0x7e)
			return false;
	return n > 0 && n <= SIGNED_ID_MAX;
}

bool
signed_is(const char *kind, const char *text)
{
	return strncmp(text, kind, SIGNED_KIND) == 0 && text[SIGNED_KIND] == '_';
}

enum err
signed_make(struct ctx *c, const char *kind, const char *id, int64_t expires_at, char out[SIGNED_MAX])
{
	unsigned char bin[BIN_MAX];
	size_t n = strlen(id);

	out[0] = '\0';
	if (!kind_ok(kind) || !id_ok(id, n) || expires_at < 0)
		return fail(c, E_INTERNAL, NULL);
	for (int i = 0; i < EXPIRY_LEN; i++)
		bin[i] = (unsigned char)((uint64_t)expires_at >> (8 * (EXPIRY_LEN - 1 - i)));
	for (size_t i = 0; i < n; i++)
		bin[EXPIRY_LEN + i] = (unsigned char)id[i];
	if (!mac_of(kind, bin, EXPIRY_LEN + n, bin + EXPIRY_LEN + n)) {
		log_event(LOG_ERROR_, c, "TOKEN_PEPPER is not set: nothing can be signed");
		return fail(c, E_UNAVAILABLE, NULL);
	}
	memcpy(out, kind, SIGNED_KIND);
	out[SIGNED_KIND] = '_';
	sodium_bin2base64(out + SIGNED_KIND + 1, SIGNED_MAX - SIGNED_KIND - 1, bin, EXPIRY_LEN + n + MAC_LEN, VARIANT);
	return E_OK;
}

/* The bytes of a handle whose form and signature are right; 0 for any other. */
static size_t
open_handle(const char *kind, const char *text, unsigned char bin[BIN_MAX])
{
	unsigned char mac[MAC_LEN];
	size_t n, len = strnlen(text, SIGNED_MAX);
	const char *end;

	if (!kind_ok(kind) || len == SIGNED_MAX || !signed_is(kind, text))
		return 0;
	text += SIGNED_KIND + 1;
	if (sodium_base642bin(bin, BIN_MAX, text, len - SIGNED_KIND - 1, NULL, &n, &end, VARIANT) != 0 || *end != '\0' ||
	    n <= EXPIRY_LEN + MAC_LEN)
		return 0;
	if (!mac_of(kind, bin, n - MAC_LEN, mac) || sodium_memcmp(mac, bin + n - MAC_LEN, MAC_LEN) != 0)
		return 0;
	return id_ok((const char *)bin + EXPIRY_LEN, n - EXPIRY_LEN - MAC_LEN) ? n : 0;
}

enum err
signed_check(struct ctx *c, const char *kind, const char *text, const char **id)
{
	unsigned char bin[BIN_MAX];
	size_t n = open_handle(kind, text, bin);
	uint64_t expiry = 0;

	*id = NULL;
	for (int i = 0; i < EXPIRY_LEN && n > 0; i++)
		expiry = expiry << 8 | bin[i];
	if (n == 0 || (expiry != 0 && expiry <= (uint64_t)(wall_ms() / 1000))) {
		log_event(LOG_INFO_, c, "handle refused", LOG_S("kind", kind), LOG_S("reason", n == 0 ? "signature" : "expired"));
		return fail(c, E_UNAUTHENTICATED, NULL);
	}
	*id = arena_strndup(c->a, (const char *)bin + EXPIRY_LEN, n - EXPIRY_LEN - MAC_LEN);
	return E_OK;
}
