/* Message templates; see template.h.  One pass over the text, recursion for sections and pieces. */
#include "notify/template.h"

#include <string.h>

#include "core/banned.h"

#define NAME_MAX_LEN 64

struct run {
	struct ctx *c;
	const struct template *t;
	struct buf *out;
	json_object *stack[TEMPLATE_DEPTH + 1];	/* contexts, the innermost last */
	int depth;
	int nested;			/* sections and pieces we are in */
	bool checking;
	const char *text;		/* of the template or the piece */
};

/* A tag: {{kind name}}, from text up to after. */
struct tag {
	char kind;			/* 0 for a value, else # ^ / > ! */
	char name[NAME_MAX_LEN];
	const char *start, *after;
};

static enum err render(struct run *run, const char **at, const char *until, bool silent);

static enum err
wrong(struct run *run, const char *at, const char *what, const char *name)
{
	int line = 1;

	for (const char *p = run->text; p < at; p++)
		line += *p == '\n';
	return fail(run->c, E_INVALID, "template, line %d: %s%s%s", line, what, name[0] != '\0' ? " " : "", name);
}

/* ---- values ---- */

/* A dotted name in one context; false: not there. */
static bool
look_in(json_object *context, const char *name, json_object **out)
{
	char part[NAME_MAX_LEN];
	size_t n;

	for (;;) {
		n = strcspn(name, ".");
		memcpy(part, name, n);
		part[n] = '\0';
		if (!json_object_is_type(context, json_type_object) || !json_object_object_get_ex(context, part, &context))
			return false;
		if (name[n] == '\0')
			break;
		name += n + 1;
	}
	*out = context;
	return true;
}

static bool
look_up(const struct run *run, const char *name, json_object **out)
{
	*out = NULL;
	if (strcmp(name, ".") == 0) {
		*out = run->stack[run->depth];
		return true;
	}
	for (int i = run->depth; i >= 0; i--) {
		if (look_in(run->stack[i], name, out))
			return true;
	}
	return false;
}

static bool
is_true(json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_null: return false;
	case json_type_boolean: return json_object_get_boolean(v);
	case json_type_int: return json_object_get_int64(v) != 0;
	case json_type_double: return json_object_get_double(v) != 0;
	case json_type_string: return json_object_get_string_len(v) > 0;
	case json_type_array: return json_object_array_length(v) > 0;
	case json_type_object: return true;
	}
	return false;
}

static bool
ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static void
put_html(struct buf *out, char ch)
{
	switch (ch) {
	case '&': buf_puts(out, "&amp;"); break;
	case '<': buf_puts(out, "&lt;"); break;
	case '>': buf_puts(out, "&gt;"); break;
	case '"': buf_puts(out, "&quot;"); break;
	case '\'': buf_puts(out, "&#39;"); break;
	default: buf_putc(out, ch); break;
	}
}

static void
put_value(struct run *run, const char *name, json_object *v)
{
	bool html = run->t->form == TEMPLATE_HTML;
	const char *s;

	if (v == NULL || json_object_is_type(v, json_type_object) || json_object_is_type(v, json_type_array))
		return;
	s = json_object_get_string(v);
	if (html && (ends_in(name, "Url") || strcmp(name, "url") == 0) && strncmp(s, "https://", 8) != 0 && strncmp(s, "http://", 7) != 0)
		return;
	for (; *s != '\0'; s++) {
		char ch = ((unsigned char)*s < ' ' && *s != '\n' && *s != '\t') || *s == 127 ? ' ' : *s;

		if (html)
			put_html(run->out, ch);
		else
			buf_putc(run->out, ch);
	}
}

/* ---- tags ---- */

