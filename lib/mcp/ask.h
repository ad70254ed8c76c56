/*
 * Asking the client something in the middle of a call: elicitation, sampling, roots.  One function for both eras.
 *
 * Modern: nothing waits.  What is not answered yet is collected, the result becomes "input_required", and the client calls again with its answers and
 * with requestState, which holds the answers of the rounds before.  So a function that asks runs from its beginning each time, and must not have
 * done anything before it has all answers.
 * Legacy: the question goes out on the call's stream, and the process waits until another one has put the answer into the key-value store.
 */
#ifndef SOUK_MCP_ASK_H
#define SOUK_MCP_ASK_H

#include <json-c/json.h>
#include <stdbool.h>

#include "mcp/methods.h"

enum mcp_answer {
	MCP_ANSWERED,	/* *answer is the client's result, of the form that the method has */
	MCP_ASKED,	/* modern: not yet; ask what else is needed, then return true */
	MCP_UNABLE	/* the client cannot be asked, did not answer in time, has left or answered with an error */
};

/*
 * method: "elicitation/create", "sampling/createMessage" or "roots/list"; params: JSON text of an object.  key names the question among those of this
 * call.  An answer of another form, or one that does not fit requestedSchema, is no answer: a modern client is asked again.
 */
enum mcp_answer mcp_ask(struct mcp_call *call, const char *key, const char *method, const char *params, json_object **answer);

/* Has the client declared that it can be asked that? */
bool mcp_can_ask(const struct mcp_call *call, const char *method);

/* For the protocol core: is the result to be input_required, its members, and the requestState of a call. */
bool mcp_asking(const struct mcp_call *call);
void mcp_put_asked(struct mcp_call *call);
/* Check and open params.requestState and params.inputResponses.  false: -32602, and the error is set. */
bool mcp_read_answers(struct mcp_call *call);
/* Modern: forget answers to questions that nobody has put: those that came without requestState. */
void mcp_drop_unasked(struct mcp_call *call);
/* A legacy client gives up a call of its session (notifications/cancelled): what waits for its answer stops waiting. */
void mcp_note_cancelled(struct mcp_call *call);
/* Was this call given up so?  Asks no database; own process or not, on this host or, with Redis, on any. */
bool mcp_was_cancelled(struct mcp_call *call);
/* A client's posted answer.  E_NOT_FOUND: nobody waits for it. */
enum err mcp_take_answer(struct mcp_call *call);

#endif
