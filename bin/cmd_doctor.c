/* souk doctor: each check gives one finding, and what is wrong comes with how to mend it. */
#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auth/subject.h"
#include "cmd_sqlfile.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "doctor.h"
#include "gen/sql.h"
#include "store/kv.h"
#include "store/shm.h"

#define SKEW_MAX_S 30
#define HEAD_MAX 32768
#define BODY_MAX (4u << 20)

void
found(struct doctor *d, enum finding state, const char *check, const char *mend, const char *fmt, ...)
{
	static const char *const names[] = { "ok", "warning", "error" };
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->warnings += state == WARNING;
	d->wrong += state == WRONG;
	if (!d->json) {
		printf("%-8s %-14s %s\n", names[state], check, text);
		if (mend != NULL)
			printf("%-8s %-14s -> %s\n", "", "", mend);
		return;
	}
	buf_printf(&d->out, "%s{\"check\":\"%s\",\"state\":\"%s\",\"finding\":", d->findings++ > 0 ? "," : "", check, names[state]);
	buf_json_cstr(&d->out, text);
	buf_puts(&d->out, ",\"mend\":");
	buf_json_cstr(&d->out, mend);
	buf_putc(&d->out, '}');
}

/* ---- this host ---- */

static void
check_config(struct doctor *d)
{
	const char *conflict = cfg_conflict();

	if (cfg_file()[0] != '\0')
		found(d, FINE, "configuration", NULL, "%s", cfg_file());
	else
		found(d, WARNING, "configuration", "souk config --example > souk.conf, and set SOUK_CONF to it", "no souk.conf: defaults and environment");
	if (conflict != NULL)
		found(d, WRONG, "configuration", "change one of the two", "%s", conflict);
	if (cfg_str("TOKEN_PEPPER")[0] == '\0')
		found(d, WRONG, "configuration", "TOKEN_PEPPER = (openssl rand -hex 32), once and for all", "TOKEN_PEPPER is not set: no token can work");
}

