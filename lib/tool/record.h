/*
 * The record of interactions (souk.interactions).  A record is appended to a spool file of this process (one write(2), so it survives a
 * kill), and batches are folded into the database: after 250 records, 1 s, or 100 ms of idleness; never on the caller's time.
 * Orphaned spools of dead processes are adopted.  Inputs and outputs are cut at 10,000 characters (outputs of read-only tools, which can be
 * had again, at 200) and masked (e-mail, phone, address, password, payment members become [REDACTED]).
 *
 * A spool file STATE_DIR/spool/<pid>-<random>.spool is locked (flock) by its owner and holds one record a line.  A line has RECORD_FIELDS fields, parted
 * by tabs, in the order of the parameters of sql/query/interactions_insert.sql:
 *   id (uuid), created_at (RFC 3339), type (CHAT SEARCH RECOMMENDATION CONTENT_GENERATION ANALYTICS), tool, latency_ms (number), success (t or f),
 *   transport, token_id, customer_id (decimal), session_id, error_code (MCP_..., NULL on success), error_message, input, output, metadata (JSON object).
 * Each field is written as an element of a PostgreSQL array literal: NULL, or a text in double quotes in which '"' and '\\' have a '\\' before them,
 * or a number or uuid as it is.  So the columns of a batch become array literals by copying alone.  Control characters are replaced by spaces.
 *
 * Ids are unique, and a batch may be folded twice after a crash: a second statement then leaves out what is there already.
 */
#ifndef SOUK_TOOL_RECORD_H
#define SOUK_TOOL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "tool/tool.h"

#define RECORD_FIELDS 15
#define RECORD_TEXT_MAX 10000	/* characters kept of an input or output */
#define RECORD_READ_MAX 200	/* characters kept of the output of a read-only tool */

/* Note a finished call: e is its outcome, latency in microseconds. */
void record_call(struct ctx *c, const struct tool_call *call, enum err e, int64_t latency_us);

/* Called by the request loop: milliseconds until record_flush() should run, -1 when nothing waits. */
int record_due_ms(void);
/* Fold what is waiting into the database (bounded by 2 s); force: also if not due. */
void record_flush(bool force);
void record_forget(void);	/* after fork(): the child gets its own spool */

/*
 * Append JSON text to b, with the values of members that identify a person or a means of payment replaced by "[REDACTED]".  At most max
 * characters of the text are taken over (the result is then no longer JSON).  p must be valid JSON in UTF-8.
 */
void record_mask(struct buf *b, const char *p, size_t n, size_t max);

#endif
