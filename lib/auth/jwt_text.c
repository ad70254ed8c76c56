#include "auth/jwt_text.h"

#include <jwt.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/json.h"

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define HEAD_MAX 1024
#define COORDINATE 32	/* bytes of a coordinate on P-256 */

bool
jwt_text_head(struct ctx *c, const char *text, const char **alg, const char **kid)
{
	/* libjwt overlooks padding, with which one token would have several texts */
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t n = strcspn(text, "."), len, textsz;
	unsigned char *bin;
	json_object *head;

	if (text[n] != '.' || n == 0 || n > HEAD_MAX || strnlen(text, JWT_TEXT_MAX + 1) > JWT_TEXT_MAX || text[strspn(text, letters)] != '\0')
		return false;
	bin = arena_alloc(c->a, n);
	if (sodium_base642bin(bin, n, text, n, NULL, &len, NULL, VARIANT) != 0)
		return false;
	if (json_parse(c, (const char *)bin, len, &head) != E_OK || !json_object_is_type(head, json_type_object)) {
		ctx_clear_error(c);
		return false;
	}
	/* RFC 7515, 4.1.11: who does not know what is critical must refuse it */
	if (json_object_object_get_ex(head, "crit", NULL) || json_get_string(head, "alg", 1, 16, alg, &textsz) != JSON_OK)
		return false;
	if (json_get_string(head, "kid", 1, 100, kid, &textsz) != JSON_OK)
		*kid = "";
	return true;
}

static void
free_jwt(void *j)
{
	jwt_free(j);
}

bool
jwt_text_verify(struct ctx *c, const char *text, const char *alg, const char *key, size_t keysz, json_object **claims)
{
	jwt_t *j = NULL;
	char *all;
	bool ok;

	if (strnlen(text, JWT_TEXT_MAX + 1) > JWT_TEXT_MAX || keysz == 0 || keysz > INT16_MAX ||
	    jwt_decode(&j, text, (const unsigned char *)key, (int)keysz) != 0)
		return false;
	arena_defer(c->a, free_jwt, j);
	/* libjwt takes the algorithm from the token; it has to be the one that belongs to the key */
	if (jwt_get_alg(j) == JWT_ALG_NONE || jwt_get_alg(j) != jwt_str_alg(alg))
		return false;
	all = jwt_get_grants_json(j, NULL);
	ok = all != NULL && json_parse(c, all, strlen(all), claims) == E_OK && json_object_is_type(*claims, json_type_object);
	free(all);
	if (!ok)
		ctx_clear_error(c);
	return ok;
}

const char *
jwt_text_sign(struct ctx *c, const char *kid, const char *private_pem, const char *claims)
{
	const char *text = NULL;
	jwt_t *j = NULL;
	char *signed_text;

	if (jwt_new(&j) != 0)
		return NULL;
	arena_defer(c->a, free_jwt, j);
	if (jwt_set_alg(j, JWT_ALG_ES256, (const unsigned char *)private_pem, (int)strlen(private_pem)) != 0 ||
	    jwt_add_header(j, "kid", kid) != 0 || jwt_add_grants_json(j, claims) != 0)
		return NULL;
	if ((signed_text = jwt_encode_str(j)) == NULL)
		return NULL;
	text = arena_strdup(c->a, signed_text);
	free(signed_text);
	return text;
}

/* What was written to memory, as text in the arena. */
static const char *
text_of(struct ctx *c, BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);

	return n > 0 ? arena_strndup(c->a, p, (size_t)n) : NULL;
}

static const char *
pem_of(struct ctx *c, EVP_PKEY *key, bool is_private)
{
	BIO *b = BIO_new(BIO_s_mem());
	const char *text = NULL;

	if (b == NULL)
		return NULL;
	if (is_private ? PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) : PEM_write_bio_PUBKEY(b, key))
		text = text_of(c, b);
	BIO_free(b);
	return text;
}

static const char *
base64url(struct ctx *c, const unsigned char *p, size_t n)
{
	size_t outsz = sodium_base64_ENCODED_LEN(n, VARIANT);

	return sodium_bin2base64(arena_alloc(c->a, outsz), outsz, p, n, VARIANT);
}

bool
jwt_pair_make(struct ctx *c, struct jwt_pair *out)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	unsigned char point[1 + 2 * COORDINATE];
	size_t n = 0;

	if (key == NULL)
		return false;
	*out = (struct jwt_pair){ .private_pem = pem_of(c, key, true), .public_pem = pem_of(c, key, false) };
	/* 4, x, y: the uncompressed form */
	if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n) == 1 && n == sizeof(point) && point[0] == 4) {
		out->x = base64url(c, point + 1, COORDINATE);
		out->y = base64url(c, point + 1 + COORDINATE, COORDINATE);
	}
	EVP_PKEY_free(key);
	return out->private_pem != NULL && out->public_pem != NULL && out->x != NULL;
}
