/* The tools that ask nothing, and the table of all. */
#include "conformance/fixtures.h"

#include "core/banned.h"
#include "core/json.h"
#include "store/db.h"

static bool
simple_text(struct mcp_call *call, json_object *args)
{
	(void)args;
	return fixture_put_text(call, "This is a simple text response for testing.");
}

static bool
put_content(struct mcp_call *call, const char *content)
{
	mcp_member(call, "content");
	buf_puts(call->out, content);
	return true;
}

static bool
image(struct mcp_call *call, json_object *args)
{
	(void)args;
	return put_content(call, "[{\"type\":\"image\",\"data\":\"" FIXTURE_PNG "\",\"mimeType\":\"image/png\"}]");
}

static bool
audio(struct mcp_call *call, json_object *args)
{
	(void)args;
	return put_content(call, "[{\"type\":\"audio\",\"data\":\"" FIXTURE_WAV "\",\"mimeType\":\"audio/wav\"}]");
}

static bool
embedded(struct mcp_call *call, json_object *args)
{
	(void)args;
	return put_content(call, "[{\"type\":\"resource\",\"resource\":{\"uri\":\"test://embedded-resource\",\"mimeType\":\"text/plain\","
		"\"text\":\"This is an embedded resource content.\"}}]");
}

static bool
mixed(struct mcp_call *call, json_object *args)
{
	(void)args;
	return put_content(call, "[{\"type\":\"text\",\"text\":\"Multiple content types test:\"},"
		"{\"type\":\"image\",\"data\":\"" FIXTURE_PNG "\",\"mimeType\":\"image/png\"},"
		"{\"type\":\"resource\",\"resource\":{\"uri\":\"test://mixed-content-resource\",\"mimeType\":\"application/json\","
		"\"text\":\"{\\\"test\\\":\\\"data\\\",\\\"value\\\":123}\"}}]");
}

static bool
failing(struct mcp_call *call, json_object *args)
{
	(void)args;
	(void)fixture_put_text(call, "This tool intentionally returns an error for testing");
	mcp_member(call, "isError");
	buf_puts(call->out, "true");
	return true;
}

static bool
logging(struct mcp_call *call, json_object *args)
{
	static const char *const lines[] = { "\"Tool execution started\"", "\"Tool processing data\"", "\"Tool execution completed\"" };

	(void)args;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (i > 0)
			fixture_nap(50);
		if (!mcp_log(call, MCP_INFO, "conformance", lines[i]))
			return true;
	}
	return fixture_put_text(call, "Tool with logging executed successfully");
}

static bool
progress(struct mcp_call *call, json_object *args)
{
	(void)args;
	for (int done = 0; done <= 100; done += 50) {
		if (done > 0)
			fixture_nap(50);
		if (!mcp_progress(call, done, 100, NULL))
			return true;
	}
	return fixture_put_text(call, "Tool with progress executed successfully");
}

static bool
reconnection(struct mcp_call *call, json_object *args)
{
	(void)args;
	call->later_ms = 500;
	return fixture_put_text(call, "Reconnection test completed successfully");
}

static bool
any_text(struct mcp_call *call, json_object *args)
{
	size_t n;

	return fixture_put_text(call, json_text(call->c, args, &n));
}

static bool
log_when_asked(struct mcp_call *call, json_object *args)
{
	(void)args;
	if (!mcp_log(call, MCP_INFO, "conformance", "\"The tool runs\""))
		return true;
	return fixture_put_text(call, "Done");
}

static bool
tell(struct mcp_call *call, const char *what)
{
	if (db_changes_tell(call->c, what) != E_OK)
		return mcp_refuse(call, call->c->err, NULL);
	return fixture_put_text(call, "Told");
}

static bool
change_tools(struct mcp_call *call, json_object *args)
{
	(void)args;
	return tell(call, "tools");
}

