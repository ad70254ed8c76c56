/* Rate limits; see rate.h. */
#include <stdio.h>
#include <string.h>

#include "auth/rate.h"
#include "core/config.h"
#include "core/log.h"
#include "ops/metrics.h"
#include "store/kv.h"
#include "store/shm.h"

#define KEY_MAX 200

struct rate_class {
	const char *name;
	const char *key;	/* in the configuration */
	bool known, limited;	/* known: the rest has been read */
	int64_t limit, window_s;
};

static struct rate_class classes[] = {
	{ .name = "status", .key = "RATE_STATUS" },
	{ .name = "test", .key = "RATE_TEST" },
	{ .name = "data", .key = "RATE_DATA" },
	{ .name = "chat", .key = "RATE_CHAT" },
	{ .name = "ai", .key = "RATE_AI" },
	{ .name = "mcp", .key = "RATE_MCP" },
	{ .name = "health", .key = "RATE_HEALTH" },
	{ .name = "login", .key = "RATE_LOGIN" },
	{ .name = "guest", .key = "RATE_GUEST" },
	{ .name = "auth", .key = "RATE_AUTH" },
	{ .name = "oauth", .key = "RATE_OAUTH" },
	{ .name = "register", .key = "RATE_REGISTER" },
};

static struct rate_class *
find_class(const char *name)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		struct rate_class *k = &classes[i];

		if (strcmp(k->name, name) != 0)
			continue;
		if (!k->known)
			k->limited = cfg_rate(k->key, &k->limit, &k->window_s);
		k->known = true;
		return k;
	}
	return NULL;
}

const char *
rate_class_name(size_t i)
{
	return i < sizeof(classes) / sizeof(*classes) ? classes[i].name : NULL;
}

bool
rate_class_known(const char *name)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (strcmp(classes[i].name, name) == 0)
			return true;
	return false;
}

/* "rate:data:token:..." in the alphabet of keys: a principal may hold '/' (an IPv6 network). */
static void
make_key(char out[KEY_MAX + 1], const struct rate_class *k, const char *principal)
{
	(void)snprintf(out, KEY_MAX + 1, "rate:%s:%s", k->name, principal);
	for (char *p = out; *p != '\0'; p++)
		if (!((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ||
		      strchr(":_.{}-", *p) != NULL))
			*p = '_';
}

static bool
use_kv(void)
{
	const char *store = cfg_str("RATE_STORE");

	return strcmp(store, "kv") == 0 || (strcmp(store, "auto") == 0 && !shm_is_shared());
}

/* From the shared store, or from this host's memory when that is chosen or all there is. */
static int64_t
count(struct ctx *c, const struct rate_class *k, const char *key, bool hit, int64_t *reset_s)
{
	struct ctx mine;
	int64_t n;

	if (use_kv()) {
		mine = *c;	/* its failure is not the request's */
		if (kv_rate(&mine, key, k->limit, k->window_s, hit, &n, reset_s) == E_OK)
			return n;
		log_event(LOG_WARN_, c, "rate limit counts on this host only");
	}
	return shm_rate(key, k->limit, k->window_s, hit, reset_s);
}

/* false: not limited. */
static bool
look(struct ctx *c, const struct subject *s, const char *rate_class, bool hit, int64_t *n, struct rate_state *out)
{
	const struct rate_class *k = find_class(rate_class);
	char key[KEY_MAX + 1];

	*out = (struct rate_state){ -1, -1, 0 };
	if (k == NULL || !k->limited || (s->rate_class != NULL && strcmp(s->rate_class, "bulk") == 0))
		return false;
	make_key(key, k, s->principal);
	*n = count(c, k, key, hit, &out->reset_s);
	out->limit = k->limit;
	out->remaining = *n < k->limit ? k->limit - *n : 0;
	return true;
}

enum err
rate_hit(struct ctx *c, const struct subject *s, const char *rate_class, struct rate_state *out)
{
	int64_t n;

	if (!look(c, s, rate_class, true, &n, out)) {
		if (rate_class_known(rate_class))
			return E_OK;
		log_event(LOG_ERROR_, c, "unknown rate class", LOG_S("class", rate_class));
		return fail(c, E_INTERNAL, NULL);
	}
	if (n <= out->limit)
		return E_OK;
	metrics_count("souk_rate_limited_total", "scope", rate_class);
	c->retry_after_s = (int)out->reset_s;
	return fail(c, E_RATE_LIMITED, "too many requests: at most %lld in this window, which ends in %lld s",
		(long long)out->limit, (long long)out->reset_s);
}

void
rate_peek(struct ctx *c, const struct subject *s, const char *rate_class, struct rate_state *out)
{
	int64_t n;

	(void)look(c, s, rate_class, false, &n, out);
}
