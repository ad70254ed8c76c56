/* lib/store/fetch.c against a server that misbehaves: what may be reached, and what a bad answer costs. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/config.h"
#include "core/ip.h"
#include "core/log.h"
#include "store/fetch.h"
#include "store/shm.h"
#include "store/shm_map.h"

static int port;
static pid_t server;
static struct arena arena;
static struct ctx c;

/* ---- the server ---- */

static void
say(int fd, const char *text)
{
	size_t n = strlen(text);

	if (send(fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		_exit(0);
}

static void
answer(int fd, const char *request, size_t n)
{
	char line[256];

	if (strncmp(request, "GET /ok", 7) == 0) {
		say(fd, "HTTP/1.1 200 OK\r\nX-Two: a\r\nx-two:  b \r\nContent-Length: 5\r\n\r\nhello");
	} else if (strstr(request, " /echo") != NULL) {
		(void)snprintf(line, sizeof(line), "HTTP/1.1 201 Created\r\nContent-Length: %zu\r\n\r\n", n);
		say(fd, line);
		say(fd, request);
	} else if (strncmp(request, "GET /big", 8) == 0) {
		say(fd, "HTTP/1.0 200 OK\r\n\r\n");
		for (;;)
			say(fd, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	} else if (strncmp(request, "GET /heads", 10) == 0) {
		say(fd, "HTTP/1.1 200 OK\r\n");
		for (;;)
			say(fd, "X-More: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n");
	} else if (strncmp(request, "GET /stall", 10) == 0) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
		sleep(50);
	} else if (strncmp(request, "GET /cut", 8) == 0) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhe");
	} else if (strncmp(request, "GET /later", 10) == 0) {
		say(fd, "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
	} else if (strncmp(request, "GET /gateway", 12) == 0) {
		say(fd, "HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n");
	} else if (strncmp(request, "GET /go?", 8) == 0) {
		(void)snprintf(line, sizeof(line), "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %.*s\r\n\r\n",
			(int)strcspn(request + 8, " "), request + 8);
		say(fd, line);
	}
}

static void
serve_one(int fd)
{
	char request[8192];
	size_t n = 0;
	ssize_t got;

	while ((got = recv(fd, request + n, sizeof(request) - 1 - n, 0)) > 0) {
		const char *end, *length;
		size_t body = 0;

		n += (size_t)got;
		request[n] = '\0';
		if ((end = strstr(request, "\r\n\r\n")) == NULL)
			continue;
		if ((length = strcasestr(request, "content-length:")) != NULL)
			body = strtoul(length + 15, NULL, 10);
		if (n >= (size_t)(end + 4 - request) + body) {
			answer(fd, request, n);
			break;
		}
	}
	_exit(0);
}

static void
setup(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	if (s < 0 || bind(s, (void *)&a, sizeof(a)) != 0 || listen(s, 64) != 0 || getsockname(s, (void *)&a, &n) != 0)
		abort();
	port = ntohs(a.sin_port);
	server = fork();
	if (server < 0)
		abort();
	if (server == 0) {
		signal(SIGCHLD, SIG_IGN);
		while ((fd = accept(s, NULL, NULL)) >= 0) {
			if (fork() == 0)
				serve_one(fd);
			(void)close(fd);
		}
		_exit(0);
	}
	(void)close(s);
}

static void
begin(const char *key, const char *value)
{
	char err[256];

	(void)unsetenv("SOUK_CONF");
	(void)setenv("STATE_DIR", "/nonexistent/souk", 1);	/* breakers of this test's own */
	if (key != NULL)
		(void)setenv(key, value, 1);
	ck_assert_msg(cfg_load("/dev/null", err, sizeof(err)), "%s", err);
	log_init("test", "/dev/null", "error");
	shm_open_state();
	c = unit_ctx(&arena, 8 << 20);
	c.deadline_ms = now_ms() + 5000;
}

static const char *
url(const char *host, const char *path)
{
	return arena_printf(&arena, "http://%s:%d%s", host, port, path);
}

static struct fetch_reply
get(const char *where, bool public_only)
{
	struct fetch_request req = { .url = where, .public_only = public_only, .body_max = 4096 };
	struct fetch_reply reply;
	enum err e;

	ctx_clear_error(&c);
	e = fetch(&c, &req, &reply);
	ck_assert_int_eq(e, reply.fault == FETCH_ANSWERED ? E_OK : reply.fault == FETCH_REFUSED ? E_INVALID : E_UNAVAILABLE);
	ck_assert((reply.why == NULL) == (e == E_OK));
	return reply;
}

/* ---- answers ---- */

START_TEST(fetch_gives_status_headers_and_body)
{
	struct fetch_reply r;

	begin(NULL, NULL);
	r = get(url("127.0.0.1", "/ok"), false);
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(r.body, "hello");
	ck_assert_uint_eq(r.n, 5);
	ck_assert_str_eq(fetch_header(&c, &r, "X-Two"), "b");
	ck_assert_ptr_null(fetch_header(&c, &r, "X-Tw"));
	r = get(url("localhost", "/later"), false);
	ck_assert_int_eq(r.status, 429);
	ck_assert_int_eq(r.retry_after_s, 7);
}
END_TEST

START_TEST(fetch_sends_method_headers_body_and_user)
{
	const struct fetch_header headers[] = { { "Content-Type", "application/json" }, { "X-Key", "k1" }, { NULL, NULL } };
	struct fetch_request req = { .headers = headers, .body = "{\"a\":1}", .bodysz = 7, .user = "me", .password = "pw:x" };
	struct fetch_reply r;

	begin(NULL, NULL);
	req.url = url("127.0.0.1", "/echo?x=1");
	ck_assert_int_eq(fetch(&c, &req, &r), E_OK);
	ck_assert_int_eq(r.status, 201);
	ck_assert_int_eq(strncmp(r.body, "POST /echo?x=1 HTTP/1.1\r\n", 25), 0);
	ck_assert_ptr_nonnull(strstr(r.body, "\r\nX-Key: k1\r\n"));
	ck_assert_ptr_nonnull(strstr(r.body, "\r\nAuthorization: Basic bWU6cHc6eA==\r\n"));
	ck_assert_ptr_nonnull(strstr(r.body, "\r\n\r\n{\"a\":1}"));
	ck_assert_ptr_null(strcasestr(r.body, "Expect:"));
	req.method = "DELETE";
	req.body = NULL;
	ck_assert_int_eq(fetch(&c, &req, &r), E_OK);
	ck_assert_int_eq(strncmp(r.body, "DELETE /echo?x=1 ", 17), 0);
}
END_TEST

START_TEST(fetch_refuses_header_injection)
{
	const struct fetch_header headers[] = { { "X-Key", "k\r\nX-Evil: 1" }, { NULL, NULL } };
	struct fetch_request req = { .headers = headers };
	struct fetch_reply r;

	begin(NULL, NULL);
	req.url = url("127.0.0.1", "/echo");
	ck_assert_int_eq(fetch(&c, &req, &r), E_INVALID);
	ck_assert_int_eq(r.fault, FETCH_REFUSED);
}
END_TEST

START_TEST(fetch_bounds_what_it_takes_in)
{
	begin(NULL, NULL);
	ck_assert_int_eq(get(url("127.0.0.1", "/big"), false).fault, FETCH_TOO_LARGE);
	ck_assert_int_eq(get(url("127.0.0.1", "/heads"), false).fault, FETCH_TOO_LARGE);
	ck_assert_int_eq(get(url("127.0.0.1", "/cut"), false).fault, FETCH_LOST);
}
END_TEST

START_TEST(fetch_keeps_the_deadline)
{
	int64_t start = now_ms();

	begin(NULL, NULL);
	c.deadline_ms = now_ms() + 300;
	ck_assert_int_eq(get(url("127.0.0.1", "/stall"), false).fault, FETCH_LOST);
	ck_assert_int_lt(now_ms() - start, 20000);
	ck_assert_int_eq(get(url("127.0.0.1", "/ok"), false).fault, FETCH_HELD_BACK);
}
END_TEST

START_TEST(fetch_leaves_a_dead_host_alone)
{
	begin(NULL, NULL);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(get("http://127.0.0.1:1/", false).fault, FETCH_UNREACHABLE);
	ck_assert_int_eq(get("http://127.0.0.1:1/", false).fault, FETCH_HELD_BACK);
	ck_assert_int_eq(breaker_hosts_open(), 1);
	/* another host is another breaker */
	ck_assert_int_eq(get(url("127.0.0.2", "/ok"), false).status, 200);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(get(url("127.0.0.3", "/gateway"), false).status, 503);
	ck_assert_int_eq(get(url("127.0.0.3", "/ok"), false).fault, FETCH_HELD_BACK);
}
END_TEST

/* ---- what may be reached ---- */

START_TEST(fetch_public_only_reaches_nothing_inside)
{
	static const char *const hosts[] = { "127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", "0", "localhost", "[::1]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "169.254.169.254", "10.0.0.1", "192.168.1.1", "[fe80::1]", "[fd00::1]", "inside.example" };

	begin("OUTGOING_RESOLVE", "inside.example:443:127.0.0.1");
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		struct fetch_reply r = get(arena_printf(&arena, "https://%s/", hosts[i]), true);

		ck_assert_msg(r.fault == FETCH_REFUSED, "%s: %d %s", hosts[i], (int)r.fault, r.why);
	}
}
END_TEST

START_TEST(fetch_refuses_other_urls)
{
	static const char *const urls[] = { "file:///etc/passwd", "gopher://shop.example/", "ftp://shop.example/", "/var/run/x.sock", "https://", "",
		"https://user:pw@shop.example/", "https://user@shop.example/", "http://shop.example/", "https://shop.example:22/", "https://shop.example/#x",
		"https://shop.example:99999/", "dict://shop.example/" };

	begin(NULL, NULL);
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		ck_assert_msg(fetch_url_fault(urls[i], true) != NULL, "%s", urls[i]);
		ck_assert_msg(get(urls[i], true).fault == FETCH_REFUSED, "%s", urls[i]);
	}
	ck_assert_ptr_null(fetch_url_fault("https://shop.example/hooks?a=1", true));
	ck_assert_ptr_null(fetch_url_fault("https://shop.example:443/", true));
}
END_TEST

START_TEST(fetch_reaches_own_networks_when_told)
{
	begin("OUTGOING_PRIVATE", "127.0.0.2");
	ck_assert_int_eq(get(url("127.0.0.2", "/ok"), true).status, 200);
	ck_assert_int_eq(get(url("127.0.0.1", "/ok"), true).fault, FETCH_REFUSED);
	/* a connection that is open for a trusted request is not one for others */
	ck_assert_int_eq(get(url("127.0.0.1", "/ok"), false).status, 200);
	ck_assert_int_eq(get(url("127.0.0.1", "/ok"), true).fault, FETCH_REFUSED);
}
END_TEST

START_TEST(fetch_follows_no_redirect_inside)
{
	struct fetch_request req = { .public_only = true, .redirects = 3 };
	struct fetch_reply r;

	begin("OUTGOING_PRIVATE", "127.0.0.2");
	ck_assert_int_eq(get(url("127.0.0.2", "/go?https://127.0.0.1/"), true).status, 302);
	req.url = url("127.0.0.2", "/go?https://127.0.0.1/");
	ck_assert_int_eq(fetch(&c, &req, &r), E_INVALID);
	ck_assert_int_eq(r.fault, FETCH_REFUSED);
	req.url = url("127.0.0.2", "/go?file:///etc/passwd");
	ck_assert_int_eq(fetch(&c, &req, &r), E_INVALID);
	req.url = arena_printf(&arena, "%s", url("127.0.0.2", arena_printf(&arena, "/go?http://127.0.0.1:%d/ok", port)));
	ck_assert_int_eq(fetch(&c, &req, &r), E_INVALID);
}
END_TEST

START_TEST(fetch_plain_http_stays_at_home)
{
	begin("OUTGOING_RESOLVE", "shop.example:80:192.0.2.1");
	ck_assert_int_eq(get("http://shop.example/", false).fault, FETCH_REFUSED);
}
END_TEST

START_TEST(ip_tells_public_addresses)
{
	static const char *const inside[] = { "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.31.0.1", "192.0.0.8", "192.0.2.7",
		"192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
		"fc00::1", "fe80::1", "ff02::1", "2001::1", "2001:db8::1", "2002:808:808::1", "3fff::1", "", "shop" };
	static const char *const public[] = { "8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1" };

	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
		ck_assert_msg(!ip_is_public(inside[i]), "%s", inside[i]);
	for (size_t i = 0; i < sizeof(public) / sizeof(*public); i++)
		ck_assert_msg(ip_is_public(public[i]), "%s", public[i]);
}
END_TEST

START_TEST(fetch_escapes_form_values)
{
	begin(NULL, NULL);
	ck_assert_str_eq(fetch_escape(&c, "a b&c=é+~"), "a%20b%26c%3D%C3%A9%2B~");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { fetch_gives_status_headers_and_body, fetch_sends_method_headers_body_and_user, fetch_refuses_header_injection,
		fetch_bounds_what_it_takes_in, fetch_keeps_the_deadline, fetch_leaves_a_dead_host_alone, fetch_public_only_reaches_nothing_inside,
		fetch_refuses_other_urls, fetch_reaches_own_networks_when_told, fetch_follows_no_redirect_inside, fetch_plain_http_stays_at_home,
		ip_tells_public_addresses, fetch_escapes_form_values, NULL };
	int failed;

	setup();
	failed = unit_run("fetch", tests);
	(void)kill(server, SIGTERM);
	return failed;
}
