#include "mcp/ask.h"

#include <string.h>
#include <time.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/random.h"
#include "mcp/notify.h"
#include "mcp/session.h"
#include "mcp/slots.h"
#include "mcp/state.h"
#include "store/kv.h"
#include "store/shm.h"
#include "tool/schema.h"

#define WAIT_MS 120000		/* for a person to answer */
#define BEAT_MS 500		/* web servers notice a client that has left when they write to it */
#define LOOK_MAX_MS 100		/* between two looks for the answer */
#define ASKED_MAX (256u << 10)
#define WAITING "?"		/* value of a question that nobody has answered */

struct mcp_asked {
	json_object *responses;	/* params.inputResponses, or NULL */
	json_object *kept;	/* answers that are to be kept for the next round */
	struct buf members;	/* of inputRequests */
};

static void
release(void *o)
{
	json_object_put(o);
}

static bool
is_object(json_object *o, const char *key, json_object **out)
{
	return json_object_object_get_ex(o, key, out) && json_object_is_type(*out, json_type_object);
}

bool
mcp_can_ask(const struct mcp_call *call, const char *method)
{
	const char *capability = arena_strndup(call->c->a, method, strcspn(method, "/"));
	json_object *all = NULL;

	if (call->era == ERA_MODERN)
		(void)json_object_object_get_ex(call->m->meta, META_CLIENT_CAPABILITIES, &all);
	else if (call->session != NULL && call->io->stream != NULL)
		(void)json_object_object_get_ex(call->session->record, "capabilities", &all);
	return all != NULL && json_object_object_get_ex(all, capability, NULL);
}

/* Content of an accepted form has to fit its schema, as far as our validator knows the keywords. */
static bool
form_fits(struct mcp_call *call, json_object *answer, const char *params)
{
	json_object *asked, *schema, *content;
	char why[128];
	bool ok;

	if (json_parse(call->c, params, strlen(params), &asked) != E_OK || !is_object(asked, "requestedSchema", &schema))
		return true;
	if (!is_object(answer, "content", &content))
		return false;
	if (!schema_supported(schema, why, sizeof(why)))
		return true;
	ok = schema_check(call->c, schema, content, false) == E_OK;
	ctx_clear_error(call->c);
	return ok;
}

/* Has the answer the form of that method's result? */
static bool
well_formed(struct mcp_call *call, json_object *answer, const char *method, const char *params)
{
	static const char *const actions[] = { "accept", "decline", "cancel" };
	const char *action;
	json_object *v;
	size_t n;

	if (!json_object_is_type(answer, json_type_object))
		return false;
	if (strcmp(method, "roots/list") == 0)
		return json_get_array(answer, "roots", &v) == JSON_OK;
	if (strcmp(method, "sampling/createMessage") == 0)
		return json_object_object_get_ex(answer, "content", &v) && v != NULL;
	if (json_get_string(answer, "action", 0, 16, &action, &n) != JSON_OK)
		return false;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(action, actions[i]) == 0)
			return i > 0 || form_fits(call, answer, params);
	return false;
}

/* ---- modern: rounds ------------------------------------------------------------- */

static struct mcp_asked *
asked_of(struct mcp_call *call)
{
	struct mcp_asked *a = call->asked;

	if (a != NULL)
		return a;
	a = call->asked = arena_zalloc(call->c->a, 1, sizeof(*a));
	buf_init(&a->members, call->c->a, 512, ASKED_MAX);
	a->kept = json_object_new_object();
	arena_defer(call->c->a, release, a->kept);
	return a;
}

bool
mcp_read_answers(struct mcp_call *call)
{
	json_object *responses = NULL, *state = NULL;
	const char *text;
	size_t n;

	if (call->era != ERA_MODERN || call->m->params == NULL)
		return true;
	if (json_object_object_get_ex(call->m->params, "inputResponses", &responses) &&
	    !json_object_is_type(responses, json_type_object))
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "inputResponses: must be an object");
	if (json_object_object_get_ex(call->m->params, "requestState", &state)) {
		if (!json_object_is_type(state, json_type_string) ||
		    (text = state_open(call, json_object_get_string(state), &n)) == NULL ||
		    json_parse(call->c, text, n, &call->state) != E_OK)
			return mcp_fail(call, RPC_PARAMS_INVALID, 200, "requestState: is not what this call was given, or too old");
	}
	asked_of(call)->responses = responses;
	return true;
}

