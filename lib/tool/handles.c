/* Signed handles among a tool's arguments; see handles.h. */
#include "tool/handles.h"

#include <string.h>

#include "auth/handle.h"
#include "auth/subject.h"
#include "core/banned.h"
#include "core/json.h"

static const struct {
	const char *name;
	unsigned bit;
	const char *kind;
	const char *from;
} handles[] = {
	{ "guest", HANDLE_GUEST, "gst", "guest_verify" },
	{ "basket", HANDLE_BASKET, "bsk", "the tool that made the basket" },
};

#define HANDLES (sizeof(handles) / sizeof(handles[0]))

unsigned
handle_named(const char *name)
{
	for (size_t i = 0; i < HANDLES; i++)
		if (strcmp(handles[i].name, name) == 0)
			return handles[i].bit;
	return 0;
}

static void
speak_with(struct ctx *c, unsigned handle, const char *id, struct subject *who)
{
	if (handle == HANDLE_BASKET) {
		if (strcmp(who->kind, "anonymous") == 0)
			who->kind = "visitor";
		who->visitor = id;
	} else {
		subject_also(c, id, who);
	}
}

enum err
tool_handles(struct ctx *c, const struct tool *t, json_object *args, const struct subject **who)
{
	struct subject *with = NULL;

	for (size_t i = 0; i < HANDLES && args != NULL; i++) {
		const char *text, *id;
		size_t n;

		if ((t->handles & handles[i].bit) == 0 || json_get_string(args, handles[i].name, 0, SIZE_MAX, &text, &n) != JSON_OK)
			continue;
		if (handles[i].bit == HANDLE_GUEST ? handle_check(c, handles[i].kind, text, &id) : signed_check(c, handles[i].kind, text, &id)) {
			if (c->err != E_UNAUTHENTICATED)
				return c->err;
			ctx_clear_error(c);
			return fail(c, E_INVALID, "%s: not from this shop, or too old; take what %s gives", handles[i].name, handles[i].from);
		}
		json_object_object_del(args, handles[i].name);
		if (with == NULL)
			*(with = arena_alloc(c->a, sizeof(*with))) = **who;
		speak_with(c, handles[i].bit, id, with);
	}
	if (with != NULL)
		*who = with;
	return E_OK;
}
