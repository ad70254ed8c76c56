/* Reading of settings and look-ups; the table is in config_table.c, printing in config_print.c. */
#include "core/banned.h"
#include "core/config.h"
#include "core/failstop.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LINE_MAX_ 4096
#define SLOTS 512	/* power of two, at least twice CFG_ROWS_MAX */

enum origin { BY_DEFAULT, BY_FILE, BY_ENVIRONMENT };

struct value {
	const char *text;
	int64_t num;		/* CFG_INT, CFG_BOOL; hits of CFG_RATE, -1 for off */
	int64_t window_s;
	enum origin origin;
	int line;		/* in the file, of BY_FILE */
};

static struct value values[CFG_ROWS_MAX];
static short slots[SLOTS];	/* row + 1 by hash of the name, 0 empty */
static char file_read[PATH_MAX];
static bool ready;

/* Texts live as long as the process; the list keeps them reachable over several loads. */
static struct text {
	struct text *next;
	char s[];
} *texts;

static const char *
keep(const char *s)
{
	size_t n = strlen(s);
	struct text *t = malloc(sizeof *t + n + 1);

	if (t == NULL)
		failstop("out of memory");
	t->next = texts;
	memcpy(t->s, s, n + 1);
	texts = t;
	return t->s;
}

static unsigned
hash(const char *s)
{
	unsigned h = 2166136261u;	/* FNV-1a */

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

/* The row of that name, -1 when there is none. */
static int
find(const char *name)
{
	const struct cfg_row *rows = cfg_table();

	for (unsigned i = hash(name);; i++) {
		short at = slots[i & (SLOTS - 1)];

		if (at == 0)
			return -1;
		if (strcmp(rows[at - 1].name, name) == 0)
			return at - 1;
	}
}

/* Decimal digits from *s on; false for none, or more than 18. */
static bool
number(const char **s, int64_t *out)
{
	const char *start = *s;
	int64_t v = 0;

	for (; **s >= '0' && **s <= '9'; (*s)++) {
		if (*s - start >= 18)
			return false;
		v = v * 10 + (**s - '0');
	}
	*out = v;
	return *s > start;
}

static bool
parse_int(const struct cfg_row *row, struct value *v, char *why, size_t whysz)
{
	const char *s = v->text;
	bool negative = *s == '-';

	s += negative;
	if (!number(&s, &v->num) || *s != '\0' || (negative && v->num == 0)) {
		(void)snprintf(why, whysz, "must be a whole number");
		return false;
	}
	if (negative)
		v->num = -v->num;
	if (v->num >= row->lo && v->num <= row->hi)
		return true;
	(void)snprintf(why, whysz, "must be from %lld to %lld", (long long)row->lo, (long long)row->hi);
	return false;
}

static bool
parse_bool(struct value *v, char *why, size_t whysz)
{
	static const char *const words[] = { "off", "on", "false", "true", "no", "yes", "0", "1" };

	for (int i = 0; i < 8; i++) {
		if (strcasecmp(v->text, words[i]) == 0) {
			v->num = i & 1;
			return true;
		}
	}
	(void)snprintf(why, whysz, "must be on or off");
	return false;
}

/* "60/60", also "60/60s", or "off". */
static bool
parse_rate(struct value *v, char *why, size_t whysz)
{
	const char *s = v->text;

	if (strcasecmp(s, "off") == 0) {
		v->num = -1;
		v->window_s = 0;
		return true;
	}
	if (number(&s, &v->num) && *s++ == '/' && number(&s, &v->window_s) && (*s != 's' || *++s == '\0') && *s == '\0' && v->num >= 1 &&
		v->num <= CFG_RATE_LIMIT_MAX && v->window_s >= 1 && v->window_s <= CFG_RATE_WINDOW_MAX)
		return true;
	(void)snprintf(why, whysz, "must be requests/seconds such as 60/60 (at most %d/%d), or off", CFG_RATE_LIMIT_MAX, CFG_RATE_WINDOW_MAX);
	return false;
}

static bool
is_choice(const char *choices, const char *text)
{
	size_t n = strlen(text), k;

	for (;; choices += k + 1) {
		k = strcspn(choices, "|");
		if (k == n && memcmp(choices, text, n) == 0)
			return true;
		if (choices[k] == '\0')
			return false;
	}
}

static bool
parse_str(const struct cfg_row *row, const struct value *v, char *why, size_t whysz)
{
	for (const unsigned char *s = (const unsigned char *)v->text; *s != '\0'; s++) {
		if (*s < 0x20 || *s == 0x7F) {
			(void)snprintf(why, whysz, "must not hold control characters");
			return false;
		}
	}
	if (row->choices != NULL && !is_choice(row->choices, v->text)) {
		(void)snprintf(why, whysz, "must be one of %s", row->choices);
		return false;
	}
	if (row->check != NULL && v->text[0] != '\0' && !row->check(v->text)) {
		(void)snprintf(why, whysz, "must be %s", row->form);
		return false;
	}
	return true;
}

static bool
parse(const struct cfg_row *row, struct value *v, char *why, size_t whysz)
{
	switch (row->type) {
	case CFG_INT:
		return parse_int(row, v, why, whysz);
	case CFG_BOOL:
		return parse_bool(v, why, whysz);
	case CFG_RATE:
		return parse_rate(v, why, whysz);
	case CFG_STR:
		break;
	}
	return parse_str(row, v, why, whysz);
}

static void
set_defaults(void)
{
	const struct cfg_row *rows = cfg_table();
	char why[128];

	memset(slots, 0, sizeof slots);
	memset(values, 0, sizeof values);
	file_read[0] = '\0';
	for (short i = 0; rows[i].name != NULL; i++) {
		unsigned h = hash(rows[i].name);

		while (slots[h & (SLOTS - 1)] != 0)
			h++;
		slots[h & (SLOTS - 1)] = (short)(i + 1);
		values[i].text = rows[i].def;
		if (!parse(&rows[i], &values[i], why, sizeof why))
			failstop("a default of the configuration table is wrong");
	}
	ready = true;
}

/* Take text for row i; where is "file:line" or "environment". */
static bool
assign(int i, const char *text, enum origin origin, int line, const char *where, char *err, size_t errsz)
{
	struct value v = { .text = text, .origin = origin, .line = line };
	char why[160];

	if (!parse(&cfg_table()[i], &v, why, sizeof why)) {
		(void)snprintf(err, errsz, "%s: %s: %s", where, cfg_table()[i].name, why);
		return false;
	}
	v.text = keep(text);
	values[i] = v;
	return true;
}

static char *
trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	n = strlen(s);
	while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
		s[--n] = '\0';
	return s;
}

