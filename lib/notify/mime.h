/*
 * Mail messages: RFC 5322 with MIME (2045, 2047, 2231).  text and HTML as multipart/alternative in quoted-printable, attachments around them as
 * multipart/mixed in base64.  Lines end with CRLF and are at most 76 bytes long, so that no relay has to change anything.
 */
#ifndef SOUK_NOTIFY_MIME_H
#define SOUK_NOTIFY_MIME_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/ctx.h"

#define MIME_MAX ((size_t)4 << 20)
#define MIME_ATTACHMENTS_MAX 10

struct mime_mail {
	const char *from, *from_name, *to, *reply_to;	/* addresses; from_name and reply_to may be "" */
	const char *subject;
	const char *text, *html;	/* html "": text alone */
	const char *message_id;		/* without the angle brackets */
	const char *boundary;		/* letters, digits and hyphens that the parts do not hold: a UUID */
	int64_t date_s;			/* seconds since 1970 */
	const char *unsubscribe;	/* address for List-Unsubscribe, "" for none */
	const char *unsubscribe_url;	/* the same as a URL that takes a POST (RFC 8058), "" for none */
	bool automatic;			/* Auto-Submitted: no out-of-office answers please */
	json_object *attachments;	/* NULL or [{"name", "type", "content": base64}] */
};

/* Write the whole message.  E_INVALID for an address that is none, control characters in a header, attachments that are not base64. */
enum err mime_write(struct ctx *c, const struct mime_mail *m, struct buf *out) __attribute__((warn_unused_result));

/* An address of one @, visible characters and nothing that has a meaning in headers or in SMTP. */
bool mime_address(const char *s);

/* text as a header's value: itself when it is short ASCII, else encoded words of UTF-8 (RFC 2047); col: bytes that stand before it. */
void mime_words(struct buf *out, const char *text, size_t col);

/* Seconds since 1970 as "Fri, 20 Nov 2026 13:08:15 +0000". */
void mime_date(int64_t s, char out[40]);

#endif
