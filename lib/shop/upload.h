/*
 * Files that wait to be imported (souk.uploads): kept for an hour, for the one who brought them, taken once.  They go over a connection of the
 * owner's, which the import needs anyway; errors are E_UNAVAILABLE, E_NOT_FOUND.
 */
#ifndef SOUK_SHOP_UPLOAD_H
#define SOUK_SHOP_UPLOAD_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "auth/token.h"
#include "core/ctx.h"

#define UPLOAD_ID_MAX 40

struct upload {
	char id[UPLOAD_ID_MAX];		/* "up_..." */
	const char *name;		/* of the file; at most 255 characters */
	const char *bytes;
	size_t n;
	const char *options;		/* JSON object */
	const char *expires;		/* RFC 3339; filled here */
};

/* Put an id that a caller gave into u.  E_NOT_FOUND when it cannot be one. */
enum err upload_named(struct ctx *c, const char *id, struct upload *u) __attribute__((warn_unused_result));
/* A connection of the owner's, closed with the request. */
enum err upload_connect(struct ctx *c, PGconn **out) __attribute__((warn_unused_result));
/* Keep a file: name, bytes and options are given, id and expires made. */
enum err upload_add(struct ctx *c, PGconn *pg, const struct subject *who, struct upload *u) __attribute__((warn_unused_result));
/* Look at it, or claim it: then nobody else gets it until upload_done() says again.  All of *u but id is filled, in the request's arena. */
enum err upload_open(struct ctx *c, PGconn *pg, const struct subject *who, bool claim, struct upload *u) __attribute__((warn_unused_result));
/* With which options it was tried: those of its import.  u->options is given. */
enum err upload_remember(struct ctx *c, PGconn *pg, const struct upload *u) __attribute__((warn_unused_result));
/* How an import that is over went, for who asks again; NULL when there was none. */
enum err upload_report(struct ctx *c, PGconn *pg, const struct subject *who, const char *id, const char **report) __attribute__((warn_unused_result));
/* How a claimed file's import went.  again: it may be claimed once more; else the bytes are dropped. */
enum err upload_done(struct ctx *c, PGconn *pg, const struct upload *u, bool again, const char *report) __attribute__((warn_unused_result));

#endif
