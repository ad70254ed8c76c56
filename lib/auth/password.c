/* Passwords of people; see password.h. */
#include "auth/password.h"

#include <sodium.h>
#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/log.h"
#include "core/json.h"

_Static_assert(PASSWORD_HASH_MAX >= crypto_pwhash_argon2id_STRBYTES, "a hash does not fit");

static unsigned long long
rounds(void)
{
	return (unsigned long long)cfg_int("PASSWORD_ROUNDS");
}

static size_t
memory(void)
{
	return (size_t)cfg_int("PASSWORD_MEMORY_MB") << 20;
}

enum err
password_hash(struct ctx *c, const char *password, char out[PASSWORD_HASH_MAX])
{
	size_t n = strnlen(password, PASSWORD_MAX + 1);

	if (n > PASSWORD_MAX || !utf8_valid(password, n) || utf8_length(password, n) < PASSWORD_MIN)
		return fail(c, E_INVALID, "password: %d characters to %d bytes", PASSWORD_MIN, PASSWORD_MAX);
	if (crypto_pwhash_argon2id_str(out, password, n, rounds(), memory()) == 0)
		return E_OK;
	log_event(LOG_ERROR_, c, "not enough memory to hash a password", LOG_I("bytes", memory()));
	return fail(c, E_UNAVAILABLE, NULL);
}

bool
password_verify(const char *hash, const char *password)
{
	unsigned char out[32];
	static const unsigned char salt[crypto_pwhash_argon2id_SALTBYTES];
	size_t n = strnlen(password, PASSWORD_MAX + 1);
	bool fits = n <= PASSWORD_MAX;

	if (!fits)
		n = PASSWORD_MAX;
	if (hash != NULL)
		return crypto_pwhash_argon2id_str_verify(hash, password, n) == 0 && fits;
	/* the work is what counts; its result fits nothing */
	return crypto_pwhash_argon2id(out, sizeof(out), password, n, salt, rounds(), memory(), crypto_pwhash_argon2id_ALG_ARGON2ID13) == 1;
}

bool
password_is_old(const char *hash)
{
	return crypto_pwhash_argon2id_str_needs_rehash(hash, rounds(), memory()) != 0;
}
