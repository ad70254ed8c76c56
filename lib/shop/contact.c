/* Writing to the shop; see contact.h. */
#include "shop/contact.h"

#include <sodium.h>

#include "auth/otp.h"
#include "auth/subject.h"
#include "core/banned.h"
#include "core/json.h"
#include "gen/sql.h"
#include "store/db.h"

static enum err
write_to_shop(struct ctx *c, struct tool_call *call, const char *form, const struct sql *q)
{
	const char *known[1] = { call->args_json }, *stranger[5] = { form, call->args_json }, *email;
	struct otp_code code;
	enum err e;
	size_t n;

	if (subject_known(call->who))
		return db_text(c, q, 1, known, &call->json, &call->n);
	if (json_get_string(call->args, "email", 1, SIZE_MAX, &email, &n) != JSON_OK)
		return fail(c, E_UNAUTHENTICATED, "%s needs an access token with the scope %s, what guest_verify gives as guest, or email: where the answer goes",
			call->name, call->tool->scope);
	if (otp_admit_contact(c, email, call->remote_ip) || otp_make(c, &code))
		return c->err;
	stranger[2] = code.challenge;
	stranger[3] = code.hash;
	stranger[4] = code.digits;
	e = db_text(c, &sql_contact_open, 5, stranger, &call->json, &call->n);
	if (e == E_OK)
		otp_sent(c, &code);
	sodium_memzero(&code, sizeof(code));
	return e;
}

enum err
create_ticket_tool(struct ctx *c, struct tool_call *call)
{
	return write_to_shop(c, call, "ticket", &sql_ticket_open);
}

enum err
escalate_tool(struct ctx *c, struct tool_call *call)
{
	return write_to_shop(c, call, "escalation", &sql_escalate);
}