void
mcp_drop_unasked(struct mcp_call *call)
{
	if (call->asked != NULL && call->state == NULL)
		call->asked->responses = NULL;
}

static enum mcp_answer
ask_in_rounds(struct mcp_call *call, const char *key, const char *method, const char *params, json_object **answer)
{
	struct mcp_asked *a = asked_of(call);
	json_object *v;

	if ((a->responses != NULL && json_object_object_get_ex(a->responses, key, &v) && well_formed(call, v, method, params)) ||
	    (call->state != NULL && is_object(call->state, key, &v))) {
		json_object_object_add(a->kept, key, json_object_get(v));
		*answer = v;
		return MCP_ANSWERED;
	}
	buf_puts(&a->members, a->members.n > 0 ? "," : "");
	buf_json_cstr(&a->members, key);
	buf_printf(&a->members, ":{\"method\":\"%s\",\"params\":", method);
	buf_puts(&a->members, params);
	buf_putc(&a->members, '}');
	return MCP_ASKED;
}

bool
mcp_asking(const struct mcp_call *call)
{
	return call->asked != NULL && call->asked->members.n > 0;
}

void
mcp_put_asked(struct mcp_call *call)
{
	const char *text, *state;
	size_t n;

	mcp_member(call, "inputRequests");
	buf_putc(call->out, '{');
	buf_put(call->out, call->asked->members.p, call->asked->members.n);
	buf_putc(call->out, '}');
	text = json_text(call->c, call->asked->kept, &n);
	state = state_seal(call, text, n);
	if (state != NULL) {
		mcp_member(call, "requestState");
		buf_json_cstr(call->out, state);
	}
}

/* ---- legacy: a question on the stream, an answer in the store ---------------------- */

