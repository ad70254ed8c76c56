#include "mcp/confirm.h"

#include <sodium.h>
#include <string.h>

#include "core/banned.h"
#include "core/json.h"
#include "mcp/ask.h"
#include "mcp/state.h"
#include "store/kv.h"
#include "tool/schema.h"

#define QUESTION_MAX 4096
#define VALUE_MAX 200		/* bytes of one argument in the question */

static const char agreed[] = "confirmed";

/* A result that is no success, as one text. */
static bool
refuse(struct mcp_call *call, const char *text)
{
	mcp_member(call, "content");
	buf_puts(call->out, "[{\"type\":\"text\",\"text\":");
	buf_json_cstr(call->out, text);
	buf_puts(call->out, "}]");
	mcp_member(call, "isError");
	buf_puts(call->out, "true");
	return false;
}

/* The question with the arguments filled in. */
static const char *
question_of(struct mcp_call *call, const struct tool *t, json_object *args)
{
	const char *p = t->confirm, *open;
	struct buf b;

	buf_init(&b, call->c->a, 256, QUESTION_MAX);
	for (; (open = strchr(p, '{')) != NULL; p = strchr(open, '}') + 1) {
		const char *name = arena_strndup(call->c->a, open + 1, strcspn(open + 1, "}")), *value = "";
		json_object *v;

		buf_put(&b, p, (size_t)(open - p));
		if (args != NULL && json_object_object_get_ex(args, name, &v))
			value = json_object_get_string(v);
		if (strlen(value) > VALUE_MAX)
			value = "...";
		buf_puts(&b, value);
	}
	buf_puts(&b, p);
	return buf_str(&b);
}

/* Note that the confirmation was used; *is_new: it had not been.  false: that cannot be told now. */
static bool
note_use(struct mcp_call *call, const char *token, bool *is_new)
{
	unsigned char hash[crypto_generichash_BYTES_MIN];
	char hex[2 * sizeof(hash) + 1];

	(void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)token, strlen(token), NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	if (kv_set(call->c, arena_printf(call->c->a, "mcp:used:%s", hex), "1", 1, STATE_KEEP_S, true, is_new) == E_OK)
		return true;
	ctx_clear_error(call->c);
	return false;
}

/* Each confirmation is good for one call; false: the result that says why not is written. */
static bool
use_up(struct mcp_call *call, const char *token)
{
	bool is_new = false;

	if (!note_use(call, token, &is_new))
		return refuse(call, "confirm: cannot be checked now, try again; nothing was done.");
	return is_new || refuse(call, "confirm: was used already; nothing was done.");
}

/*
 * A modern client's answer counts once, and only to a question that was put: requestState is bound to who was asked and about what.  After a no there is no
 * yes to the same question.
 */
static bool
settle(struct mcp_call *call, bool agreed_to)
{
	const char *token = NULL;
	json_object *state;
	bool is_new;

	if (call->era == ERA_MODERN && json_object_object_get_ex(call->m->params, "requestState", &state))
		token = json_object_get_string(state);
	if (!agreed_to) {
		if (token != NULL)
			(void)note_use(call, token, &is_new);
		return refuse(call, "The user did not agree; nothing was done.");
	}
	return call->era != ERA_MODERN || (token != NULL && use_up(call, token));
}

static bool
ask(struct mcp_call *call, const char *question)
{
	json_object *answer, *content;
	struct buf b;
	bool ok = false;

	buf_init(&b, call->c->a, 512, 4 * QUESTION_MAX);
	buf_puts(&b, "{\"message\":");
	buf_json_cstr(&b, question);
	buf_puts(&b, ",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"ok\":{\"type\":\"boolean\",\"title\":\"Confirm\","
		"\"description\":\"true: do it\"}},\"required\":[\"ok\"]}}");
	mcp_drop_unasked(call);
	switch (mcp_ask(call, "confirm", "elicitation/create", b.p, &answer)) {
	case MCP_ASKED:
		return false;
	case MCP_UNABLE:
		return refuse(call, "The user did not answer; nothing was done.");
	case MCP_ANSWERED:
		break;
	}
	return settle(call, json_object_object_get_ex(answer, "content", &content) && json_get_bool(content, "ok", &ok) == JSON_OK && ok);
}

static bool
preview(struct mcp_call *call, const struct tool *t, const char *question)
{
	const char *token = state_seal(call, agreed, sizeof(agreed) - 1);

	if (token == NULL)
		return refuse(call, "This needs a confirmation, which this server is not configured for (TOKEN_PEPPER); nothing was done.");
	return refuse(call, arena_printf(call->c->a, "%s Nothing was done yet. Ask the user; after a yes call %s again with the same arguments and "
		"\"confirm\": \"%s\"", question, t->name, token));
}

bool
mcp_confirmed(struct mcp_call *call, const struct tool *t, json_object *args)
{
	const char *token, *text, *question;
	size_t n;

	if (!scope_held(call->io->who, t->scope))
		return true;
	if (schema_check(call->c, tool_schema(t), args, false) != E_OK) {
		ctx_clear_error(call->c);
		return true;
	}
	if (args != NULL && json_get_string(args, "confirm", 0, SIZE_MAX, &token, &n) == JSON_OK) {
		text = state_open(call, token, &n);
		token = arena_strdup(call->c->a, token);
		json_object_object_del(args, "confirm");
		if (text != NULL && strcmp(text, agreed) == 0)
			return use_up(call, token);
		return refuse(call, "confirm: is not what the preview of this call gave, or too old; nothing was done.");
	}
	question = question_of(call, t, args);
	return mcp_can_ask(call, "elicitation/create") ? ask(call, question) : preview(call, t, question);
}
