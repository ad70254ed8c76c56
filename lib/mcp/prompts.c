/* prompts/list and prompts/get. */
#include "mcp/prompts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "core/log.h"
#include "mcp/ask.h"
#include "mcp/fixtures.h"
#include "mcp/methods.h"
#include "mcp/resources.h"

#define PROMPTS_MAX 32
#define PROMPT_MEMORY_MAX (4u << 20)
#define VALUE_MAX 20000		/* bytes of one argument */
#define TEXT_MAX 200000

static struct mcp_prompt prompts[PROMPTS_MAX + 1];

static _Noreturn void
stop(const char *path, const char *why)
{
	log_event(LOG_ERROR_, NULL, "a prompt cannot be read", LOG_S("file", path), LOG_S("why", why));
	abort();
}

/* The entry of prompts/list: what does not begin with "x-". */
static const char *
make_entry(struct ctx *c, json_object *file)
{
	struct buf b;

	buf_init(&b, c->a, 512, 65536);
	buf_putc(&b, '{');
	json_object_object_foreach(file, key, v) {
		if (strncmp(key, "x-", 2) == 0)
			continue;
		buf_printf(&b, "%s\"%s\":", b.n > 1 ? "," : "", key);
		buf_puts(&b, json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	buf_putc(&b, '}');
	return b.p;
}

static void
read_prompt(struct ctx *c, const struct prompt_file *f, struct mcp_prompt *p)
{
	size_t n;

	if (json_parse(c, f->json, strlen(f->json), &p->file) || !json_object_is_type(p->file, json_type_object))
		stop(f->name, ctx_message(c));
	if (json_get_string(p->file, "name", 1, 64, &p->name, &n) != JSON_OK ||
	    json_get_string(p->file, "x-servers", 0, 256, &p->servers, &n) != JSON_OK)
		stop(f->name, "name or x-servers is missing");
	p->entry = make_entry(c, p->file);
}

const struct mcp_prompt *
prompts_all(void)
{
	static struct arena arena;
	struct ctx c = { .a = &arena };

	if (prompts[0].name != NULL)
		return prompts;
	arena_init(&arena, PROMPT_MEMORY_MAX);
	for (size_t i = 0; i < PROMPTS_MAX && prompt_files[i].name != NULL; i++)
		read_prompt(&c, &prompt_files[i], &prompts[i]);
	return prompts;
}

const struct mcp_prompt *
prompt_find(const char *server, const char *name)
{
	for (const struct mcp_prompt *p = prompts_all(); p->name != NULL; p++)
		if (strcmp(p->name, name) == 0 && resource_served(p->servers, server))
			return p;
	return NULL;
}

bool
mcp_prompts_list(struct mcp_call *call)
{
	size_t start, seen = 0, shown = 0;

	if (!mcp_page(call, "prompts", &start))
		return false;
	mcp_member(call, "prompts");
	buf_putc(call->out, '[');
	for (const struct mcp_prompt *p = prompts_all(); p->name != NULL; p++) {
		if (!resource_served(p->servers, call->io->server) || seen++ < start || shown == PAGE_ROWS)
			continue;
		buf_puts(call->out, shown++ > 0 ? "," : "");
		buf_puts(call->out, p->entry);
	}
	for (const struct mcp_fixture_prompt *f = mcp_fixtures()->prompts; f->name != NULL; f++) {
		if (seen++ < start || shown == PAGE_ROWS)
			continue;
		buf_puts(call->out, shown++ > 0 ? "," : "");
		buf_puts(call->out, f->entry);
	}
	buf_putc(call->out, ']');
	if (start > seen)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "cursor: is not one of this list");
	if (seen > start + PAGE_ROWS)
		mcp_next_page(call, "prompts", start + PAGE_ROWS);
	mcp_cacheable(call, true);
	return true;
}

/* The text of an argument; NULL when it was not given or is empty. */
static const char *
argument(json_object *args, const char *name)
{
	json_object *v;

	if (args == NULL || !json_object_object_get_ex(args, name, &v) || json_object_get_string_len(v) == 0)
		return NULL;
	return json_object_get_string(v);
}

/* Are all arguments known, texts, and the required ones there? */
static bool
check_arguments(struct mcp_call *call, const struct mcp_prompt *p, json_object *args)
{
	json_object *list = NULL;
	size_t n;

	(void)json_get_array(p->file, "arguments", &list);
	n = list != NULL ? json_object_array_length(list) : 0;
	json_object_object_foreach(args, key, v) {
		bool known = false;

		for (size_t i = 0; i < n; i++)
			known = known || strcmp(argument(json_object_array_get_idx(list, i), "name"), key) == 0;
		if (!known)
			return mcp_fail(call, RPC_PARAMS_INVALID, 200, "unknown argument: %.60s", key);
		if (!json_object_is_type(v, json_type_string))
			return mcp_fail(call, RPC_PARAMS_INVALID, 200, "%.60s: must be a string", key);
		if (json_object_get_string_len(v) > VALUE_MAX)
			return mcp_fail(call, RPC_PARAMS_INVALID, 200, "%.60s: must be at most %d bytes", key, VALUE_MAX);
	}
	for (size_t i = 0; i < n; i++) {
		json_object *row = json_object_array_get_idx(list, i);
		bool required = false;

		if (json_get_bool(row, "required", &required) == JSON_OK && required && argument(args, argument(row, "name")) == NULL)
			return mcp_fail(call, RPC_PARAMS_INVALID, 200, "%s: is required", argument(row, "name"));
	}
	return true;
}

/* The word that stands for a value in that language; the value itself without one. */
static const char *
word_for(const struct mcp_prompt *p, const char *name, const char *value, const char *language)
{
	json_object *values, *of, *words, *word;

	if (json_object_object_get_ex(p->file, "x-values", &values) && json_object_object_get_ex(values, name, &of) &&
	    json_object_object_get_ex(of, value, &words) && json_object_object_get_ex(words, language, &word))
		return json_object_get_string(word);
	return value;
}

/* One line with its arguments; false: one was not given, and nothing is written. */
static bool
put_line(struct ctx *c, struct buf *b, const struct mcp_prompt *p, const char *line, json_object *args, const char *language)
{
	size_t start = b->n;
	const char *open, *value, *name;

	if (start > 0)
		buf_putc(b, '\n');
	for (; (open = strchr(line, '{')) != NULL; line = strchr(open, '}') + 1) {
		buf_put(b, line, (size_t)(open - line));
		name = arena_strndup(c->a, open + 1, strcspn(open + 1, "}"));
		value = strcmp(name, "shop") == 0 ? cfg_str("SHOP_NAME") : argument(args, name);
		if (value == NULL) {
			b->n = start;
			return false;
		}
		buf_puts(b, word_for(p, name, value, language));
	}
	buf_puts(b, line);
	return true;
}

/* "fr" of "fr-CA" and "FR". */
static const char *
primary_tag(struct ctx *c, const char *tag)
{
	char *out = arena_strndup(c->a, tag, strcspn(tag, "-_"));

	for (char *p = out; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return out;
}

/* The lines in the language that was asked for, else in that of the caller, else in English. */
static json_object *
lines_of(const struct mcp_call *call, const struct mcp_prompt *p, json_object *args, const char **language)
{
	json_object *text = NULL, *lines = NULL;

	(void)json_get_object(p->file, "x-text", &text);
	*language = argument(args, "language");
	if (*language != NULL) {
		*language = primary_tag(call->c, *language);
		return json_get_array(text, *language, &lines) == JSON_OK ? lines : NULL;
	}
	*language = call->io->locale != NULL ? call->io->locale : "";
	if (json_get_array(text, *language, &lines) == JSON_OK)
		return lines;
	*language = "en";
	return json_get_array(text, *language, &lines) == JSON_OK ? lines : NULL;
}

static bool
get_prompt(struct mcp_call *call, const struct mcp_prompt *p, json_object *args)
{
	const char *language;
	json_object *lines;
	struct buf b;

	if (!check_arguments(call, p, args))
		return false;
	lines = lines_of(call, p, args, &language);
	if (lines == NULL)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "language: must be one of en, fr, es, de");
	buf_init(&b, call->c->a, 1024, TEXT_MAX);
	for (size_t i = 0; i < json_object_array_length(lines); i++)
		(void)put_line(call->c, &b, p, json_object_get_string(json_object_array_get_idx(lines, i)), args, language);
	mcp_member(call, "description");
	buf_json_cstr(call->out, argument(p->file, "description"));
	mcp_member(call, "messages");
	buf_puts(call->out, "[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":");
	buf_json_string(call->out, b.p, b.n);
	buf_puts(call->out, "}}]");
	return true;
}

static void
release(void *o)
{
	json_object_put(o);
}

bool
mcp_prompts_get(struct mcp_call *call)
{
	const struct mcp_prompt *p;
	const char *name;
	json_object *args;

	if (!mcp_string_param(call, "name", &name))
		return false;
	if (name == NULL)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "name: is required");
	if (!json_object_object_get_ex(call->m->params, "arguments", &args)) {
		args = json_object_new_object();
		arena_defer(call->c->a, release, args);
	}
	if (!json_object_is_type(args, json_type_object))
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "arguments: must be an object");
	for (const struct mcp_fixture_prompt *f = mcp_fixtures()->prompts; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f->get(call, args);
	p = prompt_find(call->io->server, name);
	if (p == NULL)
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "unknown prompt: %.60s", name);
	return get_prompt(call, p, args);
}
