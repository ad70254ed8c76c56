/*
 * The dispatcher: takes rows of souk.outbox one by one and lets their channel make an attempt.
 *
 * A row is claimed with FOR UPDATE SKIP LOCKED and a lease, so that any number of dispatchers work side by side; one that is killed leaves its row
 * to the others when the lease ends.  So each row is attempted at least once, and again only if nobody noted what came of the attempt.
 * Attempts are told apart by their number: who comes back after its lease changes nothing.
 *
 * A row waits between attempts NOTIFY_RETRY_S, doubling to an hour, less up to half of it by chance, or as long as the provider asks for.  It is parked when
 * it cannot work, or after NOTIFY_RETRY_H (WEBHOOK_RETRY_H) hours.
 */
#ifndef SOUK_NOTIFY_DELIVER_H
#define SOUK_NOTIFY_DELIVER_H

#include <stdbool.h>

#include "core/ctx.h"

struct deliver_report {
	int sent, retried, parked, suppressed;
};

/*
 * Claim and attempt one row.  only: "messages", "webhooks" or "" for all.  *found tells whether there was one.  Errors are the database's; what becomes of
 * the row is counted in report and logged without addresses or texts.
 */
enum err deliver_one(struct ctx *c, const char *only, bool *found, struct deliver_report *report) __attribute__((warn_unused_result));

/* Seconds until the next attempt, after so many; base and at most an hour; chance: 0 to 1. */
int deliver_wait_s(int attempts, int64_t base_s, double chance);

#endif
