/*
 * The language of message templates.  A small part of Mustache (mustache(5)), so that owners may know it:
 *
 *   {{name}} {{a.b}}	a value; in HTML it is escaped.  {{.}} is the item of a list of plain values.  What is missing is empty.
 *   {{#name}}..{{/name}}	once for each item of a list, once with an object as the context, or once if the value is true: not missing, null, false, 0,
 *			"" or an empty list.  Names are looked up in the item first, then outside.
 *   {{^name}}..{{/name}}	only if it is not true
 *   {{>name}}		a built-in piece: lines (an order's lines and sums), address
 *   {{! text}}		a remark
 *
 * A line that holds nothing but the beginning or end of a section, or a remark, leaves no empty line behind.  There is no way to write a value into HTML without escaping, and
 * in HTML a value whose name ends in Url is left out unless it begins with http:// or https://.  Control characters in values become blanks.
 */
#ifndef SOUK_NOTIFY_TEMPLATE_H
#define SOUK_NOTIFY_TEMPLATE_H

#include <json-c/json.h>

#include "core/buf.h"
#include "core/ctx.h"

#define TEMPLATE_DEPTH 8		/* sections and pieces inside each other */
#define TEMPLATE_OUT_MAX ((size_t)1 << 20)

enum template_form { TEMPLATE_TEXT, TEMPLATE_HTML };

/* The text of a piece, NULL when there is none of that name. */
typedef const char *template_piece_fn(void *arg, const char *name);

struct template {
	const char *text;
	enum template_form form;
	json_object *model;		/* object */
	template_piece_fn *piece;	/* NULL: no pieces */
	void *arg;
};

/* Fill it in; adds to out.  E_INVALID, with the line, for a template that is not well formed. */
enum err template_render(struct ctx *c, const struct template *t, struct buf *out) __attribute__((warn_unused_result));

/* Is it well formed, and does it name only what the model, an example of its data, has?  E_INVALID names what is wrong and where. */
enum err template_check(struct ctx *c, const struct template *t) __attribute__((warn_unused_result));

#endif
