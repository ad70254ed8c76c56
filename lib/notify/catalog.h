/*
 * The messages: built-in templates (lib/notify/templates/NAME.tmpl, embedded at build time) and the owner's own texts, which replace single
 * parts of them (souk.templates).
 *
 * A file has sections that begin with a line "@key": "@sample", an example of the data as a JSON object; "@LOCALE sample",
 * what of it is written otherwise there; "@uses order", an order's data besides;
 * "@whatsapp", the variables of its template at Meta in their order; and "@LOCALE PART" for en, es, fr, de and subject, text, html, sms.  Two files are no messages: layout, which stands around text and html of
 * each, and pieces, for {{>name}}.
 */
#ifndef SOUK_NOTIFY_CATALOG_H
#define SOUK_NOTIFY_CATALOG_H

#include <json-c/json.h>
#include <stdbool.h>

#include "core/ctx.h"

/* Embedded by tools/embed_text.awk into build/gen/templates.c, ended by a NULL name. */
struct notify_file {
	const char *name, *text;
};
extern const struct notify_file notify_files[];

enum notify_part { PART_SUBJECT, PART_TEXT, PART_HTML, PART_SMS, PART__MAX };
const char *notify_part_name(enum notify_part p);
/* PART__MAX for an unknown word. */
enum notify_part notify_part_of(const char *word);

/* Is it the name of a template that an owner may change (a message's, or layout)? */
bool notify_exists(const char *name);

/* One of en, es, fr, de, from anything: the locale itself, or en. */
const char *notify_locale(const char *locale);

/* The built-in text of a part, in c's arena; NULL when there is none. */
const char *notify_builtin(struct ctx *c, const char *name, const char *locale, enum notify_part part);

/* An example of the data of a message, amounts and dates as the language (notify_locale()) writes them, with the members that every message has.  Belongs to c's arena.  NULL: no such message. */
json_object *notify_sample(struct ctx *c, const char *name, const char *locale);

/* Names of the variables that its template at Meta takes, separated by blanks; NULL: it is sent as free text. */
const char *notify_whatsapp(struct ctx *c, const char *name);

/* Text of each part as it is in force: the owner's, else the built-in one.  own[] says which are the owner's. */
struct notify_texts {
	const char *part[PART__MAX];
	const char *layout[PART__MAX];	/* text and html */
	bool own[PART__MAX];
};
enum err notify_texts(struct ctx *c, const char *name, const char *locale, struct notify_texts *out) __attribute__((warn_unused_result));

/* A message, filled in.  Parts that it does not have are "". */
struct notify_message {
	const char *part[PART__MAX];
};
/* data: an object, which gets the members that every message has: shopName, shopUrl, locale. */
enum err notify_fill(struct ctx *c, const struct notify_texts *texts, const char *locale, json_object *data, struct notify_message *out)
	__attribute__((warn_unused_result));

/* Would this text do for that part? E_INVALID says what is wrong: an unknown variable, a section that is not closed. */
enum err notify_check(struct ctx *c, const char *name, const char *locale, enum notify_part part, const char *text)
	__attribute__((warn_unused_result));

#endif