/* Take the quotes off "..." in place; false when they are unbalanced or something follows. */
static bool
unquote(char *s)
{
	char *to = s;

	for (const char *from = s + 1; *from != '\0'; from++) {
		if (*from == '"') {
			*to = '\0';
			return from[1] == '\0';
		}
		if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
			from++;
		*to++ = *from;
	}
	return false;
}

static bool
take_line(char *s, const char *path, int line, char *err, size_t errsz)
{
	char where[PATH_MAX + 16];
	char *eq, *name, *value;
	int row;

	(void)snprintf(where, sizeof where, "%s:%d", path, line);
	if (line == 1 && strncmp(s, "\xEF\xBB\xBF", 3) == 0)
		s += 3;	/* some editors begin with a byte order mark */
	s = trim(s);
	if (*s == '\0' || *s == '#')
		return true;
	eq = strchr(s, '=');
	if (eq == NULL) {
		(void)snprintf(err, errsz, "%s: expected NAME = value", where);
		return false;
	}
	*eq = '\0';
	name = trim(s);
	value = trim(eq + 1);
	row = find(name);
	if (row < 0) {
		(void)snprintf(err, errsz, "%s: unknown setting %.60s", where, name);
		return false;
	}
	if (values[row].line != 0) {
		(void)snprintf(err, errsz, "%s: %s: already set in line %d", where, name, values[row].line);
		return false;
	}
	if (*value == '"' && !unquote(value)) {
		(void)snprintf(err, errsz, "%s: %s: the closing quote is missing or not at the end", where, name);
		return false;
	}
	return assign(row, value, BY_FILE, line, where, err, errsz);
}

static bool
read_lines(FILE *f, const char *path, char *err, size_t errsz)
{
	char s[LINE_MAX_];

	for (int line = 1; fgets(s, sizeof s, f) != NULL; line++) {
		size_t n = strlen(s);

		/* No newline is right only at the end of the file; a NUL byte hides one. */
		if ((n == 0 || s[n - 1] != '\n') && !(n > 0 && feof(f))) {
			(void)snprintf(err, errsz, "%s:%d: line too long, or not a text file", path, line);
			return false;
		}
		if (!take_line(s, path, line, err, errsz))
			return false;
	}
	if (ferror(f)) {
		(void)snprintf(err, errsz, "%s: %s", path, strerror(errno));
		return false;
	}
	return true;
}

