/*
 * Writing to the shop: the handlers of create_support_ticket and escalate_to_human.  Who is known, or has proven an order or an address, writes as such.  Anybody else
 * (x-open) leaves an e-mail address, and is asked to log in without one; a code goes there, and with it they become the guest who sees the ticket and its answers (guest_verify).  Until then
 * nothing but the ticket's number is theirs.  Limited as guest_start is: RATE_GUEST by the caller's address and by the e-mail address.
 */
#ifndef SOUK_SHOP_CONTACT_H
#define SOUK_SHOP_CONTACT_H

#include "tool/tool.h"

tool_handler_fn create_ticket_tool;
tool_handler_fn escalate_tool;

#endif
