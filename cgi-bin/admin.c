/*
 * What the shop's staff bring in.  Scope admin:write.
 *
 *   POST /admin/api/import   multipart/form-data: file (CSV, TSV, JSON, JSONL or XLSX), and fileType, currency, locale, stock if wanted -> dry run
 *   POST /admin/api/import   {"confirm": "up_..."} -> the import of that file; all arguments of create_from_file are taken
 */
#include <strings.h>
#include <string.h>

#include "core/banned.h"
#include "core/json.h"
#include "shop/upload.h"
#include "tool/rest.h"
#include "web/multipart.h"

#define PARTS 8

/* Keep the file; the other parts are arguments, as those of a query string would be. */
static enum err
keep(struct req *r, const struct part *parts, size_t n)
{
	struct pair *pairs = arena_zalloc(r->c.a, n + 1, sizeof(*pairs));
	struct upload *u = arena_zalloc(r->c.a, 1, sizeof(*u));
	PGconn *pg;
	size_t have = 0;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(parts[i].name, "file") == 0) {
			u->name = parts[i].filename != NULL && parts[i].filename[0] != '\0' ? parts[i].filename : "products";
			u->bytes = parts[i].p;
			u->n = parts[i].n;
		} else {
			pairs[have++] = (struct pair){ parts[i].name, arena_strndup(r->c.a, parts[i].p, parts[i].n), parts[i].n };
		}
	}
	if (u->n == 0 || strlen(u->name) > 255)
		return fail(&r->c, E_INVALID, "file: must be there and not empty, with a name of at most 255 bytes");
	u->options = "{}";
	if (upload_connect(&r->c, &pg) || upload_add(&r->c, pg, &r->who, u))
		return r->c.err;
	pairs[have++] = (struct pair){ "uploadId", u->id, strlen(u->id) };
	r->params = pairs;
	r->nparams = have;
	return E_OK;
}

static enum err
import(struct req *r)
{
	const char *type = req_header(r, "Content-Type");
	struct part parts[PARTS];
	size_t n;

	if (type != NULL && strncasecmp(type, "multipart/", 10) == 0) {
		if (multipart_parse(&r->c, type, r->body, r->bodysz, parts, PARTS, &n) || keep(r, parts, n))
			return r->c.err;
	} else if (type != NULL && strncasecmp(type, "application/json", 16) == 0) {
		if (json_parse(&r->c, r->body, r->bodysz, &r->json))
			return r->c.err;
	} else {
		return fail(&r->c, E_MEDIA_TYPE, "Content-Type: must be multipart/form-data or application/json");
	}
	return tool_rest(r, "create_from_file");
}

static const char import_doc[] =
	"\"requestBody\":{\"required\":true,\"content\":{"
	"\"multipart/form-data\":{\"schema\":{\"type\":\"object\",\"properties\":{\"file\":{\"type\":\"string\",\"format\":\"binary\"},"
	"\"fileType\":{\"type\":\"string\"},\"currency\":{\"type\":\"string\"},\"locale\":{\"type\":\"string\"},\"stock\":{\"type\":\"integer\"}},\"required\":[\"file\"]}},"
	"\"application/json\":{\"schema\":{\"type\":\"object\",\"properties\":{\"confirm\":{\"type\":\"string\"}}}}}},"
	"\"responses\":{\"200\":{\"description\":\"What was tried or imported, as create_from_file tells it\"}}";

const struct route routes[] = {
	{ M_POST, "/admin/api/import", "admin:write", "data", import, NULL, "Import products from a file", import_doc, NULL,
		ROUTE_RAW_BODY | ROUTE_LARGE | ROUTE_OWN_RATE },
	{ 0 }
};
