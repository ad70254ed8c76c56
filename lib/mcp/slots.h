/*
 * How many requests of this host may occupy a process for long (event streams, calls that wait for an answer of their client): MCP_STREAMS, but
 * never all WORKERS; with WORKERS = 1 none unless MCP_STREAMS is set.  A slot is
 * a lock on one byte of STATE_DIR/streams, so a process that dies gives its slot back.
 */
#ifndef SOUK_MCP_SLOTS_H
#define SOUK_MCP_SLOTS_H

#include <stdbool.h>

/* Take one.  waiting: a call that waits for an answer; there is one more slot for these.  false: all are taken. */
bool slot_take(bool waiting);
/* Give back what this process holds; never fails. */
void slot_give(void);

/*
 * May this process wait a moment for a slot?  One of the host may, so that requests for streams never hold all workers.  It says so again to who asks again,
 * until slot_unqueue().
 */
bool slot_queue(void);
void slot_unqueue(void);

#endif
