/* HTTP requests to other services; see fetch.h.  Facts about libcurl 7.88: limits on sizes have to be counted in the callbacks. */
#include "store/fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/ip.h"
#include "core/log.h"
#include "core/utf8.h"
#include "store/shm.h"

#define CONNECT_MS 3000
#define URL_MAX 2000
#define HOST_MAX_LEN 264

/* Two sets of connections: one that was opened for a trusted URL is never used for somebody else's. */
static CURL *handles[2];

/* What the callbacks know of the request that runs. */
struct run {
	const struct fetch_request *req;
	struct buf body, head;
	bool https, refused, too_large;
	char host[HOST_MAX_LEN];	/* and port */
};

void
fetch_forget(void)
{
	handles[0] = handles[1] = NULL;	/* the memory is lost on purpose: cleaning up would talk on the parent's connections */
}

/* ---- what may be reached ---- */

static bool
in_words(const char *list, unsigned port)
{
	char *end;

	for (; *list != '\0'; list = *end == '\0' ? end : end + 1) {
		if (strtoul(list, &end, 10) == port && end > list)
			return true;
		if (end == list)
			end++;
	}
	return false;
}

static bool
may_connect(const struct run *run, const struct sockaddr *a)
{
	const char *private = cfg_str("OUTGOING_PRIVATE");
	char text[INET6_ADDRSTRLEN];
	const void *raw;
	unsigned port;

	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)a;

		raw = &v4->sin_addr;
		port = ntohs(v4->sin_port);
	} else if (a->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)a;

		raw = &v6->sin6_addr;
		port = ntohs(v6->sin6_port);
	} else {
		return false;
	}
	if (inet_ntop(a->sa_family, raw, text, sizeof(text)) == NULL)
		return false;
	if (ip_in_list(text, private))
		return true;
	if (run->req->public_only)
		return run->https && ip_is_public(text) && in_words(cfg_str("OUTGOING_PORTS"), port);
	return run->https || ip_is_loopback(text);
}

/* The socket for an address that the name stands for: the last moment to say no, and the only one that counts. */
static curl_socket_t
open_socket(void *arg, curlsocktype type, struct curl_sockaddr *a)
{
	struct run *run = arg;

	if (type != CURLSOCKTYPE_IPCXN || !may_connect(run, &a->addr)) {
		run->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* A part of a parsed URL into out; false: there is none, or it is too long. */
static bool
url_part(CURLU *u, CURLUPart part, char *out, size_t outsz)
{
	char *text = NULL;
	bool ok = curl_url_get(u, part, &text, 0) == CURLUE_OK && strlen(text) < outsz;

	out[0] = '\0';
	if (ok)
		memcpy(out, text, strlen(text) + 1);
	curl_free(text);
	return ok;
}

/* NULL, or why the URL's text alone forbids it.  host ("name:port", HOST_MAX_LEN bytes) and *https are filled. */
static const char *
url_fault(const char *url, bool public_only, char *host, bool *https)
{
	bool private = cfg_str("OUTGOING_PRIVATE")[0] != '\0';
	char scheme[16], user[URL_MAX], port[8];
	const char *why = NULL;
	CURLU *u = curl_url();
	size_t n;

	host[0] = '\0';
	*https = false;
	if (u == NULL || strlen(url) >= URL_MAX || curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) != CURLUE_OK ||
	    !url_part(u, CURLUPART_SCHEME, scheme, sizeof(scheme)) || !url_part(u, CURLUPART_HOST, host, 256))
		why = "not an http or https URL without user and password";
	else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
		why = "only https URLs are reached";
	else if (url_part(u, CURLUPART_USER, user, sizeof(user)) || url_part(u, CURLUPART_FRAGMENT, user, sizeof(user)))
		why = "a URL with a user or a fragment is not reached";
	*https = why == NULL && strcmp(scheme, "https") == 0;
	if (why == NULL && public_only && !private) {
		if (!*https)
			why = "only https URLs are reached";
		else if (url_part(u, CURLUPART_PORT, port, sizeof(port)) && !in_words(cfg_str("OUTGOING_PORTS"), (unsigned)strtoul(port, NULL, 10)))
			why = "this port is not among OUTGOING_PORTS";
	}
	if (why == NULL) {
		n = strlen(host);
		(void)snprintf(host + n, HOST_MAX_LEN - n, ":%s", url_part(u, CURLUPART_PORT, port, sizeof(port)) ? port : *https ? "443" : "80");
	}
	curl_url_cleanup(u);
	return why;
}

const char *
fetch_url_fault(const char *url, bool public_only)
{
	char host[HOST_MAX_LEN];
	bool https;

	return url_fault(url, public_only, host, &https);
}

/* ---- the transfer ---- */

static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct run *run = arg;

	(void)size;	/* always 1 */
	if (n > run->body.max - run->body.n) {
		run->too_large = true;
		return 0;
	}
	buf_put(&run->body, p, n);
	return n;
}