/* The next tag in [at, until); start NULL: there is none. */
static enum err
next_tag(struct run *run, const char *at, const char *until, struct tag *tag)
{
	const char *open = memmem(at, (size_t)(until - at), "{{", 2), *p, *close;
	size_t n;

	tag->start = NULL;
	tag->kind = 0;
	tag->name[0] = '\0';
	if (open == NULL)
		return E_OK;
	close = memmem(open + 2, (size_t)(until - open - 2), "}}", 2);
	if (close == NULL)
		return wrong(run, open, "{{ without }}", "");
	tag->start = open;
	tag->after = close + 2;
	p = open + 2;
	if (p < close && strchr("#^/>!", *p) != NULL)
		tag->kind = *p++;
	if (tag->kind == '!')
		return E_OK;
	while (p < close && *p == ' ')
		p++;
	while (close > p && close[-1] == ' ')
		close--;
	n = (size_t)(close - p);
	if (n == 0 || n >= sizeof(tag->name) || strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") < n)
		return wrong(run, open, "a name of letters, digits and _ is expected between {{ and }}", "");
	memcpy(tag->name, p, n);
	tag->name[n] = '\0';
	return E_OK;
}

/* Does the tag stand alone on its line? Then the line goes: from its beginning to the next. */
static void
widen(const struct run *run, const char *until, struct tag *tag)
{
	const char *from = tag->start, *to = tag->after;

	while (from > run->text && (from[-1] == ' ' || from[-1] == '\t'))
		from--;
	while (to < until && (*to == ' ' || *to == '\t'))
		to++;
	if ((from == run->text || from[-1] == '\n') && (to == until || *to == '\n')) {
		tag->start = from;
		tag->after = to < until ? to + 1 : to;
	}
}

static enum err
render_section(struct run *run, const struct tag *tag, const char **at, const char *until, bool silent)
{
	json_object *v;
	bool known = look_up(run, tag->name, &v), yes = is_true(v), list = json_object_is_type(v, json_type_array);
	size_t n = list && yes && tag->kind == '#' ? json_object_array_length(v) : 1;
	const char *body = *at;

	if (run->checking && !known && !silent)
		return wrong(run, tag->start, "there is no variable", tag->name);
	if (run->nested >= TEMPLATE_DEPTH)
		return wrong(run, tag->start, "too many sections inside each other", "");
	if (run->checking)
		n = 1;	/* examples are alike */
	run->nested++;
	for (size_t i = 0; i < n; i++) {
		bool quiet = silent || (run->checking ? false : yes == (tag->kind == '^'));
		bool enter = tag->kind == '#' && yes && (list || json_object_is_type(v, json_type_object)) && run->depth < TEMPLATE_DEPTH;

		*at = body;
		if (enter)
			run->stack[++run->depth] = list ? json_object_array_get_idx(v, i) : v;
		if (render(run, at, until, quiet))
			return run->c->err;
		if (enter)
			run->depth--;
	}
	run->nested--;
	return E_OK;
}

static enum err
render_piece(struct run *run, const struct tag *tag, bool silent)
{
	const char *text = run->t->piece != NULL ? run->t->piece(run->t->arg, tag->name) : NULL, *outer = run->text, *at = text;
	enum err e;

	if (text == NULL)
		return wrong(run, tag->start, "there is no piece", tag->name);
	if (run->nested >= TEMPLATE_DEPTH)
		return wrong(run, tag->start, "too many pieces inside each other", "");
	run->nested++;
	run->text = text;
	e = render(run, &at, text + strlen(text), silent);
	run->text = outer;
	run->nested--;
	return e;
}

/* The closing tag that belongs to the section which begins at *at; moves *at behind it. */
static enum err
find_end(struct run *run, const struct tag *open, const char *at, const char *until, struct tag *end)
{
	int depth = 1;

	for (; depth > 0; at = end->after) {
		if (next_tag(run, at, until, end))
			return run->c->err;
		if (end->start == NULL)
			return wrong(run, open->start, "this section is not closed:", open->name);
		if (end->kind == '#' || end->kind == '^')
			depth++;
		else if (end->kind == '/' && --depth == 0 && strcmp(end->name, open->name) != 0)
			return wrong(run, end->start, "this closes another section:", end->name);
	}
	widen(run, until, end);
	return E_OK;
}

/* Everything in [*at, until). silent: only see that it is well formed. */
static enum err
render(struct run *run, const char **at, const char *until, bool silent)
{
	struct tag tag, end;
	json_object *v;

	for (;;) {
		if (next_tag(run, *at, until, &tag))
			return run->c->err;
		if (tag.start != NULL && tag.kind != 0 && tag.kind != '>')
			widen(run, until, &tag);
		if (!silent)
			buf_put(run->out, *at, (size_t)((tag.start != NULL ? tag.start : until) - *at));
		*at = tag.start != NULL ? tag.after : until;
		if (tag.start == NULL)
			return E_OK;
		if (tag.kind == '/')
			return wrong(run, tag.start, "nothing to close:", tag.name);
		if (tag.kind == '#' || tag.kind == '^') {
			const char *body = tag.after;

			if (find_end(run, &tag, body, until, &end) || render_section(run, &tag, &body, end.start, silent))
				return run->c->err;
			*at = end.after;
		} else if (tag.kind == '>') {
			if (render_piece(run, &tag, silent))
				return run->c->err;
		} else if (tag.kind == 0) {
			if (!look_up(run, tag.name, &v) && run->checking && !silent)
				return wrong(run, tag.start, "there is no variable", tag.name);
			if (!silent)
				put_value(run, tag.name, v);
		}
	}
}

static enum err
go(struct ctx *c, const struct template *t, struct buf *out, bool checking)
{
	struct run run = { .c = c, .t = t, .out = out, .checking = checking, .text = t->text };
	const char *at = t->text;

	run.stack[0] = t->model;
	return render(&run, &at, t->text + strlen(t->text), false);
}

enum err
template_render(struct ctx *c, const struct template *t, struct buf *out)
{
	return go(c, t, out, false);
}

enum err
template_check(struct ctx *c, const struct template *t)
{
	struct buf out;

	buf_init(&out, c->a, 4096, TEMPLATE_OUT_MAX);
	return go(c, t, &out, true);
}
