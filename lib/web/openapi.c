#include "web/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/config.h"
#include "core/json.h"
#include "tool/schema.h"
#include "tool/tool.h"
#include "web/router.h"

#define ROWS_MAX 64	/* rows that share one path and method */

/* The rows of one operation. */
struct operation {
	const char *path;
	enum method method;
	const struct route *rows[ROWS_MAX];
	size_t n;
};

static const enum method order[] = { M_GET, M_POST, M_PUT, M_PATCH, M_DELETE };

static void
collect(struct operation *op)
{
	op->n = 0;
	for (const struct program *p = programs; p->name; p++)
		for (const struct route *t = p->routes; t->path; t++)
			if ((t->methods & (unsigned)op->method) && strcmp(t->path, op->path) == 0 && op->n < ROWS_MAX)
				op->rows[op->n++] = t;
}

static const char *
row_scope(const struct route *t)
{
	return t->tool ? tool_find(t->tool)->scope : t->scope;
}

static const char *
row_summary(const struct route *t)
{
	return t->tool ? tool_find(t->tool)->title : t->summary;
}

static void
comma(struct buf *b)
{
	char last = b->n ? b->p[b->n - 1] : '{';

	if (last != '{' && last != '[')
		buf_putc(b, ',');
}

/* "get_api_mcp_status" */
static void
operation_id(struct buf *b, const struct operation *op)
{
	buf_puts(b, "\"operationId\":\"");
	for (const char *s = method_name(op->method); *s; s++)
		buf_putc(b, (char)tolower((unsigned char)*s));
	for (const char *s = op->path; *s; s++)
		if (*s != '{' && *s != '}')
			buf_putc(b, isalnum((unsigned char)*s) ? *s : '_');
	buf_putc(b, '"');
}

/* The programs' names are the tags. */
static const char *
tag(const struct route *row)
{
	for (const struct program *p = programs; p->name; p++)
		for (const struct route *t = p->routes; t->path; t++)
			if (t == row)
				return p->name;
	return "souk";
}

/* The fixed pair's name and the values of all rows, as a required enum. */
static void
query_pair(struct buf *b, const struct operation *op)
{
	const char *q = op->rows[0]->query;

	comma(b);
	buf_printf(b, "{\"name\":\"%.*s\",\"in\":\"query\",\"required\":true,\"schema\":{\"type\":\"string\",\"enum\":[", (int)strcspn(q, "="), q);
	for (size_t i = 0; i < op->n; i++)
		if (op->rows[i]->query) {
			comma(b);
			buf_json_cstr(b, strchr(op->rows[i]->query, '=') + 1);
		}
	buf_puts(b, "]}}");
}

static json_object *
properties_of(const struct route *t)
{
	json_object *props = NULL;

	if (t->tool)
		json_object_object_get_ex(tool_schema(tool_find(t->tool)), "properties", &props);
	return props;
}

/* Has an earlier row of the operation declared that argument? */
static bool
declared_before(const struct operation *op, size_t row, const char *name)
{
	json_object *props, *v;

	for (size_t i = 0; i < row; i++)
		if ((props = properties_of(op->rows[i])) && json_object_object_get_ex(props, name, &v))
			return true;
	return false;
}

/* A tool's arguments as query parameters (GET) of the operation. */
static void
tool_parameters(struct ctx *c, struct buf *b, const struct operation *op, size_t row)
{
	json_object *props = properties_of(op->rows[row]), *schema, *desc;
	const char *text;
	size_t n;

	if (!props)
		return;
	schema = tool_schema(tool_find(op->rows[row]->tool));
	json_object_object_foreach(props, name, prop) {
		if (declared_before(op, row, name))
			continue;
		comma(b);
		buf_puts(b, "{\"name\":");
		buf_json_cstr(b, name);
		buf_printf(b, ",\"in\":\"query\",\"required\":%s", op->n == 1 && schema_requires(schema, name) ? "true" : "false");
		if (json_object_object_get_ex(prop, "description", &desc)) {
			buf_puts(b, ",\"description\":");
			buf_json_cstr(b, json_object_get_string(desc));
		}
		text = json_text(c, prop, &n);
		buf_puts(b, ",\"schema\":");
		buf_put(b, text, n);
		buf_putc(b, '}');
	}
}

/* Variable segments of the path. */
static void
path_parameters(struct buf *b, const char *path)
{
	for (const char *p = path; (p = strchr(p, '{')); p++) {
		comma(b);
		buf_printf(b, "{\"name\":\"%.*s\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\"}}", (int)strcspn(p + 1, "}"), p + 1);
	}
}

static void
parameters(struct ctx *c, struct buf *b, const struct operation *op)
{
	buf_puts(b, ",\"parameters\":[");
	path_parameters(b, op->path);
	if (op->rows[0]->query)
		query_pair(b, op);
	for (size_t i = 0; i < op->n; i++)
		if (op->rows[i]->tool && op->method == M_GET)
			tool_parameters(c, b, op, i);
	buf_putc(b, ']');
}

