#include "mcp/state.h"

#include <sodium.h>
#include <stdlib.h>
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

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Numbers of orders and returns are the same in small letters and with blanks around them, for the tools too. */
static bool
is_number_of(const char *key)
{
	static const char *const keys[] = { "orderId", "orderNumber", "returnId" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void put_object(struct mcp_call *call, struct buf *b, json_object *o);

static void
put_text(struct mcp_call *call, struct buf *b, const char *key, const char *text)
{
	char *p = arena_strdup(call->c->a, text);
	size_t n = strlen(p);

	if (is_number_of(key)) {
		p += strspn(p, " \t\r\n");
		for (n = strlen(p); n > 0 && strchr(" \t\r\n", p[n - 1]) != NULL; n--)
			;
		for (size_t i = 0; i < n; i++)
			p[i] = (char)(p[i] >= 'a' && p[i] <= 'z' ? p[i] - 'a' + 'A' : p[i]);
	}
	put_part(b, "text", 4);
	put_part(b, p, n);
}

/* One value as it is bound: 5 and 5.0 are the same, ord-7k2m and ORD-7K2M too. */
static void
put_value(struct mcp_call *call, struct buf *b, const char *key, json_object *v)
{
	const char *text;
	size_t n;

	switch (json_object_get_type(v)) {
	case json_type_object:
		put_object(call, b, v);
		return;
	case json_type_array:
		text = arena_printf(call->c->a, "%zu in a list", json_object_array_length(v));
		put_part(b, text, strlen(text));
		for (size_t i = 0; i < json_object_array_length(v); i++)
			put_value(call, b, key, json_object_array_get_idx(v, i));
		return;
	case json_type_int:
	case json_type_double:
		text = arena_printf(call->c->a, "%.17g", json_object_get_double(v));
		put_part(b, text, strlen(text));
		return;
	case json_type_string:
		put_text(call, b, key, json_object_get_string(v));
		return;
	default:
		text = json_text(call->c, v, &n);
		put_part(b, text, n);
	}
}

/* The members by name, whatever their order, but "confirm": a confirmation is made before it can be one of the arguments. */
static void
put_object(struct mcp_call *call, struct buf *b, json_object *o)
{
	const char **keys = arena_zalloc(call->c->a, (size_t)json_object_object_length(o) + 1, sizeof(*keys)), *count;
	size_t n = 0;

	json_object_object_foreach(o, key, v) {
		(void)v;
		if (strcmp(key, "confirm") != 0)
			keys[n++] = key;
	}
	qsort(keys, n, sizeof(*keys), by_text);
	count = arena_printf(call->c->a, "%zu members", n);
	put_part(b, count, strlen(count));
	for (size_t i = 0; i < n; i++) {
		put_part(b, keys[i], strlen(keys[i]));
		put_value(call, b, keys[i], json_object_object_get(o, keys[i]));
	}
}

static void
put_arguments(struct mcp_call *call, struct buf *b)
{
	json_object *args = NULL;

	if (call->m->params == NULL || !json_object_object_get_ex(call->m->params, "arguments", &args) ||
	    !json_object_is_type(args, json_type_object))
		put_part(b, "", 0);
	else
		put_object(call, b, args);
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
