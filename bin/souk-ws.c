/*
 * souk-ws: WebSocket connections.  One process holds them all and never waits; the messages are answered by others (mcp/crew.h).
 *
 *   souk-ws [--listen SOCKET] [--port PORT] [--config FILE]
 *
 * Listens on 127.0.0.1, port MCP_ORCHESTRATOR_PORT, or on a Unix socket behind a web server.
 *
 *   GET /, /ws, /mcp             upgrade: all tools; subprotocol "mcp", or none
 *   GET /ws/{server}, /mcp/{server}   the tools of one server
 *   GET /health, /healthz        how many connections there are
 *
 * Text frames, one message in each: JSON-RPC as in MCP, and the orchestrator's messages (mcp/orchestrator.h).  The token is in Authorization, or, from browsers, in a
 * second subprotocol "bearer.TOKEN".  Closed with 1001 (we stop), 1002 (framing), 1003 (binary), 1007 (no UTF-8), 1008 (too many messages, token revoked),
 * 1009 (too large).
 */
#include "souk-ws.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "web/app.h"

#define STOP_MS 3000
#define TICK_US (LWS_US_PER_SEC)

struct ws_state ws;
static volatile sig_atomic_t stop_asked;
static lws_sorted_usec_list_t ticker;

static int
answer_http(struct lws *wsi, const char *path)
{
	unsigned char head[LWS_PRE + 512], *p = head + LWS_PRE, *end = head + sizeof(head) - 1;
	bool health = strcmp(path, "/health") == 0 || strcmp(path, "/healthz") == 0;
	char body[LWS_PRE + 160];
	int n = health ? snprintf(body + LWS_PRE, sizeof(body) - LWS_PRE, "{\"status\":\"ok\",\"connections\":%d}", ws.connections)
		       : snprintf(body + LWS_PRE, sizeof(body) - LWS_PRE, "{\"error\":{\"code\":\"MCP_INVALID_REQUEST\",\"message\":\"this address takes WebSocket connections\"}}");

	if (lws_add_http_common_headers(wsi, health ? HTTP_STATUS_OK : 426, "application/json", (lws_filepos_t)n, &p, end) ||
	    (!health && lws_add_http_header_by_name(wsi, (const unsigned char *)"Upgrade:", (const unsigned char *)"websocket", 9, &p, end)) ||
	    lws_finalize_write_http_header(wsi, head + LWS_PRE, &p, end))
		return 1;
	if (lws_write(wsi, (unsigned char *)body + LWS_PRE, (size_t)n, LWS_WRITE_HTTP_FINAL) != n)
		return 1;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int
admit(struct lws *wsi, struct ws_slot *slot)
{
	struct ws_guest guest = { .token = "" };
	int status = ws_admit(wsi, &guest);

	if (status == 0 && slot != NULL) {
		slot->guest = malloc(sizeof(guest));
		*slot->guest = guest;
		return 0;
	}
	log_event(LOG_INFO_, NULL, "connection refused", LOG_I("status", status));
	(void)lws_return_http_status(wsi, (unsigned)(status != 0 ? status : 500), NULL);
	return 1;
}

static int
on_connection(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct ws_slot *slot = user;

	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return answer_http(wsi, in);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		/* libwebsockets would close without an answer */
		return ws_protocol_named(wsi) ? 0 : lws_return_http_status(wsi, HTTP_STATUS_BAD_REQUEST, NULL) != 0 ? -1 : 1;
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return admit(wsi, slot);
	case LWS_CALLBACK_ESTABLISHED:
		if (slot->guest == NULL)
			return -1;
		slot->conn = ws_conn_open(wsi, slot->guest);
		free(slot->guest);
		slot->guest = NULL;
		return 0;
	case LWS_CALLBACK_RECEIVE:
		return slot->conn != NULL ? ws_conn_receive(slot->conn, in, len) : -1;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		if (ws.stopping && slot->conn != NULL && slot->conn->close == 0) {
			slot->conn->close = LWS_CLOSE_STATUS_GOINGAWAY;
			slot->conn->why = "the service stops";
		}
		return slot->conn != NULL ? ws_conn_write(slot->conn) : -1;
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_WSI_DESTROY:
		if (slot == NULL)
			return 0;
		if (slot->conn != NULL)
			ws_conn_free(slot->conn);
		free(slot->guest);
		slot->conn = NULL;
		slot->guest = NULL;
		return 0;
	default:
		return 0;
	}
}

/* What workers say. */
static int
on_crew(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	(void)wsi, (void)user, (void)in, (void)len;
	if (reason == LWS_CALLBACK_RAW_RX_FILE)
		channels_read();
	return 0;
}

/* No client can ask for it: the names of subprotocols have no comma. */
static const char within[] = "crew, within";

