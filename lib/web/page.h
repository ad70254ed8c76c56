/*
 * Whole HTML pages that a program makes itself (log-in, consent): the shop's look, no script, in nobody's frame, never stored.  Forms come as
 * application/x-www-form-urlencoded bodies of routes with ROUTE_RAW_BODY.
 *
 *	page_begin(&p, r, r->locale, "Sign in");
 *	page_puts(&p, "<p>");
 *	page_text(&p, name);
 *	page_puts(&p, "</p>");
 *	return page_send(&p, 200);
 */
#ifndef SOUK_WEB_PAGE_H
#define SOUK_WEB_PAGE_H

#include "core/buf.h"
#include "web/req.h"

#define PAGE_MAX (1u << 18)	/* bytes of a page */
#define FORM_MAX 65536		/* bytes of a form */

struct page {
	struct req *r;
	struct buf b;
	const char *form_to;	/* where the page's forms may lead besides to ourselves, as a source of a content security policy; NULL: nowhere */
};

/* The languages that pages have words in, by number: en, es, fr, de.  The reader's, whatever the shop's own texts are in, else SHOP_LOCALE. */
#define PAGE_LANGUAGES 4
int page_language(struct req *r);
const char *page_language_code(int language);

/* Head, top of the page, the beginning of <main> and the title as its heading.  locale: that of the page's words; what is none of them is shown as en. */
void page_begin(struct page *p, struct req *r, const char *locale, const char *title);
void page_puts(struct page *p, const char *markup);	/* as it is */
void page_text(struct page *p, const char *text);	/* escaped, for text and for attribute values in double quotes */
/* <dt>name</dt><dd>value</dd>, both escaped: a row of a <dl>. */
void page_fact(struct page *p, const char *name, const char *value);
/* <input type="hidden" name= value=> */
void page_hidden(struct page *p, const char *name, const char *value);
/* The path of one of our own URLs, with BASE_PATH: page_path(r, "/login"). */
const char *page_path(struct req *r, const char *path);
/* End the page and send it. */
enum err page_send(struct page *p, int status);

/* Text for HTML, with & < > " ' replaced. */
void html_escape(struct buf *b, const char *text);

/*
 * The fields of the request's form.  E_MEDIA_TYPE when it is none, E_TOO_LARGE over FORM_MAX, E_INVALID when it is malformed or names a field
 * twice.
 */
enum err form_parse(struct req *r, struct pair **out, size_t *n) __attribute__((warn_unused_result));
/* A field's value, NULL when absent. */
const char *form_value(const struct pair *fields, size_t n, const char *name);

/* 302 (303 after a form) to a URL, which may hold no control characters. */
enum err page_redirect(struct req *r, const char *url);

#endif