static void
check_state(struct doctor *d)
{
	const char *dir = cfg_str("STATE_DIR");
	struct stat st;

	if (stat(dir, &st) != 0)
		found(d, WRONG, "state", "create it for the user of the web server's programs", "STATE_DIR %s: %s", dir, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		found(d, WRONG, "state", "set STATE_DIR to a folder", "STATE_DIR %s is no folder", dir);
	else if (access(dir, W_OK | X_OK) != 0)
		found(d, WARNING, "state", "run souk as the user of the programs", "STATE_DIR %s is not writable for this user (uid %d; it belongs to %d)", dir,
		    (int)geteuid(), (int)st.st_uid);
	else if ((st.st_mode & S_IWOTH) != 0)
		found(d, WARNING, "state", "chmod o-w", "STATE_DIR %s can be written by everybody", dir);
	else
		found(d, FINE, "state", NULL, "STATE_DIR %s", dir);
}

/* ---- database ---- */

static void
check_clock(struct doctor *d, const char *whose, int64_t theirs_s)
{
	int64_t skew = theirs_s - wall_ms() / 1000;

	if (skew > SKEW_MAX_S || skew < -SKEW_MAX_S)
		found(d, WARNING, "clock", "let both hosts take their time from the network (systemd-timesyncd, chrony)",
		    "the clock of %s differs by %lld s", whose, (long long)skew);
	else
		found(d, FINE, "clock", NULL, "%s agrees within %lld s", whose, (long long)(skew < 0 ? -skew : skew));
}

static void
check_outbox(struct doctor *d, PGconn *pg)
{
	PGresult *r = sql_run(d->cli, pg, &sql_outbox_state, 0, NULL);

	if (r == NULL)
		return;
	if (strcmp(PQgetvalue(r, 0, 1), "0") != 0)
		found(d, WARNING, "messages", "let cron run souk deliver every minute", "%s messages or webhooks wait, and nothing sends them", PQgetvalue(r, 0, 1));
	if (strcmp(PQgetvalue(r, 0, 0), "0") != 0)
		found(d, WARNING, "messages", "souk outbox list --status parked", "%s messages or webhooks are parked", PQgetvalue(r, 0, 0));
	PQclear(r);
}

static void
check_tables(struct doctor *d, PGconn *pg)
{
	PGresult *r = sql_run(d->cli, pg, &sql_migrate_ready, 0, NULL);
	int have;

	if (r == NULL || strcmp(PQgetvalue(r, 0, 0), "t") != 0) {
		found(d, WRONG, "migrations", "souk migrate", "the database has no tables of souk");
		PQclear(r);
		return;
	}
	PQclear(r);
	r = sql_run(d->cli, pg, &sql_ready, 0, NULL);
	have = r != NULL ? (int)strtol(PQgetvalue(r, 0, 0), NULL, 10) : 0;
	PQclear(r);
	if (have < SOUK_SCHEMA)
		found(d, WRONG, "migrations", "souk migrate", "the database is at %d, the programs expect %d", have, SOUK_SCHEMA);
	else if (have > SOUK_SCHEMA)
		found(d, WARNING, "migrations", "update the programs", "the database is at %d, these programs know %d", have, SOUK_SCHEMA);
	else
		found(d, FINE, "migrations", NULL, "the database is at %d", have);
	check_outbox(d, pg);
	r = sql_run(d->cli, pg, &sql_search_waiting, 0, NULL);
	if (r != NULL && strtol(PQgetvalue(r, 0, 0), NULL, 10) > 0)
		found(d, WARNING, "search", "wait, or souk import --wait", "%s changed products are not yet indexed", PQgetvalue(r, 0, 0));
	PQclear(r);
}

static void
check_database(struct doctor *d)
{
	int64_t began = now_us();
	PGconn *pg = sql_connect(d->cli);
	PGresult *r = pg != NULL ? sql_run(d->cli, pg, &sql_doctor_database, 0, NULL) : NULL;
	long version;

	if (r == NULL) {
		found(d, WRONG, "database", "check DATABASE_URL; is PostgreSQL running, and may this user connect?", "PostgreSQL cannot be reached");
		PQfinish(pg);
		return;
	}
	version = strtol(PQgetvalue(r, 0, 0), NULL, 10);
	found(d, version >= 130000 ? FINE : WRONG, "database", version >= 130000 ? NULL : "PostgreSQL 13 or newer is needed",
	    "PostgreSQL %ld.%ld, connected in %lld ms", version / 10000, version % 10000, (long long)((now_us() - began) / 1000));
	if (strcmp(PQgetvalue(r, 0, 1), "UTF8") != 0)
		found(d, WRONG, "database", "create the database with ENCODING 'UTF8'", "the encoding is %s", PQgetvalue(r, 0, 1));
	if (strcmp(PQgetvalue(r, 0, 3), "t") != 0)
		found(d, WARNING, "roles", "where you may, grant CREATEROLE and run souk migrate; row-level security holds without it",
		    "there is no web role: programs run as the owner");
	else if (strcmp(PQgetvalue(r, 0, 4), "t") != 0)
		found(d, WARNING, "roles", "GRANT the web role to the owner", "the web role cannot be taken");
	else
		found(d, FINE, "roles", NULL, "programs run with the rights of the web role");
	check_clock(d, "the database", strtoll(PQgetvalue(r, 0, 2), NULL, 10));
	PQclear(r);
	check_tables(d, pg);
	PQfinish(pg);
}

static void
check_redis(struct doctor *d)
{
	int64_t us = kv_redis_ping_us(&d->cli->c);

	if (us >= 0)
		found(d, FINE, "redis", NULL, "answers in %lld us", (long long)us);
	else if (us == -1)
		found(d, FINE, "redis", NULL, "not configured: PostgreSQL does its work");
	else
		found(d, WARNING, "redis", "check REDIS_URL; is Redis running? Meanwhile PostgreSQL does its work", "Redis does not answer");
}

/* ---- web ---- */

/* Headers in lower case, one answer's only: an interim one (100) is forgotten. */
static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct doctor_reply *r = arg;
	size_t name;

	n *= size;
	if (n > 5 && strncmp(p, "HTTP/", 5) == 0)
		r->head.n = 0;
	if (n == 2 && strncmp(buf_str(&r->head), "http/1.1 101", 12) == 0)
		return 0;	/* upgraded: there is nothing more to hear */
	if (r->head.n + n > HEAD_MAX)
		return n;
	name = strcspn(p, ":\r\n");
	for (size_t i = 0; i < n; i++)
		buf_putc(&r->head, (char)((i < name || r->head.n < 5) && p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]));
	return n;
}

struct listening {
	struct doctor_reply *r;
	const char *enough;
};

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct listening *l = arg;

	n *= size;
	if (l->r->body.n + n > BODY_MAX)
		return 0;
	buf_put(&l->r->body, p, n);
	l->r->got_enough = l->enough != NULL && strstr(buf_str(&l->r->body), l->enough) != NULL;
	return l->r->got_enough ? 0 : n;
}

const char *
doctor_header(struct doctor *d, const struct doctor_reply *r, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = buf_str(&r->head); p != NULL && *p != '\0'; p = strchr(p, '\n') != NULL ? strchr(p, '\n') + 1 : NULL)
		if (strncmp(p, name, n) == 0 && p[n] == ':') {
			p += n + 1 + strspn(p + n + 1, " \t");
			return arena_strndup(&d->cli->arena, p, strcspn(p, "\r\n"));
		}
	return NULL;
}

static struct curl_slist *
headers_of(struct doctor *d, const struct doctor_request *q)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	if (q->token != NULL)
		list = curl_slist_append(list, arena_printf(&d->cli->arena, "Authorization: Bearer %s", q->token));
	if (q->body != NULL)
		list = curl_slist_append(list, "Content-Type: application/json");
	for (size_t i = 0; q->headers != NULL && q->headers[i] != NULL; i++)
		list = curl_slist_append(list, q->headers[i]);
	return list;
}

