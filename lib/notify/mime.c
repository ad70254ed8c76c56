/* Mail messages; see mime.h. */
#include "notify/mime.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

#include "core/banned.h"
#include "core/json.h"
#include "core/utf8.h"

#define WORD_BYTES 42		/* of UTF-8 in one encoded word: 56 bytes of base64 and 12 around them, below 75 */
#define LINE_MAX_QP 73

bool
mime_address(const char *s)
{
	const char *at = strchr(s, '@');

	if (at == NULL || at == s || at - s > 64 || at[1] == '\0' || strlen(at + 1) > 255 || strchr(at + 1, '@') != NULL || s[0] == '-')
		return false;
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s <= ' ' || *s == 127 || strchr("<>()[],;:\\\"", *s) != NULL)
			return false;
	}
	return true;
}

static bool
plain(const char *s, size_t col)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++)
		if ((unsigned char)s[n] < ' ' || (unsigned char)s[n] > 126)
			return false;
	return col + n <= 76 && strstr(s, "=?") == NULL;
}

void
mime_words(struct buf *out, const char *text, size_t col)
{
	char b64[WORD_BYTES * 2];
	size_t n = strlen(text), take;
	bool first = true;

	if (plain(text, col)) {
		buf_puts(out, text);
		return;
	}
	for (; n > 0; text += take, n -= take) {
		take = n < WORD_BYTES ? n : WORD_BYTES;
		if (first && col > 8 && take > WORD_BYTES / 2)
			take = WORD_BYTES / 2;
		/* never between the bytes of a character */
		while (take < n && take > 1 && ((unsigned char)text[take] & 0xC0) == 0x80)
			take--;
		sodium_bin2base64(b64, sizeof(b64), (const unsigned char *)text, take, sodium_base64_VARIANT_ORIGINAL);
		buf_printf(out, "%s=?UTF-8?B?%s?=", first ? "" : "\r\n ", b64);
		first = false;
	}
}

void
mime_date(int64_t s, char out[40])
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)s;
	struct tm tm;

	gmtime_r(&t, &tm);
	(void)snprintf(out, 40, "%.3s, %02d %.3s %d %02d:%02d:%02d +0000", days + tm.tm_wday % 7 * 3, tm.tm_mday % 100, months + tm.tm_mon % 12 * 3,
		tm.tm_year % 8000 + 1900, tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
}

/* Quoted-printable (RFC 2045, 6.7): line breaks of the text become CRLF; blanks at the end of a line are encoded. */
static void
put_quoted(struct buf *out, const char *s)
{
	size_t col = 0;

	for (; *s != '\0'; s++) {
		unsigned char ch = (unsigned char)*s;
		bool end = s[1] == '\n' || s[1] == '\0' || (s[1] == '\r' && s[2] == '\n');

		if (ch == '\r' && s[1] == '\n')
			continue;
		if (ch == '\n') {
			buf_puts(out, "\r\n");
			col = 0;
			continue;
		}
		if (col >= LINE_MAX_QP) {
			buf_puts(out, "=\r\n");
			col = 0;
		}
		/* A dot that begins a line, and "From ", are for relays to stumble over. */
		if ((ch > ' ' && ch < 127 && ch != '=' && !(col == 0 && (ch == '.' || ch == 'F'))) || ((ch == ' ' || ch == '\t') && !end)) {
			buf_putc(out, (char)ch);
			col++;
		} else {
			buf_printf(out, "=%02X", ch);
			col += 3;
		}
	}
	buf_puts(out, "\r\n");
}

static void
put_part(struct buf *out, const char *type, const char *text)
{
	buf_printf(out, "Content-Type: %s; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", type);
	put_quoted(out, text);
}

static void
put_bodies(struct buf *out, const struct mime_mail *m)
{
	if (m->html[0] == '\0') {
		put_part(out, "text/plain", m->text);
		return;
	}
	buf_printf(out, "Content-Type: multipart/alternative;\r\n boundary=\"a-%s\"\r\n\r\n--a-%s\r\n", m->boundary, m->boundary);
	put_part(out, "text/plain", m->text);
	buf_printf(out, "--a-%s\r\n", m->boundary);
	put_part(out, "text/html", m->html);
	buf_printf(out, "--a-%s--\r\n", m->boundary);
}

/* ---- attachments ---- */

