/* Unpredictable values, from libsodium (getrandom). */
#ifndef SOUK_CORE_RANDOM_H
#define SOUK_CORE_RANDOM_H

#include <stddef.h>

/* n characters of [0-9A-Za-z] and a NUL. */
void random_base62(char *out, size_t n);

/* A random (version 4) UUID, 36 characters and a NUL. */
void random_uuid(char out[37]);

#endif
