/* Tools by which callers show who they are; see identity.h. */
#include "tool/identity.h"

#include <string.h>

#include "auth/handle.h"
#include "auth/otp.h"
#include "core/banned.h"
#include "core/buf.h"
#include "core/config.h"
#include "core/json.h"

#define RESULT_MAX 4096

/* NULL when absent; the schema has seen to its form. */
static const char *
arg(const struct tool_call *call, const char *name)
{
	const char *text;
	size_t n;

	return json_get_string(call->args, name, 0, SIZE_MAX, &text, &n) == JSON_OK ? text : NULL;
}

static void
finish(struct tool_call *call, struct buf *b)
{
	buf_putc(b, '}');
	call->json = buf_str(b);
	call->n = b->n;
}

static enum err
start(struct ctx *c, struct tool_call *call, const char *number, const char *message)
{
	struct otp_request r = { .number = number, .email = arg(call, "email"), .locale = arg(call, "locale"), .remote_ip = call->remote_ip };
	char challenge[OTP_ID_LEN + 1];
	struct buf b;

	if (otp_start(c, &r, challenge))
		return c->err;
	buf_init(&b, c->a, 512, RESULT_MAX);
	buf_printf(&b, "{\"challenge\":\"%s\",\"expiresInS\":%d,\"message\":", challenge, OTP_KEEP_S);
	buf_json_cstr(&b, message);
	finish(call, &b);
	return E_OK;
}

enum err
guest_start_tool(struct ctx *c, struct tool_call *call)
{
	return start(c, call, arg(call, "orderNumber"),
		"If this order number and this address belong together, a code of six digits is on its way to the address.");
}

enum err
customer_login_start_tool(struct ctx *c, struct tool_call *call)
{
	return start(c, call, NULL, "If this address is a customer's, a code of six digits is on its way to it.");
}

/* What the code has proven, as a handle of that kind. */
static enum err
exchange(struct ctx *c, struct tool_call *call, bool guest, char handle[SIGNED_MAX], struct otp_proof *proof)
{
	if (otp_verify(c, guest, arg(call, "challenge"), arg(call, "oneTimeCode"), call->remote_ip, proof)) {
		if (c->err == E_UNAUTHENTICATED) {
			const char *why = arena_strdup(c->a, ctx_message(c));

			/* not a matter of the caller's token, which is what 401 tells assistants */
			ctx_clear_error(c);
			return fail(c, E_INVALID, "oneTimeCode: %s", why);
		}
		return c->err;
	}
	if (guest)
		return handle_make(c, "gst", proof->visitor != NULL ? proof->visitor : proof->order_id, cfg_int("GUEST_SESSION_S"), handle);
	return handle_make(c, "cst", proof->customer_id, cfg_int("CUSTOMER_SESSION_S"), handle);
}

enum err
guest_verify_tool(struct ctx *c, struct tool_call *call)
{
	char handle[SIGNED_MAX];
	struct otp_proof proof;
	struct buf b;

	if (exchange(c, call, true, handle, &proof))
		return c->err;
	buf_init(&b, c->a, 512, RESULT_MAX);
	buf_printf(&b, "{\"guest\":\"%s\",\"expiresInS\":%lld,\"%s\":", handle, (long long)cfg_int("GUEST_SESSION_S"),
		proof.visitor != NULL ? "ticketNumber" : "orderNumber");
	buf_json_cstr(&b, proof.visitor != NULL ? proof.ticket_number : proof.order_number);
	finish(call, &b);
	return E_OK;
}

enum err
customer_login_verify_tool(struct ctx *c, struct tool_call *call)
{
	char handle[SIGNED_MAX];
	struct otp_proof proof;
	struct buf b;

	if (exchange(c, call, false, handle, &proof))
		return c->err;
	buf_init(&b, c->a, 512, RESULT_MAX);
	buf_printf(&b, "{\"accessToken\":\"%s\",\"expiresInS\":%lld", handle, (long long)cfg_int("CUSTOMER_SESSION_S"));
	finish(call, &b);
	return E_OK;
}

enum err
log_out_tool(struct ctx *c, struct tool_call *call)
{
	const char *handle = arg(call, "guest"), *id;

	if (handle == NULL)
		handle = call->who->handle;
	else if (handle_check(c, "gst", handle, &id))
		return c->err != E_UNAUTHENTICATED ? c->err : (ctx_clear_error(c), fail(c, E_INVALID, "guest: not from this shop, too old, or ended already"));
	if (handle == NULL)
		return fail(c, E_INVALID, "there is nothing to end: neither guest nor a token of /api/customer/verify came with the call");
	if (handle_end(c, handle))
		return c->err;
	call->json = "{\"ended\":true}";
	call->n = strlen(call->json);
	return E_OK;
}
