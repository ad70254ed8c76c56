/*
 * Configuration.  One table (config.c): name, type, default, secret or not, meaning.  From it come parsing, `souk config`,
 * souk.conf.example and docs/configuration.md.  Values: environment before souk.conf before default.
 * The file is lines `NAME = value`; '#' starts a comment line; values may be in double quotes.
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
};

/* The whole table, ended by a row whose name is NULL. */
const struct cfg_row *cfg_table(void);

/*
 * Read path (NULL: SOUK_CONF, else souk.conf found as docs/configuration.md says; no file is fine) and the environment.
 * Call once, before FCGX_Accept.  Returns false with one line in err (errsz bytes) naming file, line and key when a key is unknown, a
 * value is out of range, or a given path cannot be read.
 */
bool cfg_load(const char *path, char *err, size_t errsz);

/* The file that was read, "" when none. */
const char *cfg_file(void);

/* Look-ups by name.  An unknown name or wrong type is a bug and stops the process.  Strings live as long as the process. */
const char *cfg_str(const char *name);
int64_t cfg_int(const char *name);
bool cfg_bool(const char *name);
/* false when "off": no limit. */
bool cfg_rate(const char *name, int64_t *limit, int64_t *window_s);
/* Where the value came from: "default", "file" or "environment". */
const char *cfg_origin(const char *name);

/* souk.conf.example and docs/configuration.md's table. */
void cfg_print_example(FILE *f);
void cfg_print_markdown(FILE *f);

#endif
