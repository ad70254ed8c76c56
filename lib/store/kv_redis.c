/*
 * The key-value store in Redis.  One connection per process, opened on first use; connecting and every call are bounded by
 * REDIS_TIMEOUT_MS or what the request has left.  A context that failed is dead in hiredis, so it is dropped and the next call connects again,
 * unless the breaker ("redis") says that Redis is known to be down.
 *
 * REDIS_URL: redis://[[user]:password@]host[:port][/db], unix:/path or unix:///path, or /path.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "store/kv.h"
#include "ops/metrics.h"
#include "store/kv_internal.h"
#include "store/shm.h"

#define KEY_PREFIX "souk:"	/* the Redis may serve others too */
#define KEY_SIZE (sizeof(KEY_PREFIX) + KV_KEY_MAX)
#define ARGS_MAX 8

static redisContext *redis;
__attribute__((used)) static redisContext *forgotten;	/* left to the parent after fork(); kept reachable, never used */
static int64_t used_ms;
static int timeout_ms;		/* what the socket is set to */
static char rate_sha[41];	/* as SCRIPT LOAD named the script; "" before */

/*
 * The same rules as shm_rate(): the window starts with the key's first hit, and counting stops one above the limit.
 * KEYS[1]; ARGV: limit, window in ms, hit 0|1.  Returns hits and milliseconds left.
 */
static const char rate_script[] =
	"local n = tonumber(redis.call('GET', KEYS[1]) or '0')\n"
	"local left = redis.call('PTTL', KEYS[1])\n"
	"if n == 0 or left < 0 then\n"
	"  if ARGV[3] == '1' then redis.call('SET', KEYS[1], 1, 'PX', ARGV[2]) return {1, tonumber(ARGV[2])} end\n"
	"  return {0, tonumber(ARGV[2])}\n"
	"end\n"
	"if ARGV[3] == '1' and n <= tonumber(ARGV[1]) then n = redis.call('INCR', KEYS[1]) end\n"
	"return {n, left}\n";

struct address {
	char host[256];		/* or the socket's path */
	int port;		/* 0: host is a path */
	char user[128], password[256];
	char db[12];
};

/* Copy the bytes up to end; false when they do not fit. */
static bool
copy_part(char *out, size_t outsz, const char *p, const char *end)
{
	size_t n = (size_t)(end - p);

	if (n >= outsz)
		return false;
	memcpy(out, p, n);
	out[n] = '\0';
	return true;
}

