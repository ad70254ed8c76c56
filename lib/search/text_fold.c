/*
 * Folding of single characters.  The tables hold two bytes for each character, blanks for nothing, and follow the compatibility
 * decompositions of Unicode 15 with ligatures and letters with strokes written out.
 */
#include "search/text_internal.h"

#include <string.h>

#include "core/banned.h"

static const char latin[] =	/* U+00C0 to U+024F */
	"a a a a a a aec e e e e i i i i d n o o o o o   o u u u u y thssa a a a a a aec e e e e i i i i d n o o o o o   o u u u u y thy "
	"a a a a a a c c c c c c c c d d d d e e e e e e e e e e g g g g g g g g h h h h i i i i i i i i i i ijijj j k k k l l l l l l l "
	"l l l n n n n n n n ngngo o o o o o oeoer r r r r r s s s s s s s s t t t t t t u u u u u u u u u u u u w w y y y z z z z z z s "
	"                                                                o o                           u u                               "
	"        dzdzdzljljljnjnjnja a i i o o u u u u u u u u u u   a a a a         g g k k o o o o     j dzdzdzg g     n n a a         "
	"a a a a e e e e i i i i o o o o r r r r u u u u s s t t     h h             a a e e o o o o o o o o y y                         "
	"                                ";
static const char latin_more[] =	/* U+1E00 to U+1EFF */
	"a a b b b b b b c c d d d d d d d d d d e e e e e e e e e e f f g g h h h h h h h h h h i i i i k k k k k k l l l l l l l l m m "
	"m m m m n n n n n n n n o o o o o o o o p p p p r r r r r r r r s s s s s s s s s s t t t t t t t t u u u u u u u u u u v v v v "
	"w w w w w w w w w w x x x x y y z z z z z z h t w y a s     ss  a a a a a a a a a a a a a a a a a a a a a a a a e e e e e e e e "
	"e e e e e e e e i i i i o o o o o o o o o o o o o o o o o o o o o o o o u u u u u u u u u u u u u u y y y y y y y y             ";

static size_t
from_table(const char *two, uint32_t cp, char out[4])
{
	if (two[0] == ' ')
		return cp == 0xD7 || cp == 0xF7 ? 0 : text_put(cp, out);
	out[0] = two[0];
	out[1] = two[1];
	return two[1] == ' ' ? 1 : 2;
}

size_t
text_put(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | (cp >> 6));
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xE0 | (cp >> 12));
		out[1] = (char)(0x80 | ((cp >> 6) & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | (cp >> 18));
	out[1] = (char)(0x80 | ((cp >> 12) & 0x3F));
	out[2] = (char)(0x80 | ((cp >> 6) & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

/* Signs, blanks and private use above Latin: what is no part of a word. */
static bool
separates(uint32_t cp)
{
	return (cp >= 0x2000 && cp < 0x2C00) || (cp >= 0x3000 && cp < 0x3005) || (cp >= 0x3008 && cp < 0x3040) || (cp >= 0xD800 && cp < 0xF900) ||
	    (cp >= 0xFE00 && cp < 0xFE70) || (cp >= 0xFF5B && cp < 0xFF66) || cp >= 0xFFE0;
}

size_t
text_fold_char(uint32_t cp, char out[4])
{
	if (cp >= 0xFF10 && cp < 0xFF5B)	/* full width */
		cp -= 0xFEE0;
	if (cp < 0x80) {
		out[0] = (char)(cp >= 'A' && cp <= 'Z' ? cp + 32 : cp);
		return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || (cp >= '0' && cp <= '9') ? 1 : 0;
	}
	if (cp < 0xC0) {
		out[0] = cp == 0xB5 ? 'u' : cp == 0xB2 ? '2' : cp == 0xB3 ? '3' : '1';
		return cp == 0xB5 || cp == 0xB2 || cp == 0xB3 || cp == 0xB9 ? 1 : 0;
	}
	if (cp < 0x250)
		return from_table(latin + 2 * (cp - 0xC0), cp, out);
	if (cp >= 0x1E00 && cp < 0x1F00)
		return from_table(latin_more + 2 * (cp - 0x1E00), cp, out);
	if (separates(cp))
		return 0;
	if ((cp >= 0x391 && cp <= 0x3A9) || (cp >= 0x410 && cp <= 0x42F))
		cp += 32;
	else if (cp >= 0x400 && cp <= 0x40F)
		cp += 80;
	return text_put(cp, out);
}
