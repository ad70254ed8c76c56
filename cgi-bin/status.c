/*
 * The state of the service, for monitoring.  None of these writes.
 *
 *   GET /api/mcp/status   system, database, tests, resources (token with status:read)
 *   GET /healthz          the process lives; asks nothing of anyone
 *   GET /readyz           database, migrations, Redis; 503 with reasons
 *   GET /metrics          Prometheus text format (token with metrics:read)
 *   GET /openapi.json     the REST routes, derived from the tables
 */
#include "ops/status.h"
#include "web/openapi.h"
#include "web/req.h"

#define BODY_LIMIT (1u << 20)

static enum err
status(struct req *r)
{
	struct buf b;

	buf_init(&b, r->c.a, 1024, BODY_LIMIT);
	status_report(&r->c, &b);
	return res_send(r, 200, "application/json", b.p, b.n);
}

static enum err
healthz(struct req *r)
{
	static const char body[] = "{\"status\":\"ok\"}";

	return res_send(r, 200, "application/json", body, sizeof body - 1);
}

static enum err
readyz(struct req *r)
{
	struct buf b;
	bool ready;

	buf_init(&b, r->c.a, 1024, BODY_LIMIT);
	ready = status_ready(&r->c, &b);
	if (!ready)
		res_header(r, "Retry-After", "2");
	return res_send(r, ready ? 200 : 503, "application/json", b.p, b.n);
}

static enum err
metrics(struct req *r)
{
	struct buf b;

	buf_init(&b, r->c.a, 32768, BODY_LIMIT);
	status_metrics(&r->c, &b);
	return res_send(r, 200, "text/plain; version=0.0.4; charset=utf-8", b.p, b.n);
}

static enum err
openapi(struct req *r)
{
	struct buf b;

	buf_init(&b, r->c.a, 65536, 4 * BODY_LIMIT);
	openapi_write(r, &b);
	return res_json(r, b.p, b.n);
}

#define STATUS_SCHEMA \
	"{\"type\":\"object\",\"required\":[\"system\",\"database\",\"tests\",\"resources\"],\"properties\":{" \
	"\"system\":{\"type\":\"object\",\"required\":[\"status\",\"version\",\"uptime\",\"environment\"],\"properties\":{" \
	"\"status\":{\"type\":\"string\",\"enum\":[\"healthy\",\"degraded\",\"down\"]},\"version\":{\"type\":\"string\"}," \
	"\"uptime\":{\"type\":\"integer\",\"description\":\"seconds\"},\"environment\":{\"type\":\"string\"}}}," \
	"\"database\":{\"type\":\"object\",\"required\":[\"connected\",\"latency\"],\"properties\":{\"connected\":{\"type\":\"boolean\"}," \
	"\"latency\":{\"type\":[\"number\",\"null\"],\"description\":\"milliseconds\"}}}," \
	"\"tests\":{\"type\":\"object\",\"required\":[\"total\",\"passed\",\"failed\",\"last_run\"],\"properties\":{\"total\":{\"type\":\"integer\"}," \
	"\"passed\":{\"type\":\"integer\"},\"failed\":{\"type\":\"integer\"},\"last_run\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}}}," \
	"\"resources\":{\"type\":\"object\",\"required\":[\"memory_usage\",\"cpu_usage\",\"disk_usage\"],\"properties\":{" \
	"\"memory_usage\":{\"type\":[\"string\",\"null\"]},\"cpu_usage\":{\"type\":[\"string\",\"null\"]},\"disk_usage\":{\"type\":[\"string\",\"null\"]}}}}}"

#define CHECKS_SCHEMA \
	"{\"type\":\"object\",\"required\":[\"status\"],\"properties\":{\"status\":{\"type\":\"string\"},\"checks\":{\"type\":\"object\"," \
	"\"additionalProperties\":{\"type\":\"object\",\"required\":[\"ok\"],\"properties\":{\"ok\":{\"type\":\"boolean\"}," \
	"\"latency_ms\":{\"type\":\"number\"},\"reason\":{\"type\":\"string\"}}}}}}"

#define JSON_200(schema) \
	"\"200\":{\"description\":\"OK\",\"content\":{\"application/json\":{\"schema\":" schema "}}}"
#define JSON_503(schema) \
	"\"503\":{\"description\":\"Not ready; checks say why\",\"content\":{\"application/json\":{\"schema\":" schema "}}}"

const struct route routes[] = {
	{ M_GET, "/api/mcp/status", "status:read", "status", status, .summary = "State of system, database, tests and host",
	    .doc = "\"responses\":{" JSON_200(STATUS_SCHEMA) "}", .flags = ROUTE_WHEN_DOWN },
	{ M_GET, "/healthz", "none", "health", healthz, .summary = "Does the process live?",
	    .doc = "\"responses\":{" JSON_200(CHECKS_SCHEMA) "}", .flags = ROUTE_QUIET | ROUTE_NO_AUTH },
	{ M_GET, "/readyz", "none", "health", readyz, .summary = "Can requests be served?",
	    .doc = "\"responses\":{" JSON_200(CHECKS_SCHEMA) "," JSON_503(CHECKS_SCHEMA) "}",
	    .flags = ROUTE_QUIET | ROUTE_NO_AUTH },
	{ M_GET, "/metrics", "metrics:read", "status", metrics, .summary = "Counters and gauges for Prometheus",
	    .doc = "\"responses\":{\"200\":{\"description\":\"Prometheus text format 0.0.4\",\"content\":{\"text/plain\":{\"schema\":{\"type\":\"string\"}}}}}",
	    .flags = ROUTE_QUIET },
	{ M_GET, "/openapi.json", "none", "data", openapi, .summary = "This description",
	    .doc = "\"responses\":{" JSON_200("{\"type\":\"object\"}") "}" },
	{ 0 }
};
