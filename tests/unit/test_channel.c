/* Lasting connections: lines of a pipe, and channels with real workers.  There is no database; what would need one is left to the other suites. */
#include "unit.h"

#include <poll.h>
#include <string.h>

#include "core/config.h"
#include "core/json.h"
#include "mcp/channel.h"
#include "mcp/line.h"
#include "store/shm.h"
#include "tool/tool.h"

/* ---- lines ---------------------------------------------------------------------------- */

struct lines {
	char text[4096];
	int found, refused;
};

static void
note(void *arg, char *line, size_t n)
{
	struct lines *l = arg;

	if (line == NULL) {
		l->refused++;
		return;
	}
	ck_assert_uint_eq(strlen(line), n);
	l->found++;
	(void)snprintf(l->text + strlen(l->text), sizeof(l->text) - strlen(l->text), "<%s>", line);
}

/* However the bytes come, the lines are the same. */
START_TEST(lines_are_the_same_however_they_come)
{
	static const char input[] = "one\n\n  two\r\nthree is too long by far\nfour\n \t\r\nfive";
	const size_t n = sizeof(input) - 1;

	for (size_t step = 1; step <= n; step++) {
		struct lines l = { .found = 0 };
		struct line_reader r;

		line_init(&r, 10);
		for (size_t at = 0; at < n; at += step)
			line_feed(&r, input + at, n - at < step ? n - at : step, note, &l);
		line_end(&r, note, &l);
		ck_assert_str_eq(l.text, "<one><  two><four><five>");
		ck_assert_int_eq(l.refused, 1);
		line_release(&r);
	}
}
END_TEST

START_TEST(a_line_of_just_the_limit_is_taken)
{
	struct lines l = { .found = 0 };
	struct line_reader r;
	char text[2002];

	memset(text, 'x', sizeof(text));
	line_init(&r, 2000);
	text[2000] = '\n';
	line_feed(&r, text, 2001, note, &l);
	text[2000] = 'x';
	text[2001] = '\n';
	line_feed(&r, text, 2002, note, &l);
	line_end(&r, note, &l);
	ck_assert_int_eq(l.found, 1);
	ck_assert_int_eq(l.refused, 1);
	line_release(&r);
}
END_TEST

/* ---- channels ------------------------------------------------------------------------- */

static char state_dir[] = "/tmp/souk-unit-XXXXXX";

struct client {
	struct channel channel;	/* first member */
	char text[65536];	/* what it was sent, each message ended by LF */
	int messages;
};

static bool
take(struct channel *ch, const char *json, size_t n)
{
	struct client *c = (struct client *)ch;

	c->messages++;
	(void)snprintf(c->text + strlen(c->text), sizeof(c->text) - strlen(c->text), "%.*s\n", (int)n, json);
	return true;
}

static void
refused(struct channel *ch)
{
	(void)ch;
}

static void
begin(struct client *c)
{
	*c = (struct client){ .channel = { .via = VIA_WS, .token = "", .remote_ip = "127.0.0.1", .server = "", .locale = "", .base = "", .most = 4, .send = take, .refused = refused } };
	channel_open(&c->channel);
}

static void
say(struct client *c, const char *text)
{
	channel_take(&c->channel, text, strlen(text));
}

/* Until so many messages have come, and, when rest is set, nothing is left to be done. */
static void
hear(struct client *c, int messages, bool rest)
{
	int64_t end = now_ms() + 20000;

	while (c->messages < messages || (rest && channel_busy(&c->channel))) {
		struct pollfd p = { .fd = crew_fd(), .events = POLLIN };

		ck_assert_msg(now_ms() < end, "%d of %d messages came: %s", c->messages, messages, c->text);
		(void)poll(&p, 1, 100);
		channels_read();
	}
}

static void
end(void)
{
	char command[64];

	crew_stop();
	(void)snprintf(command, sizeof(command), "rm -rf %s", state_dir);
	ck_assert_int_eq(system(command), 0);
}

