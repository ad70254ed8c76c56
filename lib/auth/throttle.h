/*
 * Limits on guessing.  Counted like rates (auth/rate.h: classes guest, login and auth, configuration RATE_GUEST, RATE_LOGIN, RATE_AUTH) but by what is
 * being guessed, whoever guesses and however privileged: an order's number, an account, the caller's address.  What is counted is hashed, so no
 * address of a person stands in the counters.  Unknown accounts and numbers count like known ones.
 */
#ifndef SOUK_AUTH_THROTTLE_H
#define SOUK_AUTH_THROTTLE_H

#include "core/ctx.h"

/* Count one try at `what` ("order", "email", "ip", ...) of that value; case does not matter.  E_RATE_LIMITED over the limit. */
enum err throttle_hit(struct ctx *c, const char *rate_class, const char *what, const char *value) __attribute__((warn_unused_result));
/* The same for the caller's address, an IPv6 one by its network. */
enum err throttle_address(struct ctx *c, const char *rate_class, const char *remote_ip) __attribute__((warn_unused_result));

/* Wait until ms milliseconds have passed since start_us (now_us()): answers that must not tell by their time what was found. */
void throttle_even_out(int64_t start_us, int ms);

#endif
