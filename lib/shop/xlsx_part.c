#include <stdio.h>
#include <string.h>

#include "shop/xlsx.h"

#define CHUNK 65536

struct feed {
	struct xlsx_handler *h;
	unsigned depth;		/* open elements; expat keeps memory for each */
	bool doctype, deep;
};

static const char *
local(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon != NULL ? colon + 1 : name;
}

const char *
xlsx_attr(const char **attrs, const char *name)
{
	for (; attrs[0] != NULL; attrs += 2) {
		if (strcmp(local(attrs[0]), name) == 0)
			return attrs[1];
	}
	return NULL;
}

static void XMLCALL
on_start(void *p, const char *name, const char **attrs)
{
	struct feed *f = p;

	if (++f->depth > XLSX_DEPTH_MAX) {
		f->deep = true;
		XML_StopParser(f->h->parser, XML_FALSE);
	} else if (f->h->start != NULL)
		f->h->start(f->h->arg, local(name), attrs);
}

static void XMLCALL
on_end(void *p, const char *name)
{
	struct feed *f = p;

	f->depth--;
	if (f->h->end != NULL)
		f->h->end(f->h->arg, local(name));
}

static void XMLCALL
on_text(void *p, const char *s, int n)
{
	struct feed *f = p;

	if (f->h->text != NULL)
		f->h->text(f->h->arg, s, n);
}

static void XMLCALL
on_doctype(void *p, const char *name, const char *sysid, const char *pubid, int internal)
{
	struct feed *f = p;

	(void)name, (void)sysid, (void)pubid, (void)internal;
	f->doctype = true;
	XML_StopParser(f->h->parser, XML_FALSE);
}

/* Unpack and parse.  The loop counts what really comes out, not what the archive says. */
static bool
pump(struct xlsx *x, const char *part, zip_file_t *in, uint64_t packed, struct feed *f)
{
	uint64_t total = 0;
	zip_int64_t n;
	void *buf;

	for (;;) {
		if ((buf = XML_GetBuffer(f->h->parser, CHUNK)) == NULL) {
			snprintf(x->why, sizeof(x->why), "out of memory");
			return false;
		}
		if ((n = zip_fread(in, buf, CHUNK)) < 0) {
			snprintf(x->why, sizeof(x->why), "the workbook is damaged: %s cannot be unpacked", part);
			return false;
		}
		total += (uint64_t)n;
		if (total > XLSX_PART_MAX || (total > (16u << 20) && total / XLSX_RATIO > packed)) {
			snprintf(x->why, sizeof(x->why), "%s unpacks to far more than a workbook would: refused", part);
			return false;
		}
		if (XML_ParseBuffer(f->h->parser, (int)n, n == 0) == XML_STATUS_OK) {
			if (n == 0)
				return true;
			continue;
		}
		if (f->doctype)
			snprintf(x->why, sizeof(x->why), "%s has a DOCTYPE, which no workbook has: refused", part);
		else if (f->deep)
			snprintf(x->why, sizeof(x->why), "%s is nested deeper than any workbook is: refused", part);
		else if (XML_GetErrorCode(f->h->parser) != XML_ERROR_ABORTED || x->why[0] == '\0')
			snprintf(x->why, sizeof(x->why), "the workbook is damaged: %s line %lu: %s", part,
			    (unsigned long)XML_GetCurrentLineNumber(f->h->parser), XML_ErrorString(XML_GetErrorCode(f->h->parser)));
		return false;
	}
}

bool
xlsx_part(struct xlsx *x, const char *part, bool optional, struct xlsx_handler *h)
{
	struct feed f = { .h = h };
	zip_stat_t st;
	zip_file_t *in;
	bool ok;

	zip_stat_init(&st);
	if (zip_stat(x->zip, part, ZIP_FL_NOCASE, &st) != 0) {
		if (!optional)
			snprintf(x->why, sizeof(x->why), "the workbook is damaged: it has no %s", part);
		return optional;
	}
	if ((st.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && st.encryption_method != ZIP_EM_NONE) {
		snprintf(x->why, sizeof(x->why), "the workbook has a password");
		return false;
	}
	if ((in = zip_fopen_index(x->zip, st.index, 0)) == NULL || (h->parser = XML_ParserCreate(NULL)) == NULL) {
		snprintf(x->why, sizeof(x->why), "the workbook is damaged: %s cannot be unpacked", part);
		if (in != NULL)
			zip_fclose(in);
		return false;
	}
	XML_SetUserData(h->parser, &f);
	XML_SetElementHandler(h->parser, on_start, on_end);
	XML_SetCharacterDataHandler(h->parser, on_text);
	XML_SetStartDoctypeDeclHandler(h->parser, on_doctype);
	ok = pump(x, part, in, (st.valid & ZIP_STAT_COMP_SIZE) != 0 ? st.comp_size + 1 : 1, &f);
	XML_ParserFree(h->parser);
	h->parser = NULL;
	zip_fclose(in);
	return ok;
}
