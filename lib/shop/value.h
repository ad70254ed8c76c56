/*
 * Cells to values: amounts, numbers, switches, dates, web addresses, category paths, HTML.  Texts are valid UTF-8.
 * Every function returns false with a reason in *why (static, completes "price: ...") and leaves the output untouched.
 */
#ifndef SOUK_SHOP_VALUE_H
#define SOUK_SHOP_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

/* Take blanks off both ends, no-break spaces included. */
void value_trim(const char **s, size_t *n);

/* How a number with one separator and three digits behind it is meant: "1.299". */
enum decimal {
	DECIMAL_POINT,		/* written by programs, and English: 1,299 is a thousand, 1.299 is not */
	DECIMAL_COMMA,		/* German, Spanish: the other way round */
	DECIMAL_BOTH		/* French: thousands are apart by spaces, so both are decimals */
};
enum decimal value_decimal(const char *locale);

/* The currency that a price names by symbol or code: "19,90 €" gives EUR.  out gets "" when it names none. */
void value_currency(const char *s, size_t n, char out[4]);

/*
 * "1 299,00 €", "1.299,00", "$12.5", "12.396694" to minor units of scale digits, rounded half away from zero.
 * Refuses what is no number, and more than 15 digits.  sign: is a minus allowed?
 */
bool value_amount(const char *s, size_t n, int scale, enum decimal d, bool sign, int64_t *minor, const char **why);

/* A number with an exponent, as programs write it, without: "1.5e-3" to "0.0015". No digit is lost; false when it has no room, or is none. */
bool value_unexponent(const char *s, size_t n, char *out, size_t outsz);

/* A whole number, also as "12.0" or "1 200". */
bool value_int(const char *s, size_t n, int64_t lo, int64_t hi, int64_t *out, const char **why);

/* "4.4" of 0..5 as text with at most two decimals into out. */
bool value_rating(const char *s, size_t n, char out[8], const char **why);

/* 1 0 true false yes no oui non ja nein x ... */
bool value_bool(const char *s, size_t n, bool *out, const char **why);

/*
 * A date with or without time into "YYYY-MM-DD HH:MM:SS+00" (or with the given offset).  ISO 8601, "31/12/2025 14:30", "31.12.2025",
 * and 12/31/2025 when the locale is English.
 */
#define VALUE_DATE_MAX 80
bool value_date(const char *s, size_t n, bool month_first, char out[VALUE_DATE_MAX], const char **why);

/* Addresses apart by blanks, "|" or commas, or a JSON array, to [{"url": ...}].  Only http, https and paths of the own host. */
bool value_images(struct buf *json, const char *s, size_t n, const char **why);

/* "A>  B >" to "A > B"; levels are cut at 200 bytes, more than 10 refused. */
bool value_category(struct buf *out, const char *s, size_t n, const char **why);

/* HTML to plain text: tags go, blocks become line breaks, character references are resolved.  Plain text stays as it is. */
void value_html(struct buf *out, const char *s, size_t n);

/* The part of a URL for an ASCII text, as souk.slug() makes it; nothing when the text is not ASCII. At most max bytes. */
size_t value_slug_ascii(const char *s, size_t n, char *out, size_t max);

#endif
