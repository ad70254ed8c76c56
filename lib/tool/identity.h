/* Tools by which callers show who they are (auth/otp.h): two steps each, a code by mail and what it is exchanged for. */
#ifndef SOUK_TOOL_IDENTITY_H
#define SOUK_TOOL_IDENTITY_H

#include "tool/tool.h"

tool_handler_fn guest_start_tool;		/* {orderNumber, email, locale} -> {challenge, expiresInS, message} */
tool_handler_fn guest_verify_tool;		/* {challenge, oneTimeCode} -> {guest, orderNumber or ticketNumber, expiresInS} */
tool_handler_fn customer_login_start_tool;	/* {email, locale} -> {challenge, expiresInS, message} */
tool_handler_fn customer_login_verify_tool;	/* {challenge, oneTimeCode} -> {accessToken, expiresInS} */
tool_handler_fn log_out_tool;			/* {guest} -> {ended}: what either has given is worth nothing any more */

#endif
