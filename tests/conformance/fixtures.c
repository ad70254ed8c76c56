/*
 * What the protocol's conformance tests ask for: the tools, resources and prompts whose names and answers their scenarios prescribe.  Linked into
 * souk-conformance.fcgi in place of the empty table of the library, and served only with SOUK_CONFORMANCE.
 */
#include "conformance/fixtures.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"

#define STATIC_ENTRY(uri, name, media) \
	"{\"uri\":\"" uri "\",\"name\":\"" name "\",\"description\":\"A fixture of the conformance tests\",\"mimeType\":\"" media "\"}"
#define PROMPT_ENTRY(name, arguments) \
	"{\"name\":\"" name "\",\"description\":\"A fixture of the conformance tests\",\"arguments\":[" arguments "]}"
#define ARGUMENT(name, required) "{\"name\":\"" name "\",\"description\":\"Any text\",\"required\":" required "}"

void
fixture_nap(long ms)
{
	const struct timespec t = { ms / 1000, (ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

const char *
fixture_text(json_object *o, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

bool
fixture_put_text(struct mcp_call *call, const char *text)
{
	mcp_member(call, "content");
	buf_puts(call->out, "[{\"type\":\"text\",\"text\":");
	buf_json_cstr(call->out, text);
	buf_puts(call->out, "}]");
	return true;
}

/* ---- resources --------------------------------------------------------------------- */

static void
put_contents(struct mcp_call *call, const char *uri, const char *media, const char *member, const char *value)
{
	buf_puts(call->out, "{\"uri\":");
	buf_json_cstr(call->out, uri);
	buf_printf(call->out, ",\"mimeType\":\"%s\",\"%s\":", media, member);
	buf_json_cstr(call->out, value);
	buf_putc(call->out, '}');
}

static void
read_text(struct mcp_call *call, const char *uri, const char *var)
{
	(void)var;
	put_contents(call, uri, "text/plain", "text", "This is the content of the static text resource.");
}

static void
read_binary(struct mcp_call *call, const char *uri, const char *var)
{
	(void)var;
	put_contents(call, uri, "image/png", "blob", FIXTURE_PNG);
}

static void
read_watched(struct mcp_call *call, const char *uri, const char *var)
{
	(void)var;
	put_contents(call, uri, "text/plain", "text", "This resource can be watched.");
}

static void
read_template(struct mcp_call *call, const char *uri, const char *var)
{
	struct buf b;

	buf_init(&b, call->c->a, 256, 65536);
	buf_puts(&b, "{\"id\":");
	buf_json_cstr(&b, var);
	buf_puts(&b, ",\"templateTest\":true,\"data\":");
	buf_json_cstr(&b, arena_printf(call->c->a, "Data for ID: %s", var));
	buf_putc(&b, '}');
	put_contents(call, uri, "application/json", "text", b.p);
}

static const struct mcp_fixture_resource resources[] = {
	{ "test://static-text", STATIC_ENTRY("test://static-text", "static-text", "text/plain"), read_text },
	{ "test://static-binary", STATIC_ENTRY("test://static-binary", "static-binary", "image/png"), read_binary },
	{ "test://watched-resource", STATIC_ENTRY("test://watched-resource", "watched-resource", "text/plain"), read_watched },
	{ "test://template/{id}/data", "{\"uriTemplate\":\"test://template/{id}/data\",\"name\":\"template-data\","
	    "\"description\":\"A fixture of the conformance tests\",\"mimeType\":\"application/json\"}", read_template },
	{ 0 },
};

/* ---- prompts ------------------------------------------------------------------------ */

static void
put_message(struct mcp_call *call, bool first, const char *content)
{
	if (first)
		mcp_member(call, "messages");
	buf_puts(call->out, first ? "[{\"role\":\"user\",\"content\":" : ",{\"role\":\"user\",\"content\":");
	buf_puts(call->out, content);
	buf_putc(call->out, '}');
}

static const char *
text_content(struct mcp_call *call, const char *text)
{
	struct buf b;

	buf_init(&b, call->c->a, 256, 65536);
	buf_puts(&b, "{\"type\":\"text\",\"text\":");
	buf_json_cstr(&b, text);
	buf_putc(&b, '}');
	return b.p;
}

static bool
end_messages(struct mcp_call *call)
{
	buf_putc(call->out, ']');
	return true;
}

static bool
simple_prompt(struct mcp_call *call, json_object *args)
{
	(void)args;
	put_message(call, true, text_content(call, "This is a simple prompt for testing."));
	return end_messages(call);
}

static bool
prompt_with_arguments(struct mcp_call *call, json_object *args)
{
	put_message(call, true, text_content(call, arena_printf(call->c->a, "Prompt with arguments: arg1='%s', arg2='%s'",
		fixture_text(args, "arg1"), fixture_text(args, "arg2"))));
	return end_messages(call);
}

static bool
prompt_with_resource(struct mcp_call *call, json_object *args)
{
	struct buf b;

	buf_init(&b, call->c->a, 256, 65536);
	buf_puts(&b, "{\"type\":\"resource\",\"resource\":{\"uri\":");
	buf_json_cstr(&b, fixture_text(args, "resourceUri"));
	buf_puts(&b, ",\"mimeType\":\"text/plain\",\"text\":\"Embedded resource content for testing.\"}}");
	put_message(call, true, b.p);
	put_message(call, false, text_content(call, "Please process the embedded resource above."));
	return end_messages(call);
}

static bool
prompt_with_image(struct mcp_call *call, json_object *args)
{
	(void)args;
	put_message(call, true, "{\"type\":\"image\",\"data\":\"" FIXTURE_PNG "\",\"mimeType\":\"image/png\"}");
	put_message(call, false, text_content(call, "Please analyze the image above."));
	return end_messages(call);
}

static bool
prompt_that_asks(struct mcp_call *call, json_object *args)
{
	json_object *answer, *content;

	(void)args;
	if (mcp_ask(call, "user_context", "elicitation/create", FIXTURE_FORM("What context should the prompt use?", "context"), &answer) !=
	    MCP_ANSWERED || !json_object_object_get_ex(answer, "content", &content)) {
		if (mcp_asking(call))
			return true;
		return mcp_fail(call, RPC_PARAMS_INVALID, 200, "the context was not given");
	}
	put_message(call, true, text_content(call, arena_printf(call->c->a, "Use this context: %s", fixture_text(content, "context"))));
	return end_messages(call);
}

static const struct mcp_fixture_prompt prompts[] = {
	{ "test_simple_prompt", PROMPT_ENTRY("test_simple_prompt", ""), simple_prompt },
	{ "test_prompt_with_arguments", PROMPT_ENTRY("test_prompt_with_arguments", ARGUMENT("arg1", "true") "," ARGUMENT("arg2", "true")),
	    prompt_with_arguments },
	{ "test_prompt_with_embedded_resource", PROMPT_ENTRY("test_prompt_with_embedded_resource", ARGUMENT("resourceUri", "true")),
	    prompt_with_resource },
	{ "test_prompt_with_image", PROMPT_ENTRY("test_prompt_with_image", ""), prompt_with_image },
	{ "test_input_required_result_prompt", PROMPT_ENTRY("test_input_required_result_prompt", ""), prompt_that_asks },
	{ 0 },
};

const struct mcp_fixtures *
mcp_fixtures(void)
{
	static const struct mcp_fixture_tool no_tools[1];
	static const struct mcp_fixture_resource no_resources[1];
	static const struct mcp_fixture_prompt no_prompts[1];
	static const struct mcp_fixtures none = { no_tools, no_resources, no_prompts };
	static struct mcp_fixtures all = { fixture_tools, resources, prompts };

	return cfg_bool("SOUK_CONFORMANCE") ? &all : &none;
}
