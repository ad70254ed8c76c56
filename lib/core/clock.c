/* See clock.h. */
#include "core/banned.h"
#include "core/clock.h"

#include <time.h>

/* The years 0000 to 9999, which RFC 3339 can write. */
#define MS_FIRST (-62167219200000LL)
#define MS_LAST 253402300799999LL

static struct timespec
read_clock(clockid_t id)
{
	struct timespec t = { 0, 0 };

	(void)clock_gettime(id, &t);	/* cannot fail for these clocks */
	return t;
}

int64_t
now_ms(void)
{
	return now_us() / 1000;
}

int64_t
now_us(void)
{
	struct timespec t = read_clock(CLOCK_MONOTONIC);

	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
wall_ms(void)
{
	struct timespec t = read_clock(CLOCK_REALTIME);

	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
digits(char *out, int n, int v)
{
	while (n-- > 0) {
		out[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

char *
rfc3339(int64_t ms, char out[RFC3339_LEN])
{
	struct tm tm;
	time_t s;
	int part;

	if (ms < MS_FIRST)
		ms = MS_FIRST;
	if (ms > MS_LAST)
		ms = MS_LAST;
	part = (int)(ms % 1000);
	s = (time_t)(ms / 1000);
	if (part < 0) {
		part += 1000;
		s--;
	}
	(void)gmtime_r(&s, &tm);	/* fails only beyond the years above */
	digits(out, 4, tm.tm_year + 1900);
	out[4] = '-';
	digits(out + 5, 2, tm.tm_mon + 1);
	out[7] = '-';
	digits(out + 8, 2, tm.tm_mday);
	out[10] = 'T';
	digits(out + 11, 2, tm.tm_hour);
	out[13] = ':';
	digits(out + 14, 2, tm.tm_min);
	out[16] = ':';
	digits(out + 17, 2, tm.tm_sec);
	out[19] = '.';
	digits(out + 20, 3, part);
	out[23] = 'Z';
	out[24] = '\0';
	return out;
}
