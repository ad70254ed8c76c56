/* UTF-8 by the ranges of RFC 3629: no overlong forms, no surrogates, at most U+10FFFF.  See json.h for whole texts. */
#ifndef SOUK_CORE_UTF8_H
#define SOUK_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes (1 to 4) of the character at s, of which n bytes may be read; 0 when there is no valid one.  n > 0. */
size_t utf8_step(const unsigned char *s, size_t n);

/* Length of the longest part of s, at most max bytes, that does not cut a character.  s is valid UTF-8 of n bytes. */
size_t utf8_cut(const char *s, size_t n, size_t max);

/* Is there a control character of ASCII in the string: below the blank, or DEL?  None may stand in a header of mail or HTTP. */
bool utf8_has_control(const char *s);

#endif