const char *
doctor_ask(struct doctor *d, const char *url, const char *path, const struct doctor_request *q, struct doctor_reply *r)
{
	struct listening l = { NULL, q->enough };
	struct curl_slist *headers;
	CURL *h = curl_easy_init();
	const char *date;
	CURLcode rc;

	*r = (struct doctor_reply){ 0 };
	l.r = r;
	buf_init(&r->head, &d->cli->arena, 2048, HEAD_MAX + 1);
	buf_init(&r->body, &d->cli->arena, 16384, BODY_MAX + 1);
	if (h == NULL)
		return "out of memory";
	headers = headers_of(d, q);
	curl_easy_setopt(h, CURLOPT_URL, arena_printf(&d->cli->arena, "%s%s", url, path));
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, 3000L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, q->wait_ms > 0 ? (long)q->wait_ms : 10000L);
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	if (q->body != NULL)
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, q->body);
	if (q->method != NULL)
		curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, q->method);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, &l);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, r);
	rc = curl_easy_perform(h);
	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &r->status);
	curl_easy_cleanup(h);
	curl_slist_free_all(headers);
	date = doctor_header(d, r, "date");
	r->date_s = date != NULL ? (int64_t)curl_getdate(date, NULL) : 0;
	r->timed_out = rc == CURLE_OPERATION_TIMEDOUT && r->status > 0;
	return rc == CURLE_OK || r->got_enough || r->timed_out ? NULL : curl_easy_strerror(rc);
}

static void
check_authorization(struct doctor *d, const char *url, const char *token, struct doctor_reply *r)
{
	struct subject who;
	enum err e = subject_resolve(&d->cli->c, &(struct bearer){ .text = token, .remote_ip = "127.0.0.1" }, &who);

	ctx_clear_error(&d->cli->c);
	if (e == E_UNAUTHENTICATED) {
		found(d, WARNING, "authorization", "give a valid one with --token; souk token create makes one", "the token to try is not valid here");
		return;
	}
	if (doctor_ask(d, url, "/api/mcp/status", &(struct doctor_request){ .token = token }, r) != NULL)
		return;
	if (r->status == 401)
		found(d, WRONG, "authorization",
		    "Apache: CGIPassAuth On (or SetEnvIf Authorization \"(.*)\" HTTP_AUTHORIZATION=$1); see the examples. Is it the same database and TOKEN_PEPPER?",
		    "the token is valid, but the programs do not get the Authorization header");
	else if (r->status == 403)
		found(d, FINE, "authorization", NULL, "the Authorization header arrives (the token has no status:read)");
	else
		found(d, r->status == 200 ? FINE : WARNING, "authorization", r->status == 200 ? NULL : "see the log of the programs",
		    "GET /api/mcp/status answers %ld", r->status);
}

static void
check_web(struct doctor *d, const char *url, const char *token)
{
	const struct doctor_request plain = { 0 };
	struct doctor_reply r = { 0 };
	const char *why = doctor_ask(d, url, "/healthz", &plain, &r);

	if (why != NULL) {
		found(d, WRONG, "web", "is the web server running, and is the address right (--url)?", "%s: %s", url, why);
	} else if (r.status != 200 || strstr(buf_str(&r.body), "\"ok\"") == NULL) {
		found(d, WRONG, "web", r.status == 404 ? "the web server runs, but does not hand this path to souk: see the example configurations" :
		    "see the error log of the web server", "GET %s/healthz answers %ld", url, r.status);
	} else {
		found(d, FINE, "web", NULL, "%s answers", url);
		if (r.date_s > 0)
			check_clock(d, "the web server", r.date_s);
		if (doctor_ask(d, url, "/readyz", &plain, &r) == NULL && r.status != 200)
			found(d, WRONG, "web", "the members that are false say which", "not ready: %.200s", buf_str(&r.body));
		if (token != NULL)
			check_authorization(d, url, token, &r);
		else
			found(d, WARNING, "authorization", "give a token with --token", "not tried");
		doctor_mcp(d, url);
		doctor_oauth(d, url);
	}
}

int
cmd_doctor(struct cli *cli)
{
	struct doctor d = { .cli = cli, .json = cli_value(cli, "json") != NULL };
	const char *url = cli_value(cli, "url"), *token = cli_value(cli, "token");

	if (url == NULL && (url = getenv("SOUK_URL")) == NULL)
		url = cfg_str("PUBLIC_URL");
	if (token == NULL)
		token = getenv("SOUK_MONITOR_TOKEN") != NULL ? getenv("SOUK_MONITOR_TOKEN") : getenv("SOUK_ADMIN_TOKEN");
	buf_init(&d.out, &cli->arena, 4096, 1u << 20);
	shm_open_state();
	check_config(&d);
	check_state(&d);
	check_database(&d);
	check_redis(&d);
	if (url[0] != '\0')
		check_web(&d, url, token);
	else
		found(&d, WARNING, "web", "give its address with --url, SOUK_URL or PUBLIC_URL", "not tried");
	if (d.json)
		printf("{\"ok\":%s,\"errors\":%d,\"warnings\":%d,\"findings\":[%s]}\n", d.wrong == 0 ? "true" : "false", d.wrong, d.warnings,
		    buf_str(&d.out));
	else
		printf("%d errors, %d warnings\n", d.wrong, d.warnings);
	return d.wrong == 0 ? CLI_OK : CLI_FAILED;
}
