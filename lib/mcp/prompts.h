/*
 * The prompts, from lib/mcp/prompts/NAME.json, which are embedded.  Members beside those of MCP (name, title, description, arguments):
 *   x-servers   endpoints that list it, separated by blanks
 *   x-values    argument -> its values, each with the words for it by language; {} where the value is its own word
 *   x-complete  argument -> tool that completes it
 *   x-text      language -> lines of the message; {argument} stands for its value, {shop} for the shop's name; a line is left out when an
 *               argument in it was not given
 */
#ifndef SOUK_MCP_PROMPTS_H
#define SOUK_MCP_PROMPTS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

struct prompt_file {
	const char *name;	/* "product_description.json" */
	const char *json;
};

/* Embedded by tools/embed_text.awk, ended by a row without a name. */
extern const struct prompt_file prompt_files[];

struct mcp_prompt {
	const char *name, *servers;
	const char *entry;	/* of prompts/list */
	json_object *file;
};

/* All prompts, ended by a row without a name; read at the first call.  A file that cannot be read stops the process: the build has checked it. */
const struct mcp_prompt *prompts_all(void);
/* The prompt of that name on that endpoint, or NULL. */
const struct mcp_prompt *prompt_find(const char *server, const char *name);

#endif
