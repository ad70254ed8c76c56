#include "mcp/state.h"

#include <sodium.h>
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"

#define PREFIX "v1."
#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define EXPIRY 8
#define TEXT_MAX 65536

static bool
make_key(unsigned char key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES])
{
	static const char purpose[] = "souk requestState v1";
	const char *pepper = cfg_str("TOKEN_PEPPER");
	size_t n = strlen(pepper);

	if (n == 0)
		return false;
	return crypto_generichash(key, crypto_aead_xchacha20poly1305_ietf_KEYBYTES, (const unsigned char *)purpose, sizeof(purpose) - 1,
		(const unsigned char *)pepper, n > crypto_generichash_KEYBYTES_MAX ? crypto_generichash_KEYBYTES_MAX : n) == 0;
}

static void
put_part(struct buf *b, const char *text, size_t n)
{
	buf_printf(b, "%zu:", n);
	buf_put(b, text, n);
}

static void
put_member(struct mcp_call *call, struct buf *b, const char *name)
{
	json_object *v = NULL;
	const char *text = "";
	size_t n = 0;

	if (call->m->params != NULL && json_object_object_get_ex(call->m->params, name, &v))
		text = json_text(call->c, v, &n);
	put_part(b, text, n);
}

/* The arguments but "confirm": a confirmation is made before it can be one of them. */
static void
put_arguments(struct mcp_call *call, struct buf *b)
{
	json_object *args = NULL;
	const char *text;
	size_t n;

	if (call->m->params == NULL || !json_object_object_get_ex(call->m->params, "arguments", &args) ||
	    !json_object_is_type(args, json_type_object)) {
		put_part(b, "", 0);
		return;
	}
	json_object_object_foreach(args, key, v) {
		if (strcmp(key, "confirm") == 0)
			continue;
		put_part(b, key, strlen(key));
		text = json_text(call->c, v, &n);
		put_part(b, text, n);
	}
}

/* What the state is bound to, as one unambiguous text. */
static void
put_binding(struct mcp_call *call, struct buf *b)
{
	buf_init(b, call->c->a, 1024, 1u << 22);
	put_part(b, call->m->method, strlen(call->m->method));
	put_part(b, call->io->server, strlen(call->io->server));
	put_part(b, call->io->who->principal, strlen(call->io->who->principal));
	put_member(call, b, "name");
	put_member(call, b, "uri");
	put_arguments(call, b);
}

const char *
state_seal(struct mcp_call *call, const char *text, size_t n)
{
	unsigned char key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES], *bin;
	uint64_t expiry = (uint64_t)(wall_ms() / 1000 + STATE_KEEP_S);
	size_t head = NONCE, all = NONCE + EXPIRY + n + TAG, outsz;
	unsigned char *plain;
	struct buf bound;
	char *out;

	if (n > TEXT_MAX || !make_key(key))
		return NULL;
	put_binding(call, &bound);
	bin = arena_alloc(call->c->a, all);
	plain = arena_alloc(call->c->a, EXPIRY + n);
	randombytes_buf(bin, head);
	for (int i = 0; i < EXPIRY; i++)
		plain[i] = (unsigned char)(expiry >> (8 * i));
	memcpy(plain + EXPIRY, text, n);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(bin + head, NULL, plain, EXPIRY + n, (const unsigned char *)bound.p, bound.n, NULL,
		bin, key);
	sodium_memzero(key, sizeof(key));
	outsz = sodium_base64_ENCODED_LEN(all, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	out = arena_alloc(call->c->a, outsz);
	sodium_bin2base64(out, outsz, bin, all, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return arena_strdup(call->c->a, arena_printf(call->c->a, PREFIX "%s", out));
}

const char *
state_open(struct mcp_call *call, const char *sealed, size_t *n)
{
	unsigned char key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES], *bin, *plain;
	size_t len = strlen(sealed), all;
	unsigned long long got;
	uint64_t expiry = 0;
	struct buf bound;
	bool ok;

	if (strncmp(sealed, PREFIX, sizeof(PREFIX) - 1) != 0 || len > 2 * TEXT_MAX || !make_key(key))
		return NULL;
	bin = arena_alloc(call->c->a, len);
	if (sodium_base642bin(bin, len, sealed + sizeof(PREFIX) - 1, len - (sizeof(PREFIX) - 1), NULL, &all, NULL,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 || all < NONCE + EXPIRY + TAG)
		return NULL;
	put_binding(call, &bound);
	plain = arena_alloc(call->c->a, all + 1);
	ok = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &got, NULL, bin + NONCE, all - NONCE, (const unsigned char *)bound.p, bound.n,
		bin, key) == 0;
	sodium_memzero(key, sizeof(key));
	if (!ok || got < EXPIRY)
		return NULL;
	for (int i = 0; i < EXPIRY; i++)
		expiry |= (uint64_t)plain[i] << (8 * i);
	if (expiry < (uint64_t)(wall_ms() / 1000))
		return NULL;
	plain[got] = '\0';
	*n = (size_t)got - EXPIRY;
	return (const char *)plain + EXPIRY;
}
