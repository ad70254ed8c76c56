/*
 * The record of interactions (souk.interactions).  A record is appended to a spool file of this process (one write(2), so it survives a
 * kill), and batches are folded into the database: after 128 records, 1 s, or 100 ms of idleness; never on the caller's time.
 * Orphaned spools of dead processes are adopted.  Inputs and outputs are cut at 10,000 characters (outputs of read-only tools, which can be
 * had again, at 500) and masked (e-mail, phone, address, password, payment members become [REDACTED]).
 *
 * A spool file STATE_DIR/spool/<pid>-<random>.spool is locked (flock) by its owner and holds one JSON object a line, which is also what the one jsonb
 * array parameter of sql/query/interactions_insert.sql contains:
 *   id (uuid), created_at (RFC 3339), type (CHAT SEARCH RECOMMENDATION CONTENT_GENERATION ANALYTICS), tool, transport, latency_ms (number), success (boolean),
 *   error_code (MCP_..., absent on success), error_message, token_id, customer_id (decimal string), session_id, user_id, tools_used (array of strings), tokens_used
 *   (integer), input, output (texts), metadata (object).  Members without a value are absent.
 * The statement does nothing for an id that is already there, because a batch may be folded twice after a crash.
 */
#ifndef SOUK_TOOL_RECORD_H
#define SOUK_TOOL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "tool/tool.h"

#define RECORD_TEXT_MAX 10000	/* characters kept of an input or output */
#define RECORD_READ_MAX 500	/* characters kept of the output of a read-only tool */

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
