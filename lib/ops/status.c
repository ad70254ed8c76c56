#include "ops/status.h"

#include <stdlib.h>
#include <string.h>

#include "auth/rate.h"
#include "core/config.h"
#include "gen/sql.h"
#include "ops/host.h"
#include "ops/metrics.h"
#include "store/db.h"
#include "store/kv.h"
#include "store/shm.h"

#define FULL_PERCENT 95

/* The parts of the state that decide over healthy, degraded and down. */
struct state {
	int64_t db_us;			/* -1: does not answer */
	int64_t redis_us;		/* -1: not configured, -2: down */
	int schema;			/* version of the database, -1 unknown */
	PGresult *tests;		/* last run, NULL unknown; may have no row */
	int memory, cpu, disk;		/* per cent, -1 unknown */
};

/* Version of the newest applied migration; -1 when it cannot be told. */
static int
schema_version(struct ctx *c)
{
	const char *text = NULL;
	size_t n;

	if (db_text(c, &sql_ready, 0, NULL, &text, &n) != E_OK || !text) {
		ctx_clear_error(c);
		return -1;
	}
	return (int)strtol(text, NULL, 10);
}

static void
look(struct ctx *c, struct state *s)
{
	*s = (struct state){ .schema = -1 };
	s->db_us = db_ping_us(c);
	s->redis_us = kv_redis_ping_us(c);
	if (s->db_us >= 0) {
		s->schema = schema_version(c);
		if (db_exec(c, &sql_test_run_last, 0, NULL, &s->tests) != E_OK)
			s->tests = NULL;
	}
	ctx_clear_error(c);
	s->memory = host_memory_percent();
	s->cpu = host_cpu_percent();
	s->disk = host_disk_percent(cfg_str("STATUS_DISK_PATH"));
}

static int
test_figure(const struct state *s, int column)
{
	return s->tests && PQntuples(s->tests) > 0 ? (int)strtol(PQgetvalue(s->tests, 0, column), NULL, 10) : 0;
}

static const char *
verdict(const struct state *s)
{
	if (s->db_us < 0)
		return "down";
	if (s->schema < SOUK_SCHEMA || s->redis_us == -2 || test_figure(s, 2) > 0 || s->memory >= FULL_PERCENT || s->disk >= FULL_PERCENT)
		return "degraded";
	return "healthy";
}

static void
put_percent(struct buf *b, const char *name, int percent)
{
	if (percent < 0)
		buf_printf(b, "\"%s\":null", name);
	else
		buf_printf(b, "\"%s\":\"%d%%\"", name, percent);
}

/* Whole milliseconds where it takes that long, microseconds below: 0.07 rather than a meaningless 0. */
static void
put_ms(struct buf *b, int64_t us)
{
	if (us < 0)
		buf_puts(b, "null");
	else
		buf_printf(b, us < 10000 ? "%.2f" : "%.0f", (double)us / 1000);
}

void
status_report(struct ctx *c, struct buf *b)
{
	struct state s;
	int64_t up = host_service_uptime_s();

	look(c, &s);
	buf_printf(b, "{\"system\":{\"status\":\"%s\",\"version\":\"%s\",\"uptime\":%lld,\"environment\":", verdict(&s), SOUK_VERSION,
	    (long long)(up < 0 ? 0 : up));
	buf_json_cstr(b, cfg_str("ENVIRONMENT"));
	buf_printf(b, "},\"database\":{\"connected\":%s,\"latency\":", s.db_us >= 0 ? "true" : "false");
	put_ms(b, s.db_us);
	buf_printf(b, "},\"tests\":{\"total\":%d,\"passed\":%d,\"failed\":%d,\"last_run\":", test_figure(&s, 0), test_figure(&s, 1), test_figure(&s, 2));
	buf_json_cstr(b, s.tests && PQntuples(s.tests) > 0 ? PQgetvalue(s.tests, 0, 3) : NULL);
	buf_puts(b, "},\"resources\":{");
	put_percent(b, "memory_usage", s.memory);
	buf_putc(b, ',');
	put_percent(b, "cpu_usage", s.cpu);
	buf_putc(b, ',');
	put_percent(b, "disk_usage", s.disk);
	buf_puts(b, "}}");
}

