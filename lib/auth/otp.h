/*
 * One-time codes: six digits that are sent to an address, good for 10 minutes, 5 tries and one use.
 *
 * A customer proves an e-mail address; a guest proves that an order is theirs, with its number, its e-mail address and the code that went there.  The answer
 * and its time are the same whether the address or the number is known or not: a code is made and stored in any case, and only sent when there
 * is somebody.  Asking is limited: guests by RATE_GUEST per caller's address, per order number and per e-mail address; customers by
 * RATE_LOGIN per caller's address and by RATE_GUEST per e-mail address, since five codes of five tries an hour can be guessed at for centuries.  Stored: a keyed hash.  The message is queued (template one_time_code)
 * in the transaction that makes the code; with LOGIN_CODE_LOG it is also in the log.
 */
#ifndef SOUK_AUTH_OTP_H
#define SOUK_AUTH_OTP_H

#include <stdbool.h>

#include "core/ctx.h"

#define OTP_KEEP_S 600
#define OTP_DIGITS 6
#define OTP_ID_LEN 22

struct otp_request {
	const char *number;	/* of the order, or of the ticket of a stranger: a guest; NULL: a customer */
	const char *email;
	const char *locale;	/* of the message; NULL: the customer's */
	const char *remote_ip;
};

/* What a code has proven: a customer, an order, or the address of a ticket with the visitor under which it is seen; the others are NULL. */
struct otp_proof {
	const char *customer_id, *order_id, *order_number, *visitor, *ticket_number;
};

/* A code that was made: what is stored, and what is sent. */
struct otp_code {
	char challenge[OTP_ID_LEN + 1], digits[OTP_DIGITS + 1], hash[2 * 32 + 1];
};

/* Make one, for who stores and sends it in a statement of their own.  E_UNAVAILABLE without TOKEN_PEPPER. */
enum err otp_make(struct ctx *c, struct otp_code *out) __attribute__((warn_unused_result));
/* It was sent: LOGIN_CODE_LOG. */
void otp_sent(struct ctx *c, const struct otp_code *code);
/* May somebody at remote_ip have a code sent to that address now?  E_RATE_LIMITED when not. */
enum err otp_admit_contact(struct ctx *c, const char *email, const char *remote_ip) __attribute__((warn_unused_result));

/* Make a code and send it; challenge gets what otp_verify() wants with it.  E_RATE_LIMITED, or the store's errors. */
enum err otp_start(struct ctx *c, const struct otp_request *r, char challenge[OTP_ID_LEN + 1]) __attribute__((warn_unused_result));

/*
 * E_UNAUTHENTICATED with one message for everything wrong: the code, an unknown or old challenge, too many tries, nobody there.  Each call counts as a try.
 * Must not run inside a transaction: a failed try has to stay counted.
 */
enum err otp_verify(struct ctx *c, bool guest, const char *challenge, const char *code, const char *remote_ip, struct otp_proof *out)
	__attribute__((warn_unused_result));

#endif