/* The first serves who asks for no subprotocol. */
static const struct lws_protocols protocols[] = {
	{ .name = "souk", .callback = on_connection, .per_session_data_size = sizeof(struct ws_slot) },
	{ .name = "mcp", .callback = on_connection, .per_session_data_size = sizeof(struct ws_slot) },
	{ .name = within, .callback = on_crew },
	{ .name = NULL },
};

static void
on_log(int level, const char *line)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
	log_event(level == LLL_ERR ? LOG_ERROR_ : LOG_WARN_, NULL, "libwebsockets", LOG_S("text", text));
}

static void
on_signal(int sig)
{
	(void)sig;
	stop_asked = 1;
	if (ws.context != NULL)
		lws_cancel_service(ws.context);
}

static void
tick(lws_sorted_usec_list_t *sul)
{
	channels_read();
	log_flush();
	lws_sul_schedule(ws.context, 0, sul, tick, TICK_US);
}

static bool
start(const char *path, int port)
{
	static lws_retry_bo_t liveness;
	static const char *const no_vhost_name = "souk";
	struct lws_context_creation_info info = { 0 };
	struct rlimit files;
	mode_t old;
	lws_sock_file_fd_type fd;

	liveness = (lws_retry_bo_t){ .secs_since_valid_ping = (uint16_t)cfg_int("WS_PING_S"),
		.secs_since_valid_hangup = (uint16_t)(cfg_int("WS_PING_S") + cfg_int("WS_PING_S") / 2) };
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	info.port = path != NULL ? 0 : port;
	info.iface = path != NULL ? path : "127.0.0.1";
	info.vhost_name = no_vhost_name;
	info.protocols = protocols;
	info.options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
	    (path != NULL ? LWS_SERVER_OPTION_UNIX_SOCK : 0);
	info.retry_and_idle_policy = &liveness;
	info.max_http_header_data = 8192;
	info.max_http_header_pool = 64;
	info.timeout_secs = 10;
	info.fd_limit_per_thread = (unsigned)cfg_int("WS_CONNECTIONS") + 300;
	info.gid = (__typeof__(info.gid))-1;	/* int in older versions of libwebsockets */
	info.uid = (__typeof__(info.uid))-1;
	if (path != NULL)
		(void)unlink(path);
	old = umask(0117);
	ws.context = lws_create_context(&info);
	(void)umask(old);
	if (ws.context == NULL)
		return false;
	fd.filefd = dup(crew_fd());
	if (lws_adopt_descriptor_vhost(lws_get_vhost_by_name(ws.context, no_vhost_name), LWS_ADOPT_RAW_FILE_DESC, fd, within, NULL) == NULL)
		return false;
	lws_sul_schedule(ws.context, 0, &ticker, tick, TICK_US);
	return true;
}

/* Tell all clients that we stop, give them a moment to hear it. */
static void
stop(void)
{
	int64_t end = now_ms() + STOP_MS;

	ws.stopping = true;
	for (int i = 0; i < 2; i++)
		(void)lws_callback_on_writable_all_protocol(ws.context, &protocols[i]);
	while (ws.connections > 0 && now_ms() < end && lws_service(ws.context, 0) >= 0)
		;
	crew_stop();
	lws_context_destroy(ws.context);
	log_event(LOG_INFO_, NULL, "stopped");
	log_flush();
}

static int
refuse(int status, const char *why)
{
	fprintf(stderr, "souk-ws: %s\n", why);
	log_event(LOG_ERROR_, NULL, "does not start", LOG_S("reason", why));
	return status;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' }, { "port", required_argument, NULL, 'p' }, { "config", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 },
	};
	const struct sigaction act = { .sa_handler = on_signal };
	const char *path = NULL, *conf = NULL;
	char err[512] = "";
	long port = 0;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'v')
			return puts("souk-ws " SOUK_VERSION) < 0;
		if (opt == '?')
			return 64;
		path = opt == 'l' ? optarg : path;
		port = opt == 'p' ? strtol(optarg, NULL, 10) : port;
		conf = opt == 'c' ? optarg : conf;
	}
	if (optind < argc || port < 0 || port > 65535)
		return refuse(64, "usage: souk-ws [--listen SOCKET] [--port PORT] [--config FILE]");
	if (!app_start("souk-ws", conf, err, sizeof(err)))
		return refuse(78, err);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigaction(SIGTERM, &act, NULL);
	(void)sigaction(SIGINT, &act, NULL);
	lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
	ws.unix_socket = path != NULL;
	if (!channels_init((int)cfg_int("WS_WORKERS")) || !start(path, port > 0 ? (int)port : (int)cfg_int("MCP_ORCHESTRATOR_PORT")))
		return refuse(71, path != NULL ? "cannot listen on the socket of --listen" : "cannot listen on the port");
	log_event(LOG_INFO_, NULL, "started", LOG_S("version", SOUK_VERSION));
	while (!stop_asked && lws_service(ws.context, 0) >= 0)
		;
	stop();
	return 0;
}
