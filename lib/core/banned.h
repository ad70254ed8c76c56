/*
 * Functions that souk does not use, because they write without a bound, keep hidden state, or hide errors.  Using one does
 * not compile (the idea of git's banned.h).  Included by the headers that everything includes; the system headers that
 * declare the functions come first, since the macros would break their prototypes.
 *
 * Instead: buf_put, arena_printf, snprintf; strchr or strcspn; gmtime_r, rfc3339; strtoll, cfg_int, json_get_int.
 */
#ifndef SOUK_CORE_BANNED_H
#define SOUK_CORE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <wchar.h>

#define BANNED(name) name##_is_banned_see_core_banned_h

#undef strcpy
#define strcpy(to, from) BANNED(strcpy)
#undef strcat
#define strcat(to, from) BANNED(strcat)
#undef strncpy
#define strncpy(to, from, n) BANNED(strncpy)
#undef strncat
#define strncat(to, from, n) BANNED(strncat)
#undef stpcpy
#define stpcpy(to, from) BANNED(stpcpy)
#undef strtok
#define strtok(s, delim) BANNED(strtok)
#undef strtok_r
#define strtok_r(s, delim, save) BANNED(strtok_r)

#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef gets
#define gets(s) BANNED(gets)

#undef gmtime
#define gmtime(t) BANNED(gmtime)
#undef localtime
#define localtime(t) BANNED(localtime)
#undef ctime
#define ctime(t) BANNED(ctime)
#undef asctime
#define asctime(tm) BANNED(asctime)

#undef atoi
#define atoi(s) BANNED(atoi)
#undef atol
#define atol(s) BANNED(atol)
#undef atoll
#define atoll(s) BANNED(atoll)
#undef atof
#define atof(s) BANNED(atof)

#endif