static void
put_check(struct buf *b, const char *name, bool ok, int64_t us, const char *reason)
{
	buf_printf(b, "%s\"%s\":{\"ok\":%s", b->p[b->n - 1] == '{' ? "" : ",", name, ok ? "true" : "false");
	if (us >= 0) {
		buf_puts(b, ",\"latency_ms\":");
		put_ms(b, us);
	}
	if (reason) {
		buf_puts(b, ",\"reason\":");
		buf_json_cstr(b, reason);
	}
	buf_putc(b, '}');
}

bool
status_ready(struct ctx *c, struct buf *b)
{
	int64_t db_us = db_ping_us(c), redis_us = kv_redis_ping_us(c);
	int schema;
	bool ready;

	ctx_clear_error(c);
	schema = db_us >= 0 ? schema_version(c) : -1;
	ready = db_us >= 0 && schema >= SOUK_SCHEMA;
	buf_printf(b, "{\"status\":\"%s\",\"checks\":{", ready ? "ready" : "not ready");
	put_check(b, "database", db_us >= 0, db_us, db_us >= 0 ? NULL : "PostgreSQL does not answer");
	put_check(b, "migrations", schema >= SOUK_SCHEMA, -1, schema >= SOUK_SCHEMA ? NULL :
	    schema < 0 ? "not known" : "the database is older than the programs: run souk migrate");
	if (redis_us != -1)
		put_check(b, "redis", redis_us >= 0, redis_us, redis_us >= 0 ? NULL : "Redis does not answer; PostgreSQL serves in its place");
	put_check(b, "state", shm_is_shared(), -1, shm_is_shared() ? NULL : "STATE_DIR cannot be written; limits hold per process");
	buf_puts(b, "}}");
	return ready;
}

static void
gauge(struct buf *b, const char *name, const char *help, const char *labels, double v)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s gauge\n%s%s %.9g\n", name, help, name, name, labels, v);
}

/* How many connections the service holds; -1 when the database does not tell. */
static double
open_connections(struct ctx *c)
{
	const char *text = NULL;
	size_t n;

	if (db_text(c, &sql_db_connections, 0, NULL, &text, &n) != E_OK || text == NULL) {
		ctx_clear_error(c);
		return -1;
	}
	return strtod(text, NULL);
}

/* The counters that alerts are built on are there before anything has happened. */
static void
declare_counters(void)
{
	static const struct {
		const char *name, *label, *value;
	} known[] = {
		{ "souk_auth_failures_total", "reason", "token" },
		{ "souk_auth_failures_total", "reason", "login" },
		{ "souk_redis_errors_total", NULL, NULL },
		{ "souk_records_lost_total", NULL, NULL },
		{ "souk_webhook_deliveries_total", "result", "delivered" },
		{ "souk_webhook_deliveries_total", "result", "failed" },
	};
	const char *class;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		metrics_declare(known[i].name, known[i].label, known[i].value);
	for (size_t i = 0; (class = rate_class_name(i)) != NULL; i++)
		metrics_declare("souk_rate_limited_total", "scope", class);
}

void
status_metrics(struct ctx *c, struct buf *b)
{
	int64_t db_us = db_ping_us(c), redis_us = kv_redis_ping_us(c);

	ctx_clear_error(c);
	declare_counters();
	metrics_print(b);
	gauge(b, "souk_uptime_seconds", "Seconds since the service began.", "", (double)host_service_uptime_s());
	gauge(b, "souk_database_up", "1 when PostgreSQL answers.", "", db_us >= 0);
	gauge(b, "souk_database_latency_seconds", "Round trip to PostgreSQL.", "", db_us < 0 ? 0 : (double)db_us / 1e6);
	if (db_us >= 0)
		gauge(b, "souk_db_pool_connections", "Connections of the service to PostgreSQL.", "{state=\"open\"}", open_connections(c));
	if (redis_us != -1)
		gauge(b, "souk_redis_up", "1 when Redis answers.", "", redis_us >= 0);
	gauge(b, "souk_worker_resident_bytes", "Resident memory of the worker that answered.", "", (double)host_resident_bytes());
}
