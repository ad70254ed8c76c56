/*
 * The spool of this process: an append-only file of lines that are folded into the database in batches.  Its name, lock and life are described in
 * record.h.  While STATE_DIR cannot be written, a full disk included, the lines are kept in memory, with a warning in the log; they then do not survive
 * the process.
 */
#ifndef SOUK_TOOL_SPOOL_H
#define SOUK_TOOL_SPOOL_H

#include <stddef.h>

/* Append one line, newline included.  Never fails; a line that could not be kept is counted (souk_records_lost_total). */
void spool_append(const char *line, size_t n);

/* A new prefix for record ids, after fork(). */
void record_new_ids(void);

#endif