static int
hex_digit(char ch)
{
	const char *digits = "0123456789abcdef", *at = ch ? strchr(digits, ch | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* %xx in user and password, in place. */
static void
percent_decode(char *s)
{
	char *out = s;

	while (*s != '\0') {
		int hi = s[0] == '%' ? hex_digit(s[1]) : -1;
		int lo = hi >= 0 ? hex_digit(s[2]) : -1;

		*out++ = (char)(lo >= 0 ? hi << 4 | lo : *s);
		s += lo >= 0 ? 3 : 1;
	}
	*out = '\0';
}

static bool
parse_credentials(struct address *a, const char *p, const char *at)
{
	const char *colon = memchr(p, ':', (size_t)(at - p));

	if (colon == NULL || !copy_part(a->user, sizeof(a->user), p, colon) ||
	    !copy_part(a->password, sizeof(a->password), colon + 1, at))
		return false;
	percent_decode(a->user);
	percent_decode(a->password);
	return true;
}

/* host, host:port, [v6] or [v6]:port between p and end. */
static bool
parse_host(struct address *a, const char *p, const char *end)
{
	const char *close = *p == '[' ? memchr(p, ']', (size_t)(end - p)) : NULL;
	const char *rest = close ? close + 1 : p;
	const char *colon = memchr(rest, ':', (size_t)(end - rest));
	long port = colon ? strtol(colon + 1, NULL, 10) : 6379;

	if (close != NULL ? !copy_part(a->host, sizeof(a->host), p + 1, close) :
	    !copy_part(a->host, sizeof(a->host), p, colon ? colon : end))
		return false;
	if (a->host[0] == '\0')
		(void)snprintf(a->host, sizeof(a->host), "127.0.0.1");
	a->port = port > 0 && port < 65536 ? (int)port : 0;
	return a->port > 0;
}

static bool
parse_url(const char *url, struct address *a)
{
	const char *end, *at;

	*a = (struct address){ 0 };
	if (strncmp(url, "unix:", 5) == 0)
		url += strncmp(url, "unix://", 7) == 0 ? 7 : 5;
	if (url[0] == '/')
		return copy_part(a->host, sizeof(a->host), url, url + strlen(url));
	if (strncmp(url, "redis://", 8) != 0)
		return false;
	url += 8;
	end = url + strcspn(url, "/?");
	at = memrchr(url, '@', (size_t)(end - url));
	if (at != NULL && !parse_credentials(a, url, at))
		return false;
	if (*end == '/' && !copy_part(a->db, sizeof(a->db), end + 1, end + 1 + strspn(end + 1, "0123456789")))
		return false;
	return parse_host(a, at ? at + 1 : url, end);
}

bool
kv_redis_configured(void)
{
	return cfg_str("REDIS_URL")[0] != '\0';
}

static void
drop(void)
{
	if (redis != NULL)
		redisFree(redis);
	redis = NULL;
}

static void
failed(struct ctx *c, const char *what)
{
	log_event(LOG_WARN_, c, "redis failed", LOG_S("what", what), LOG_S("text", redis ? redis->errstr : ""));
	drop();
	metrics_count("souk_redis_errors_total", NULL, NULL);
	breaker_failed(BREAKER_REDIS);
}

/* A short command of connecting: its answer must not be an error. */
static bool
said_ok(redisReply *r)
{
	bool ok = r != NULL && r->type != REDIS_REPLY_ERROR;

	freeReplyObject(r);
	return ok;
}

static bool
sign_in(const struct address *a)
{
	if (a->password[0] != '\0' && a->user[0] != '\0' && !said_ok(redisCommand(redis, "AUTH %s %s", a->user, a->password)))
		return false;
	if (a->password[0] != '\0' && a->user[0] == '\0' && !said_ok(redisCommand(redis, "AUTH %s", a->password)))
		return false;
	return a->db[0] == '\0' || said_ok(redisCommand(redis, "SELECT %s", a->db));
}

static struct timeval
span(int ms)
{
	return (struct timeval){ ms / 1000, (ms % 1000) * 1000 };
}

/* hiredis writes without MSG_NOSIGNAL: a Redis that has just gone must not end the process. */
static void
ignore_broken_pipes(void)
{
	struct sigaction was;

	if (sigaction(SIGPIPE, NULL, &was) == 0 && was.sa_handler == SIG_DFL)
		(void)signal(SIGPIPE, SIG_IGN);
}

static bool
connect_now(struct ctx *c, int ms)
{
	struct address a;

	ignore_broken_pipes();
	if (!parse_url(cfg_str("REDIS_URL"), &a)) {
		failed(c, "REDIS_URL");
		return false;
	}
	redis = a.port > 0 ? redisConnectWithTimeout(a.host, a.port, span(ms)) : redisConnectUnixWithTimeout(a.host, span(ms));
	if (redis == NULL || redis->err != 0 || redisSetTimeout(redis, span(ms)) != REDIS_OK) {
		failed(c, "connect");
		return false;
	}
	timeout_ms = ms;
	if (!sign_in(&a)) {
		failed(c, "sign in");
		return false;
	}
	return true;
}

/* A connection fit for one call.  Redis says nothing unasked: bytes or an end waiting there mean that it is no longer ours. */
static bool
ready(struct ctx *c)
{
	int ms = ctx_left_ms(c, (int)cfg_int("REDIS_TIMEOUT_MS"));
	struct pollfd p;

	if (!kv_redis_configured() || ms == 0 || !breaker_allows(BREAKER_REDIS))
		return false;
	if (redis != NULL) {
		p = (struct pollfd){ redis->fd, POLLIN, 0 };
		if (poll(&p, 1, 0) != 0)
			drop();
	}
	if (redis == NULL)
		return connect_now(c, ms);
	if (ms != timeout_ms && redisSetTimeout(redis, span(ms)) == REDIS_OK)
		timeout_ms = ms;
	return true;
}

static void
free_reply(void *r)
{
	freeReplyObject(r);
}

/* One command; the reply belongs to the arena.  NULL: no answer, and the connection is dropped. */
static redisReply *
command(struct ctx *c, int n, const char **argv, const size_t *argsz)
{
	redisReply *r = redisCommandArgv(redis, n, argv, argsz);

	if (r == NULL) {
		failed(c, argv[0]);
		return NULL;
	}
	arena_defer(c->a, free_reply, r);
	used_ms = now_ms();
	return r;
}

/* command(), where an error reply counts as no answer too (read-only replica, out of memory, loading). */
static redisReply *
ask(struct ctx *c, int n, const char **argv, const size_t *argsz)
{
	redisReply *r = command(c, n, argv, argsz);

	if (r != NULL && r->type == REDIS_REPLY_ERROR) {
		log_event(LOG_WARN_, c, "redis refused", LOG_S("command", argv[0]), LOG_S("text", r->str));
		metrics_count("souk_redis_errors_total", NULL, NULL);
		breaker_failed(BREAKER_REDIS);
		return NULL;
	}
	if (r != NULL)
		breaker_ok(BREAKER_REDIS);
	return r;
}

static const char *
prefixed(const char *key, char out[KEY_SIZE])
{
	(void)snprintf(out, KEY_SIZE, KEY_PREFIX "%s", key);
	return out;
}

bool
kv_redis_get(struct ctx *c, const char *key, const char **out, size_t *outsz)
{
	char name[KEY_SIZE];
	const char *argv[] = { "GET", prefixed(key, name) };
	size_t argsz[] = { 3, strlen(name) };
	redisReply *r;

	if (!ready(c) || (r = ask(c, 2, argv, argsz)) == NULL)
		return false;
	if (r->type == REDIS_REPLY_STRING) {
		*out = r->str;
		*outsz = r->len;
	}
	return true;
}

bool
kv_redis_set(struct ctx *c, const char *key, const char *val, size_t valsz, int64_t ttl_s, bool only_new, bool *stored)
{
	char name[KEY_SIZE], ttl[24];
	const char *argv[] = { "SET", prefixed(key, name), val, "EX", ttl, "NX" };
	size_t argsz[] = { 3, strlen(name), valsz, 2, 0, 2 };
	redisReply *r;

	argsz[4] = (size_t)snprintf(ttl, sizeof(ttl), "%" PRId64, ttl_s);
	if (!ready(c) || (r = ask(c, only_new ? 6 : 5, argv, argsz)) == NULL)
		return false;
	*stored = r->type == REDIS_REPLY_STATUS;
	return true;
}

bool
kv_redis_del(struct ctx *c, const char *key)
{
	char name[KEY_SIZE];
	const char *argv[] = { "DEL", prefixed(key, name) };
	size_t argsz[] = { 3, strlen(name) };

	return ready(c) && ask(c, 2, argv, argsz) != NULL;
}

static bool
load_script(struct ctx *c)
{
	const char *argv[] = { "SCRIPT", "LOAD", rate_script };
	size_t argsz[] = { 6, 4, sizeof(rate_script) - 1 };
	redisReply *r = ask(c, 3, argv, argsz);

	if (r == NULL || r->type != REDIS_REPLY_STRING || r->len != sizeof(rate_sha) - 1)
		return false;
	memcpy(rate_sha, r->str, sizeof(rate_sha));
	return true;
}

bool
kv_redis_rate(struct ctx *c, const char *key, int64_t limit, int64_t window_s, bool hit, int64_t *count, int64_t *reset_s)
{
	char name[KEY_SIZE], lim[24], win[24];
	const char *argv[] = { "EVALSHA", rate_sha, "1", prefixed(key, name), lim, win, hit ? "1" : "0" };
	size_t argsz[] = { 7, 40, 1, strlen(name), 0, 0, 1 };
	redisReply *r;

	argsz[4] = (size_t)snprintf(lim, sizeof(lim), "%" PRId64, limit);
	argsz[5] = (size_t)snprintf(win, sizeof(win), "%" PRId64, window_s * 1000);
	if (!ready(c) || (rate_sha[0] == '\0' && !load_script(c)) || (r = command(c, 7, argv, argsz)) == NULL)
		return false;
	if (r->type == REDIS_REPLY_ERROR) {
		/* NOSCRIPT after a restart of Redis: EVAL runs it and keeps it */
		argv[0] = "EVAL";
		argsz[0] = 4;
		argv[1] = rate_script;
		argsz[1] = sizeof(rate_script) - 1;
		if ((r = ask(c, 7, argv, argsz)) == NULL)
			return false;
	}
	if (r->type != REDIS_REPLY_ARRAY || r->elements != 2)
		return false;
	breaker_ok(BREAKER_REDIS);
	*count = r->element[0]->integer;
	*reset_s = (r->element[1]->integer + 999) / 1000;
	if (*reset_s < 1)
		*reset_s = 1;
	return true;
}

int64_t
kv_redis_ping_us(struct ctx *c)
{
	const char *argv[] = { "PING" };
	size_t argsz[] = { 4 };
	int64_t t;

	if (!kv_redis_configured())
		return -1;
	if (!ready(c))
		return -2;
	t = now_us();
	return ask(c, 1, argv, argsz) != NULL ? now_us() - t : -2;
}

void
kv_redis_close_idle(int64_t idle_ms)
{
	if (redis != NULL && (idle_ms <= 0 || now_ms() - used_ms >= idle_ms))
		drop();
}

void
kv_redis_forget(void)
{
	if (redis != NULL) {
		(void)close(redis->fd);
		forgotten = redis;
	}
	redis = NULL;
}
