#include "web/page.h"

#include <string.h>
#include <strings.h>

#include "core/config.h"
#include "web/request.h"

static const char form_media[] = "application/x-www-form-urlencoded";

static const char *const languages[PAGE_LANGUAGES] = { "en", "es", "fr", "de" };

static int
language_of(const char *locale)
{
	for (int i = 0; i < PAGE_LANGUAGES; i++)
		if (strcmp(locale, languages[i]) == 0)
			return i;
	return 0;
}

int
page_language(struct req *r)
{
	const char *best = locale_among(&r->c, req_header(r, "Accept-Language"), "en,es,fr,de");

	return language_of(best != NULL ? best : cfg_str("SHOP_LOCALE"));
}

const char *
page_language_code(int language)
{
	return languages[language >= 0 && language < PAGE_LANGUAGES ? language : 0];
}

void
html_escape(struct buf *b, const char *text)
{
	static const char special[] = "&<>\"'";

	while (*text != '\0') {
		size_t n = strcspn(text, special);

		buf_put(b, text, n);
		text += n;
		switch (*text) {
		case '&': buf_puts(b, "&amp;"); break;
		case '<': buf_puts(b, "&lt;"); break;
		case '>': buf_puts(b, "&gt;"); break;
		case '"': buf_puts(b, "&quot;"); break;
		case '\'': buf_puts(b, "&#39;"); break;
		default: return;
		}
		text++;
	}
}

const char *
page_path(struct req *r, const char *path)
{
	return arena_printf(r->c.a, "%s%s", cfg_str("BASE_PATH"), path);
}

void
page_puts(struct page *p, const char *markup)
{
	buf_puts(&p->b, markup);
}

void
page_text(struct page *p, const char *text)
{
	html_escape(&p->b, text);
}

void
page_fact(struct page *p, const char *name, const char *value)
{
	page_puts(p, "<dt>");
	page_text(p, name);
	page_puts(p, "</dt><dd>");
	page_text(p, value);
	page_puts(p, "</dd>\n");
}

void
page_hidden(struct page *p, const char *name, const char *value)
{
	page_puts(p, "<input type=\"hidden\" name=\"");
	page_text(p, name);
	page_puts(p, "\" value=\"");
	page_text(p, value);
	page_puts(p, "\">\n");
}

static void
put_link(struct page *p, const char *before, const char *path, const char *after)
{
	page_puts(p, before);
	page_text(p, page_path(p->r, path));
	page_puts(p, after);
}

void
page_begin(struct page *p, struct req *r, const char *locale, const char *title)
{
	*p = (struct page){ .r = r };
	buf_init(&p->b, r->c.a, 8192, PAGE_MAX);
	page_puts(p, "<!doctype html>\n<html lang=\"");
	page_puts(p, page_language_code(language_of(locale)));
	page_puts(p, "\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
	page_text(p, title);
	page_puts(p, " - ");
	page_text(p, cfg_str("SHOP_NAME"));
	page_puts(p, "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n");
	put_link(p, "<link rel=\"icon\" type=\"image/svg+xml\" href=\"", "/img/souk.svg", "\">\n");
	put_link(p, "<link rel=\"stylesheet\" href=\"", "/souk.css", "\">\n");
	put_link(p, "<link rel=\"stylesheet\" href=\"", "/page.css", "\">\n</head>\n<body>\n");
	put_link(p, "<header class=\"top\">\n<div class=\"wide bar\">\n<span class=\"brand\"><img src=\"", "/img/souk.svg",
		"\" width=\"32\" height=\"32\" alt=\"\"><span>");
	page_text(p, cfg_str("SHOP_NAME"));
	page_puts(p, "</span></span>\n</div>\n</header>\n<main class=\"sheet\">\n<h1>");
	page_text(p, title);
	page_puts(p, "</h1>\n");
}

enum err
page_send(struct page *p, int status)
{
	page_puts(p, "</main>\n</body>\n</html>\n");
	res_header(p->r, "Cache-Control", "no-store");
	res_header(p->r, "Referrer-Policy", "same-origin");	/* with "no-referrer" forms would come with Origin: null */
	res_header(p->r, "X-Frame-Options", "DENY");
	res_header(p->r, "Cross-Origin-Opener-Policy", "same-origin");
	res_header(p->r, "Content-Security-Policy", arena_printf(p->r->c.a, "default-src 'none'; style-src 'self'; img-src 'self' data:; "
		"form-action 'self'%s%s; base-uri 'none'; frame-ancestors 'none'", p->form_to != NULL ? " " : "", p->form_to != NULL ? p->form_to : ""));
	return res_send(p->r, status, "text/html; charset=utf-8", p->b.p, p->b.n);
}

enum err
form_parse(struct req *r, struct pair **out, size_t *n)
{
	const char *type = req_header(r, "Content-Type");
	size_t len = sizeof(form_media) - 1;
	enum err e;

	if (type == NULL || strncasecmp(type, form_media, len) != 0 || strchr("; \t", type[len]) == NULL)
		return fail(&r->c, E_MEDIA_TYPE, "Content-Type: must be %s", form_media);
	if (r->bodysz > FORM_MAX)
		return fail(&r->c, E_TOO_LARGE, "body: larger than %d bytes", FORM_MAX);
	if (strlen(r->body) != r->bodysz)
		return fail(&r->c, E_INVALID, "body: contains a NUL byte");
	if ((e = query_parse(&r->c, r->body, out, n)) != E_OK)
		return e;
	for (size_t i = 0; i < *n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp((*out)[i].name, (*out)[k].name) == 0)
				return fail(&r->c, E_INVALID, "%.60s: given twice", (*out)[i].name);
	return E_OK;
}

const char *
form_value(const struct pair *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].name, name) == 0)
			return fields[i].value;
	return NULL;
}

enum err
page_redirect(struct req *r, const char *url)
{
	for (const char *p = url; *p != '\0'; p++)
		if ((unsigned char)*p < 0x21 || *p == 0x7f)
			return fail(&r->c, E_INTERNAL, NULL);
	res_header(r, "Location", url);
	res_header(r, "Referrer-Policy", "no-referrer");
	return res_send(r, r->method == M_POST ? 303 : 302, NULL, "", 0);
}