static void
nap(int64_t ms)
{
	const struct timespec t = { ms / 1000, (ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* The key under which it is noted that the client has given up the request of that id; NULL: no key can be made of it. */
static const char *
cancel_key(const struct mcp_call *call, json_object *id)
{
	const char *text;

	if (json_object_is_type(id, json_type_int))
		return session_key(call->c, call->session, "c", arena_printf(call->c->a, "n-%lld", (long long)json_object_get_int64(id)));
	if (!json_object_is_type(id, json_type_string))
		return NULL;
	text = json_object_get_string(id);
	return session_id_valid(text) ? session_key(call->c, call->session, "c", text) : NULL;
}

void
mcp_note_cancelled(struct mcp_call *call)
{
	json_object *id;
	const char *key;

	/* whoever holds a lasting connection ends its calls itself */
	if (call->session == NULL || call->session->kept != NULL || call->m->params == NULL ||
	    !json_object_object_get_ex(call->m->params, "requestId", &id))
		return;
	key = cancel_key(call, id);
	if (key != NULL)
		shm_note(key);
	if (key != NULL && kv_set(call->c, key, "1", 1, WAIT_MS / 1000, false, NULL) != E_OK)
		ctx_clear_error(call->c);	/* a notification is never refused */
}

bool
mcp_was_cancelled(struct mcp_call *call)
{
	const char *key = call->session != NULL && call->session->kept == NULL ? cancel_key(call, call->m->id) : NULL;

	return key != NULL && (shm_noted(key, call->began_ms) || kv_peek(call->c, key) != NULL);
}

/* Asked with each sign of life, not with each look. */
static bool
given_up(struct mcp_call *call)
{
	const char *key = cancel_key(call, call->m->id), *value = NULL;
	size_t n;

	return key != NULL && kv_get(call->c, key, &value, &n) == E_OK && value != NULL;
}

/* Wait until the value of the key is an answer; NULL: it never came. */
static const char *
wait_for(struct mcp_call *call, const char *key, size_t *n)
{
	struct mcp_stream *s = call->io->stream;
	int64_t end = now_ms() + WAIT_MS, beat = now_ms() + BEAT_MS, step = 5;
	const char *value;

	while (now_ms() < end) {
		bool beats = now_ms() >= beat;

		if (kv_get(call->c, key, &value, n) != E_OK || value == NULL)
			return NULL;
		if (strcmp(value, WAITING) != 0)
			return value;
		if (!s->alive(s, beats) || (beats && given_up(call))) {
			call->left = true;
			return NULL;
		}
		if (beats)
			beat = now_ms() + BEAT_MS;
		nap(step);
		step = step * 2 > LOOK_MAX_MS ? LOOK_MAX_MS : step * 2;
	}
	return NULL;
}

static void
put_question(struct buf *b, const char *id, const char *method, const char *params)
{
	buf_puts(b, "{\"jsonrpc\":\"2.0\",\"id\":");
	buf_json_cstr(b, id);
	buf_printf(b, ",\"method\":\"%s\",\"params\":", method);
	buf_puts(b, params);
	buf_putc(b, '}');
}

/* By way of the store: the answer comes to another process.  NULL: it never came. */
static const char *
exchange(struct mcp_call *call, const char *id, const struct buf *question, size_t *n)
{
	const char *key = session_key(call->c, call->session, "a", id), *text = NULL;

	if (!slot_take(true))
		return NULL;
	if (kv_set(call->c, key, WAITING, sizeof(WAITING) - 1, WAIT_MS / 1000 + 10, false, NULL) == E_OK &&
	    mcp_send(call, question->p, question->n))
		text = wait_for(call, key, n);
	if (kv_del(call->c, key) != E_OK)
		ctx_clear_error(call->c);	/* it expires */
	slot_give();
	return text;
}

/* On a lasting connection the answer comes to this process. */
static const char *
exchange_here(struct mcp_call *call, const char *id, const struct buf *question, size_t *n)
{
	struct mcp_stream *s = call->io->stream;
	int64_t end = now_ms() + WAIT_MS;
	const char *text = NULL;

	if (!s->ask(s, id))
		return NULL;
	if (mcp_send(call, question->p, question->n))
		while (text == NULL && !mcp_cancelled(call) && now_ms() < end)
			text = s->answer(s, call->c, BEAT_MS, n);
	(void)s->ask(s, NULL);
	return text;
}

static enum mcp_answer
ask_and_wait(struct mcp_call *call, const char *method, const char *params, json_object **answer)
{
	int64_t deadline = call->c->deadline_ms;
	const char *text;
	json_object *message = NULL;
	char id[26] = "s-";
	struct buf b;
	size_t n = 0;

	random_base62(id + 2, 22);
	buf_init(&b, call->c->a, 512, ASKED_MAX);
	put_question(&b, id, method, params);
	call->c->deadline_ms = now_ms() + WAIT_MS + 5000;
	text = call->io->stream->ask != NULL ? exchange_here(call, id, &b, &n) : exchange(call, id, &b, &n);
	/* what is left to do has the time that the request had at its beginning */
	call->c->deadline_ms = now_ms() + (deadline > now_ms() ? deadline - now_ms() : 5000);
	ctx_clear_error(call->c);
	if (text == NULL || json_parse(call->c, text, n, &message) != E_OK || !json_object_object_get_ex(message, "result", answer) ||
	    !well_formed(call, *answer, method, params)) {
		ctx_clear_error(call->c);
		return MCP_UNABLE;
	}
	return MCP_ANSWERED;
}

enum err
mcp_take_answer(struct mcp_call *call)
{
	const char *key, *value = NULL, *text;
	size_t n;

	if (call->session == NULL || !json_object_is_type(call->m->id, json_type_string) ||
	    !session_id_valid(json_object_get_string(call->m->id)))
		return E_NOT_FOUND;
	key = session_key(call->c, call->session, "a", json_object_get_string(call->m->id));
	if (kv_get(call->c, key, &value, &n))
		return call->c->err;
	if (value == NULL || strcmp(value, WAITING) != 0)
		return E_NOT_FOUND;
	text = json_text(call->c, call->m->message, &n);
	return kv_set(call->c, key, text, n, WAIT_MS / 1000, false, NULL);
}

enum mcp_answer
mcp_ask(struct mcp_call *call, const char *key, const char *method, const char *params, json_object **answer)
{
	if (!mcp_can_ask(call, method))
		return MCP_UNABLE;
	return call->era == ERA_MODERN ? ask_in_rounds(call, key, method, params, answer) : ask_and_wait(call, method, params, answer);
}
