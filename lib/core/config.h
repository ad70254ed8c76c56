/*
 * Configuration.  One table (config.c): name, type, default, secret or not, meaning.  From it come parsing, `souk config`,
 * souk.conf.example and docs/configuration.md.  Values: environment before souk.conf before default.
 * The file is lines `NAME = value`; '#' starts a comment line; values may be in double quotes, in which \" and \\ stand for " and \.
 * An empty value is a value for text and refused for the other types; in the environment the latter counts as not set.
 */
#ifndef SOUK_CORE_CONFIG_H
#define SOUK_CORE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum cfg_type { CFG_STR, CFG_INT, CFG_BOOL, CFG_RATE /* "60/60": hits per seconds, or "off" */ };

struct cfg_row {
	const char *name;	/* as in souk.conf and in the environment */
	enum cfg_type type;
	const char *def;	/* default as text, "" for none */
	int64_t lo, hi;		/* range of CFG_INT */
	bool secret;		/* never shown */
	const char *group;	/* heading in the example and the manual */
	const char *meaning;	/* one or two sentences */
	const char *choices;	/* "a|b|c": the only values of this CFG_STR; NULL: any that check takes */
	bool (*check)(const char *value);	/* form of a non-empty CFG_STR; NULL: any */
	const char *form;	/* what check wants, for the message: "an absolute path" */
};

#define CFG_ROWS_MAX 128
#define CFG_RATE_LIMIT_MAX 1000000	/* hits */
#define CFG_RATE_WINDOW_MAX 86400	/* seconds */

/* The whole table, ended by a row whose name is NULL (config_table.c). */
const struct cfg_row *cfg_table(void);

/* What single rows cannot say: NULL when the values fit together, else one line (config_table.c). */
const char *cfg_conflict(void);

/*
 * Read path (NULL: SOUK_CONF, else souk.conf found as docs/configuration.md says; no file is fine) and the environment.
 * Call once, before FCGX_Accept.  Returns false with one line in err (errsz bytes) naming file, line and key when a key is unknown or
 * repeated, a value is out of range, or a given path cannot be read.  Secret values are never part of that line.
 */
bool cfg_load(const char *path, char *err, size_t errsz);

/* The file that was read, "" when none. */
const char *cfg_file(void);

/* Look-ups by name; defaults before cfg_load.  An unknown name or wrong type is a bug and stops the process.  Strings live as long as the process. */
const char *cfg_str(const char *name);
int64_t cfg_int(const char *name);
bool cfg_bool(const char *name);
/* false when "off": no limit.  RATE_AI is AI_RATE_LIMIT_REQUESTS per AI_RATE_LIMIT_WINDOW_MS when that is set. */
bool cfg_rate(const char *name, int64_t *limit, int64_t *window_s);
/* Where the value came from: "default", "file" or "environment". */
const char *cfg_origin(const char *name);

/* The value as text for people: "(set)" or "" for a secret. */
const char *cfg_shown(const char *name);

/* souk.conf.example and docs/configuration.md's table. */
void cfg_print_example(FILE *f);
void cfg_print_markdown(FILE *f);

#endif