static void
tool_body(struct buf *b, const struct tool *t)
{
	buf_puts(b, ",\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":");
	buf_put(b, t->text + t->input.at, t->input.n);
	buf_puts(b, "}}}");
}

/* The results of all rows: one schema, or any of them. */
static void
tool_responses(struct buf *b, const struct operation *op)
{
	size_t shown = 0;

	buf_puts(b, ",\"responses\":{\"200\":{\"description\":\"OK\",\"content\":{\"application/json\":{\"schema\":");
	buf_puts(b, op->n > 1 ? "{\"anyOf\":[" : "");
	for (size_t i = 0; i < op->n; i++) {
		const struct tool *t = op->rows[i]->tool ? tool_find(op->rows[i]->tool) : NULL;

		if (!t)
			continue;
		buf_puts(b, shown++ ? "," : "");
		buf_put(b, t->text + t->output.at, t->output.n);
	}
	buf_puts(b, shown ? "" : "{\"type\":\"object\"}");
	buf_puts(b, op->n > 1 ? "]}" : "");
	buf_puts(b, "}}}");
}

/* Those that the route's own description does not have: a member may not stand twice. */
static void
error_responses(struct buf *b, const char *doc, bool token)
{
	static const char *const codes[] = { "400", "401", "403", "404", "429", "503" };
	char member[8];

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		if (!token && (strcmp(codes[i], "401") == 0 || strcmp(codes[i], "403") == 0))
			continue;
		snprintf(member, sizeof member, "\"%s\":", codes[i]);
		if (!doc || !strstr(doc, member))
			buf_printf(b, ",%s{\"$ref\":\"#/components/responses/Error\"}", member);
	}
}

static void
write_operation(struct ctx *c, struct buf *b, const struct operation *op)
{
	const struct route *first = op->rows[0];
	const char *scope = row_scope(first);
	bool open = strcmp(scope, "none") == 0;

	comma(b);
	buf_putc(b, '"');
	for (const char *s = method_name(op->method); *s; s++)
		buf_putc(b, (char)tolower((unsigned char)*s));
	buf_puts(b, "\":{");
	operation_id(b, op);
	buf_puts(b, ",\"summary\":");
	buf_json_cstr(b, row_summary(first));
	buf_printf(b, ",\"tags\":[\"%s\"],\"x-scope\":\"%s\",\"security\":[%s{\"token\":[]}]", tag(first), scope, open ? "{}," : "");
	parameters(c, b, op);
	if (first->tool) {
		if (op->method != M_GET)
			tool_body(b, tool_find(first->tool));
		tool_responses(b, op);
	} else if (first->doc) {
		buf_putc(b, ',');
		buf_puts(b, first->doc);
		b->n--;		/* the table's responses end with '}': go on inside them */
		b->p[b->n] = '\0';
	} else
		buf_puts(b, ",\"responses\":{\"200\":{\"description\":\"OK\"}");
	error_responses(b, first->tool ? NULL : first->doc, !open);
	buf_puts(b, "}}");
}

/* Has an earlier row the same path? */
static bool
path_seen(const struct route *row)
{
	for (const struct program *p = programs; p->name; p++)
		for (const struct route *t = p->routes; t->path; t++) {
			if (t == row)
				return false;
			if (strcmp(t->path, row->path) == 0)
				return true;
		}
	return false;
}

static void
write_path(struct ctx *c, struct buf *b, const char *path)
{
	comma(b);
	buf_json_cstr(b, path);
	buf_puts(b, ":{");
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		struct operation op = { .path = path, .method = order[i] };

		collect(&op);
		if (op.n > 0)
			write_operation(c, b, &op);
	}
	buf_putc(b, '}');
}

static const char components[] =
	",\"components\":{\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"mcp_key_<id>_<secret>\"}},"
	"\"schemas\":{\"Error\":{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{\"type\":\"object\","
	"\"required\":[\"code\",\"message\",\"timestamp\",\"request_id\"],\"properties\":{\"code\":{\"type\":\"string\",\"enum\":["
	"\"MCP_AUTH_REQUIRED\",\"MCP_FORBIDDEN\",\"MCP_RATE_LIMITED\",\"MCP_TEST_RUNNING\",\"MCP_INVALID_REQUEST\",\"MCP_NOT_FOUND\",\"MCP_CONFLICT\","
	"\"MCP_UNAVAILABLE\",\"MCP_INTERNAL\"]},\"message\":{\"type\":\"string\"},\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\"},"
	"\"request_id\":{\"type\":\"string\"}}}}}},"
	"\"responses\":{\"Error\":{\"description\":\"Refused or failed; code and message say why\",\"headers\":{"
	"\"RateLimit-Limit\":{\"schema\":{\"type\":\"integer\"}},\"RateLimit-Remaining\":{\"schema\":{\"type\":\"integer\"}},"
	"\"RateLimit-Reset\":{\"description\":\"seconds\",\"schema\":{\"type\":\"integer\"}}},"
	"\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Error\"}}}}}}";

void
openapi_write(struct req *r, struct buf *b)
{
	buf_puts(b, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":");
	buf_json_cstr(b, cfg_str("SHOP_NAME"));
	buf_puts(b, ",\"version\":\"" SOUK_VERSION "\",\"description\":\"The shop's routes for widgets, monitoring, ERP and assistants.\","
	    "\"license\":{\"name\":\"MIT\",\"identifier\":\"MIT\"}},\"servers\":[{\"url\":");
	buf_json_cstr(b, req_base_url(r));
	buf_puts(b, "}],\"tags\":[");
	for (const struct program *p = programs; p->name; p++) {
		comma(b);
		buf_printf(b, "{\"name\":\"%s\"}", p->name);
	}
	buf_puts(b, "],\"paths\":{");
	for (const struct program *p = programs; p->name; p++)
		for (const struct route *t = p->routes; t->path; t++)
			if (!path_seen(t))
				write_path(&r->c, b, t->path);
	buf_putc(b, '}');
	buf_puts(b, components);
	buf_putc(b, '}');
}
