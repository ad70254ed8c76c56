/* Who may connect: address, Host, Origin and token of the upgrade request. */
#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/log.h"
#include "souk-ws.h"
#include "web/cors.h"

#define VERIFY_MS 1000	/* others wait meanwhile; a database that is away costs this once, then the breaker answers */
#define HEADER_MAX 4096
#define PROTOCOL_MAX 127	/* of one subprotocol's name: libwebsockets takes no longer ones */

static const char bearer[] = "bearer.";

/* A header's value into out, "" when there is none; false: too long. */
static bool
header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t outsz)
{
	int n = lws_hdr_total_length(wsi, token);

	out[0] = '\0';
	return n <= 0 || ((size_t)n < outsz && lws_hdr_copy(wsi, out, (int)outsz, token) >= 0);
}

/*
 * Behind a web server of this host the last of X-Forwarded-For is whom that server saw, the one before it whom a trusted proxy saw; who reaches the
 * socket may claim any address anyhow.
 */
static void
find_address(struct lws *wsi, char ip[IP_TEXT])
{
	char list[512] = "", *last;
	const char *p;

	if (!ws.unix_socket) {
		(void)lws_get_peer_simple(wsi, ip, IP_TEXT);
		return;
	}
	if (!header(wsi, WSI_TOKEN_X_FORWARDED_FOR, list, sizeof(list)) || list[0] == '\0') {
		(void)snprintf(ip, IP_TEXT, "unknown");
		return;
	}
	do {
		last = strrchr(list, ',');
		p = last != NULL ? last + 1 : list;
		p += strspn(p, " \t");
		(void)snprintf(ip, IP_TEXT, "%.*s", (int)strcspn(p, " \t"), p);
		if (last != NULL)
			*last = '\0';
	} while (last != NULL && ip_in_list(ip, cfg_str("TRUSTED_PROXIES")));
}

/* Browsers cannot set headers: for them a second subprotocol "bearer.TOKEN" stands for Authorization. */
static bool
find_token(struct lws *wsi, char *token)
{
	char text[HEADER_MAX], *p;

	token[0] = '\0';
	if (!header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, text, sizeof(text)))
		return false;
	if (text[0] != '\0') {
		if (strncasecmp(text, "Bearer ", 7) != 0)
			return false;
		p = text + 7 + strspn(text + 7, " ");
		(void)snprintf(token, TOKEN_MAX, "%s", p);
		return token[0] != '\0';
	}
	if (!header(wsi, WSI_TOKEN_PROTOCOL, text, sizeof(text)))
		return false;
	for (p = text; *p != '\0'; p += strcspn(p, ", ")) {
		p += strspn(p, ", ");
		if (strncmp(p, bearer, sizeof(bearer) - 1) == 0) {
			p += sizeof(bearer) - 1;
			(void)snprintf(token, TOKEN_MAX, "%.*s", (int)strcspn(p, ", "), p);
			return token[0] != '\0';
		}
	}
	return true;
}

bool
ws_protocol_named(struct lws *wsi)
{
	char text[HEADER_MAX];
	bool named = false;

	if (!header(wsi, WSI_TOKEN_PROTOCOL, text, sizeof(text)))
		return false;
	for (const char *p = text + strspn(text, ", \t"); *p != '\0'; p += strspn(p, ", \t")) {
		size_t n = strcspn(p, ", \t");

		if (n > PROTOCOL_MAX)
			return false;
		named |= n == 3 && strncmp(p, "mcp", 3) == 0;
		p += n;
	}
	return named || text[strspn(text, ", \t")] == '\0';
}

/* "/", "/ws" and "/mcp" are all tools, "/ws/catalog" and "/mcp/catalog" those of one server. */
static bool
find_server(struct lws *wsi, char *server, size_t serversz)
{
	char path[256] = "";
	const char *p = path;
	size_t n;

	if (!header(wsi, WSI_TOKEN_GET_URI, path, sizeof(path)))
		return false;
	if (strncmp(p, "/ws", 3) == 0 && (p[3] == '/' || p[3] == '\0'))
		p += 3;
	else if (strncmp(p, "/mcp", 4) == 0 && (p[4] == '/' || p[4] == '\0'))
		p += 4;
	p += *p == '/';
	n = strlen(p);
	n -= n > 0 && p[n - 1] == '/';
	if (n >= serversz)
		return false;
	(void)snprintf(server, serversz, "%.*s", (int)n, p);
	return mcp_server_known(server);
}

/* The first of the client's languages that the shop speaks. */
static void
find_locale(struct lws *wsi, char *locale, size_t localesz)
{
	char list[256], two[3];

	locale[0] = '\0';
	if (!header(wsi, WSI_TOKEN_HTTP_ACCEPT_LANGUAGE, list, sizeof(list)))
		return;
	for (const char *p = list; *p != '\0'; p += strcspn(p, ",")) {
		p += strspn(p, ", ");
		(void)snprintf(two, sizeof(two), "%.2s", p);
		if (strlen(two) == 2 && strstr(cfg_str("SHOP_LOCALES"), two) != NULL) {
			(void)snprintf(locale, localesz, "%s", two);
			return;
		}
	}
}

/* The address under which we were called: tokens are made for it.  The web server of this host says whether it was over TLS. */
static void
find_base(struct lws *wsi, const char *host, char *base, size_t basesz)
{
	const char *fixed = cfg_str("PUBLIC_URL");
	size_t n = strlen(fixed);
	char proto[16];

	if (n > 0)
		(void)snprintf(base, basesz, "%.*s", (int)(fixed[n - 1] == '/' ? n - 1 : n), fixed);
	else if (strspn(host, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:[]") == strlen(host))
		(void)snprintf(base, basesz, "%s://%.255s", ws.unix_socket && lws_hdr_custom_copy(wsi, proto, sizeof(proto), "x-forwarded-proto:", 18) > 0 &&
			strcasecmp(proto, "https") == 0 ? "https" : "http", host);
}

int
ws_admit(struct lws *wsi, struct ws_guest *g)
{
	struct crew_job job = { .task = CREW_VERIFY, .via = VIA_WS, .token = g->token, .remote_ip = g->remote_ip, .server = g->server, .base = g->base };
	char origin[512], host[512] = "";
	bool loopback;

	if (ws.stopping || ws.connections >= (int)cfg_int("WS_CONNECTIONS"))
		return 503;
	find_address(wsi, g->remote_ip);
	/* the web server says nothing of the address on which it was reached, but a client of this host has reached it there */
	loopback = !header(wsi, WSI_TOKEN_HOST, host, sizeof(host)) || !ws.unix_socket || host_is_loopback(host) || ip_is_loopback(g->remote_ip);
	if (!host_allowed(host, loopback))
		return 403;
	if (!header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin)) || (origin[0] != '\0' && !origin_allowed(origin, host, loopback)))
		return 403;
	if (!find_server(wsi, g->server, sizeof(g->server)))
		return 404;
	if (!find_token(wsi, g->token))
		return 401;
	if (ws_conn_count(g->remote_ip) >= (int)cfg_int("WS_PER_ADDRESS"))
		return 429;
	find_base(wsi, host, g->base, sizeof(g->base));
	find_locale(wsi, g->locale, sizeof(g->locale));
	if (g->token[0] == '\0')
		return 0;
	switch (crew_ask_now(&job, VERIFY_MS)) {
	case CREW_OK:
		return 0;
	case CREW_REFUSED:
		return 401;
	default:
		return 503;
	}
}
