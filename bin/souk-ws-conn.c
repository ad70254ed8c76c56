/* One connection: messages in, limited; messages out, queued. */
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "souk-ws.h"

static struct ws_conn *all;

/*
 * Who sends faster than it is answered, or takes nothing, is heard no more until that has changed: its messages stay where they come from.  A client that takes
 * nothing at all for WS_PING_S is dropped.
 */
static void
hold_back(struct ws_conn *c)
{
	bool full = c->nout > OUT_ENOUGH || c->channel.nwaiting > CHANNEL_WAITING / 2;

	if (full != c->held && (full || (c->nout < OUT_ENOUGH / 2 && c->channel.nwaiting < CHANNEL_WAITING / 4))) {
		c->held = full;
		(void)lws_rx_flow_control(c->wsi, full ? 0 : 1);
	}
	lws_set_timeout(c->wsi, c->out != NULL ? PENDING_TIMEOUT_USER_OK : NO_PENDING_TIMEOUT, c->out != NULL ? (int)cfg_int("WS_PING_S") : 0);
}

/* Close once what waits has been sent. */
static void
close_with(struct ws_conn *c, int status, const char *why)
{
	if (c->close == 0) {
		c->close = status;
		c->why = why;
	}
	(void)lws_callback_on_writable(c->wsi);
}

/* Drop a client that does not take what it asked for. */
static void
drop(struct ws_conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

static bool
queue(struct channel *ch, const char *json, size_t n)
{
	struct ws_conn *c = (struct ws_conn *)ch;
	struct ws_message *m;

	if (c->dead || c->close != 0)
		return false;
	if (c->nout >= OUT_MESSAGES || c->outsz + n > OUT_MAX + (c->nout == 0 ? n : 0)) {
		drop(c);
		return false;
	}
	m = malloc(sizeof(*m) + LWS_PRE + n);
	m->next = NULL;
	m->n = n;
	memcpy(m->p + LWS_PRE, json, n);
	if (c->last != NULL)
		c->last->next = m;
	else
		c->out = m;
	c->last = m;
	c->nout++;
	c->outsz += n;
	if (c->nout == 1)
		hold_back(c);
	(void)lws_callback_on_writable(c->wsi);
	return true;
}

static void
refused(struct channel *ch)
{
	close_with((struct ws_conn *)ch, LWS_CLOSE_STATUS_POLICY_VIOLATION, "the access token is not valid any more");
}

int
ws_conn_count(const char *remote_ip)
{
	char one[IP_TEXT], other[IP_TEXT];
	int n = 0;

	(void)ip_limit_unit(remote_ip, one);
	for (const struct ws_conn *c = all; c != NULL; c = c->next)
		n += strcmp(ip_limit_unit(c->remote_ip, other), one) == 0;
	return n;
}

struct ws_conn *
ws_conn_open(struct lws *wsi, const struct ws_guest *g)
{
	struct ws_conn *c = calloc(1, sizeof(*c));

	c->wsi = wsi;
	c->token = strdup(g->token);
	c->base = strdup(g->base);
	memcpy(c->remote_ip, g->remote_ip, sizeof(c->remote_ip));
	memcpy(c->server, g->server, sizeof(c->server));
	memcpy(c->locale, g->locale, sizeof(c->locale));
	c->channel = (struct channel){ .via = VIA_WS, .token = c->token, .remote_ip = c->remote_ip, .server = c->server,
		.locale = c->locale, .base = c->base, .orchestrator = true, .most = 4, .send = queue, .refused = refused };
	channel_open(&c->channel);
	c->next = all;
	if (all != NULL)
		all->prev = c;
	all = c;
	ws.connections++;
	return c;
}

void
ws_conn_free(struct ws_conn *c)
{
	channel_close(&c->channel);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		all = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	while (c->out != NULL) {
		struct ws_message *m = c->out;

		c->out = m->next;
		free(m);
	}
	free(c->in);
	free(c->token);
	free(c->base);
	free(c);
	ws.connections--;
}

/* Messages in this minute. */
static bool
too_many(struct ws_conn *c)
{
	int64_t minute = now_ms() / 60000;

	if (minute != c->minute) {
		c->minute = minute;
		c->count = 0;
	}
	return ++c->count > cfg_int("WS_MESSAGES");
}

int
ws_conn_receive(struct ws_conn *c, const char *p, size_t n)
{
	if (c->close != 0 || c->dead)
		return 0;
	if (lws_frame_is_binary(c->wsi)) {
		close_with(c, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "messages are text");
		return 0;
	}
	if (c->n + n > (size_t)cfg_int("BODY_MAX")) {
		close_with(c, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "the message is too large");
		return 0;
	}
	if (c->cap < c->n + n + 1) {
		c->cap = (c->n + n + 1) * 2;
		c->in = realloc(c->in, c->cap);
	}
	memcpy(c->in + c->n, p, n);
	c->n += n;
	if (lws_remaining_packet_payload(c->wsi) > 0 || !lws_is_final_fragment(c->wsi))
		return 0;
	c->in[c->n] = '\0';
	n = c->n;
	c->n = 0;
	if (too_many(c))
		close_with(c, LWS_CLOSE_STATUS_POLICY_VIOLATION, "too many messages");
	else
		channel_take(&c->channel, c->in, n);
	hold_back(c);
	/* idle connections hold no buffer */
	free(c->in);
	c->in = NULL;
	c->cap = 0;
	return 0;
}

/* Send the first that waits; false: the connection is lost. */
static bool
write_one(struct ws_conn *c)
{
	struct ws_message *m = c->out;
	bool ok;

	c->out = m->next;
	if (c->out == NULL)
		c->last = NULL;
	c->nout--;
	c->outsz -= m->n;
	ok = lws_write(c->wsi, m->p + LWS_PRE, m->n, LWS_WRITE_TEXT) >= 0;
	free(m);
	return ok;
}

int
ws_conn_write(struct ws_conn *c)
{
	if (c->dead)
		return -1;
	if (c->out == NULL && c->close != 0) {
		lws_close_reason(c->wsi, (enum lws_close_status)c->close, (unsigned char *)c->why, strlen(c->why));
		return -1;
	}
	do {
		if (c->out != NULL && !write_one(c))
			return -1;
	} while (c->out != NULL && !lws_send_pipe_choked(c->wsi));
	hold_back(c);
	if (c->out != NULL || c->close != 0)
		(void)lws_callback_on_writable(c->wsi);
	return 0;
}
