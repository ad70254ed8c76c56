/*
 * souk-stdio: the shop's tools for a local assistant or editor, which starts this program and speaks the Model Context Protocol with it over pipes: one JSON-RPC
 * message per line, both eras.  Nothing else is written to standard output; the log goes to standard error.  It ends when its input does.
 *
 *   souk-stdio [--server NAME] [--token TOKEN] [--locale CODE] [--config FILE]
 *
 * The token may be, and should be, in the environment as SOUK_TOKEN: other users can read the arguments of a program while it starts.
 * Exit status: 0 at the end of the input or upon SIGTERM; 64 wrong usage; 77 the token is not good; 78 the configuration is not.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "mcp/channel.h"
#include "mcp/line.h"
#include "mcp/rpc.h"
#include "web/app.h"

#define WORKERS_MAX 4		/* messages answered at a time */
#define OUT_MAX (4u << 20)	/* answers that wait for a slow client; beyond, workers wait */
#define DRAIN_MS 15000		/* after the end of the input, for what is being answered */
#define WRITE_STEP 4096		/* POSIX: a pipe that can be written takes PIPE_BUF bytes without waiting */

struct stdio {
	struct channel channel;		/* first member */
	struct line_reader lines;
	char *out;			/* what is to be written */
	size_t n, cap;
	bool ended;			/* no more input */
	bool broken;			/* nobody reads our output */
	bool refused;			/* the token was revoked */
};

static const char usage[] =
	"Usage: souk-stdio [OPTION...]\n\n"
	"The tools of the shop for a local assistant, over standard input and output (MCP).\n\n"
	"  --server=NAME    only the tools of one server: catalog, orders, support, ...\n"
	"  --token=TOKEN    access token; better in the environment as SOUK_TOKEN\n"
	"  --locale=CODE    language of texts: fr, en, es, de\n"
	"  --config=FILE    read this souk.conf\n"
	"  --version        show the version\n";

static bool
queue(struct channel *ch, const char *json, size_t n)
{
	struct stdio *s = (struct stdio *)ch;

	if (s->broken)
		return false;
	if (s->cap < s->n + n + 1) {
		s->cap = (s->n + n + 1) * 2;
		s->out = realloc(s->out, s->cap);
	}
	memcpy(s->out + s->n, json, n);
	s->out[s->n + n] = '\n';
	s->n += n + 1;
	return true;
}

static void
refused(struct channel *ch)
{
	((struct stdio *)ch)->refused = true;
}

static void
take_line(void *arg, char *line, size_t n)
{
	struct stdio *s = arg;
	char why[80];

	if (line != NULL) {
		channel_take(&s->channel, line, n);
		return;
	}
	(void)snprintf(why, sizeof(why), "a message may have at most %zu bytes", s->lines.max);
	channel_refuse(&s->channel, RPC_REQUEST_INVALID, why);
}

static void
read_input(struct stdio *s)
{
	char p[65536];
	ssize_t n = read(STDIN_FILENO, p, sizeof(p));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		line_feed(&s->lines, p, (size_t)n, take_line, s);
		return;
	}
	line_end(&s->lines, take_line, s);
	channel_finish(&s->channel);
	s->ended = true;
}

static void
write_output(struct stdio *s)
{
	ssize_t n = write(STDOUT_FILENO, s->out, s->n < WRITE_STEP ? s->n : WRITE_STEP);

	if (n < 0 && errno != EINTR && errno != EAGAIN)
		s->broken = true;
	if (n <= 0)
		return;
	s->n -= (size_t)n;
	memmove(s->out, s->out + n, s->n);
}

