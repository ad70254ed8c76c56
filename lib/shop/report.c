#include "shop/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"

void
report_bad(struct report *r, int64_t line, const char *column, const char *fmt, ...)
{
	struct report_row *b, one = { 0 };
	char reason[400], name[220];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	snprintf(name, sizeof(name), "%s", column != NULL ? column : "");
	r->bad++;
	one.line = line;
	one.column = name;
	one.reason = reason;
	if (r->on_bad != NULL)
		r->on_bad(r->arg, &one);
	if (r->n == REPORT_LIST_MAX)
		return;
	b = &r->list[r->n];
	b->line = line;
	b->column = strdup(name);
	b->reason = strdup(reason);
	if (b->column != NULL && b->reason != NULL)
		r->n++;
}

static void
count(struct buf *b, const char *name, int64_t v)
{
	buf_printf(b, ",\"%s\":%lld", name, (long long)v);
}

void
report_json(const struct report *r, FILE *f, const char *file, bool dry_run, bool orders, double seconds)
{
	struct arena a;
	struct buf b;
	size_t i;

	arena_init(&a, 16u << 20);
	buf_init(&b, &a, 65536, 8u << 20);
	buf_puts(&b, "{\"file\":");
	buf_json_cstr(&b, file);
	buf_printf(&b, ",\"kind\":\"%s\",\"dryRun\":%s", orders ? "orders" : "products", dry_run ? "true" : "false");
	count(&b, "rows", r->rows);
	count(&b, "created", r->created);
	count(&b, "updated", r->updated);
	count(&b, "unchanged", r->unchanged);
	if (orders) {
		count(&b, "lines", r->lines);
	} else {
		count(&b, "variantsCreated", r->variants_created);
		count(&b, "variantsUpdated", r->variants_updated);
		count(&b, "variantsUnchanged", r->variants_unchanged);
		count(&b, "repeated", r->repeated);
	}
	count(&b, "bad", r->bad);
	buf_printf(&b, ",\"seconds\":%.3f,\"badRows\":[", seconds);
	for (i = 0; i < r->n; i++) {
		buf_printf(&b, "%s{\"line\":%lld,\"column\":", i > 0 ? "," : "", (long long)r->list[i].line);
		buf_json_cstr(&b, r->list[i].column);
		buf_puts(&b, ",\"reason\":");
		buf_json_cstr(&b, r->list[i].reason);
		buf_putc(&b, '}');
	}
	buf_printf(&b, "],\"badRowsListed\":%zu}\n", r->n);
	fwrite(b.p, 1, b.n, f);
	arena_release(&a);
}

void
report_release(struct report *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		free(r->list[i].column);
		free(r->list[i].reason);
	}
	r->n = 0;
}
