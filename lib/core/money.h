/* Money: an integer of minor units and an ISO 4217 currency.  Never a double. */
#ifndef SOUK_CORE_MONEY_H
#define SOUK_CORE_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONEY_TEXT 32

/* Digits after the point: EUR 2, JPY 0, KWD 3.  -1 for what is no ISO 4217 code in upper case. */
int money_scale(const char *currency);

/* "149.90" from 14990 with scale 2; "-0.05"; "1200" with scale 0.  Returns out. */
char *money_format(int64_t minor, int scale, char out[MONEY_TEXT]);

/*
 * Read a decimal such as "19.90" (n bytes; optional leading '-', at most scale digits after the point; trailing zeros beyond the
 * scale are accepted) into minor units.  false on anything else or overflow; *minor is then untouched.
 */
bool money_parse(const char *s, size_t n, int scale, int64_t *minor);

#endif
