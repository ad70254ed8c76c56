/*
 * See money.h.  The codes are the active ones of ISO 4217 (list of 2026-01-01) that have a minor unit or none by nature;
 * metals, test and accounting codes (XAU, XTS, XXX, XDR, XSU, XUA, ...) are no money that a shop takes.  BGN, CUC, HRK, ANG and SLL have
 * been withdrawn and stay readable, because old orders are imported.
 */
#include "core/banned.h"
#include "core/money.h"

#include <stdio.h>
#include <string.h>

static const char scale0[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ";
static const char scale2[] =
	"AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP "
	"COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR "
	"JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK "
	"NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT "
	"TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG ";
static const char scale3[] = "BHD IQD JOD KWD LYD OMR TND ";
static const char scale4[] = "CLF UYW ";

static bool
listed(const char *list, const char *currency)
{
	for (; *list != '\0'; list += 4)
		if (memcmp(list, currency, 3) == 0)
			return true;
	return false;
}

int
money_scale(const char *currency)
{
	if (strnlen(currency, 4) != 3 || memchr(currency, ' ', 3) != NULL)
		return -1;
	if (listed(scale2, currency))
		return 2;
	if (listed(scale0, currency))
		return 0;
	if (listed(scale3, currency))
		return 3;
	return listed(scale4, currency) ? 4 : -1;
}

char *
money_format(int64_t minor, int scale, char out[MONEY_TEXT])
{
	uint64_t u = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
	char *p = out + MONEY_TEXT;

	if (scale < 0)
		scale = 0;
	if (scale > 18)
		scale = 18;
	*--p = '\0';
	for (int i = 0; i <= scale || u > 0; i++) {
		if (i == scale && scale > 0)
			*--p = '.';
		*--p = (char)('0' + u % 10);
		u /= 10;
	}
	if (minor < 0)
		*--p = '-';
	memmove(out, p, (size_t)(out + MONEY_TEXT - p));
	return out;
}

/* *v = *v * 10 + digit, unless that exceeds limit. */
static bool
push_digit(uint64_t *v, unsigned digit, uint64_t limit)
{
	if (*v > (limit - digit) / 10)
		return false;
	*v = *v * 10 + digit;
	return true;
}

bool
money_parse(const char *s, size_t n, int scale, int64_t *minor)
{
	bool negative = n > 0 && s[0] == '-';
	uint64_t v = 0, limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
	size_t i = negative ? 1 : 0, start = i;
	int places = 0;

	if (scale < 0 || scale > 18)
		return false;
	for (; i < n && s[i] >= '0' && s[i] <= '9'; i++)
		if (!push_digit(&v, (unsigned)(s[i] - '0'), limit))
			return false;
	if (i == start)
		return false;
	if (i < n) {
		if (s[i] != '.' || i + 1 == n)
			return false;
		for (i++; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
			if (places == scale) {
				if (s[i] != '0')
					return false;
			} else if (!push_digit(&v, (unsigned)(s[i] - '0'), limit)) {
				return false;
			} else {
				places++;
			}
		}
		if (i != n)
			return false;
	}
	for (; places < scale; places++)
		if (!push_digit(&v, 0, limit))
			return false;
	*minor = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}
