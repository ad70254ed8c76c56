#include "mcp/session.h"

#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/random.h"
#include "store/kv.h"

#define KEEP_S 3600
#define REFRESH_S 300		/* a session in use is written anew this often */

static void
release(void *o)
{
	json_object_put(o);
}

bool
session_id_valid(const char *id)
{
	size_t n = strlen(id);

	return n >= 1 && n <= 64 && strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") == n;
}

const char *
session_key(struct ctx *c, const struct mcp_session *s, const char *kind, const char *id)
{
	return arena_printf(c->a, "mcp:%s:%s:%s", kind, s->id, id);
}

static const char *
own_key(struct ctx *c, const char *id)
{
	return arena_printf(c->a, "mcp:s:%s", id);
}

const char *
session_text(const struct mcp_session *s, const char *member)
{
	json_object *v;

	return json_object_object_get_ex(s->record, member, &v) && json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

enum err
session_save(struct ctx *c, struct mcp_session *s)
{
	const char *text;
	size_t n;

	json_object_object_add(s->record, "used", json_object_new_int64(wall_ms() / 1000));
	text = json_text(c, s->record, &n);
	if (s->kept != NULL) {
		*s->kept = text;
		return E_OK;
	}
	return kv_set(c, own_key(c, s->id), text, n, KEEP_S, false, NULL);
}

bool
session_of_connection(struct ctx *c, struct mcp_io *io, struct mcp_session *s)
{
	*s = (struct mcp_session){ .id = "", .kept = &io->kept };
	if (!io->lasting || io->kept == NULL)
		return false;
	if (json_parse(c, io->kept, strlen(io->kept), &s->record) == E_OK && json_object_is_type(s->record, json_type_object))
		return true;
	ctx_clear_error(c);
	return false;
}

enum err
session_open(struct ctx *c, struct mcp_io *io, const char *version, json_object *capabilities, const char **id)
{
	struct mcp_session s = { .id = "", .record = json_object_new_object(), .kept = io->lasting ? &io->kept : NULL };
	char text[SESSION_ID + 1];
	enum err e;

	arena_defer(c->a, release, s.record);
	if (!io->lasting) {
		random_base62(text, SESSION_ID);
		s.id = arena_strdup(c->a, text);
	}
	json_object_object_add(s.record, "principal", json_object_new_string(io->who->principal));
	json_object_object_add(s.record, "server", json_object_new_string(io->server));
	json_object_object_add(s.record, "version", json_object_new_string(version));
	json_object_object_add(s.record, "capabilities", capabilities != NULL ? json_object_get(capabilities) : json_object_new_object());
	json_object_object_add(s.record, "uris", json_object_new_array());
	e = session_save(c, &s);
	if (e == E_OK)
		*id = s.id;
	return e;
}

enum err
session_load(struct ctx *c, const struct mcp_io *io, const char *id, struct mcp_session *s)
{
	const char *text = NULL, *principal, *server;
	int64_t used;
	size_t n;

	*s = (struct mcp_session){ .id = id };
	if (strlen(id) != SESSION_ID || !session_id_valid(id))
		return fail(c, E_NOT_FOUND, "Session not found");
	if (kv_get(c, own_key(c, id), &text, &n))
		return c->err;
	if (text == NULL || json_parse(c, text, n, &s->record) != E_OK || !json_object_is_type(s->record, json_type_object))
		return fail(c, E_NOT_FOUND, "Session not found");
	principal = session_text(s, "principal");
	server = session_text(s, "server");
	if (principal == NULL || strcmp(principal, io->who->principal) != 0 || server == NULL || strcmp(server, io->server) != 0)
		return fail(c, E_NOT_FOUND, "Session not found");
	if (json_get_int(s->record, "used", 0, INT64_MAX, &used) != JSON_OK || wall_ms() / 1000 - used > REFRESH_S)
		return session_save(c, s);
	return E_OK;
}

enum err
session_close(struct ctx *c, const struct mcp_session *s)
{
	return kv_del(c, own_key(c, s->id));
}
