/* Makes the records of calls.  Where they go is spool.c's business. */
#include "tool/record.h"

#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/random.h"
#include "core/utf8.h"
#include "tool/spool.h"

#define RECORD_MAX (1u << 18)		/* bytes of one record: two texts, every character escaped, fit in */
#define TOOL_NAME_MAX 60			/* a name nobody declared may be anything */

/* "xxxxxxxx-xxxx-4xxx-yxxx-" of this process and a counter: unique without a system call for each record. */
static struct {
	char prefix[25];
	uint64_t next;
} ids;

void
record_new_ids(void)
{
	char uuid[37];

	random_uuid(uuid);
	memcpy(ids.prefix, uuid, 24);
	ids.prefix[24] = '\0';
	ids.next = 0;
}

/* Formatted printing is a good part of what a record would cost, so names are put together by hand. */
static void
put_name(struct buf *b, const char *name)
{
	buf_put(b, ",\"", 2);
	buf_puts(b, name);
	buf_put(b, "\":", 2);
}

static void
put_member(struct buf *b, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	put_name(b, name);
	buf_json_cstr(b, value);
}

/* A masked text of at most max characters as a string member. */
static void
put_text(struct ctx *c, struct buf *b, const char *name, const char *p, size_t n, size_t max)
{
	struct buf masked;

	if (p == NULL)
		return;
	buf_init(&masked, c->a, n < max ? n + 64 : max + 64, 4 * max + 64);
	record_mask(&masked, p, n, max);
	put_name(b, name);
	buf_json_string(b, buf_str(&masked), masked.n);
}

/* Microseconds as milliseconds with three decimals. */
static void
put_latency(struct buf *b, int64_t us)
{
	int64_t rest = us % 1000;

	put_name(b, "latency_ms");
	buf_int(b, us / 1000);
	buf_putc(b, '.');
	buf_putc(b, (char)('0' + rest / 100));
	buf_putc(b, (char)('0' + rest / 10 % 10));
	buf_putc(b, (char)('0' + rest % 10));
}

/* The id of this record: the process's prefix and twelve hexadecimal digits of its counter. */
static void
put_id(struct buf *b)
{
	static const char hex[] = "0123456789abcdef";
	uint64_t n = ids.next++;

	buf_puts(b, "{\"id\":\"");
	buf_put(b, ids.prefix, sizeof(ids.prefix) - 1);
	for (int shift = 44; shift >= 0; shift -= 4)
		buf_putc(b, hex[(n >> shift) & 15]);
	buf_putc(b, '"');
}

static void
put_tool(struct buf *b, const struct tool_call *call)
{
	const char *name = call->name;
	size_t n;

	if (call->tool != NULL) {
		put_member(b, "type", call->tool->kind);
		put_member(b, "tool", call->tool->name);
		put_name(b, "tools_used");
		buf_putc(b, '[');
		buf_json_cstr(b, call->tool->name);
		buf_putc(b, ']');
		return;
	}
	put_member(b, "type", "CHAT");
	put_name(b, "tool");
	n = strlen(name);
	buf_json_string(b, name, utf8_cut(name, n, n < TOOL_NAME_MAX ? n : TOOL_NAME_MAX));
}

static void
put_caller(struct buf *b, const struct tool_call *call)
{
	const char *customer = call->who->customer_id;

	put_member(b, "transport", transport_name(call->via));
	put_member(b, "session_id", call->session_id);
	put_member(b, "token_id", call->who->token_id);
	if (customer != NULL && strspn(customer, "0123456789") == strlen(customer))
		put_member(b, "customer_id", customer);
}

static void
put_outcome(struct ctx *c, struct buf *b, const struct tool_call *call, enum err e)
{
	size_t keep = call->tool != NULL && call->tool->read_only ? RECORD_READ_MAX : RECORD_TEXT_MAX;

	buf_puts(b, e == E_OK ? ",\"success\":true" : ",\"success\":false");
	if (e == E_OK) {
		put_text(c, b, "output", call->json, call->n, keep);
		return;
	}
	put_member(b, "error_code", err_info(e)->code);
	put_member(b, "error_message", ctx_message(c));
}

void
record_call(struct ctx *c, const struct tool_call *call, enum err e, int64_t latency_us)
{
	char now[RFC3339_LEN];
	struct buf b;

	if (ids.prefix[0] == '\0')
		record_new_ids();
	buf_init(&b, c->a, 2048, RECORD_MAX);
	put_id(&b);
	put_member(&b, "created_at", rfc3339(wall_ms(), now));
	put_tool(&b, call);
	put_latency(&b, latency_us);
	put_caller(&b, call);
	put_text(c, &b, "input", call->args_json, call->args_n, RECORD_TEXT_MAX);
	put_outcome(c, &b, call, e);
	buf_puts(&b, ",\"metadata\":{\"correlationId\":");
	buf_json_cstr(&b, c->id);
	buf_puts(&b, call->replayed ? ",\"replayed\":true}}\n" : "}}\n");
	spool_append(b.p, b.n);
}