/* Until the input has ended and all is answered, or nobody reads, or we are told to stop. */
static void
serve(struct stdio *s, int signals)
{
	int64_t end = INT64_MAX;

	while (!s->broken && now_ms() < end && !((s->ended || s->refused) && s->n == 0 && (s->refused || !channel_busy(&s->channel)))) {
		struct pollfd p[] = {
			{ .fd = s->ended || s->refused ? -1 : STDIN_FILENO, .events = POLLIN },
			{ .fd = STDOUT_FILENO, .events = s->n > 0 ? POLLOUT : 0 },
			{ .fd = s->n < OUT_MAX ? crew_fd() : -1, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
		};

		if (poll(p, 4, 500) < 0 && errno != EINTR)
			return;
		if (p[3].revents != 0)
			return;
		if ((p[1].revents & (POLLERR | POLLNVAL)) != 0)
			s->broken = true;
		else if (p[1].revents != 0)
			write_output(s);
		if (p[2].fd >= 0)
			channels_read();
		if (p[0].revents != 0) {
			read_input(s);
			if (s->ended)
				end = now_ms() + DRAIN_MS;
		}
	}
}

/* The text of an option, which is then wiped from the list of arguments that others can read. */
static char *
take_secret(char *arg)
{
	char *copy = strdup(arg);

	memset(arg, 'x', strlen(arg));
	return copy;
}

static int
refuse(int status, const char *why)
{
	fprintf(stderr, "souk-stdio: %s\n", why);
	return status;
}

/* -1: go on, else the exit status. */
static int
read_options(int argc, char **argv, struct channel *ch, const char **conf)
{
	static const struct option options[] = {
		{ "server", required_argument, NULL, 's' }, { "token", required_argument, NULL, 't' }, { "locale", required_argument, NULL, 'l' },
		{ "config", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	const char *token;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'h')
			return fputs(usage, stdout) < 0;
		if (opt == 'v')
			return puts("souk-stdio " SOUK_VERSION) < 0;
		if (opt == '?')
			return 64;
		ch->server = opt == 's' ? optarg : ch->server;
		ch->locale = opt == 'l' ? optarg : ch->locale;
		ch->token = opt == 't' ? take_secret(optarg) : ch->token;
		*conf = opt == 'c' ? optarg : *conf;
	}
	if (optind < argc)
		return refuse(64, "there are no operands; see --help");
	if (!mcp_server_known(ch->server))
		return refuse(64, "--server: there is no such server");
	token = getenv("SOUK_TOKEN");
	if (ch->token[0] == '\0' && token != NULL)
		ch->token = strdup(token);
	(void)unsetenv("SOUK_TOKEN");
	return -1;
}

int
main(int argc, char **argv)
{
	static struct stdio s = { .channel = { .via = VIA_STDIO, .token = "", .remote_ip = "127.0.0.1", .server = "", .locale = "",
		.most = WORKERS_MAX, .send = queue, .refused = refused } };
	const char *conf = NULL;
	char err[512] = "";
	sigset_t watched;
	int status = read_options(argc, argv, &s.channel, &conf);

	if (status >= 0)
		return status;
	if (!app_start("souk-stdio", conf, err, sizeof(err)))
		return refuse(78, err);
	s.channel.base = cfg_str("PUBLIC_URL");
	log_init("souk-stdio", "", cfg_str("MCP_LOG_LEVEL"));
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&watched);
	(void)sigaddset(&watched, SIGTERM);
	(void)sigaddset(&watched, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &watched, NULL);
	if (!channels_init(WORKERS_MAX))
		return refuse(71, "cannot start workers");
	if (s.channel.token[0] != '\0' && crew_ask_now(&(struct crew_job){ .task = CREW_VERIFY, .via = VIA_STDIO, .token = s.channel.token,
	    .remote_ip = "127.0.0.1", .base = s.channel.base, .server = s.channel.server }, 5000) == CREW_REFUSED) {
		crew_stop();
		return refuse(77, "the access token is not valid");
	}
	line_init(&s.lines, (size_t)cfg_int("BODY_MAX"));
	channel_open(&s.channel);
	serve(&s, signalfd(-1, &watched, SFD_CLOEXEC));
	channel_close(&s.channel);
	crew_stop();
	line_release(&s.lines);
	free(s.out);
	return s.refused ? 77 : 0;
}
