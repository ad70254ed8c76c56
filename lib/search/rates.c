/* See rates.h. */
#include "search/rates.h"

#include <json-c/json.h>
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/money.h"
#include "gen/sql.h"
#include "store/db.h"

#define REFRESH_MS 60000
#define RATES_MAX 200
#define DECIMALS 8
#define ONE 100000000		/* 1 with so many decimals */

__extension__ typedef __int128 wide;	/* the compiler has no other name for it without a warning */

static struct {
	char code[4];
	int64_t rate;		/* times ONE */
} known[RATES_MAX];
static unsigned knowns;
static int64_t read_ms;

/* 0: none. */
static int64_t
rate_of(const char *code)
{
	for (unsigned i = 0; i < knowns; i++)
		if (strcmp(known[i].code, code) == 0)
			return known[i].rate;
	return 0;
}

bool
rates_known(const char *from, const char *to)
{
	return strcmp(from, to) == 0 || (rate_of(from) > 0 && rate_of(to) > 0);
}

static wide
power(int n)
{
	wide p = 1;

	while (n-- > 0)
		p *= 10;
	return p;
}

bool
rates_convert(const char *from, const char *to, int64_t minor, bool up, int64_t *out)
{
	int a = money_scale(from), b = money_scale(to);
	int64_t rate_from = rate_of(from), rate_to = rate_of(to);
	wide over, under, whole;

	if (strcmp(from, to) == 0) {
		*out = minor;
		return true;
	}
	if (rate_from <= 0 || rate_to <= 0 || a < 0 || b < 0 || minor < 0)
		return false;
	/* At most 63, 57 and 10 bits: no overflow. */
	over = (wide)minor * rate_to * power(b > a ? b - a : 0);
	under = (wide)rate_from * power(a > b ? a - b : 0);
	whole = over / under + (up && over % under != 0);
	*out = whole > INT64_MAX ? INT64_MAX : (int64_t)whole;
	return true;
}

static void
put(const char *code, int64_t rate)
{
	if (knowns == RATES_MAX || strlen(code) != 3 || rate <= 0 || rate > (int64_t)ONE * 1000000000)
		return;
	memcpy(known[knowns].code, code, 4);
	known[knowns++].rate = rate;
}

bool
rates_set(const char *json, const char *base)
{
	json_object *o = json != NULL ? json_tokener_parse(json) : NULL;

	knowns = 0;
	if (json != NULL && !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return false;
	}
	put(base, ONE);
	if (o != NULL) {
		json_object_object_foreach(o, key, value) {
			const char *text = json_object_get_string(value);
			int64_t rate;

			if (text != NULL && strcmp(key, base) != 0 && money_parse(text, strlen(text), DECIMALS, &rate))
				put(key, rate);
		}
	}
	json_object_put(o);
	return true;
}

enum err
rates_refresh(struct ctx *c)
{
	const char *text;
	size_t n;

	if (read_ms != 0 && now_ms() - read_ms < REFRESH_MS)
		return E_OK;
	if (db_text(c, &sql_currency_rates, 0, NULL, &text, &n))
		return c->err;
	read_ms = now_ms();
	(void)rates_set(text, cfg_str("SHOP_CURRENCY"));
	return E_OK;
}