static bool
change_prompts(struct mcp_call *call, json_object *args)
{
	(void)args;
	return tell(call, "prompts");
}

#define ENTRY(name, properties, required) \
	"{\"name\":\"" name "\",\"description\":\"A fixture of the conformance tests\",\"inputSchema\":{\"type\":\"object\",\"properties\":{" properties \
	"}" required "}}"
#define PLAIN(name, run) { name, ENTRY(name, "", ""), run }
#define WITH_TEXT(name, argument, about, run) \
	{ name, ENTRY(name, "\"" argument "\":{\"type\":\"string\",\"description\":\"" about "\"}", ",\"required\":[\"" argument "\"]"), run }

static const char schema_2020[] =
	"{\"name\":\"json_schema_2020_12_tool\",\"description\":\"A fixture with a schema of dialect 2020-12\",\"inputSchema\":"
	"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
	"\"$defs\":{\"address\":{\"$anchor\":\"addressDef\",\"type\":\"object\",\"properties\":{\"street\":{\"type\":\"string\"},"
	"\"city\":{\"type\":\"string\"}}}},"
	"\"properties\":{\"name\":{\"type\":\"string\"},\"address\":{\"$ref\":\"#/$defs/address\"},"
	"\"contactMethod\":{\"type\":\"string\",\"enum\":[\"phone\",\"email\"]},\"phone\":{\"type\":\"string\"},\"email\":{\"type\":\"string\"}},"
	"\"allOf\":[{\"anyOf\":[{\"required\":[\"phone\"]},{\"required\":[\"email\"]}]}],"
	"\"if\":{\"properties\":{\"contactMethod\":{\"const\":\"phone\"}},\"required\":[\"contactMethod\"]},"
	"\"then\":{\"required\":[\"phone\"]},\"else\":{\"required\":[\"email\"]},\"additionalProperties\":false}}";

const struct mcp_fixture_tool fixture_tools[] = {
	PLAIN("test_simple_text", simple_text),
	PLAIN("test_image_content", image),
	PLAIN("test_audio_content", audio),
	PLAIN("test_embedded_resource", embedded),
	PLAIN("test_multiple_content_types", mixed),
	PLAIN("test_error_handling", failing),
	PLAIN("test_tool_with_logging", logging),
	PLAIN("test_tool_with_progress", progress),
	WITH_TEXT("test_sampling", "prompt", "What the model is asked", fixture_sampling),
	WITH_TEXT("test_elicitation", "message", "What the user is asked", fixture_elicitation),
	PLAIN("test_elicitation_sep1034_defaults", fixture_defaults),
	PLAIN("test_elicitation_sep1330_enums", fixture_enums),
	PLAIN("test_reconnection", reconnection),
	{ "json_schema_2020_12_tool", schema_2020, any_text },
	{ "test_x_mcp_header", ENTRY("test_x_mcp_header",
	    "\"region\":{\"type\":\"string\",\"description\":\"Any text\",\"x-mcp-header\":\"Region\"}", ""), any_text },
	PLAIN("test_missing_capability", fixture_missing_capability),
	PLAIN("test_streaming_elicitation", fixture_streaming),
	PLAIN("test_logging_tool", log_when_asked),
	PLAIN("test_trigger_tool_change", change_tools),
	PLAIN("test_trigger_prompt_change", change_prompts),
	PLAIN("test_input_required_result_elicitation", fixture_name),
	PLAIN("test_input_required_result_sampling", fixture_capital),
	PLAIN("test_input_required_result_list_roots", fixture_roots),
	PLAIN("test_input_required_result_request_state", fixture_state),
	PLAIN("test_input_required_result_multiple_inputs", fixture_many),
	PLAIN("test_input_required_result_multi_round", fixture_rounds),
	PLAIN("test_input_required_result_tampered_state", fixture_state),
	PLAIN("test_input_required_result_capabilities", fixture_capabilities),
	{ 0 },
};
