/*
 * The tool answer_question: product facts by the words of the question (sql/app/80_answer.sql), else the frequent question that fits best, else the
 * policy that it is about.  No model is asked; what none of them says is answered with known false.
 */
#ifndef SOUK_SHOP_ANSWER_H
#define SOUK_SHOP_ANSWER_H

#include "tool/tool.h"

#define ANSWER_CANDIDATES 8	/* products whose names are compared with the question */
#define ANSWER_FAQ_LEAST 2.0	/* score of a frequent question that counts as an answer; one rare word of a question's title gives 2.5 */

enum err answer_question_tool(struct ctx *c, struct tool_call *call);

#endif
