#include "shop/sniff.h"

#include <string.h>
#include <strings.h>

#include "shop/encoding.h"

static const char *const names[FORMAT__MAX] = { "auto", "csv", "tsv", "json", "jsonl", "xlsx" };

struct magic {
	size_t at, n;
	const char *bytes;
	const char *what;
};

/* Signatures as in file(1); the most telling first.  ZIP is looked into by the XLSX reader. */
static const struct magic magics[] = {
	{ 0, 8, "\x89PNG\r\n\x1a\n", "a PNG image" },
	{ 0, 3, "\xff\xd8\xff", "a JPEG image" },
	{ 0, 4, "GIF8", "a GIF image" },
	{ 8, 4, "WEBP", "a WebP image" },
	{ 0, 4, "%PDF", "a PDF document" },
	{ 0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (.xls) or a workbook with a password; save it as .xlsx or CSV" },
	{ 0, 4, "\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first" },
	{ 0, 3, "BZh", "compressed with bzip2; unpack it first" },
	{ 0, 6, "\xfd" "7zXZ\0", "compressed with xz; unpack it first" },
	{ 0, 6, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive" },
	{ 0, 4, "Rar!", "a RAR archive" },
	{ 257, 5, "ustar", "a tar archive" },
	{ 0, 16, "SQLite format 3", "an SQLite database" },
	{ 0, 5, "PGDMP", "a PostgreSQL dump" },
	{ 0, 4, "PAR1", "a Parquet file" },
	{ 0, 4, "\x7f" "ELF", "a program" },
	{ 0, 5, "{\\rtf", "an RTF document" },
	{ 0, 2, "\x1f\x8b", "gzip inside gzip; unpack it first" },
	{ 4, 4, "ftyp", "a video or HEIC image" },
	{ 0, 4, "RIFF", "a media file" },
	{ 0, 2, "MZ\x90", "a program" },
	{ 0, 4, "\xff\xfe\0\0", "text in UTF-32; save it as UTF-8" },
	{ 0, 4, "\0\0\xfe\xff", "text in UTF-32; save it as UTF-8" },
};

const char *
format_name(enum format f)
{
	return f < FORMAT__MAX ? names[f] : "unknown";
}

enum format
format_find(const char *name)
{
	enum format f;

	for (f = 0; f < FORMAT__MAX; f++) {
		if (strcasecmp(names[f], name) == 0)
			break;
	}
	return f;
}

bool
format_near(enum format want, enum format is)
{
	bool text = want == FORMAT_CSV || want == FORMAT_TSV, json = want == FORMAT_JSON || want == FORMAT_JSONL;

	return want == FORMAT_AUTO || want == is || (text && (is == FORMAT_CSV || is == FORMAT_TSV)) ||
	    (json && (is == FORMAT_JSON || is == FORMAT_JSONL));
}

enum format
sniff_name(const char *path, bool *gzip)
{
	size_t n = strlen(path), i;
	const char *dot;
	char ext[8] = "";

	*gzip = n > 3 && strcasecmp(path + n - 3, ".gz") == 0;
	if (*gzip)
		n -= 3;
	for (i = n; i > 0 && path[i - 1] != '.' && path[i - 1] != '/'; i--)
		;
	if (i == 0 || path[i - 1] != '.')
		return FORMAT_AUTO;
	dot = path + i;
	if (n - i == 0 || n - i >= sizeof(ext))
		return FORMAT_AUTO;
	memcpy(ext, dot, n - i);
	if (strcasecmp(ext, "ndjson") == 0)
		return FORMAT_JSONL;
	if (strcasecmp(ext, "tab") == 0)
		return FORMAT_TSV;
	return format_find(ext) == FORMAT__MAX ? FORMAT_AUTO : format_find(ext);
}

/* The character that separates the cells of the first line that has any text: the most frequent candidate outside quotes. */
static char
find_delimiter(const unsigned char *p, size_t n)
{
	static const char candidates[] = { ',', ';', '\t', '|' };
	size_t count[4] = { 0 }, i, best = 0, text = 0;
	bool quoted = false;

	for (i = 0; i < n; i++) {
		const char *c = memchr(candidates, p[i], sizeof(candidates));

		if (p[i] == '"')
			quoted = !quoted;
		else if (!quoted && (p[i] == '\n' || p[i] == '\r') && text > 0)
			break;
		else if (!quoted && c != NULL)
			count[c - candidates]++;
		if (p[i] > ' ')
			text++;
	}
	for (i = 1; i < 4; i++) {
		if (count[i] > count[best])
			best = i;
	}
	return candidates[best];
}

size_t
sniff_wrapper(const unsigned char *p, size_t n)
{
	static const char *const keys[] = { "products", "orders", "items", "data" };
	size_t i, k, at, w;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *const want[] = { "{", "\"", keys[i], "\"", ":", "[" };

		for (w = 0, at = 0; w < sizeof(want) / sizeof(want[0]); w++) {
			while (at < n && p[at] <= ' ' && w != 2 && w != 3)
				at++;
			k = strlen(want[w]);
			if (n - at < k || memcmp(p + at, want[w], k) != 0)
				break;
			at += k;
		}
		if (w == sizeof(want) / sizeof(want[0]))
			return at;
	}
	return 0;
}

static void
sniff_json(struct sniff *s, const unsigned char *p, size_t n)
{
	size_t i, depth = 0;
	bool quoted = false;

	s->format = FORMAT_JSON;
	s->what = "JSON";
	if (p[0] == '[' || sniff_wrapper(p, n) > 0)
		return;
	/* An object that ends on its first line begins a file of lines. */
	for (i = 0; i < n && p[i] != '\n'; i++) {
		if (quoted) {
			if (p[i] == '\\')
				i++;
			else if (p[i] == '"')
				quoted = false;
		} else if (p[i] == '"') {
			quoted = true;
		} else if (p[i] == '{' || p[i] == '[') {
			depth++;
		} else if ((p[i] == '}' || p[i] == ']') && --depth == 0) {
			break;
		}
	}
	if (i < n && p[i] == '}') {
		s->format = FORMAT_JSONL;
		s->what = "JSONL (one JSON object a line)";
	}
}

/* Text or not?  UTF-16 has been told before; a stray control character, NUL too, makes its row a bad one, not the file. */
static bool
is_binary(const unsigned char *p, size_t n)
{
	size_t i, odd = 0;

	for (i = 0; i < n; i++) {
		if (p[i] < 0x20 && p[i] != '\t' && p[i] != '\n' && p[i] != '\r' && p[i] != '\f' && p[i] != 0x0b && p[i] != 0x1a)
			odd++;
	}
	return odd > 1 + n / 50;
}

static bool
starts(const unsigned char *p, size_t n, const char *with)
{
	return n >= strlen(with) && strncasecmp((const char *)p, with, strlen(with)) == 0;
}

static void
sniff_text(struct sniff *s, const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n'))
		i++;
	s->format = FORMAT__MAX;
	if (i == n) {
		s->what = n == 0 ? "empty" : "empty (only blanks)";
	} else if (starts(p + i, n - i, "<!doctype html") || starts(p + i, n - i, "<html")) {
		s->what = "an HTML page";
	} else if (p[i] == '<') {
		s->what = "an XML or HTML file";
	} else if (p[i] == '[' || p[i] == '{') {
		sniff_json(s, p + i, n - i);
	} else {
		if (starts(p, n, "sep=") && n > 5 && (p[5] == '\n' || p[5] == '\r'))
			s->skip = p[5] == '\r' && n > 6 && p[6] == '\n' ? 7 : 6;
		s->delimiter = s->skip > 0 ? (char)p[4] : find_delimiter(p, n);
		s->format = s->delimiter == '\t' ? FORMAT_TSV : FORMAT_CSV;
		s->what = s->delimiter == '\t' ? "TSV text (cells separated by tabs)" : "CSV text";
	}
}

void
sniff_content(struct sniff *s, const unsigned char *p, size_t n)
{
	unsigned char ascii[4096];
	struct encoder e;
	size_t i, odd, mark;

	memset(s, 0, sizeof(*s));
	s->format = FORMAT__MAX;
	if (n >= 4 && memcmp(p, "PK\3\4", 4) == 0) {
		s->format = FORMAT_XLSX;
		s->what = "a ZIP archive";
		return;
	}
	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (n >= magics[i].at + magics[i].n && memcmp(p + magics[i].at, magics[i].bytes, magics[i].n) == 0) {
			s->what = magics[i].what;
			return;
		}
	}
	encoding_init(&e, p, n, &mark);
	if (e.is == ENC_UTF16LE || e.is == ENC_UTF16BE) {
		/* every other byte is enough to see the structure */
		odd = mark + (e.is == ENC_UTF16BE);
		for (i = 0; i < sizeof(ascii) && odd + 2 * i < n; i++)
			ascii[i] = p[odd + 2 * i];
		sniff_text(s, ascii, i);
		return;
	}
	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		p += 3;
		n -= 3;
	}
	if (is_binary(p, n < 4096 ? n : 4096))
		s->what = "binary data";
	else
		sniff_text(s, p, n);
}
