/*
 * Signed handles among a tool's arguments.  Assistants cannot set headers, so what a caller was given by souk itself (guest_verify, a basket) may come as
 * an argument of that name, where the contract declares it (x-handles).  It is no claim but a proof: signed by souk, checked before the scope, and from there
 * on the same as a bearer.  The argument is taken away, so that neither the statement nor the record of the call sees it.
 *
 *   guest   order, or address of a ticket, that was proven: anonymous callers and visitors become guests of it; a customer keeps what is theirs and sees it
 *           besides; for staff and services it changes nothing
 *   basket  visitor whose basket it is: anonymous callers become visitors; everybody else stays who they are, with souk.visitor() besides
 */
#ifndef SOUK_TOOL_HANDLES_H
#define SOUK_TOOL_HANDLES_H

#include "tool/tool.h"

/* HANDLE_GUEST for "guest", HANDLE_BASKET for "basket", 0 for any other name. */
unsigned handle_named(const char *name);

/*
 * Take the handles out of args (NULL: none) and let *who be who speaks with them.  A second call finds nothing and changes nothing.  E_INVALID, naming the
 * argument, for one that is not of this shop, too old or ended; a value that is no text is left for the validation to refuse.
 */
enum err tool_handles(struct ctx *c, const struct tool *t, json_object *args, const struct subject **who) __attribute__((warn_unused_result));

#endif
