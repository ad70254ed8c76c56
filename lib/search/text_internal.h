/* Characters, for text.c alone. */
#ifndef SOUK_SEARCH_TEXT_INTERNAL_H
#define SOUK_SEARCH_TEXT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The folded form of a letter or digit, 1 to 4 bytes; 0 for a character that separates words. */
size_t text_fold_char(uint32_t cp, char out[4]);

/* UTF-8 of a code point; its length. */
size_t text_put(uint32_t cp, char out[4]);

#endif
