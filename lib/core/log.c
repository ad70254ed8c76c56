/* See log.h. */
#include "core/banned.h"
#include "core/clock.h"
#include "core/ctx.h"
#include "core/log.h"
#include "core/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_ 4096
#define LINE_TAIL 24	/* kept free for ,"truncated":true} and the newline */

static const char *const level_names[] = { "debug", "info", "warn", "error" };

#define KEPT_MAX 16384
#define KEPT_MS 1000

static struct {
	char program[32];
	char path[512];		/* "" for standard error */
	int fd;
	enum log_level level;
	int64_t checked_ms;	/* when the file's name was last compared with what is open */
} state = { "souk", "", STDERR_FILENO, LOG_INFO_, 0 };

/* Whole lines that wait to be written. */
static struct {
	bool on;
	size_t n;
	int64_t first_ms;
	char p[KEPT_MAX];
} kept;

_Static_assert(LINE_MAX_ <= KEPT_MAX, "a line has to fit");

struct line {
	char p[LINE_MAX_];
	size_t n;
	bool cut;
};

static bool
put(struct line *l, const char *s, size_t n)
{
	if (l->cut || l->n + n > sizeof l->p - LINE_TAIL) {
		l->cut = true;
		return false;
	}
	memcpy(l->p + l->n, s, n);
	l->n += n;
	return true;
}

static void
put_escaped(struct line *l, unsigned c)
{
	char out[8];

	(void)snprintf(out, sizeof out, "\\u%04x", c);
	(void)put(l, out, 6);
}

/*
 * A JSON string; control characters (C0, DEL, C1) are escaped, what is no UTF-8 becomes U+FFFD.  utf8_step() may be told of four
 * bytes although fewer are left: the NUL continues no character, so it never looks behind it.
 */
static void
put_string(struct line *l, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n;

	if (!put(l, "\"", 1))
		return;
	while (*s != '\0' && !l->cut) {
		n = 1;
		if (*s == '"' || *s == '\\') {
			(void)put(l, (char[]){ '\\', (char)*s }, 2);
		} else if (*s < 0x20 || *s == 0x7F) {
			put_escaped(l, *s);
		} else if (*s < 0x80) {
			(void)put(l, (const char *)s, 1);
		} else if ((n = utf8_step(s, 4)) == 0) {
			n = 1;
			(void)put(l, "\xEF\xBF\xBD", 3);
		} else if (n == 2 && s[0] == 0xC2 && s[1] < 0xA0) {
			put_escaped(l, s[1]);
		} else {
			(void)put(l, (const char *)s, n);
		}
		s += n;
	}
	/* The tail has room for the quote of a string that was cut. */
	l->p[l->n++] = '"';
}

static void
put_member(struct line *l, const char *key, const char *str, int64_t num)
{
	char text[24];
	size_t before = l->n;
	int n;

	if (l->cut)
		return;
	if (!put(l, l->n == 0 ? "{\"" : ",\"", 2) || !put(l, key, strlen(key)) || !put(l, "\":", 2)) {
		l->n = before;
	} else if (str != NULL) {
		if (l->n + 1 > sizeof l->p - LINE_TAIL)
			l->n = before;
		else
			put_string(l, str);
	} else {
		n = snprintf(text, sizeof text, "%lld", (long long)num);
		if (n < 0 || !put(l, text, (size_t)n))
			l->n = before;
	}
}

