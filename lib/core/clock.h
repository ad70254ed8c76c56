/* Time.  Limits and deadlines use the monotonic clock; everything shown or compared with stored times the wall clock. */
#ifndef SOUK_CORE_CLOCK_H
#define SOUK_CORE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t now_ms(void);		/* CLOCK_MONOTONIC, milliseconds */
int64_t now_us(void);		/* CLOCK_MONOTONIC, microseconds */
int64_t wall_ms(void);		/* CLOCK_REALTIME, milliseconds since 1970 */

#define RFC3339_LEN 25		/* "2026-01-31T12:00:00.000Z" and its NUL */

/* Write wall-clock milliseconds as RFC 3339 UTC with milliseconds into out; returns out. */
char *rfc3339(int64_t ms, char out[RFC3339_LEN]);

#endif