static void
start(int workers)
{
	char err[512];

	ck_assert_ptr_nonnull(mkdtemp(state_dir));
	(void)setenv("STATE_DIR", state_dir, 1);
	(void)setenv("DATABASE_URL", "postgresql:///souk?host=/nowhere", 1);
	(void)setenv("RATE_STORE", "shm", 1);
	(void)setenv("RATE_MCP", "off", 1);
	ck_assert_msg(cfg_load(NULL, err, sizeof(err)), "%s", err);
	shm_open_state();
	ck_assert(channels_init(workers));
}

#define CALL(id, method) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\"}"
#define MODERN "\"params\":{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{}}}"

START_TEST(a_handshake_comes_before_what_follows_it)
{
	struct client c;

	start(3);
	begin(&c);
	say(&c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{}}}");
	say(&c, CALL("2", "ping"));
	say(&c, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"prompts/list\"," MODERN "}");
	hear(&c, 1, false);
	ck_assert_ptr_nonnull(strstr(c.text, "\"protocolVersion\":\"2025-06-18\""));
	hear(&c, 3, true);
	ck_assert_ptr_null(strstr(c.text, "resultType"));	/* a connection that began so stays so */
	ck_assert(!channel_busy(&c.channel));
	channel_close(&c.channel);
	end();
}
END_TEST

START_TEST(what_has_spoken_the_modern_revision_takes_no_handshake)
{
	struct client c;

	start(2);
	begin(&c);
	say(&c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\"," MODERN "}");
	say(&c, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"prompts/list\"," MODERN "}");
	hear(&c, 2, true);
	say(&c, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{}}}");
	hear(&c, 3, true);
	ck_assert_ptr_nonnull(strstr(c.text, "\"id\":3,\"error\":{\"code\":-32022"));
	channel_close(&c.channel);
	end();
}
END_TEST

/* Every request is answered once, also those that are one too many or have the id of another; a cancelled one is not. */
START_TEST(requests_are_answered_once)
{
	struct client c, other;
	char text[96];
	int n;

	start(1);
	begin(&c);
	begin(&other);
	say(&c, CALL("0", "ping"));
	for (int i = 1; i <= CHANNEL_WAITING; i++) {
		(void)snprintf(text, sizeof(text), CALL("%d", "ping"), i);
		say(&c, text);
	}
	say(&c, CALL("7", "ping"));
	ck_assert_ptr_nonnull(strstr(c.text, "\"id\":7,\"error\":{\"code\":-32600"));
	n = c.messages;
	say(&c, CALL("\"one too many\"", "ping"));
	say(&c, CALL("\"another\"", "ping"));
	ck_assert_ptr_nonnull(strstr(c.text, "\"another\",\"error\":{\"code\":-32000"));
	ck_assert_int_ge(c.messages, n + 1);
	say(&c, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":60}}");
	say(&other, CALL("1", "ping"));
	hear(&other, 1, true);
	hear(&c, 0, true);
	ck_assert_ptr_null(strstr(c.text, "\"id\":60,"));
	ck_assert_ptr_nonnull(strstr(c.text, "\"id\":59,\"result\":{}"));
	ck_assert_ptr_nonnull(strstr(c.text, "\"id\":64,\"result\":{}"));
	channel_close(&c.channel);
	channel_close(&other.channel);
	end();
}
END_TEST

START_TEST(a_connection_that_closes_leaves_the_others_alone)
{
	struct client gone, c;

	start(1);
	begin(&gone);
	begin(&c);
	for (int i = 0; i < 5; i++)
		say(&gone, CALL("1", "prompts/list"));
	channel_close(&gone.channel);
	say(&c, "no JSON");
	say(&c, CALL("1", "ping"));
	hear(&c, 2, true);
	ck_assert_ptr_nonnull(strstr(c.text, "-32700"));
	ck_assert_ptr_nonnull(strstr(c.text, "\"id\":1,\"result\":{}"));
	channel_close(&c.channel);
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { lines_are_the_same_however_they_come, a_line_of_just_the_limit_is_taken, a_handshake_comes_before_what_follows_it,
		what_has_spoken_the_modern_revision_takes_no_handshake, requests_are_answered_once, a_connection_that_closes_leaves_the_others_alone, NULL };

	return unit_run("channel", tests);
}
