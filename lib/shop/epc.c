/* QR codes of bank transfers; see epc.h. */
#include "shop/epc.h"

#include <qrencode.h>
#include <string.h>

#include "core/banned.h"
#include "core/json.h"
#include "core/utf8.h"
#include "web/page.h"

#define NAME_MAX_CHARS 70
#define TEXT_MAX_CHARS 140
#define VERSION_MAX 13		/* of the QR code, says EPC069-12 */
#define QUIET 4			/* modules of white around it, says ISO/IEC 18004 */
#define SVG_MAX ((size_t)64 << 10)

/* 0.01 to 999999999.99, with at most two digits after the point. */
static bool
is_amount(const char *s)
{
	size_t whole = strspn(s, "0123456789"), part = s[whole] == '.' ? strspn(s + whole + 1, "0123456789") : 0;

	return whole >= 1 && whole <= 9 && part <= 2 && s[whole + (s[whole] == '.' ? 1 + part : 0)] == '\0' && strspn(s, "0.") != strlen(s);
}

/* Bytes of the first characters of valid UTF-8. */
static size_t
head_of(const char *s, size_t chars)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++)
		if (((unsigned char)s[n] & 0xC0) != 0x80 && chars-- == 0)
			break;
	return n;
}

bool
epc_text(const struct epc *e, struct buf *out)
{
	size_t bic = strlen(e->bic), iban = strlen(e->iban);

	if ((bic != 0 && bic != 8 && bic != 11) || iban < 15 || iban > 34 || e->name[0] == '\0' || !is_amount(e->amount) ||
	    utf8_length(e->text, strlen(e->text)) > TEXT_MAX_CHARS || utf8_has_control(e->bic) || utf8_has_control(e->name) || utf8_has_control(e->iban) || utf8_has_control(e->text))
		return false;
	buf_printf(out, "BCD\n002\n1\nSCT\n%s\n", e->bic);
	buf_put(out, e->name, head_of(e->name, NAME_MAX_CHARS));
	buf_printf(out, "\n%s\nEUR%s\n\n\n%s", e->iban, e->amount, e->text);
	return out->n <= EPC_MAX;
}

/* One path of the dark modules: a row's neighbours are one stroke. */
static void
put_modules(struct buf *b, const QRcode *code)
{
	for (int y = 0; y < code->width; y++)
		for (int x = 0, n; x < code->width; x += n + 1) {
			const unsigned char *row = code->data + (size_t)y * (size_t)code->width;

			for (n = 0; x + n < code->width && (row[x + n] & 1) != 0; n++)
				;
			if (n > 0)
				buf_printf(b, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, n, n);
		}
}

const char *
epc_svg(struct ctx *c, const struct epc *e, const char *title)
{
	struct buf text, b;
	QRcode *code;
	int side;

	buf_init(&text, c->a, 512, 2048);
	if (!epc_text(e, &text))
		return NULL;
	code = QRcode_encodeString8bit(buf_str(&text), 0, QR_ECLEVEL_M);
	if (code == NULL)
		return NULL;
	side = code->width + 2 * QUIET;
	buf_init(&b, c->a, 8192, SVG_MAX);
	buf_printf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" shape-rendering=\"crispEdges\"><title>",
		side, side, side * 4, side * 4);
	html_escape(&b, title);
	buf_printf(&b, "</title><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path fill=\"#000\" d=\"", side, side);
	put_modules(&b, code);
	buf_puts(&b, "\"/></svg>");
	side = code->version;
	QRcode_free(code);
	return side <= VERSION_MAX ? buf_str(&b) : NULL;
}
