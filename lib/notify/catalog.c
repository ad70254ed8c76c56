/* Messages and their texts; see catalog.h. */
#include "notify/catalog.h"

#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/config.h"
#include "core/json.h"
#include "gen/sql.h"
#include "notify/template.h"
#include "store/db.h"

#define SUBJECT_MAX 800	/* bytes */

static const char *const part_names[PART__MAX] = { "subject", "text", "html", "sms" };

const char *
notify_part_name(enum notify_part p)
{
	return part_names[p];
}

enum notify_part
notify_part_of(const char *word)
{
	for (int p = 0; p < PART__MAX; p++)
		if (strcmp(part_names[p], word) == 0)
			return (enum notify_part)p;
	return PART__MAX;
}

static const char *
file_text(const char *name)
{
	for (const struct notify_file *f = notify_files; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f->text;
	return NULL;
}

bool
notify_exists(const char *name)
{
	return strcmp(name, "pieces") != 0 && file_text(name) != NULL;
}

const char *
notify_locale(const char *locale)
{
	static const char *const known[] = { "en", "es", "fr", "de" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known) && locale != NULL; i++)
		if (strcmp(known[i], locale) == 0)
			return known[i];
	return "en";
}

/* The section that begins with the line "@key", without its last line break; NULL when there is none. */
static const char *
section(struct ctx *c, const char *text, const char *key)
{
	size_t n = strlen(key);
	const char *end;

	for (; text != NULL; text = strstr(text, "\n@"), text = text != NULL ? text + 1 : NULL) {
		if (text[0] == '@' && strncmp(text + 1, key, n) == 0 && text[n + 1] == '\n') {
			text += n + 2;
			end = text[0] == '@' ? text : strstr(text, "\n@");
			if (end == NULL)
				end = text + strlen(text) - (text[0] != '\0');
			return arena_strndup(c->a, text, (size_t)(end - text));
		}
	}
	return NULL;
}

const char *
notify_builtin(struct ctx *c, const char *name, const char *locale, enum notify_part part)
{
	const char *text = file_text(name);

	return text == NULL ? NULL : section(c, text, arena_printf(c->a, "%s %s", locale, part_names[part]));
}

const char *
notify_whatsapp(struct ctx *c, const char *name)
{
	const char *text = file_text(name);

	return text == NULL ? NULL : section(c, text, "whatsapp");
}

/* ---- data ---- */

