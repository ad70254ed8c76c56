/* The tool create_from_file: a dry run of a file, then its import. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/money.h"
#include "gen/sql.h"
#include "search/indexer.h"
#include "shop/admin_tools.h"
#include "shop/import.h"
#include "shop/upload.h"

#define RESULT_MAX (256u << 10)
#define BAD_SHOWN 50u
#define WORK_MS 600000		/* a whole import; the request's own deadline is for single statements */
#define INDEX_MS 15000		/* for the words of new products where there is no index file; the rest is left to cron */

struct job {
	struct ctx *c;
	struct tool_call *call;
	PGconn *pg;
	struct upload file;
	struct import *im;
};

/* ---- arguments ---- */

static const char *
string_of(json_object *o, const char *key, size_t *n)
{
	const char *s;

	return json_get_string(o, key, 0, SIZE_MAX, &s, n) == JSON_OK ? s : NULL;
}

static enum err
decode(struct job *j, const char *text, size_t n)
{
	unsigned char *out = arena_alloc(j->c->a, n + 1);

	if (sodium_base642bin(out, n, text, n, " \r\n\t", &j->file.n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return fail(j->c, E_INVALID, "contentBase64: is not base64");
	j->file.bytes = (const char *)out;
	return E_OK;
}

/* The options that belong to the file, so that the import is that of the dry run. */
static const char *
options_of(struct job *j)
{
	static const char *const keep[] = { "fileType", "currency", "locale", "stock" };
	json_object *o = json_object_new_object(), *v;
	const char *text;
	size_t n;

	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		if (json_object_object_get_ex(j->call->args, keep[i], &v) && v != NULL)
			(void)json_object_object_add(o, keep[i], json_object_get(v));
	text = arena_strdup(j->c->a, json_text(j->c, o, &n));
	json_object_put(o);
	return text;
}

static enum err
set_options(struct job *j)
{
	struct import *im = j->im;
	const char *currency, *locale;
	json_object *o;
	size_t n;

	if (json_parse(j->c, j->file.options, strlen(j->file.options), &o))
		return j->c->err;
	currency = string_of(o, "currency", &n);
	snprintf(im->opt.currency, sizeof(im->opt.currency), "%s", currency != NULL ? currency : cfg_str("SHOP_CURRENCY"));
	if (money_scale(im->opt.currency) < 0)
		return fail(j->c, E_INVALID, "currency: must be an ISO 4217 code such as EUR, or be left out");
	locale = string_of(o, "locale", &n);
	im->opt.locale_given = locale != NULL;
	snprintf(im->opt.locale, sizeof(im->opt.locale), "%s", locale != NULL ? locale : cfg_str("SHOP_LOCALE"));
	im->opt.decimal = value_decimal(im->opt.locale);
	(void)json_get_int(o, "stock", 0, 1000000000, &im->stock);
	im->status = "DELIVERED";
	im->src = source_open_mem(j->file.bytes, j->file.n, format_find(string_of(o, "fileType", &n) != NULL ? string_of(o, "fileType", &n) : "auto"));
	return E_OK;
}

/* The file of the call: a new one, which is kept, or one that waits. */
static enum err
take_file(struct job *j, bool *import_it)
{
	struct ctx *c = j->c;
	json_object *args = j->call->args;
	size_t n = 0, n64 = 0, nid = 0, nup = 0;
	const char *text = string_of(args, "content", &n), *base64 = string_of(args, "contentBase64", &n64), *id = string_of(args, "confirm", &nid);
	const char *uploaded = string_of(args, "uploadId", &nup);

	*import_it = id != NULL;
	if ((text != NULL) + (base64 != NULL) + (id != NULL) + (uploaded != NULL) != 1)
		return fail(c, E_INVALID, "content: give one of content, contentBase64, uploadId or confirm");
	if ((id != NULL || uploaded != NULL) && upload_named(c, id != NULL ? id : uploaded, &j->file))
		return c->err;
	if (upload_connect(c, &j->pg))
		return c->err;
	if (id != NULL && (upload_report(c, j->pg, j->call->who, id, &j->call->json) || j->call->json != NULL))
		return c->err;	/* asked again after the end: the same answer */
	if (id != NULL || uploaded != NULL) {
		if (upload_open(c, j->pg, j->call->who, *import_it, &j->file) || id != NULL)
			return c->err;
		j->file.options = options_of(j);
		return upload_remember(c, j->pg, &j->file);
	}
	j->file.bytes = text;
	j->file.n = n;
	if (base64 != NULL && decode(j, base64, n64))
		return c->err;
	if (j->file.n == 0)
		return fail(c, E_INVALID, "%s: must not be empty or must be left out", base64 != NULL ? "contentBase64" : "content");
	j->file.name = string_of(args, "fileName", &n);
	j->file.options = options_of(j);
	return upload_add(c, j->pg, j->call->who, &j->file);
}

/* ---- work ---- */

static void
on_progress(void *arg, const struct import *im, const char *phase)
{
	struct job *j = arg;
	int64_t done, total;

	source_progress(im->src, &done, &total);
	if (j->call->report != NULL && !j->call->report(j->call->report_arg, (double)done, (double)total, phase))
		j->im->stop = true;
}

static void
release(void *arg)
{
	struct import *im = arg;

	source_close(im->src);
	report_release(&im->report);
	PQfinish(im->pg2);
}

static void
count(struct buf *b, const char *key, int64_t v)
{
	buf_printf(b, ",\"%s\":%lld", key, (long long)v);
}

static const char *
result_of(struct job *j, bool stopped, size_t *n)
{
	const struct report *r = &j->im->report;
	struct buf b;

	buf_init(&b, j->c->a, 4096, RESULT_MAX);
	buf_puts(&b, "{\"file\":");
	buf_json_cstr(&b, j->file.name);
	buf_printf(&b, ",\"dryRun\":%s,\"layout\":", j->im->dry_run ? "true" : "false");
	buf_json_cstr(&b, j->im->layout);
	count(&b, "rows", r->rows);
	count(&b, "created", r->created);
	count(&b, "updated", r->updated);
	count(&b, "unchanged", r->unchanged);
	count(&b, "variantsCreated", r->variants_created);
	count(&b, "variantsUpdated", r->variants_updated);
	count(&b, "bad", r->bad);
	buf_puts(&b, ",\"badRows\":[");
	for (size_t i = 0; i < r->n && i < BAD_SHOWN; i++) {
		buf_printf(&b, "%s{\"line\":%lld,\"column\":", i > 0 ? "," : "", (long long)r->list[i].line);
		buf_json_cstr(&b, r->list[i].column);
		buf_puts(&b, ",\"reason\":");
		buf_json_cstr(&b, r->list[i].reason);
		buf_putc(&b, '}');
	}
	buf_puts(&b, stopped ? "],\"cancelled\":true" : "]");
	if (j->im->dry_run)
		buf_printf(&b, ",\"confirm\":\"%s\",\"expiresAt\":\"%s\"", j->file.id, j->file.expires);
	buf_putc(&b, '}');
	*n = b.n;
	return buf_str(&b);
}

/* Where the index file answers, its change log has the products already; otherwise PostgreSQL's own words are made now. */
static void
make_searchable(struct job *j)
{
	static const char *const batch[] = { "2000" };
	struct link l = { j->pg, j->im };
	int64_t end = now_ms() + INDEX_MS, n = 1;
	char message[256];
	PGresult *r;

	while (n > 0 && now_ms() < end && access(indexer_path(), R_OK) != 0) {
		if (pg_run_with(&l, &sql_search_refresh, 1, batch, &r, message, sizeof(message)) != PG_OK)
			return;
		n = pg_number(r, 0, 0);
		PQclear(r);
	}
}

static enum err
audit(struct job *j, const char *result)
{
	const char *name = j->call->who->name[0] != '\0' ? j->call->who->name : j->call->who->principal;
	const char *v[4] = { name, "product.import", j->file.name, result };
	PGresult *r = PQexecParams(j->pg, sql_audit_insert.text, 4, NULL, v, NULL, NULL, 0);
	bool ok = PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK;

	PQclear(r);
	return ok ? E_OK : fail(j->c, E_UNAVAILABLE, NULL);
}

/* What the import came to.  After an error of the database the file may be tried again: batches that are in already are then unchanged rows. */
static enum err
finish(struct job *j, enum import_result result)
{
	struct ctx *c = j->c;
	bool again = result == IMPORT_DATABASE || result == IMPORT_STOPPED;
	const char *text = result_of(j, result == IMPORT_STOPPED, &j->call->n);

	if (!j->im->dry_run) {
		if (upload_done(c, j->pg, &j->file, again, text))
			return c->err;
		make_searchable(j);
		if (audit(j, text))
			return c->err;
	}
	if (result == IMPORT_UNUSABLE)
		return fail(c, E_INVALID, "%s: %s", j->file.name, j->im->why);
	if (result == IMPORT_DATABASE)
		return fail(c, E_UNAVAILABLE, "the import broke off; what was committed before stays, import the file again");
	j->call->json = text;
	return E_OK;
}

enum err
create_from_file_tool(struct ctx *c, struct tool_call *call)
{
	struct job *j = arena_zalloc(c->a, 1, sizeof(*j));
	bool import_it;

	j->c = c;
	j->call = call;
	j->im = arena_zalloc(c->a, 1, sizeof(*j->im));
	c->deadline_ms = now_ms() + WORK_MS;
	if (take_file(j, &import_it))
		return c->err;
	if (call->json != NULL) {
		call->n = strlen(call->json);
		call->replayed = true;
		return E_OK;
	}
	arena_defer(c->a, release, j->im);
	if (set_options(j))
		return c->err;
	j->im->pg = j->pg;
	j->im->dry_run = !import_it;
	j->im->progress = on_progress;
	j->im->arg = j;
	if (j->im->src->reader == NULL)
		return fail(c, E_INVALID, "%s: %s", j->file.name, j->im->src->why);
	return finish(j, import_products(j->im));
}
