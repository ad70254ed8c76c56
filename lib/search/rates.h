/*
 * What amounts are in other currencies, for price filters: shop.currency_rates, which the owner keeps (souk rates).  A rate tells how many units
 * of a currency one unit of SHOP_CURRENCY is, with up to 8 decimals.
 *
 * The table is read at most once a minute and kept as long as the process.
 */
#ifndef SOUK_SEARCH_RATES_H
#define SOUK_SEARCH_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ctx.h"

/* Is there a rate from one to the other?  The same currency always has one. */
bool rates_known(const char *from, const char *to);

/*
 * The least (up) or largest whole number of minor units of to that is not below (not above) so many minor units of from: computed exactly from the
 * two rates, and rounded once.  false: there is no rate.  Amounts beyond the range of 63 bits end there.
 */
bool rates_convert(const char *from, const char *to, int64_t minor, bool up, int64_t *out);

/* Read the table when it is time.  Errors of the store. */
enum err rates_refresh(struct ctx *c) __attribute__((warn_unused_result));

/* Take these instead: a JSON object of currency to decimal text, NULL for none, and the currency they are relative to.  false: it is none. */
bool rates_set(const char *json, const char *base);

#endif
