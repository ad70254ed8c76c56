/*
 * A whole MCP message: JSON, envelope, era, headers, method, arguments.  The first three lines of the input are the headers MCP-Protocol-Version, Mcp-Method
 * and Mcp-Name ("-": absent), the rest is the body.  There is no database, so statements fail; whatever comes, the reply has to be JSON on one line with a
 * status that belongs to it.
 */
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/json.h"
#include "core/log.h"
#include "mcp/headers.h"
#include "mcp/mcp.h"
#include "store/shm.h"
#include "tool/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct subject who = {
	.kind = "staff", .token_id = "fuzz", .name = "", .customer_id = "", .rate_class = "bulk", .principal = "token:fuzz", .scopes = { "*" },
};

static void
start(void)
{
	char err[256];

	if (setenv("STATE_DIR", "/nonexistent/souk-fuzz", 1) != 0 || setenv("DATABASE_URL", "host=/nonexistent dbname=none", 1) != 0 ||
	    !cfg_load(NULL, err, sizeof(err)))
		abort();
	log_init("fuzz", "/dev/null", "error");
	shm_open_state();
}

/* The next line of the input as a header. */
static const char *
header(struct ctx *c, const uint8_t **data, size_t *size)
{
	const uint8_t *nl = memchr(*data, '\n', *size);
	size_t n = nl != NULL ? (size_t)(nl - *data) : *size;
	const char *line = arena_strndup(c->a, (const char *)*data, n);

	*data += n + (nl != NULL);
	*size -= n + (nl != NULL);
	return strcmp(line, "-") == 0 ? NULL : header_trim(c, line);
}

static void
check(const struct mcp_io *io)
{
	static const int statuses[] = { 200, 202, 400, 401, 403, 404, 429, 503 };
	struct json_fault fault;
	bool known = false;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		known |= io->status == statuses[i];
	if (!known || !io->rated || (io->status == 202) != (io->reply == NULL))
		abort();
	if (io->reply != NULL && (!json_gate(io->reply, io->n, NULL, &fault) || memchr(io->reply, '\n', io->n) != NULL))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	static struct arena arena;
	struct ctx c = { .a = &arena, .deadline_ms = INT64_MAX, .id = "fuzz-fuzz" };
	struct mcp_headers h;
	struct mcp_io io = { .who = &who, .server = "", .via = VIA_MCP, .headers = &h };
	jmp_buf overflow;

	if (!started)
		start();
	started = true;
	arena_init(&arena, 32u << 20);
	arena.overflow = &overflow;
	if (setjmp(overflow) == 0) {
		h.version = header(&c, &data, &size);
		h.method = header(&c, &data, &size);
		h.name = header(&c, &data, &size);
		if (mcp_message(&c, &io, (const char *)data, size) == E_OK)
			check(&io);
	}
	record_forget();
	arena_release(&arena);
	return 0;
}
