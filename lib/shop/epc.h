/*
 * The QR code of a bank transfer in euros, as banking apps read it: "Quick Response Code: Guidelines to Enable the Data Capture for the Initiation of a SEPA
 * Credit Transfer" of the European Payments Council, EPC069-12, version 002 in UTF-8.
 */
#ifndef SOUK_SHOP_EPC_H
#define SOUK_SHOP_EPC_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/ctx.h"

#define EPC_MAX ((size_t)331)	/* bytes of the code's text */

struct epc {
	const char *bic;	/* "" for none */
	const char *name;	/* of the account's holder; cut after 70 characters */
	const char *iban;	/* without blanks */
	const char *amount;	/* decimal, as 12.30 */
	const char *text;	/* the payment's reference, at most 140 characters */
};

/* The text of the code; false when something does not fit: an amount of 0 or over 999999999.99, an IBAN or BIC of another length, control characters. */
bool epc_text(const struct epc *e, struct buf *out);

/* The code as an <svg> element with that title, in c's arena; NULL when epc_text() is false or the code would be too large. */
const char *epc_svg(struct ctx *c, const struct epc *e, const char *title);

#endif