static int
open_file(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

/* Follow a log that was moved away (logrotate): once a second compare the name with the open file. */
static void
follow(void)
{
	struct stat named, opened;
	int64_t now = now_ms();
	int fd;

	if (state.path[0] == '\0' || now - state.checked_ms < 1000)
		return;
	state.checked_ms = now;
	if (stat(state.path, &named) == 0 && fstat(state.fd, &opened) == 0 && named.st_ino == opened.st_ino &&
		named.st_dev == opened.st_dev)
		return;
	fd = open_file(state.path);
	if (fd < 0)
		return;
	if (state.fd != STDERR_FILENO)
		(void)close(state.fd);
	state.fd = fd;
}

static enum log_level
level_of(const char *name)
{
	for (unsigned i = 0; name != NULL && i < sizeof level_names / sizeof *level_names; i++)
		if (strcmp(name, level_names[i]) == 0)
			return (enum log_level)i;
	return LOG_INFO_;
}

void
log_init(const char *program, const char *path, const char *level)
{
	int fd;

	(void)snprintf(state.program, sizeof state.program, "%s", program);
	state.level = level_of(level);
	log_flush();
	if (state.fd != STDERR_FILENO)
		(void)close(state.fd);
	state.fd = STDERR_FILENO;
	state.path[0] = '\0';
	if (path == NULL || path[0] == '\0')
		return;
	fd = open_file(path);
	if (fd < 0 || strlen(path) >= sizeof state.path) {
		log_event(LOG_WARN_, NULL, "the log file cannot be opened, standard error is used", LOG_S("reason", strerror(errno)));
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	state.fd = fd;
	state.checked_ms = now_ms();
	(void)snprintf(state.path, sizeof state.path, "%s", path);
}

void
log_reopen(void)
{
	kept.n = 0;
	if (state.path[0] == '\0')
		return;
	state.fd = open_file(state.path);
	if (state.fd < 0)
		state.fd = STDERR_FILENO;
	state.checked_ms = now_ms();
}

int
log_on(enum log_level level)
{
	return level >= state.level;
}

static void
write_out(const char *p, size_t n)
{
	ssize_t done;

	follow();
	do
		done = write(state.fd, p, n);
	while (done < 0 && errno == EINTR);
}

void
log_keep_back(void)
{
	kept.on = true;
}

void
log_flush(void)
{
	if (kept.n > 0)
		write_out(kept.p, kept.n);
	kept.n = 0;
}

/* A line goes behind those that wait; the file's order is that of the events. */
static void
emit(enum log_level level, const char *p, size_t n)
{
	int64_t now = now_ms();

	if (n > sizeof kept.p - kept.n)
		log_flush();
	if (kept.n == 0)
		kept.first_ms = now;
	memcpy(kept.p + kept.n, p, n);
	kept.n += n;
	if (!kept.on || level >= LOG_WARN_ || now - kept.first_ms >= KEPT_MS)
		log_flush();
}

void
log_line(enum log_level level, const struct ctx *c, const char *message, const struct log_field *fields)
{
	struct line l;
	char stamp[RFC3339_LEN];

	if (!log_on(level))
		return;
	l.n = 0;
	l.cut = false;
	put_member(&l, "timestamp", rfc3339(wall_ms(), stamp), 0);
	put_member(&l, "level", level_names[(unsigned)level <= LOG_ERROR_ ? level : LOG_ERROR_], 0);
	if (c != NULL && c->id[0] != '\0')
		put_member(&l, "correlationId", c->id, 0);
	put_member(&l, "program", state.program, 0);
	put_member(&l, "message", message, 0);
	for (; fields != NULL && fields->key != NULL; fields++)
		put_member(&l, fields->key, fields->str, fields->num);
	if (l.cut) {
		memcpy(l.p + l.n, ",\"truncated\":true", 17);
		l.n += 17;
	}
	l.p[l.n++] = '}';
	l.p[l.n++] = '\n';
	emit(level, l.p, l.n);
}

char *
log_mask_email(const char *email, char *out, unsigned long outsz)
{
	const char *at = email == NULL ? NULL : strrchr(email, '@');
	size_t first = 1;

	if (at == NULL || at == email) {
		(void)snprintf(out, outsz, "***");
		return out;
	}
	/* The first character may have several bytes. */
	while (((unsigned char)email[first] & 0xC0) == 0x80)
		first++;
	(void)snprintf(out, outsz, "%.*s***%s", (int)(first < 4 ? first : 4), email, at);
	return out;
}