static size_t
take_head(char *p, size_t size, size_t n, void *arg)
{
	struct run *run = arg;

	n *= size;
	if (n > 5 && strncmp(p, "HTTP/", 5) == 0 && run->head.n > 0) {
		run->head.n = 0;	/* of a redirect, or of a 100 Continue: only the last answer counts */
		run->body.n = 0;
	}
	if (n > run->head.max - run->head.n) {
		run->too_large = true;
		return 0;
	}
	buf_put(&run->head, p, n);
	return n;
}

static void
free_list(void *list)
{
	curl_slist_free_all(list);
}

/* The request's headers as curl wants them; false: one of them cannot be sent. */
static bool
make_headers(struct ctx *c, const struct fetch_header *h, struct curl_slist **out)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (; h != NULL && h->name != NULL; h++) {
		if (utf8_has_control(h->name) || utf8_has_control(h->value))
			break;
		list = curl_slist_append(list, arena_printf(c->a, "%s: %s", h->name, h->value));
	}
	arena_defer(c->a, free_list, list);
	*out = list;
	return h == NULL || h->name == NULL;
}

static CURL *
take_handle(bool public_only)
{
	static bool ready;
	CURL **h = &handles[public_only];

	if (!ready) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		ready = true;
	}
	if (*h == NULL)
		*h = curl_easy_init();
	else
		curl_easy_reset(*h);	/* keeps its connections */
	return *h;
}

/* Addresses for names, instead of asking for them: OUTGOING_RESOLVE. */
static struct curl_slist *
fixed_addresses(struct ctx *c)
{
	const char *list = cfg_str("OUTGOING_RESOLVE");
	struct curl_slist *fixed = NULL;
	size_t n;

	for (; (n = strcspn(list += strspn(list, " "), " ")) > 0; list += n)
		fixed = curl_slist_append(fixed, arena_strndup(c->a, list, n));
	arena_defer(c->a, free_list, fixed);
	return fixed;
}

static void
prepare(struct ctx *c, CURL *h, struct run *run, struct curl_slist *headers, int timeout_ms)
{
	const struct fetch_request *req = run->req;
	const char *ca = cfg_str("OUTGOING_CA_FILE");

	curl_easy_setopt(h, CURLOPT_URL, req->url);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, req->redirects > 0 ? 1L : 0L);
	curl_easy_setopt(h, CURLOPT_MAXREDIRS, (long)req->redirects);
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)(timeout_ms < CONNECT_MS ? timeout_ms : CONNECT_MS));
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(h, CURLOPT_USERAGENT, "souk/" SOUK_VERSION);
	curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, run);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, run);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_head);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, run);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_RESOLVE, fixed_addresses(c));
	if (ca[0] != '\0')
		curl_easy_setopt(h, CURLOPT_CAINFO, ca);
	if (req->body != NULL) {
		curl_easy_setopt(h, CURLOPT_POST, 1L);
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->bodysz);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, req->body);
	}
	if (req->method != NULL)
		curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, req->method);
	if (req->user != NULL) {
		curl_easy_setopt(h, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(h, CURLOPT_USERNAME, req->user);
		curl_easy_setopt(h, CURLOPT_PASSWORD, req->password != NULL ? req->password : "");
	}
}

/* ---- outcome ---- */

static void
classify(const struct run *run, CURLcode code, struct fetch_reply *reply)
{
	reply->fault = FETCH_LOST;
	switch (code) {
	case CURLE_OK:
		reply->fault = FETCH_ANSWERED;
		return;
	case CURLE_COULDNT_RESOLVE_HOST:
		reply->fault = FETCH_UNREACHABLE;
		reply->why = "the host name does not exist or cannot be looked up";
		return;
	case CURLE_COULDNT_CONNECT:
		reply->fault = run->refused ? FETCH_REFUSED : FETCH_UNREACHABLE;
		reply->why = run->refused ? "the address behind this URL may not be reached" : "no connection to the host";
		return;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		reply->fault = FETCH_UNREACHABLE;
		reply->why = "no trusted TLS connection to the host";
		return;
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		reply->fault = FETCH_REFUSED;
		reply->why = "the URL, or one that it redirects to, may not be reached";
		return;
	case CURLE_OPERATION_TIMEDOUT:
		reply->why = "no answer in time";
		return;
	case CURLE_WRITE_ERROR:
		reply->fault = FETCH_TOO_LARGE;
		reply->why = "the answer is too large";
		return;
	default:
		reply->why = "the connection was lost";
		return;
	}
}

