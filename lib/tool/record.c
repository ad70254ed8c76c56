/* Makes the records of calls.  Where they go is spool.c's business. */
#include "tool/record.h"

#include <stdio.h>
#include <string.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/random.h"
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

static void
put_member(struct buf *b, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_printf(b, ",\"%s\":", name);
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
	buf_printf(b, ",\"%s\":", name);
	buf_json_string(b, buf_str(&masked), masked.n);
}

static void
put_caller(struct buf *b, const struct tool_call *call)
{
	const char *customer = call->who->customer_id;

	put_member(b, "transport", transport_name(call->via));
	put_member(b, "session_id", call->session_id);
	put_member(b, "token_id", call->who->token_id);
	if (customer != NULL && customer[0] != '\0' && strspn(customer, "0123456789") == strlen(customer))
		buf_printf(b, ",\"customer_id\":\"%s\"", customer);
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
	char now[RFC3339_LEN], name[TOOL_NAME_MAX + 1];
	struct buf b;

	if (ids.prefix[0] == '\0')
		record_new_ids();
	buf_init(&b, c->a, 2048, RECORD_MAX);
	buf_printf(&b, "{\"id\":\"%s%012llx\",\"created_at\":\"%s\"", ids.prefix, (unsigned long long)(ids.next++ & 0xFFFFFFFFFFFFu),
		rfc3339(wall_ms(), now));
	if (call->tool != NULL) {
		put_member(&b, "type", call->tool->kind);
		buf_printf(&b, ",\"tool\":\"%s\",\"tools_used\":[\"%s\"]", call->tool->name, call->tool->name);
	} else {
		/* cut where a character ends */
		size_t n = strlen(call->name);

		for (n = n < TOOL_NAME_MAX ? n : TOOL_NAME_MAX; n > 0 && ((unsigned char)call->name[n] & 0xC0) == 0x80; n--)
			;
		memcpy(name, call->name, n);
		name[n] = '\0';
		put_member(&b, "type", "CHAT");
		put_member(&b, "tool", name);
	}
	buf_printf(&b, ",\"latency_ms\":%lld.%03lld", (long long)(latency_us / 1000), (long long)(latency_us % 1000));
	put_caller(&b, call);
	put_text(c, &b, "input", call->args_json, call->args_n, RECORD_TEXT_MAX);
	put_outcome(c, &b, call, e);
	buf_printf(&b, ",\"metadata\":{\"correlationId\":\"%s\"%s}}\n", c->id, call->replayed ? ",\"replayed\":true" : "");
	spool_append(b.p, b.n);
}
