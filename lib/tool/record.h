/*
 * The record of interactions (souk.interactions).  A record is appended to a spool file of this process (one write(2), so it survives a
 * kill), and batches are folded into the database: after 128 records, 1 s, or 100 ms of idleness; never on the caller's time.
 * Orphaned spools of dead processes are adopted.  Inputs and outputs are cut at 10,000 characters and masked (e-mail, phone, address, password,
 * payment members become [REDACTED]).
 */
#ifndef SOUK_TOOL_RECORD_H
#define SOUK_TOOL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "tool/tool.h"

/* Note a finished call: e is its outcome, latency in microseconds. */
void record_call(struct ctx *c, const struct tool_call *call, enum err e, int64_t latency_us);

/* Called by the request loop: milliseconds until record_flush() should run, -1 when nothing waits. */
int record_due_ms(void);
/* Fold what is waiting into the database (bounded by 2 s); force: also if not due. */
void record_flush(bool force);
void record_forget(void);	/* after fork(): the child gets its own spool */

#endif
