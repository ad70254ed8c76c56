/* The tools send_email, send_sms and send_whatsapp: they queue, the dispatcher sends. */
#ifndef SOUK_NOTIFY_TOOL_H
#define SOUK_NOTIFY_TOOL_H

#include "tool/tool.h"

enum err send_message_tool(struct ctx *c, struct tool_call *call);

#endif
