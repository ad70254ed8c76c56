/* The fixed way of every tool call.  A handler runs in the middle of it and can skip nothing. */
#include <string.h>

#include "auth/idempotency.h"
#include "auth/subject.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/json.h"
#include "ops/metrics.h"
#include "store/db.h"
#include "tool/handles.h"
#include "tool/record.h"
#include "tool/schema.h"
#include "tool/tool.h"

const char *
transport_name(enum transport t)
{
	static const char *const names[VIA__MAX] = {
		[VIA_MCP] = "mcp", [VIA_REST] = "rest", [VIA_CLI] = "cli", [VIA_STDIO] = "stdio", [VIA_WS] = "ws", [VIA_CHAT] = "chat",
		[VIA_CRON] = "cron",
	};

	return (unsigned)t < VIA__MAX ? names[t] : "unknown";
}

static void
release_object(void *o)
{
	json_object_put(o);
}

static struct db_subject
db_subject_of(const struct tool_call *call)
{
	return (struct db_subject){
		.kind = call->who->kind,
		.customer_id = call->who->customer_id,
		.token_id = call->who->token_id,
		.locale = call->locale != NULL ? call->locale : "",
		.visitor = call->who->visitor,
		.order_id = call->who->order_id,
	};
}

/* Find the tool; may this caller run it, now? */
static enum err
admit(struct ctx *c, struct tool_call *call)
{
	const char *listed_as;

	call->tool = tool_find(call->name);
	if (call->tool != NULL && call->server != NULL && !tool_listed(call->tool, call->server, &listed_as))
		call->tool = NULL;
	if (call->tool == NULL) {
		/* guessing names is not free */
		if (rate_hit(c, call->who, "mcp", &call->rate))
			return c->err;
		return fail(c, E_NOT_FOUND, "unknown tool: %.60s", call->name);
	}
	if (tool_handles(c, call->tool, call->args, &call->who)) {
		enum err e = rate_hit(c, call->who, call->tool->rate, &call->rate);

		return e == E_RATE_LIMITED ? e : c->err;
	}
	if (!scope_held(call->who, call->tool->scope) && (!call->tool->open || subject_known(call->who))) {
		rate_peek(c, call->who, call->tool->rate, &call->rate);
		if (!subject_known(call->who) && call->via == VIA_REST)
			return fail(c, E_UNAUTHENTICATED, "MCP API key required");	/* as the clients of these routes know it */
		if (!subject_known(call->who))
			return fail(c, E_UNAUTHENTICATED, "%s needs an access token with the scope %s%s", call->name, call->tool->scope,
				call->tool->handles & HANDLE_GUEST ? ", or for one order what guest_verify gives as guest" : "");
		return fail(c, E_FORBIDDEN, "%s needs the scope %s", call->name, call->tool->scope);
	}
	return rate_hit(c, call->who, call->tool->rate, &call->rate);
}

static enum err
validate(struct ctx *c, struct tool_call *call)
{
	if (call->refused != E_OK)
		return call->refused;
	if (call->args == NULL) {
		call->args = json_object_new_object();
		arena_defer(c->a, release_object, call->args);
	}
	if (!json_object_is_type(call->args, json_type_object))
		return fail(c, E_INVALID, "arguments: must be an object");
	if (schema_check(c, tool_schema(call->tool), call->args, true))
		return c->err;
	call->args_json = json_text(c, call->args, &call->args_n);
	return E_OK;
}

/* json_agg() puts line breaks between elements, but a result has to fit on one line of an event stream or of standard output. */
static void
make_one_line(struct ctx *c, struct tool_call *call)
{
	const char *p = call->json, *end = p + call->n, *nl = memchr(p, '\n', call->n);
	char *out, *to;

	if (nl == NULL)
		return;
	to = out = arena_alloc(c->a, call->n + 1);
	for (; nl != NULL; nl = memchr(p, '\n', (size_t)(end - p))) {
		memcpy(to, p, (size_t)(nl - p));
		to += nl - p;
		p = nl + 1;
	}
	memcpy(to, p, (size_t)(end - p));
	to += end - p;
	*to = '\0';
	call->json = out;
	call->n = (size_t)(to - out);
}

