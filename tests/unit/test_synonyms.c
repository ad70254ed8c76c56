/* Words that mean nearly the same: built in, and the owner's. */
#include "unit.h"

#include <string.h>

#include "search/synonyms.h"

static bool
means(const char *word, const char *other)
{
	struct synonym same[SYNONYMS_MAX];
	size_t n = synonyms_of(word, strlen(word), same);

	for (size_t i = 0; i < n; i++)
		if (same[i].n == strlen(other) && memcmp(same[i].s, other, same[i].n) == 0)
			return true;
	return false;
}

static size_t
count(const char *word)
{
	struct synonym same[SYNONYMS_MAX];

	return synonyms_of(word, strlen(word), same);
}

START_TEST(common_words_have_some_in_all_languages)
{
	static const char *const rows[][2] = {
		{ "sofa", "couch" }, { "couch", "sofa" }, { "settee", "canape" }, { "teppich", "rug" }, { "lampara", "lampe" }, { "trainers", "sneakers" },
		{ "frigo", "refrigerateur" }, { "aspirateur", "vacuum" }, { "stuhl", "chaise" }, { "coussin", "kissen" }, { "nappies", "diapers" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert_msg(means(rows[i][0], rows[i][1]), "%s - %s", rows[i][0], rows[i][1]);
		ck_assert_msg(means(rows[i][1], rows[i][0]), "%s - %s", rows[i][1], rows[i][0]);
	}
}
END_TEST

START_TEST(other_words_have_none)
{
	ck_assert_uint_eq(count("zzqx"), 0);
	ck_assert_uint_eq(count(""), 0);
	ck_assert_uint_eq(count("sof"), 0);
	ck_assert(!means("sofa", "sofa"));
	ck_assert_uint_eq(count("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 0);
}
END_TEST

START_TEST(the_owner_replaces_and_takes_away)
{
	ck_assert(synonyms_set("{\"Sofá\": [\"Méridienne\", \"divan\", \"two words\", 7], \"rug\": []}"));
	ck_assert(means("sofa", "meridienne") && means("sofa", "divan"));
	ck_assert_uint_eq(count("sofa"), 2);
	ck_assert_uint_eq(count("rug"), 0);
	ck_assert(means("couch", "sofa"));
	ck_assert(synonyms_set(NULL));
	ck_assert(means("sofa", "couch") && means("rug", "tapis"));
}
END_TEST

START_TEST(what_is_no_object_changes_nothing)
{
	ck_assert(synonyms_set("{\"sofa\": [\"divan\"]}"));
	ck_assert(!synonyms_set("[1]"));
	ck_assert(!synonyms_set("nonsense"));
	ck_assert(means("sofa", "divan"));
	ck_assert(synonyms_set("{\"sofa\": \"divan\"}"));
	ck_assert_uint_eq(count("sofa"), 0);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { common_words_have_some_in_all_languages, other_words_have_none, the_owner_replaces_and_takes_away,
		what_is_no_object_changes_nothing, NULL };

	return unit_run("synonyms", tests);
}
