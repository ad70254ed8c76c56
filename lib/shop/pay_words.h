/* The words of the payment page in its languages, and the countries that its form offers. */
#ifndef SOUK_SHOP_PAY_WORDS_H
#define SOUK_SHOP_PAY_WORDS_H

#include "web/page.h"

enum pay_word {
	W_PAID, W_SOON, W_REFUNDED, W_CANCELLED, W_ON_WAY, W_TRANSFER, W_SCAN, W_UNTIL, W_HOLDER, W_AMOUNT, W_REFERENCE,
	W_ITEMS, W_DISCOUNT, W_SHIPPING, W_TOTAL, W_WHO, W_HOW, W_NAME, W_EMAIL, W_LINE1, W_POSTCODE, W_CITY, W_COUNTRY, W_CARD,
	W_BANK, W_DELIVERY, W_OTHER, W_GO, W_FREE, W_REPRICED, W_WRONG, W_NO_CARD, W_TITLE, PAY_WORD__N
};

extern const char *const pay_words[PAY_WORD__N][PAGE_LANGUAGES];

/* By code; ended by a code that is NULL. */
extern const struct pay_country {
	const char *code, *name[PAGE_LANGUAGES];
} pay_countries[];

#endif
