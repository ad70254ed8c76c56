/* Words of questions that no entry has. */
#include "unit.h"

#include <string.h>

#include "search/faq.h"

static const char words[] = "article delivery delivers livraison refund refunds remboursement return shipping versand";

static bool
taken_for(const char *wrong, const char *right)
{
	size_t n;
	const char *s = faq_correct(words, wrong, strlen(wrong), &n);

	if (right == NULL)
		return s == NULL;
	return s != NULL && n == strlen(right) && memcmp(s, right, n) == 0;
}

START_TEST(near_words_are_found)
{
	ck_assert(taken_for("delivrey", "delivery"));
	ck_assert(taken_for("shiping", "shipping"));
	ck_assert(taken_for("rembousement", "remboursement"));
	ck_assert(taken_for("livrason", "livraison"));
	ck_assert(taken_for("vresand", "versand"));
	ck_assert(taken_for("refund", "refund"));
}
END_TEST

START_TEST(the_first_letter_decides_between_equals)
{
	size_t n;
	const char *s = faq_correct("bake cake lake", "cike", 4, &n);

	ck_assert(s != NULL && n == 4 && memcmp(s, "cake", 4) == 0);
}
END_TEST

START_TEST(far_and_short_words_stay)
{
	ck_assert(taken_for("zebra", NULL));
	ck_assert(taken_for("rfd", NULL));
	ck_assert(taken_for("retu", NULL));	/* two letters are missing, one is allowed */
	ck_assert(taken_for("", NULL));
}
END_TEST

START_TEST(no_list_no_word)
{
	size_t n = 9;

	ck_assert(faq_correct("", "delivery", 8, &n) == NULL);
	ck_assert_uint_eq(n, 0);
	ck_assert(faq_correct("  delivery  ", "delivery", 8, &n) != NULL);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { near_words_are_found, the_first_letter_decides_between_equals, far_and_short_words_stay, no_list_no_word, NULL };

	return unit_run("faq", tests);
}
