/* What the files of the fixtures share. */
#ifndef SOUK_CONFORMANCE_FIXTURES_H
#define SOUK_CONFORMANCE_FIXTURES_H

#include "mcp/ask.h"
#include "mcp/fixtures.h"
#include "mcp/notify.h"

#define FIXTURE_PNG "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
#define FIXTURE_WAV "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

/* Parameters of an elicitation with one required string. */
#define FIXTURE_FORM(message, member) \
	"{\"mode\":\"form\",\"message\":\"" message "\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"" member \
	"\":{\"type\":\"string\"}},\"required\":[\"" member "\"]}}"
#define FIXTURE_CONFIRM \
	"{\"mode\":\"form\",\"message\":\"Please confirm\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"ok\":{\"type\":\"boolean\"}}," \
	"\"required\":[\"ok\"]}}"

extern const struct mcp_fixture_tool fixture_tools[];

/* A string member, "" when there is none. */
const char *fixture_text(json_object *o, const char *key);
/* The content of a result: one text. */
bool fixture_put_text(struct mcp_call *call, const char *text);
void fixture_nap(long ms);

/* asking.c */
bool fixture_sampling(struct mcp_call *call, json_object *args);
bool fixture_elicitation(struct mcp_call *call, json_object *args);
bool fixture_defaults(struct mcp_call *call, json_object *args);
bool fixture_enums(struct mcp_call *call, json_object *args);
bool fixture_missing_capability(struct mcp_call *call, json_object *args);
bool fixture_streaming(struct mcp_call *call, json_object *args);
bool fixture_name(struct mcp_call *call, json_object *args);
bool fixture_capital(struct mcp_call *call, json_object *args);
bool fixture_roots(struct mcp_call *call, json_object *args);
bool fixture_state(struct mcp_call *call, json_object *args);
bool fixture_many(struct mcp_call *call, json_object *args);
bool fixture_rounds(struct mcp_call *call, json_object *args);
bool fixture_capabilities(struct mcp_call *call, json_object *args);

#endif
