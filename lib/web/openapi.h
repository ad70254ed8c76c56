/* GET /openapi.json: OpenAPI 3.1 made from the route tables of the linked programs and from the contracts behind them. */
#ifndef SOUK_WEB_OPENAPI_H
#define SOUK_WEB_OPENAPI_H

#include "core/buf.h"
#include "web/req.h"

/* Write the document.  Rows that differ by a query pair become one operation whose parameters are the union of theirs. */
void openapi_write(struct req *r, struct buf *b);

#endif
