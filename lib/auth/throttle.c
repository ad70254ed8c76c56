/* Limits on guessing; see throttle.h. */
#include "auth/throttle.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "auth/rate.h"
#include "auth/signed.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/ip.h"

#define VALUE_MAX 320

enum err
throttle_hit(struct ctx *c, const char *rate_class, const char *what, const char *value)
{
	unsigned char key[32], hash[16];
	char lower[VALUE_MAX], hex[2 * sizeof(hash) + 1];
	struct subject counted = { .kind = "anonymous", .rate_class = "" };
	struct rate_state state;
	size_t n = 0;

	/* as who looks it up reads it: blanks around it and case make no other account */
	value += strspn(value, " ");
	for (; n < VALUE_MAX && value[n] != '\0'; n++)
		lower[n] = (char)tolower((unsigned char)value[n]);
	while (n > 0 && lower[n - 1] == ' ')
		n--;
	/* without a pepper nothing can be logged in to, and what is hashed is not stored for long */
	if (!signed_key("souk throttles v1", key))
		memset(key, 0, sizeof(key));
	(void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)lower, n, key, sizeof(key));
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	counted.principal = arena_printf(c->a, "%s:%s", what, hex);
	return rate_hit(c, &counted, rate_class, &state);
}

enum err
throttle_address(struct ctx *c, const char *rate_class, const char *remote_ip)
{
	char unit[IP_TEXT];

	return throttle_hit(c, rate_class, "ip", ip_limit_unit(remote_ip != NULL ? remote_ip : "", unit));
}

void
throttle_even_out(int64_t start_us, int ms)
{
	int64_t left = start_us + (int64_t)ms * 1000 - now_us();
	struct timespec t = { .tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000 };

	while (left > 0 && nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}