/*
 * A statement that takes the language as $2 asks nothing else of the speaker, who then need not be named to the database: a fifth of what a look-up
 * costs there.  Row-level security shows nobody nothing, so a mistake shows too little.
 */
static enum err
run_statement(struct ctx *c, struct tool_call *call, const struct db_subject *who)
{
	const struct tool *t = call->tool;
	const char *v[2] = { call->args_json, who->locale };

	if (t->nparams == 2)
		return db_text(c, t->sql, 2, v, &call->json, &call->n);
	return db_call(c, t->read_only ? DB_READ : DB_WRITE, who, t->sql, t->nparams, v, &call->json, &call->n);
}

/* A handler that writes may have done outside what cannot be undone; a statement is undone whole. */
static enum err
run_tool(struct ctx *c, struct tool_call *call, const struct db_subject *who)
{
	enum err e;

	if (call->tool->handler == NULL || call->tool->read_only) {
		c->given_up = call->given_up;
		c->given_up_arg = call->report_arg;
	}
	e = call->tool->handler != NULL ? call->tool->handler(c, call) : run_statement(c, call, who);
	c->given_up = NULL;
	return e;
}

/* The statement or the handler, in whatever transaction is open. */
static enum err
work(struct ctx *c, struct tool_call *call, const struct db_subject *who)
{
	enum err e;

	call->json = NULL;
	if ((e = run_tool(c, call, who)) != E_OK)
		return e;
	if (call->json == NULL)
		return fail(c, E_NOT_FOUND, "%s: nothing was found for these arguments", call->tool->name);
	make_one_line(c, call);
	return E_OK;
}

/* Claim the key, work, keep the answer; an answer kept earlier is given again. */
static enum err
work_once(struct ctx *c, struct tool_call *call, const struct db_subject *who)
{
	struct idem_reply reply = { 0 };

	if (idem_claim(c, call->who, call->idempotency_key, call->tool->name, call->args_json, call->args_n, &reply))
		return c->err;
	if (reply.replayed) {
		call->replayed = true;
		call->json = reply.body;
		call->n = reply.n;
		return E_OK;
	}
	if (work(c, call, who))
		return c->err;
	return idem_store(c, call->who, call->idempotency_key, E_OK, call->json, call->n);
}

/* Work of several statements: a handler's, or one with an idempotency key.  Everything is undone unless all of it succeeds. */
static enum err
work_in_transaction(struct ctx *c, struct tool_call *call, const struct db_subject *who)
{
	bool keyed = call->idempotency_key != NULL && !call->tool->read_only;
	enum err e = db_begin(c, call->tool->read_only ? DB_READ : DB_WRITE, who);

	if (e == E_OK)
		e = keyed ? work_once(c, call, who) : work(c, call, who);
	if (e == E_OK)
		e = db_commit(c);
	if (e != E_OK)
		db_rollback(c);
	return e;
}

static enum err
run(struct ctx *c, struct tool_call *call)
{
	const struct tool *t;
	struct db_subject who;

	if (admit(c, call) || validate(c, call))
		return c->err;
	t = call->tool;
	who = db_subject_of(call);
	if (!t->read_only && call->idempotency_key != NULL) {
		if (idem_check(c, call->idempotency_key))
			return c->err;
		if (t->handler != NULL && !t->in_transaction)
			return work(c, call, &who);	/* the handler claims the key itself */
		return work_in_transaction(c, call, &who);
	}
	if (t->handler != NULL && t->in_transaction)
		return work_in_transaction(c, call, &who);
	return work(c, call, &who);
}

enum err
tool_call(struct ctx *c, struct tool_call *call)
{
	int64_t start = now_us(), took;
	enum err e;

	call->tool = NULL;
	call->json = NULL;
	call->n = 0;
	call->args_json = NULL;
	call->replayed = false;
	e = run(c, call);
	if (e != E_OK)
		call->json = NULL;
	took = now_us() - start;
	record_call(c, call, e, took);
	metrics_request(transport_name(call->via), call->tool != NULL ? call->tool->name : "unknown",
		e == E_OK ? "OK" : err_info(e)->code, took);
	return e;
}
