/* Accounts of people of the shop: work of the command line. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/audit.h"
#include "auth/password.h"
#include "auth/staff.h"
#include "auth/totp.h"
#include "core/banned.h"
#include "core/buf.h"
#include "core/config.h"
#include "core/json.h"
#include "gen/sql.h"
#include "store/db.h"

#define EMAIL_MAX 254
#define NAME_MAX_CHARS 100

static enum err
check_role(struct ctx *c, const char *role)
{
	const char *v[1] = { role };
	PGresult *r;

	if (db_rows(c, DB_READ, NULL, &sql_staff_role_known, 1, v, &r))
		return c->err;
	return PQgetisnull(r, 0, 0) ? fail(c, E_INVALID, "role: must be one of %s", PQgetvalue(r, 0, 1)) : E_OK;
}

enum err
staff_add(struct ctx *c, const char *email, const char *name, const char *role, const char *password)
{
	char hash[PASSWORD_HASH_MAX];
	const char *v[4] = { email, name, role, hash }, *at = strchr(email, '@');
	size_t n = strlen(name);

	if (at == NULL || at == email || at[1] == '\0' || strlen(email) > EMAIL_MAX || strpbrk(email, " \t\r\n<>\",;") != NULL)
		return fail(c, E_INVALID, "email: not an address");
	if (n == 0 || !utf8_valid(name, n) || utf8_length(name, n) > NAME_MAX_CHARS)
		return fail(c, E_INVALID, "name: 1 to %d characters", NAME_MAX_CHARS);
	if (check_role(c, role) || password_hash(c, password, hash))
		return c->err;
	return audit_change(c, &sql_staff_add, 4, v, "account", "staff.add", "{}");
}

enum err
staff_list(struct ctx *c, const char **json, size_t *n)
{
	PGresult *r;

	if (db_rows(c, DB_READ, NULL, &sql_staff_list, 0, NULL, &r))
		return c->err;
	*json = PQgetvalue(r, 0, 0);
	*n = (size_t)PQgetlength(r, 0, 0);
	return E_OK;
}

enum err
staff_passwd(struct ctx *c, const char *email, const char *password)
{
	char hash[PASSWORD_HASH_MAX];
	const char *v[2] = { email, hash };

	if (password_hash(c, password, hash))
		return c->err;
	return audit_change(c, &sql_staff_passwd, 2, v, "account", "staff.passwd", "{}");
}

enum err
staff_disable(struct ctx *c, const char *email, bool disabled)
{
	const char *v[2] = { email, disabled ? "on" : "off" };

	return audit_change(c, &sql_staff_disable, 2, v, "account", disabled ? "staff.disable" : "staff.enable", "{}");
}

static enum err
find_id(struct ctx *c, const char *email, const char **id)
{
	const char *v[1] = { email };
	PGresult *r;

	*id = NULL;
	if (db_rows(c, DB_READ, NULL, &sql_staff_id, 1, v, &r))
		return c->err;
	if (PQntuples(r) == 0)
		return fail(c, E_NOT_FOUND, "no such account");
	*id = PQgetvalue(r, 0, 0);
	return E_OK;
}

/* New recovery codes, one per line, and their hashes. */
static bool
make_codes(struct ctx *c, const char *id, struct buf *codes, struct buf *hashes)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";	/* without what looks alike */

	buf_init(codes, c->a, 512, 4096);
	buf_init(hashes, c->a, 1024, 4096);
	for (int i = 0; i < STAFF_RECOVERY_CODES; i++) {
		char code[STAFF_RECOVERY_LEN + 4], hex[65];
		size_t n = 0;

		for (int k = 0; k < STAFF_RECOVERY_LEN; k++) {
			if (k > 0 && k % 4 == 0)
				code[n++] = '-';
			code[n++] = letters[randombytes_uniform(sizeof(letters) - 1)];
		}
		code[n] = '\0';
		if (!staff_recovery_hash(id, code, hex))
			return false;
		buf_printf(codes, "%s\n", code);
		buf_printf(hashes, "%s%s", i > 0 ? " " : "", hex);
	}
	return true;
}

/* For otpauth: everything but letters, digits and a few signs is escaped. */
static void
put_escaped(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char ch = (unsigned char)*text;

		if ((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || strchr("-._~@", ch) != NULL)
			buf_putc(b, (char)ch);
		else
			buf_printf(b, "%%%02X", ch);
	}
}

enum err
staff_totp_on(struct ctx *c, const char *email, const char **uri, const char **codes)
{
	unsigned char key[TOTP_KEY_LEN];
	char text[TOTP_BASE32_LEN + 1];
	struct buf b, list, hashes;
	const char *v[3];

	if (find_id(c, email, &v[0]))
		return c->err;
	randombytes_buf(key, sizeof(key));
	totp_base32(key, text);
	v[1] = totp_seal(c, v[0], key);
	sodium_memzero(key, sizeof(key));
	if (v[1] == NULL || !make_codes(c, v[0], &list, &hashes))
		return fail(c, E_INVALID, "TOKEN_PEPPER is not set: second factors need it");
	v[2] = buf_str(&hashes);
	if (audit_change(c, &sql_staff_totp, 3, v, "account", "staff.totp.on", "{}"))
		return c->err;
	buf_init(&b, c->a, 512, 4096);
	buf_puts(&b, "otpauth://totp/");
	put_escaped(&b, cfg_str("SHOP_NAME"));
	buf_puts(&b, ":");
	put_escaped(&b, email);
	buf_printf(&b, "?secret=%s&issuer=", text);
	put_escaped(&b, cfg_str("SHOP_NAME"));
	*uri = buf_str(&b);
	*codes = buf_str(&list);
	return E_OK;
}

enum err
staff_totp_off(struct ctx *c, const char *email)
{
	const char *v[3] = { NULL, NULL, "" };

	if (find_id(c, email, &v[0]))
		return c->err;
	return audit_change(c, &sql_staff_totp, 3, v, "account", "staff.totp.off", "{}");
}