/* A file's name as a parameter (RFC 2231), percent-encoded where it has to be. */
static void
put_file_name(struct buf *out, const char *name)
{
	buf_puts(out, "filename*=UTF-8''");
	for (; *name != '\0'; name++) {
		unsigned char ch = (unsigned char)*name;

		if ((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || strchr("-._", ch) != NULL)
			buf_putc(out, *name);
		else
			buf_printf(out, "%%%02X", ch);
	}
}

static bool
is_type(const char *s)
{
	const char *slash = strchr(s, '/');

	return slash != NULL && slash > s && slash[1] != '\0' && strlen(s) < 100 &&
		strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.+-/ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(s) && strchr(slash + 1, '/') == NULL;
}

static enum err
put_attachment(struct ctx *c, struct buf *out, json_object *a, const char *boundary)
{
	const char *name, *type, *content;
	size_t n, size, bytes;
	unsigned char *raw;

	if (json_get_string(a, "name", 1, 120, &name, &n) != JSON_OK || strpbrk(name, "/\\") != NULL)
		return fail(c, E_INVALID, "attachments: a name of 1 to 120 bytes without / is needed");
	if (json_get_string(a, "type", 3, 100, &type, &n) != JSON_OK || !is_type(type))
		return fail(c, E_INVALID, "attachments: a type such as application/pdf is needed");
	if (json_get_string(a, "content", 0, MIME_MAX / 2, &content, &size) != JSON_OK)
		return fail(c, E_INVALID, "attachments: content in base64 is needed");
	raw = arena_alloc(c->a, size + 1);
	if (sodium_base642bin(raw, size + 1, content, size, "\r\n ", &bytes, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return fail(c, E_INVALID, "attachments: content is not base64");
	buf_printf(out, "--m-%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n ", boundary, type);
	put_file_name(out, name);
	buf_puts(out, "\r\n\r\n");
	for (size_t at = 0; at < bytes; at += 57) {
		char line[80];

		sodium_bin2base64(line, sizeof(line), raw + at, bytes - at < 57 ? bytes - at : 57, sodium_base64_VARIANT_ORIGINAL);
		buf_printf(out, "%s\r\n", line);
	}
	return E_OK;
}

/* ---- all ---- */

static void
put_headers(struct buf *out, const struct mime_mail *m)
{
	char date[40];

	mime_date(m->date_s, date);
	buf_printf(out, "Date: %s\r\nMessage-ID: <%s>\r\nFrom: ", date, m->message_id);
	if (m->from_name[0] != '\0') {
		bool quote = plain(m->from_name, 8) && strpbrk(m->from_name, "()<>[]:;@\\,.\"") != NULL;

		if (quote && strpbrk(m->from_name, "\\\"") == NULL)
			buf_printf(out, "\"%s\"", m->from_name);
		else if (!quote)
			mime_words(out, m->from_name, 6);
		buf_puts(out, strlen(m->from_name) + strlen(m->from) < 66 && plain(m->from_name, 0) ? " " : "\r\n ");
	}
	buf_printf(out, "<%s>\r\nTo: <%s>\r\n", m->from, m->to);
	if (m->reply_to[0] != '\0')
		buf_printf(out, "Reply-To: <%s>\r\n", m->reply_to);
	buf_puts(out, "Subject: ");
	mime_words(out, m->subject, 9);
	buf_puts(out, "\r\nMIME-Version: 1.0\r\n");
	if (m->automatic)
		buf_puts(out, "Auto-Submitted: auto-generated\r\n");
	if (m->unsubscribe_url[0] != '\0')
		buf_printf(out, "List-Unsubscribe: <%s>,\r\n <mailto:%s?subject=unsubscribe>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
			m->unsubscribe_url, m->unsubscribe);
	else if (m->unsubscribe[0] != '\0')
		buf_printf(out, "List-Unsubscribe: <mailto:%s?subject=unsubscribe>\r\n", m->unsubscribe);
}

enum err
mime_write(struct ctx *c, const struct mime_mail *m, struct buf *out)
{
	size_t n = m->attachments != NULL ? json_object_array_length(m->attachments) : 0;

	if (!mime_address(m->from) || !mime_address(m->to) || (m->reply_to[0] != '\0' && !mime_address(m->reply_to)))
		return fail(c, E_INVALID, "the recipient or the sender is no mail address");
	if (utf8_has_control(m->subject) || utf8_has_control(m->from_name) || utf8_has_control(m->message_id) || utf8_has_control(m->unsubscribe_url) || !mime_address(m->message_id))
		return fail(c, E_INVALID, "a header holds control characters");
	if (n > MIME_ATTACHMENTS_MAX)
		return fail(c, E_INVALID, "attachments: at most %d", MIME_ATTACHMENTS_MAX);
	put_headers(out, m);
	if (n == 0) {
		put_bodies(out, m);
		return E_OK;
	}
	buf_printf(out, "Content-Type: multipart/mixed;\r\n boundary=\"m-%s\"\r\n\r\n--m-%s\r\n", m->boundary, m->boundary);
	put_bodies(out, m);
	for (size_t i = 0; i < n; i++)
		if (put_attachment(c, out, json_object_array_get_idx(m->attachments, i), m->boundary))
			return c->err;
	buf_printf(out, "--m-%s--\r\n", m->boundary);
	return E_OK;
}
