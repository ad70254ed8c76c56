/* The tools that ask the client something. */
#include "conformance/fixtures.h"

#include <string.h>

#include "core/banned.h"
#include "core/json.h"

#define SAMPLE(text, tokens) \
	"{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"" text "\"}}],\"maxTokens\":" tokens "}"
#define ASK_NAME FIXTURE_FORM("What is your name?", "name")

/* When the question has gone out nothing more is to be done; when it could not, the tool has failed. */
static bool
not_answered(struct mcp_call *call)
{
	if (mcp_asking(call))
		return true;
	(void)fixture_put_text(call, "The client cannot be asked, or has not answered");
	mcp_member(call, "isError");
	buf_puts(call->out, "true");
	return true;
}

static json_object *
member(json_object *o, const char *key)
{
	json_object *v = NULL;

	(void)json_object_object_get_ex(o, key, &v);
	return v;
}

/* The text of a model's answer, whose content is one block or several. */
static const char *
said(json_object *answer)
{
	json_object *content = member(answer, "content");

	if (json_object_is_type(content, json_type_array))
		content = json_object_array_get_idx(content, 0);
	return json_object_is_type(content, json_type_object) ? fixture_text(content, "text") : "";
}

/* "PREFIX action=accept, content={...}" */
static bool
put_outcome(struct mcp_call *call, const char *prefix, json_object *answer)
{
	json_object *content = member(answer, "content");
	size_t n;

	return fixture_put_text(call, arena_printf(call->c->a, "%s action=%s, content=%s", prefix, fixture_text(answer, "action"),
		content != NULL ? json_text(call->c, content, &n) : "{}"));
}

