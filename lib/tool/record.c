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

/* Bytes that a quoted element of an array literal cannot hold as they are: 1 escaped, 2 replaced, since tab and line break part fields. */
static const char specials[256] = {
	[0x00] = 2, [0x01] = 2, [0x02] = 2, [0x03] = 2, [0x04] = 2, [0x05] = 2, [0x06] = 2, [0x07] = 2, [0x08] = 2, [0x09] = 2, [0x0a] = 2,
	[0x0b] = 2, [0x0c] = 2, [0x0d] = 2, [0x0e] = 2, [0x0f] = 2, [0x10] = 2, [0x11] = 2, [0x12] = 2, [0x13] = 2, [0x14] = 2, [0x15] = 2,
	[0x16] = 2, [0x17] = 2, [0x18] = 2, [0x19] = 2, [0x1a] = 2, [0x1b] = 2, [0x1c] = 2, [0x1d] = 2, [0x1e] = 2, [0x1f] = 2,
	['"'] = 1, ['\\'] = 1,
};

/* A text as a field; what is no UTF-8 (half a character at a cut) becomes '?', since the database would refuse the batch. */
static void
put_text(struct buf *b, const char *p, size_t n)
{
	size_t start = 0, step;

	buf_putc(b, '"');
	for (size_t i = 0; i < n; i += step) {
		unsigned char ch = (unsigned char)p[i];

		step = ch < 0x80 ? 1 : utf8_step((const unsigned char *)p + i, n - i);
		if (step > 0 && specials[ch] == 0)
			continue;
		buf_put(b, p + start, i - start);
		if (specials[ch] == 1)
			buf_putc(b, '\\');
		start = specials[ch] == 1 ? i : i + 1;
		if (specials[ch] != 1)
			buf_putc(b, step > 0 ? ' ' : '?');
		step = 1;
	}
	buf_put(b, p + start, n - start);
	buf_puts(b, "\"\t");
}

/* A text, or no value when it is absent or empty. */
static void
put_field(struct buf *b, const char *value)
{
	if (value == NULL || value[0] == '\0')
		buf_put(b, "NULL\t", 5);
	else
		put_text(b, value, strlen(value));
}

/* A masked text of at most max characters. */
static void
put_masked(struct ctx *c, struct buf *b, const char *p, size_t n, size_t max)
{
	struct buf masked;

	if (p == NULL) {
		put_field(b, NULL);
		return;
	}
	buf_init(&masked, c->a, n < max ? n + 64 : max + 64, 4 * max + 64);
	record_mask(&masked, p, n, max);
	put_text(b, buf_str(&masked), masked.n);
}

/* Microseconds as milliseconds with three decimals.  By hand, because formatted printing is a good part of what a record would cost. */
static void
put_latency(struct buf *b, int64_t us)
{
	int64_t rest = us % 1000;

	buf_int(b, us / 1000);
	buf_putc(b, '.');
	buf_putc(b, (char)('0' + rest / 100));
	buf_putc(b, (char)('0' + rest / 10 % 10));
	buf_putc(b, (char)('0' + rest % 10));
	buf_putc(b, '\t');
}

/* The id of this record: the process's prefix and twelve hexadecimal digits of its counter. */
static void
put_id(struct buf *b)
{
	static const char hex[] = "0123456789abcdef";
	uint64_t n = ids.next++;

	buf_put(b, ids.prefix, sizeof(ids.prefix) - 1);
	for (int shift = 44; shift >= 0; shift -= 4)
		buf_putc(b, hex[(n >> shift) & 15]);
	buf_putc(b, '\t');
}

static void
put_tool(struct buf *b, const struct tool_call *call)
{
	const char *name = call->tool != NULL ? call->tool->name : call->name;
	size_t n = strlen(name);

	put_field(b, call->tool != NULL ? call->tool->kind : "CHAT");
	put_text(b, name, call->tool != NULL ? n : utf8_cut(name, n, n < TOOL_NAME_MAX ? n : TOOL_NAME_MAX));
}

static void
put_caller(struct buf *b, const struct tool_call *call)
{
	const char *customer = call->who->customer_id;

	put_field(b, transport_name(call->via));
	put_field(b, call->who->token_id);
	put_field(b, customer != NULL && strspn(customer, "0123456789") == strlen(customer) ? customer : NULL);
	put_field(b, call->session_id);
}

/* The last field: what else is known, a JSON object. */
static void
put_metadata(struct ctx *c, struct buf *b, const struct tool_call *call)
{
	struct buf json;

	buf_init(&json, c->a, 128, 1024);
	buf_puts(&json, "{\"correlationId\":");
	buf_json_cstr(&json, c->id);
	buf_puts(&json, call->replayed ? ",\"replayed\":true}" : "}");
	put_text(b, json.p, json.n);
	b->p[b->n - 1] = '\n';	/* in the place of the tab */
}

void
record_call(struct ctx *c, const struct tool_call *call, enum err e, int64_t latency_us)
{
	size_t keep = call->tool != NULL && call->tool->read_only ? RECORD_READ_MAX : RECORD_TEXT_MAX;
	char now[RFC3339_LEN];
	struct buf b;

	if (ids.prefix[0] == '\0')
		record_new_ids();
	buf_init(&b, c->a, 2048, RECORD_MAX);
	put_id(&b);
	put_field(&b, rfc3339(wall_ms(), now));
	put_tool(&b, call);
	put_latency(&b, latency_us);
	buf_puts(&b, e == E_OK ? "t\t" : "f\t");
	put_caller(&b, call);
	put_field(&b, e == E_OK ? NULL : err_info(e)->code);
	put_field(&b, e == E_OK ? NULL : ctx_message(c));
	put_masked(c, &b, call->args_json, call->args_n, RECORD_TEXT_MAX);
	put_masked(c, &b, e == E_OK ? call->json : NULL, call->n, keep);
	put_metadata(c, &b, call);
	spool_append(b.p, b.n);
}
