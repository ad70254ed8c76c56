/*
 * Bodies of multipart/form-data (RFC 7578, framing by RFC 2046): what a form with a file sends.  The parts point into the request's body; nothing is
 * copied but names.  Strict: every part is form-data with a name of its own, texts are UTF-8, the closing delimiter is there.
 */
#ifndef SOUK_WEB_MULTIPART_H
#define SOUK_WEB_MULTIPART_H

#include <stddef.h>

#include "core/ctx.h"

#define MULTIPART_BOUNDARY_MAX 70u	/* RFC 2046 */
#define MULTIPART_HEADER_MAX 4096u	/* bytes of one part's headers */

struct part {
	const char *name;	/* UTF-8 */
	const char *filename;	/* UTF-8, without folders; NULL: no file */
	const char *p;		/* not NUL-terminated */
	size_t n;
};

/*
 * Split body into at most max parts.  type is the Content-Type header.  E_MEDIA_TYPE when it is not multipart/form-data with a boundary; E_INVALID for
 * a body that is not what it says.
 */
enum err multipart_parse(struct ctx *c, const char *type, const char *body, size_t n, struct part *parts, size_t max, size_t *count)
	__attribute__((warn_unused_result));

#endif