bool
fixture_sampling(struct mcp_call *call, json_object *args)
{
	json_object *answer;
	struct buf b;

	buf_init(&b, call->c->a, 256, 65536);
	buf_puts(&b, "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":");
	buf_json_cstr(&b, fixture_text(args, "prompt"));
	buf_puts(&b, "}}],\"maxTokens\":100}");
	if (mcp_ask(call, "sample", "sampling/createMessage", b.p, &answer) != MCP_ANSWERED)
		return not_answered(call);
	return fixture_put_text(call, arena_printf(call->c->a, "LLM response: %s", said(answer)));
}

bool
fixture_elicitation(struct mcp_call *call, json_object *args)
{
	json_object *answer;
	struct buf b;

	buf_init(&b, call->c->a, 512, 65536);
	buf_puts(&b, "{\"message\":");
	buf_json_cstr(&b, fixture_text(args, "message"));
	buf_puts(&b, ",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"username\":{\"type\":\"string\",\"description\":\"User's response\"},"
		"\"email\":{\"type\":\"string\",\"description\":\"User's email address\"}},\"required\":[\"username\",\"email\"]}}");
	if (mcp_ask(call, "user", "elicitation/create", b.p, &answer) != MCP_ANSWERED)
		return not_answered(call);
	return put_outcome(call, "User response:", answer);
}

bool
fixture_defaults(struct mcp_call *call, json_object *args)
{
	static const char params[] = "{\"message\":\"Please look over these values\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{"
		"\"name\":{\"type\":\"string\",\"description\":\"Name\",\"default\":\"John Doe\"},"
		"\"age\":{\"type\":\"integer\",\"description\":\"Age\",\"default\":30},"
		"\"score\":{\"type\":\"number\",\"description\":\"Score\",\"default\":95.5},"
		"\"status\":{\"type\":\"string\",\"description\":\"Status\",\"enum\":[\"active\",\"inactive\",\"pending\"],\"default\":\"active\"},"
		"\"verified\":{\"type\":\"boolean\",\"description\":\"Verified\",\"default\":true}},\"required\":[]}}";
	json_object *answer;

	(void)args;
	if (mcp_ask(call, "values", "elicitation/create", params, &answer) != MCP_ANSWERED)
		return not_answered(call);
	return put_outcome(call, "Elicitation completed:", answer);
}

bool
fixture_enums(struct mcp_call *call, json_object *args)
{
	static const char params[] = "{\"message\":\"Please choose\",\"requestedSchema\":{\"type\":\"object\",\"required\":[],\"properties\":{"
		"\"untitledSingle\":{\"type\":\"string\",\"enum\":[\"option1\",\"option2\",\"option3\"]},"
		"\"titledSingle\":{\"type\":\"string\",\"oneOf\":[{\"const\":\"value1\",\"title\":\"First Option\"},"
		"{\"const\":\"value2\",\"title\":\"Second Option\"},{\"const\":\"value3\",\"title\":\"Third Option\"}]},"
		"\"legacyEnum\":{\"type\":\"string\",\"enum\":[\"opt1\",\"opt2\",\"opt3\"],"
		"\"enumNames\":[\"Option One\",\"Option Two\",\"Option Three\"]},"
		"\"untitledMulti\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":3,"
		"\"items\":{\"type\":\"string\",\"enum\":[\"option1\",\"option2\",\"option3\"]}},"
		"\"titledMulti\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":3,\"items\":{\"anyOf\":["
		"{\"const\":\"value1\",\"title\":\"First Choice\"},{\"const\":\"value2\",\"title\":\"Second Choice\"},"
		"{\"const\":\"value3\",\"title\":\"Third Choice\"}]}}}}}";
	json_object *answer;

	(void)args;
	if (mcp_ask(call, "choice", "elicitation/create", params, &answer) != MCP_ANSWERED)
		return not_answered(call);
	return put_outcome(call, "Elicitation completed:", answer);
}

/* ---- modern ------------------------------------------------------------------------- */

bool
fixture_missing_capability(struct mcp_call *call, json_object *args)
{
	(void)args;
	if (mcp_can_ask(call, "sampling/createMessage"))
		return fixture_put_text(call, "The client can be asked");
	(void)mcp_fail(call, RPC_CAPABILITY_MISSING, call->era == ERA_MODERN ? 400 : 200, "this tool needs a client with sampling");
	call->error.data = "{\"requiredCapabilities\":{\"sampling\":{}}}";
	return false;
}

bool
fixture_streaming(struct mcp_call *call, json_object *args)
{
	json_object *answer;

	(void)args;
	if (mcp_ask(call, "user_name", "elicitation/create", ASK_NAME, &answer) != MCP_ANSWERED)
		return not_answered(call);
	return put_outcome(call, "User response:", answer);
}

bool
fixture_name(struct mcp_call *call, json_object *args)
{
	json_object *answer;

	(void)args;
	if (mcp_ask(call, "user_name", "elicitation/create", ASK_NAME, &answer) != MCP_ANSWERED)
		return not_answered(call);
	if (member(answer, "content") == NULL)
		return fixture_put_text(call, "The user did not say");
	return fixture_put_text(call, arena_printf(call->c->a, "Hello, %s!", fixture_text(member(answer, "content"), "name")));
}

bool
fixture_capital(struct mcp_call *call, json_object *args)
{
	json_object *answer;

	(void)args;
	if (mcp_ask(call, "capital_question", "sampling/createMessage", SAMPLE("What is the capital of France?", "100"), &answer) != MCP_ANSWERED)
		return not_answered(call);
	return fixture_put_text(call, arena_printf(call->c->a, "The model says: %s", said(answer)));
}

bool
fixture_roots(struct mcp_call *call, json_object *args)
{
	json_object *answer;
	size_t n;

	(void)args;
	if (mcp_ask(call, "client_roots", "roots/list", "{}", &answer) != MCP_ANSWERED)
		return not_answered(call);
	return fixture_put_text(call, arena_printf(call->c->a, "Roots: %s", json_text(call->c, member(answer, "roots"), &n)));
}

bool
fixture_state(struct mcp_call *call, json_object *args)
{
	json_object *answer;

	(void)args;
	if (mcp_ask(call, "confirm", "elicitation/create", FIXTURE_CONFIRM, &answer) != MCP_ANSWERED)
		return not_answered(call);
	return fixture_put_text(call, call->state != NULL ? "state-ok" : "no state was sent");
}

bool
fixture_many(struct mcp_call *call, json_object *args)
{
	json_object *name, *greeting, *roots;
	enum mcp_answer a, b, c;
	size_t n;

	(void)args;
	a = mcp_ask(call, "user_name", "elicitation/create", ASK_NAME, &name);
	b = mcp_ask(call, "greeting", "sampling/createMessage", SAMPLE("Generate a greeting", "50"), &greeting);
	c = mcp_ask(call, "client_roots", "roots/list", "{}", &roots);
	if (a != MCP_ANSWERED || b != MCP_ANSWERED || c != MCP_ANSWERED)
		return not_answered(call);
	return fixture_put_text(call, arena_printf(call->c->a, "%s, %s! Roots: %s", said(greeting), fixture_text(member(name, "content"), "name"),
		json_text(call->c, member(roots, "roots"), &n)));
}

bool
fixture_rounds(struct mcp_call *call, json_object *args)
{
	json_object *name, *colour;

	(void)args;
	if (mcp_ask(call, "step1", "elicitation/create", FIXTURE_FORM("Step 1: What is your name?", "name"), &name) != MCP_ANSWERED ||
	    mcp_ask(call, "step2", "elicitation/create", FIXTURE_FORM("Step 2: What is your favorite color?", "color"), &colour) != MCP_ANSWERED)
		return not_answered(call);
	return fixture_put_text(call, arena_printf(call->c->a, "%s likes %s", fixture_text(member(name, "content"), "name"),
		fixture_text(member(colour, "content"), "color")));
}

bool
fixture_capabilities(struct mcp_call *call, json_object *args)
{
	json_object *answer = NULL;
	enum mcp_answer a;

	(void)args;
	/* only what the client has declared goes out */
	a = mcp_ask(call, "user_name", "elicitation/create", ASK_NAME, &answer);
	if (a == MCP_UNABLE)
		a = mcp_ask(call, "greeting", "sampling/createMessage", SAMPLE("Generate a greeting", "50"), &answer);
	if (a != MCP_ANSWERED)
		return not_answered(call);
	return fixture_put_text(call, "Done");
}