/* required: the path was given, so it has to be there. */
static bool
read_file(const char *path, bool required, char *err, size_t errsz)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (f == NULL) {
		if (!required && (errno == ENOENT || errno == ENOTDIR))
			return true;
		(void)snprintf(err, errsz, "%s: %s", path, strerror(errno));
		return false;
	}
	(void)snprintf(file_read, sizeof file_read, "%s", path);
	ok = read_lines(f, path, err, errsz);
	(void)fclose(f);
	return ok;
}

/* souk.conf in the parent of the program's folder: /srv/shop/souk.conf for /srv/shop/cgi-bin/mcp. */
static bool
beside_program(char *out, size_t outsz)
{
	ssize_t n = readlink("/proc/self/exe", out, outsz - 1);

	if (n <= 0)
		return false;
	out[n] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(out, '/');

		if (slash == NULL)
			return false;
		*slash = '\0';
	}
	n = (ssize_t)strlen(out);
	(void)snprintf(out + n, outsz - (size_t)n, "/souk.conf");
	return true;
}

static bool
read_found(const char *path, char *err, size_t errsz)
{
	char beside[PATH_MAX];

	if (path == NULL)
		path = getenv("SOUK_CONF");
	if (path != NULL && path[0] != '\0')
		return read_file(path, true, err, errsz);
	if (beside_program(beside, sizeof beside) && access(beside, F_OK) == 0)
		return read_file(beside, false, err, errsz);
	return read_file("/etc/souk.conf", false, err, errsz);
}

static bool
read_environment(char *err, size_t errsz)
{
	const struct cfg_row *rows = cfg_table();

	for (int i = 0; rows[i].name != NULL; i++) {
		const char *text = getenv(rows[i].name);

		if (text == NULL || (text[0] == '\0' && (rows[i].type != CFG_STR || rows[i].choices != NULL)))
			continue;
		if (!assign(i, text, BY_ENVIRONMENT, 0, "environment", err, errsz))
			return false;
	}
	return true;
}

/* The well-known names of the AI limit stand for RATE_AI. */
static void
derive(void)
{
	int64_t requests = cfg_int("AI_RATE_LIMIT_REQUESTS");
	struct value *rate = &values[find("RATE_AI")];

	if (requests == 0)
		return;
	rate->num = requests;
	rate->window_s = (cfg_int("AI_RATE_LIMIT_WINDOW_MS") + 999) / 1000;
}

bool
cfg_load(const char *path, char *err, size_t errsz)
{
	const char *conflict;

	set_defaults();
	if (!read_found(path, err, errsz) || !read_environment(err, errsz))
		return false;
	conflict = cfg_conflict();
	if (conflict != NULL) {
		(void)snprintf(err, errsz, "%s%s%s", file_read, file_read[0] != '\0' ? ": " : "", conflict);
		return false;
	}
	derive();
	return true;
}

const char *
cfg_file(void)
{
	return file_read;
}

static const struct value *
get(const char *name, int type)
{
	static char why[96];
	int row;

	if (!ready)
		set_defaults();
	row = find(name);
	if (row < 0 || (type >= 0 && (int)cfg_table()[row].type != type)) {
		(void)snprintf(why, sizeof why, "no setting %.40s of the type asked for", name);
		failstop(why);
	}
	return &values[row];
}

const char *
cfg_str(const char *name)
{
	return get(name, CFG_STR)->text;
}

int64_t
cfg_int(const char *name)
{
	return get(name, CFG_INT)->num;
}

bool
cfg_bool(const char *name)
{
	return get(name, CFG_BOOL)->num != 0;
}

bool
cfg_rate(const char *name, int64_t *limit, int64_t *window_s)
{
	const struct value *v = get(name, CFG_RATE);

	*limit = v->num;
	*window_s = v->window_s;
	return v->num >= 0;
}

const char *
cfg_origin(const char *name)
{
	static const char *const names[] = { "default", "file", "environment" };

	return names[get(name, -1)->origin];
}

const char *
cfg_shown(const char *name)
{
	const struct value *v = get(name, -1);

	if (!cfg_table()[v - values].secret || v->text[0] == '\0' || v->origin == BY_DEFAULT)
		return v->text;
	return "(set)";
}