static void
add_text(json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

static void
add_common(json_object *data, const char *locale)
{
	add_text(data, "shopName", cfg_str("SHOP_NAME"));
	add_text(data, "shopUrl", cfg_str("PUBLIC_URL"));
	add_text(data, "locale", locale);
}

/* The members of a section's JSON object into o. */
static bool
add_sample(struct ctx *c, json_object *o, const char *text)
{
	json_object *sample;

	if (text == NULL)
		return true;
	if (json_parse(c, text, strlen(text), &sample) != E_OK || !json_object_is_type(sample, json_type_object))
		return false;
	json_object_object_foreach(sample, key, value)
		json_object_object_add(o, key, json_object_get(value));
	return true;
}

static void
release_object(void *o)
{
	json_object_put(o);
}

/* A section of examples, and what is written otherwise in that language. */
static bool
add_samples(struct ctx *c, json_object *o, const char *text, const char *key, const char *locale)
{
	return add_sample(c, o, section(c, text, key)) && add_sample(c, o, section(c, text, arena_printf(c->a, "%s %s", locale, key)));
}

json_object *
notify_sample(struct ctx *c, const char *name, const char *locale)
{
	const char *text = file_text(name), *uses;
	json_object *o;

	if (text == NULL)
		return NULL;
	o = json_object_new_object();
	arena_defer(c->a, release_object, o);
	uses = section(c, text, "uses");
	if ((uses != NULL && !add_samples(c, o, file_text("pieces"), uses, locale)) || !add_samples(c, o, text, "sample", locale))
		return NULL;
	add_common(o, locale);
	add_text(o, "shopUrl", "https://shop.example");
	add_text(o, "unsubscribeUrl", "https://shop.example/unsubscribe/uns_example");
	if (strcmp(name, "layout") == 0)
		add_text(o, "subject", "Subject");
	return o;
}

/* ---- texts ---- */

enum err
notify_texts(struct ctx *c, const char *name, const char *locale, struct notify_texts *out)
{
	const char *v[2] = { name, locale };
	PGresult *r;

	memset(out, 0, sizeof(*out));
	if (!notify_exists(name))
		return fail(c, E_NOT_FOUND, "there is no template %.40s", name);
	if (db_exec(c, &sql_template_own, 2, v, &r))
		return c->err;
	for (int i = 0; i < PQntuples(r); i++) {
		bool layout = PQgetvalue(r, i, 0)[0] == 't';
		enum notify_part p = notify_part_of(PQgetvalue(r, i, 1));

		if (p == PART__MAX)
			continue;
		if (layout)
			out->layout[p] = PQgetvalue(r, i, 2);
		if (!layout || strcmp(name, "layout") == 0) {
			out->part[p] = PQgetvalue(r, i, 2);
			out->own[p] = true;
		}
	}
	for (int p = 0; p < PART__MAX; p++) {
		if (out->part[p] == NULL)
			out->part[p] = notify_builtin(c, name, locale, (enum notify_part)p);
		if (out->layout[p] == NULL)
			out->layout[p] = notify_builtin(c, "layout", locale, (enum notify_part)p);
	}
	return E_OK;
}

/* ---- filling in ---- */

/* Where {{>name}} comes from. */
struct pieces {
	struct ctx *c;
	const char *locale, *content;
	bool html;
};

static const char *
find_piece(void *arg, const char *name)
{
	const struct pieces *p = arg;

	if (strcmp(name, "content") == 0)
		return p->content;
	return section(p->c, file_text("pieces"), arena_printf(p->c->a, "%s %s.%s", p->locale, name, p->html ? "html" : "text"));
}

/* One line without control characters, not too long: what goes into a header. */
static void
make_line(char *s)
{
	size_t n = strlen(s);

	if (n > SUBJECT_MAX) {
		n = SUBJECT_MAX;
		while (n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80)
			n--;
		s[n] = '\0';
	}
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			*s = ' ';
}

/* No more than one empty line in a row: parts that were left out leave theirs. */
static void
close_gaps(struct buf *b)
{
	size_t to = 0, breaks = 0;

	for (size_t i = 0; i < b->n; i++) {
		breaks = b->p[i] == '\n' ? breaks + 1 : 0;
		if (breaks <= 2)
			b->p[to++] = b->p[i];
	}
	b->n = to;
	if (b->p != NULL)
		b->p[to] = '\0';
}

static enum err
fill_part(struct ctx *c, const struct notify_texts *texts, const char *locale, json_object *data, enum notify_part p, const char **out)
{
	bool wrapped = (p == PART_TEXT || p == PART_HTML) && texts->layout[p] != NULL;
	struct pieces pieces = { c, locale, texts->part[p], p == PART_HTML };
	struct template t = { wrapped ? texts->layout[p] : texts->part[p], p == PART_HTML ? TEMPLATE_HTML : TEMPLATE_TEXT, data, find_piece, &pieces };
	struct buf b;

	*out = "";
	if (texts->part[p] == NULL)
		return E_OK;
	buf_init(&b, c->a, 2048, TEMPLATE_OUT_MAX);
	if (template_render(c, &t, &b))
		return c->err;
	if (p == PART_SUBJECT && b.n > 0)
		make_line(b.p);
	else if (p == PART_TEXT)
		close_gaps(&b);
	*out = buf_str(&b);
	return E_OK;
}

enum err
notify_fill(struct ctx *c, const struct notify_texts *texts, const char *locale, json_object *data, struct notify_message *out)
{
	json_object *subject;

	add_common(data, locale);
	for (int p = 0; p < PART__MAX; p++) {
		if (fill_part(c, texts, locale, data, (enum notify_part)p, &out->part[p]))
			return c->err;
		/* the page's title */
		if (p == PART_SUBJECT && !json_object_object_get_ex(data, "subject", &subject))
			add_text(data, "subject", out->part[p]);
	}
	return E_OK;
}

enum err
notify_check(struct ctx *c, const char *name, const char *locale, enum notify_part part, const char *text)
{
	struct pieces pieces = { c, locale, strcmp(name, "layout") == 0 ? "" : NULL, part == PART_HTML };
	struct template t = { text, part == PART_HTML ? TEMPLATE_HTML : TEMPLATE_TEXT, notify_sample(c, name, locale), find_piece, &pieces };

	if (!notify_exists(name) || t.model == NULL)
		return fail(c, E_NOT_FOUND, "there is no template %.40s", name);
	return template_check(c, &t);
}
