/* The tools send_email, send_sms and send_whatsapp; see tool.h.  Permission, limits and opt-outs are the statement's. */
#include "notify/tool.h"

#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "gen/sql.h"
#include "notify/mime.h"
#include "store/db.h"

enum err
send_message_tool(struct ctx *c, struct tool_call *call)
{
	const char *channel = call->tool->name + strlen("send_"), *to, *v[4];
	bool mail = strcmp(channel, "email") == 0;
	int64_t limit = 0, window = 3600;
	size_t n;

	if (json_get_string(call->args, "to", 1, 320, &to, &n) != JSON_OK || (mail && !mime_address(to)))
		return fail(c, E_INVALID, "to: not a mail address");
	if (!cfg_rate("NOTIFY_LIMIT", &limit, &window))
		limit = 0;
	v[0] = channel;
	v[1] = call->args_json;
	v[2] = arena_printf(c->a, "%lld", (long long)limit);
	v[3] = arena_printf(c->a, "%lld", (long long)window);
	return db_text(c, &sql_send_message, 4, v, &call->json, &call->n);
}