/* Tell the breaker: a host that answers is not down, unless it is a gateway that says so itself. */
static void
tell_breaker(enum breaker b, const struct fetch_reply *reply)
{
	bool down = reply->fault == FETCH_UNREACHABLE || reply->fault == FETCH_LOST || (reply->status >= 502 && reply->status <= 504);

	if (down)
		breaker_failed(b);
	else
		breaker_ok(b);
}

static enum err
refused(struct ctx *c, struct fetch_reply *reply, const char *why)
{
	reply->fault = FETCH_REFUSED;
	reply->why = why;
	return fail(c, E_INVALID, "%s", why);
}

static enum err
perform(struct ctx *c, struct run *run, struct curl_slist *headers, int timeout_ms, struct fetch_reply *reply)
{
	CURL *h = take_handle(run->req->public_only);
	curl_off_t wait = 0;
	long status = 0;
	int64_t start = now_ms();
	CURLcode code;

	prepare(c, h, run, headers, timeout_ms);
	code = curl_easy_perform(h);
	reply->took_ms = (int)(now_ms() - start);
	classify(run, code, reply);
	if (code == CURLE_OK) {
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(h, CURLINFO_RETRY_AFTER, &wait);
	}
	reply->status = (int)status;
	reply->retry_after_s = wait > 0 && wait < 86400 * 7 ? (int)wait : 0;
	/* Nothing may point to this request any more. */
	curl_easy_reset(h);
	return code == CURLE_OK ? E_OK : fail(c, reply->fault == FETCH_REFUSED ? E_INVALID : E_UNAVAILABLE, "%s", reply->why);
}

enum err
fetch(struct ctx *c, const struct fetch_request *req, struct fetch_reply *reply)
{
	struct run run = { .req = req };
	struct curl_slist *headers;
	const char *why;
	enum breaker b;
	int timeout_ms;
	enum err e;

	memset(reply, 0, sizeof(*reply));
	reply->body = reply->head = "";
	if ((why = url_fault(req->url, req->public_only, run.host, &run.https)) != NULL)
		return refused(c, reply, why);
	if (!make_headers(c, req->headers, &headers))
		return refused(c, reply, "a header holds control characters");
	timeout_ms = ctx_left_ms(c, req->timeout_ms > 0 ? req->timeout_ms : 600000);
	b = breaker_of_host(run.host);
	if (timeout_ms == 0 || !breaker_allows(b)) {
		reply->fault = FETCH_HELD_BACK;
		reply->why = timeout_ms == 0 ? "no time is left" : "the host has failed several times and is left alone for some seconds";
		return fail(c, E_UNAVAILABLE, "%s", reply->why);
	}
	buf_init(&run.body, c->a, 4096, req->body_max > 0 ? req->body_max : FETCH_BODY_MAX);
	buf_init(&run.head, c->a, 1024, FETCH_HEAD_MAX);
	e = perform(c, &run, headers, timeout_ms, reply);
	tell_breaker(b, reply);
	if (e == E_OK) {
		reply->body = buf_str(&run.body);
		reply->n = run.body.n;
		reply->head = buf_str(&run.head);
	}
	log_event(LOG_DEBUG_, c, "fetched", LOG_S("host", run.host), LOG_I("status", reply->status), LOG_I("ms", reply->took_ms), LOG_S("why", reply->why));
	return e;
}

const char *
fetch_header(struct ctx *c, const struct fetch_reply *reply, const char *name)
{
	const char *found = NULL, *line = reply->head;
	size_t n = strlen(name), len;

	for (; *line != '\0'; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		if (len > n && strncasecmp(line, name, n) == 0 && line[n] == ':') {
			const char *v = line + n + 1;
			size_t vn = len - n - 1;

			while (vn > 0 && (*v == ' ' || *v == '\t')) {
				v++;
				vn--;
			}
			while (vn > 0 && (v[vn - 1] == ' ' || v[vn - 1] == '\r' || v[vn - 1] == '\t'))
				vn--;
			found = arena_strndup(c->a, v, vn);
		}
	}
	return found;
}

const char *
fetch_escape(struct ctx *c, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	struct buf b;

	buf_init(&b, c->a, strlen(text) + 32, strlen(text) * 3 + 1);
	for (; *text != '\0'; text++) {
		unsigned char ch = (unsigned char)*text;

		if ((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || strchr("-._~", ch) != NULL) {
			buf_putc(&b, *text);
		} else {
			buf_putc(&b, '%');
			buf_putc(&b, hex[ch >> 4]);
			buf_putc(&b, hex[ch & 15]);
		}
	}
	return buf_str(&b);
}
