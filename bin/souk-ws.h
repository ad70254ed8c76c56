/*
 * souk-ws: lasting connections for browsers, agents and chat clients.  See souk-ws.c for the program, souk-ws-gate.c for who is let in,
 * souk-ws-conn.c for one connection.
 */
#ifndef SOUK_WS_H
#define SOUK_WS_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/token.h"
#include "core/ip.h"
#include "mcp/channel.h"

#define OUT_MAX (8u << 20)	/* bytes that wait for a client */
#define OUT_MESSAGES 256	/* and messages; a client that is slower is dropped */
#define OUT_ENOUGH 64		/* messages; a client for which more wait is not heard meanwhile */
#define TOKEN_MAX 4096		/* tokens of other kinds are longer than our own */

/* What is known of a client before its connection is one. */
struct ws_guest {
	char token[TOKEN_MAX], remote_ip[IP_TEXT], server[24], locale[16], base[300];
};

struct ws_message {
	struct ws_message *next;
	size_t n;
	unsigned char p[];	/* LWS_PRE bytes, then the text */
};

struct ws_conn {
	struct channel channel;	/* first member */
	struct ws_conn *next, *prev;	/* all connections */
	struct lws *wsi;
	char *token, *base, remote_ip[IP_TEXT], server[24], locale[16];
	struct ws_message *out, *last;
	size_t outsz;
	int nout;
	int close;		/* status to close with once what waits is sent, 0: none */
	bool held;		/* nothing is read from it */
	bool dead;		/* to be closed at once */
	const char *why;
	char *in;		/* fragments of a message */
	size_t n, cap;
	int64_t minute;		/* in which messages are counted */
	int64_t count;
};

/* What lws keeps for each connection of ours. */
struct ws_slot {
	struct ws_conn *conn;
	struct ws_guest *guest;	/* between handshake and connection */
};

extern struct ws_state {
	bool unix_socket;	/* behind a web server, which says where clients are */
	bool stopping;
	int connections;
	struct lws_context *context;
} ws;

/* Does it ask for no subprotocol, or for "mcp" among others, with names that can be taken? */
bool ws_protocol_named(struct lws *wsi);

/* May the client of this upgrade request connect?  0, or the HTTP status to refuse it with; fills g. */
int ws_admit(struct lws *wsi, struct ws_guest *g);

/* How many connections come from that address? */
int ws_conn_count(const char *remote_ip);
struct ws_conn *ws_conn_open(struct lws *wsi, const struct ws_guest *g);
void ws_conn_free(struct ws_conn *c);
/* Bytes of a message; 0, or -1 to close. */
int ws_conn_receive(struct ws_conn *c, const char *p, size_t n);
/* Send what waits; 0, or -1 to close. */
int ws_conn_write(struct ws_conn *c);

#endif
