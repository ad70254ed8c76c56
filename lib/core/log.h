/*
 * Structured log: one JSON object per line, never parted by another write(2), to standard error or the file of LOG_FILE (O_APPEND).
 *   {"timestamp":"...Z","level":"info","correlationId":"...","program":"mcp","message":"...", fields...}
 * Never log bodies, tokens, names, addresses or other personal data; mask what identifies a person (log_mask_*).
 * Control characters are escaped; a line is cut at 4 KiB.
 */
#ifndef SOUK_CORE_LOG_H
#define SOUK_CORE_LOG_H

#include <stddef.h>
#include <stdint.h>

struct ctx;

enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARN_, LOG_ERROR_ };

struct log_field {
	const char *key;	/* NULL ends the list */
	const char *str;	/* string value, or NULL when num is meant */
	int64_t num;
};

/* A function, because compilers warn of testing a literal or an array for NULL. */
static inline const char *
log_string(const char *s)
{
	return s != NULL ? s : "";
}

#define LOG_S(k, v) { (k), log_string(v), 0 }
#define LOG_I(k, v) { (k), NULL, (int64_t)(v) }
#define LOG_END { NULL, NULL, 0 }

/* program: name shown in each line.  path: NULL or "" for standard error.  level: "debug", "info", "warn", "error". */
void log_init(const char *program, const char *path, const char *level);

/* In a child process that has closed its parent's descriptors: open the file anew, forget lines that the parent will write. */
void log_reopen(void);

/*
 * For a process that serves: lines below "warn" are kept back and written together, at the latest with the first line a second later, with one of
 * "warn" or above, when 16 KiB are waiting, or by log_flush(), which a server calls when it is idle and before it ends.
 */
void log_keep_back(void);
void log_flush(void);

/* Would a line of this level be written? */
int log_on(enum log_level level);

/* c gives the correlation id and may be NULL.  fields: array ended by LOG_END, or NULL. */
void log_line(enum log_level level, const struct ctx *c, const char *message, const struct log_field *fields);

/* log_event(LOG_INFO_, c, "started", LOG_S("version", v), LOG_I("pid", pid)) */
#define log_event(level, c, message, ...) \
	do { \
		if (log_on(level)) { \
			const struct log_field log_fields_[] = { __VA_ARGS__ __VA_OPT__(,) LOG_END }; \
			log_line((level), (c), (message), log_fields_); \
		} \
	} while (0)

/* "a***@example.org" for "anna@example.org"; "***" for anything without '@'.  out is at least 80 bytes. */
char *log_mask_email(const char *email, char *out, unsigned long outsz);

#endif
