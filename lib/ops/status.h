/* The state of the service, as the status routes tell it.  Only looks; nothing here writes. */
#ifndef SOUK_OPS_STATUS_H
#define SOUK_OPS_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/ctx.h"

/*
 * The body of GET /api/mcp/status: system {status, version, uptime, environment}, database {connected, latency in ms}, tests {total, passed, failed,
 * last_run} of the last recorded run (numbers 0 and last_run null when there is none), resources {memory_usage, cpu_usage, disk_usage} as "45%".
 *
 * status: down when the database does not answer; degraded when migrations are missing, Redis is configured and does not answer, a
 * test of the last run failed, or memory or disk are used to 95 % or more; else healthy.
 */
void status_report(struct ctx *c, struct buf *b);

/*
 * The body of GET /readyz: {"status":"ready"|"not ready","checks":{...}} with a reason for each check that fails.  Redis is optional: when it
 * is configured and down, the check says so but the service stays ready.  Returns readiness.
 */
bool status_ready(struct ctx *c, struct buf *b);

/* Prometheus text: everything metrics_print() has, and gauges of this moment (build, database, Redis, uptime, memory). */
void status_metrics(struct ctx *c, struct buf *b);

#endif
