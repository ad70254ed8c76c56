/*
 * Text encodings of files people export: UTF-8 and UTF-16 (Excel's "Unicode text"), with or without byte order mark, and
 * Windows-1252, of which Latin-1 is the printable part.
 *
 * The choice between UTF-8 and Windows-1252 falls at the first bytes above 127, by what most of the sequences in
 * that chunk are; everything before is ASCII and the same in both.  So it holds for a whole file and needs no second pass.
 */
#ifndef SOUK_SHOP_ENCODING_H
#define SOUK_SHOP_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

enum encoding { ENC_UNDECIDED, ENC_UTF8, ENC_WINDOWS_1252, ENC_UTF16LE, ENC_UTF16BE };

struct encoder {
	enum encoding is;
	unsigned char held[4];	/* the beginning of a sequence that the last chunk cut */
	size_t nheld;
};

#define ENCODING_GROWTH 3u	/* output is at most this many times (input + held) */

/* By byte order mark, whose length *skip gets, or by every other byte of an ASCII beginning being zero. Else: ENC_UNDECIDED. */
void encoding_init(struct encoder *e, const unsigned char *p, size_t n, size_t *skip);

/*
 * Convert n bytes to UTF-8 into out, which has room for ENCODING_GROWTH * (n + 4).  last: nothing follows.  Gives the bytes written.
 * Invalid sequences of a UTF-8 file are passed on as they are (the row check refuses them); unpaired UTF-16 surrogates become U+FFFD.
 */
size_t encoding_convert(struct encoder *e, const unsigned char *p, size_t n, bool last, unsigned char *out);

const char *encoding_name(enum encoding e);

#endif
