/*
 * Counters and histograms in shared memory, so that one scrape sees all processes.  Labels are low-cardinality: transport, tool or route name, public code.
 */
#ifndef SOUK_OPS_METRICS_H
#define SOUK_OPS_METRICS_H

#include <stdint.h>

#include "core/buf.h"

/* One finished request: souk_requests_total{transport,tool,code} and souk_request_duration_seconds{transport,tool}.  code "OK" or MCP_... */
void metrics_request(const char *transport, const char *tool, const char *code, int64_t latency_us);
/* Any other counter of one or no label, e.g. metrics_count("souk_auth_failures_total", "reason", "revoked"). */
void metrics_count(const char *name, const char *label, const char *value);
/* Show that counter, at 0 until it is counted: rates of a series that is not there yet miss its first events. */
void metrics_declare(const char *name, const char *label, const char *value);
void metrics_in_flight(int delta);
/* Prometheus text format 0.0.4 of everything. */
void metrics_print(struct buf *b);

#endif
