/* What the files of souk doctor share: findings, and asking a web server. */
#ifndef SOUK_DOCTOR_H
#define SOUK_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "cli.h"
#include "core/buf.h"

enum finding { FINE, WARNING, WRONG };

struct doctor {
	struct cli *cli;
	bool json;
	int findings, warnings, wrong;
	struct buf out;
};

/* One finding.  mend is NULL when nothing needs mending. */
void found(struct doctor *d, enum finding state, const char *check, const char *mend, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

struct doctor_request {
	const char *method;		/* NULL: GET, or POST with a body */
	const char *token;		/* bearer token, or NULL */
	const char *body;		/* JSON, or NULL */
	const char *const *headers;	/* "Name: value", ended by NULL; may be NULL */
	int wait_ms;			/* 0: 10 seconds */
	const char *enough;		/* stop listening once the body has this text; NULL: never */
};

struct doctor_reply {
	long status;
	int64_t date_s;			/* of the header Date, 0 without */
	struct buf head;		/* header lines, names in lower case: "content-type: ..." */
	struct buf body;
	bool timed_out, got_enough;
};

/* Ask url + path; what comes lives in cli's arena.  Redirects are not followed.  NULL when an answer came, else why none did. */
const char *doctor_ask(struct doctor *d, const char *url, const char *path, const struct doctor_request *q, struct doctor_reply *r);
/* A header's value, NULL when it is not there; in cli's arena. */
const char *doctor_header(struct doctor *d, const struct doctor_reply *r, const char *name);

/* What MCP clients stumble over, and what their log-in does. */
void doctor_mcp(struct doctor *d, const char *url);
void doctor_oauth(struct doctor *d, const char *url);

#endif
