/* Messages: the template language, the built-in texts, MIME, segments of text messages, signatures of webhooks, waiting times. */
#include "unit.h"

#include <string.h>

#include "core/buf.h"
#include "core/config.h"
#include "core/json.h"
#include "core/log.h"
#include "notify/catalog.h"
#include "notify/channel.h"
#include "notify/deliver.h"
#include "notify/mime.h"
#include "notify/template.h"
#include "notify/webhook.h"

static struct arena arena;
static struct ctx c;

static void
begin(void)
{
	char err[256];

	(void)unsetenv("SOUK_CONF");
	(void)setenv("TOKEN_PEPPER", "a pepper that only the tests know, 0123456789", 1);
	ck_assert_msg(cfg_load("/dev/null", err, sizeof(err)), "%s", err);
	log_init("test", "/dev/null", "error");
	c = unit_ctx(&arena, 64 << 20);
	c.deadline_ms = now_ms() + 60000;
}

static json_object *
model(const char *json)
{
	json_object *o;

	ck_assert_msg(json_parse(&c, json, strlen(json), &o) == E_OK, "%s", json);
	return o;
}

static const char *
piece(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "p") == 0 ? "<{{a}}>" : strcmp(name, "loop") == 0 ? "{{>loop}}" : NULL;
}

static const char *
rendered(const char *text, enum template_form form, const char *json)
{
	struct template t = { text, form, model(json), piece, NULL };
	struct buf out;

	ctx_clear_error(&c);
	buf_init(&out, &arena, 64, 65536);
	if (template_render(&c, &t, &out) != E_OK)
		return ctx_message(&c);
	return buf_str(&out);
}

static const char *
checked(const char *text, const char *json)
{
	struct template t = { text, TEMPLATE_HTML, model(json), piece, NULL };

	ctx_clear_error(&c);
	return template_check(&c, &t) == E_OK ? "ok" : ctx_message(&c);
}

#define IS(text, json, want) ck_assert_str_eq(rendered(text, TEMPLATE_TEXT, json), want)
#define IS_HTML(text, json, want) ck_assert_str_eq(rendered(text, TEMPLATE_HTML, json), want)

START_TEST(template_fills_values)
{
	begin();
	IS("a {{x}} b {{ y.z }}.", "{\"x\":\"1\",\"y\":{\"z\":2}}", "a 1 b 2.");
	IS("[{{no}}{{y}}{{l}}]", "{\"y\":{},\"l\":[1]}", "[]");
	IS("{{x}}", "{\"x\":\"{{y}}\",\"y\":\"no\"}", "{{y}}");
	IS("{{! a remark }}x", "{}", "x");
	IS("{{a}}{{b}}", "{\"a\":true,\"b\":1.50}", "true1.50");
}
END_TEST

START_TEST(template_escapes_html_and_controls)
{
	begin();
	IS_HTML("<b>{{x}}</b>", "{\"x\":\"<script>&\\\"'\"}", "<b>&lt;script&gt;&amp;&quot;&#39;</b>");
	IS("<b>{{x}}</b>", "{\"x\":\"<&>\"}", "<b><&></b>");
	IS("{{x}}", "{\"x\":\"a\\r\\u0007b\\u001b[1mc\\nd\"}", "a  b [1mc\nd");
	IS_HTML("<a href=\"{{trackUrl}}\">", "{\"trackUrl\":\"javascript:alert(1)\"}", "<a href=\"\">");
	IS_HTML("<a href=\"{{trackUrl}}\">", "{\"trackUrl\":\"https://x.example/?a=1&b=\\\"\"}", "<a href=\"https://x.example/?a=1&amp;b=&quot;\">");
}
END_TEST

START_TEST(template_repeats_and_leaves_out)
{
	begin();
	IS("{{#l}}{{n}},{{/l}}", "{\"l\":[{\"n\":1},{\"n\":2}]}", "1,2,");
	IS("{{#l}}{{.}}{{o}} {{/l}}", "{\"l\":[\"a\",\"b\"],\"o\":\"!\"}", "a! b! ");
	IS("{{#o}}{{n}}{{/o}}", "{\"o\":{\"n\":3},\"n\":4}", "3");
	IS("{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{\"t\":\"x\"}", "yes");
	IS("{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{\"t\":\"\"}", "no");
	IS("{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{\"t\":[]}", "no");
	IS("{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{\"t\":0}", "no");
	IS("{{#t}}yes{{/t}}{{^t}}no{{/t}}", "{}", "no");
	IS("{{^l}}none{{/l}}", "{\"l\":[1,2,3]}", "");
	IS("{{#a}}{{#b}}{{x}}{{y}}{{/b}}{{/a}}", "{\"a\":[{\"x\":1,\"b\":[{\"y\":2},{\"y\":3}]}]}", "1213");
	IS("a\n{{#t}}\nb\n{{/t}}\nc\n", "{\"t\":1}", "a\nb\nc\n");
	IS("a\n {{#t}} \nb\n{{/t}}\nc", "{}", "a\nc");
	IS("a\n{{>p}}\nb", "{\"a\":1}", "a\n<1>\nb");
}
END_TEST

START_TEST(template_says_what_is_wrong_and_where)
{
	begin();
	IS("a\nb {{x", "{}", "template, line 2: {{ without }}");
	IS("{{#a}}", "{\"a\":1}", "template, line 1: this section is not closed: a");
	IS("{{#a}}{{#b}}{{/a}}{{/b}}", "{}", "template, line 1: this closes another section: b");
	IS("{{#a}}\n{{/b}}", "{}", "template, line 2: this closes another section: b");
	IS("{{/a}}", "{}", "template, line 1: nothing to close: a");
	IS("{{a b}}", "{}", "template, line 1: a name of letters, digits and _ is expected between {{ and }}");
	IS("{{{a}}}", "{}", "template, line 1: a name of letters, digits and _ is expected between {{ and }}");
	IS("{{}}", "{}", "template, line 1: a name of letters, digits and _ is expected between {{ and }}");
	IS("{{>q}}", "{}", "template, line 1: there is no piece q");
	IS("{{>loop}}", "{}", "template, line 1: too many pieces inside each other");
}
END_TEST

START_TEST(template_check_finds_unknown_variables)
{
	static const char example[] = "{\"a\":\"x\",\"l\":[{\"n\":1}],\"t\":false}";

	begin();
	ck_assert_str_eq(checked("{{a}}{{#l}}{{n}}{{a}}{{/l}}{{#t}}{{a}}{{/t}}{{^t}}{{a}}{{/t}}", example), "ok");
	ck_assert_str_eq(checked("{{a}}\n{{b}}", example), "template, line 2: there is no variable b");
	ck_assert_str_eq(checked("{{n}}", example), "template, line 1: there is no variable n");
	ck_assert_str_eq(checked("{{#l}}{{m}}{{/l}}", example), "template, line 1: there is no variable m");
	ck_assert_str_eq(checked("{{#t}}{{m}}{{/t}}", example), "template, line 1: there is no variable m");
	ck_assert_str_eq(checked("{{#x}}{{/x}}", example), "template, line 1: there is no variable x");
}
END_TEST

START_TEST(notify_every_message_has_every_part_in_every_language)
{
	static const char *const locales[] = { "en", "es", "fr", "de" };
	int messages = 0;

	begin();
	for (const struct notify_file *f = notify_files; f->name != NULL; f++) {
		if (!notify_exists(f->name))
			continue;
		messages++;
		for (size_t l = 0; l < 4; l++) {
			for (int p = 0; p < PART__MAX; p++) {
				const char *text = notify_builtin(&c, f->name, locales[l], (enum notify_part)p);

				if (strcmp(f->name, "layout") == 0 && (p == PART_SUBJECT || p == PART_SMS))
					continue;
				ck_assert_msg(text != NULL && text[0] != '\0', "%s %s %s", f->name, locales[l], notify_part_name((enum notify_part)p));
				ck_assert_msg(notify_check(&c, f->name, locales[l], (enum notify_part)p, text) == E_OK, "%s %s %s: %s", f->name, locales[l],
					notify_part_name((enum notify_part)p), ctx_message(&c));
			}
		}
	}
	ck_assert_int_eq(messages, 16);	/* the layout is one */
}
END_TEST

/* The built-in message of that name with its example. */
static struct notify_message
filled(const char *name, const char *locale)
{
	struct notify_texts texts = { 0 };
	struct notify_message m;

	for (int p = 0; p < PART__MAX; p++) {
		texts.part[p] = notify_builtin(&c, name, locale, (enum notify_part)p);
		texts.layout[p] = notify_builtin(&c, "layout", locale, (enum notify_part)p);
	}
	ck_assert_int_eq(notify_fill(&c, &texts, locale, notify_sample(&c, name, locale), &m), E_OK);
	return m;
}

START_TEST(notify_fills_the_examples)
{
	begin();
	for (const struct notify_file *f = notify_files; f->name != NULL; f++) {
		struct notify_message m;

		if (!notify_exists(f->name) || strcmp(f->name, "layout") == 0)
			continue;
		m = filled(f->name, "de");
		for (int p = 0; p < PART__MAX; p++) {
			ck_assert_msg(m.part[p][0] != '\0', "%s %d", f->name, p);
			ck_assert_msg(strstr(m.part[p], "{{") == NULL && strstr(m.part[p], "\n\n\n") == NULL, "%s: %s", f->name, m.part[p]);
		}
		ck_assert_msg(strpbrk(m.part[PART_SUBJECT], "\r\n") == NULL, "%s", f->name);
		ck_assert_msg(strstr(m.part[PART_HTML], "<html lang=\"de\">") != NULL, "%s", f->name);
	}
	ck_assert_ptr_nonnull(strstr(filled("order_confirmation", "en").part[PART_HTML], "1 × Lamp &lt;Luna&gt;"));
	ck_assert_ptr_nonnull(strstr(filled("order_confirmation", "en").part[PART_TEXT], "1 × Lamp <Luna>: €149.90"));
	ck_assert_str_eq(filled("one_time_code", "fr").part[PART_SMS], "482913 est votre code pour Souk. Ne le donnez à personne.");
}
END_TEST

START_TEST(notify_examples_are_written_as_the_language_does)
{
	static const char *const says[][3] = { { "en", "€149.90", "20 November 2026" }, { "es", "149,90\u00a0€", "20 de noviembre de 2026" },
		{ "fr", "149,90\u00a0€", "20 novembre 2026" }, { "de", "149,90\u00a0€", "20. November 2026" } };

	begin();
	for (size_t i = 0; i < sizeof(says) / sizeof(*says); i++) {
		json_object *o = notify_sample(&c, "order_confirmation", says[i][0]);

		ck_assert_str_eq(json_object_get_string(json_object_object_get(o, "subtotal")), says[i][1]);
		ck_assert_str_eq(json_object_get_string(json_object_object_get(o, "orderDate")), says[i][2]);
		ck_assert_str_eq(json_object_get_string(json_object_object_get(o, "locale")), says[i][0]);
	}
	arena_release(&arena);
}
END_TEST

START_TEST(notify_subject_is_one_line)
{
	struct notify_texts texts = { .part = { "Hello {{x}}", "t", "", "" } };
	struct notify_message m;

	begin();
	ck_assert_int_eq(notify_fill(&c, &texts, "en", model("{\"x\":\"a\\r\\nBcc: b@c.example\"}"), &m), E_OK);
	ck_assert_str_eq(m.part[PART_SUBJECT], "Hello a  Bcc: b@c.example");
}
END_TEST

/* ---- MIME ---- */

static const char *
mail(const char *to, const char *subject, const char *attachments)
{
	struct mime_mail m = { .from = "shop@shop.example", .from_name = "Café \"Lune\"", .to = to, .reply_to = "", .subject = subject,
		.text = "Hé\n.dot\nFrom here \n", .html = "<p>x</p>", .message_id = "k@shop.example", .boundary = "b", .date_s = 1795180095, .unsubscribe = "", .unsubscribe_url = "",
		.attachments = attachments != NULL ? model(attachments) : NULL };
	struct buf out;

	ctx_clear_error(&c);
	buf_init(&out, &arena, 1024, MIME_MAX);
	return mime_write(&c, &m, &out) == E_OK ? buf_str(&out) : NULL;
}

START_TEST(mime_refuses_header_injection)
{
	static const char *const bad[] = { "", "a", "@b", "a@", "a@b@c", "a@b\r\nBcc: x@y", "a b@c", "<a@b>", "a@b,c@d", "\"a\"@b", "-x@y", "a@b;c" };

	begin();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(mail(bad[i], "s", NULL) == NULL, "%s", bad[i]);
	ck_assert_ptr_null(mail("a@b.example", "s\r\nBcc: x@y", NULL));
	ck_assert_ptr_null(mail("a@b.example", "s\nBcc: x@y", NULL));
	ck_assert_ptr_null(mail("a@b.example", "s", "[{\"name\":\"a/b\",\"type\":\"text/plain\",\"content\":\"\"}]"));
	ck_assert_ptr_null(mail("a@b.example", "s", "[{\"name\":\"a\",\"type\":\"text/plain\\r\\nX: y\",\"content\":\"\"}]"));
	ck_assert_ptr_null(mail("a@b.example", "s", "[{\"name\":\"a\",\"type\":\"text/plain\",\"content\":\"%%\"}]"));
	ck_assert_ptr_nonnull(mail("a@b.example", "s", "[{\"name\":\"a\",\"type\":\"text/plain\",\"content\":\"YQ==\"}]"));
}
END_TEST

START_TEST(mime_lines_are_short_and_ascii)
{
	char subject[1200];
	const char *text, *line;

	begin();
	for (size_t i = 0; i + 3 < sizeof(subject); i += 3)
		memcpy(subject + i, i % 2 ? "é " : "日", 3);
	subject[1197] = '\0';
	text = mail("a@b.example", subject, "[{\"name\":\"facture n° 7.pdf\",\"type\":\"application/pdf\",\"content\":\"AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8AAQIDBAUGBwgJCgsMDQ4PAAECAwQFBgcICQoL\"}]");
	ck_assert_ptr_nonnull(text);
	for (line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
		ck_assert_msg(strcspn(line, "\r") <= 76, "%.100s", line);
		ck_assert_msg(line[strcspn(line, "\n") - 1] == '\r', "%.100s", line);
	}
	for (; *text != '\0'; text++)
		ck_assert((unsigned char)*text < 127);
}
END_TEST

START_TEST(mime_dates)
{
	char date[40];

	mime_date(0, date);
	ck_assert_str_eq(date, "Thu, 01 Jan 1970 00:00:00 +0000");
	mime_date(1795180095, date);
	ck_assert_str_eq(date, "Fri, 20 Nov 2026 13:08:15 +0000");
}
END_TEST

/* ---- others ---- */

static int
segments_of(const char *unit, int n)
{
	struct buf b;

	buf_init(&b, &arena, 64, 65536);
	for (int i = 0; i < n; i++)
		buf_puts(&b, unit);
	return sms_segments(buf_str(&b));
}

START_TEST(sms_counts_segments)
{
	begin();
	ck_assert_int_eq(segments_of("a", 160), 1);
	ck_assert_int_eq(segments_of("a", 161), 2);
	ck_assert_int_eq(segments_of("é", 306), 2);
	ck_assert_int_eq(segments_of("é", 307), 3);
	ck_assert_int_eq(segments_of("€", 80), 1);	/* of the extension table */
	ck_assert_int_eq(segments_of("€", 81), 2);
	ck_assert_int_eq(segments_of("ê", 70), 1);	/* not in GSM 03.38 */
	ck_assert_int_eq(segments_of("ê", 71), 2);
	ck_assert_int_eq(segments_of("\xF0\x9F\x98\x80", 35), 1);	/* a pair of surrogates each */
	ck_assert_int_eq(segments_of("\xF0\x9F\x98\x80", 36), 2);
}
END_TEST

START_TEST(webhook_signs_like_stripe)
{
	char one[WEBHOOK_SECRET_MAX], two[WEBHOOK_SECRET_MAX], again[WEBHOOK_SECRET_MAX];

	begin();
	/* printf '1492774577.{"a":1}' | openssl dgst -sha256 -hmac whsec_test */
	ck_assert_str_eq(webhook_sign(&c, "whsec_test", NULL, 1492774577, "{\"a\":1}", 7),
		"t=1492774577,v1=2a55874e33dedb30da6fac02873208f53a243141599a71c0d52a1d5b89656823");
	ck_assert_int_eq(strncmp(webhook_sign(&c, "whsec_test", "whsec_old", 1492774577, "{\"a\":1}", 7),
		"t=1492774577,v1=2a55874e33dedb30da6fac02873208f53a243141599a71c0d52a1d5b89656823,v1=f216bfa86255eb057d0609c0d7249dd70a498f0f69662396056407aed11bfb2e", 200), 0);
	ck_assert_int_eq(webhook_secret(&c, "1", "00112233445566778899aabbccddeeff", one), E_OK);
	ck_assert_int_eq(webhook_secret(&c, "1", "00112233445566778899aabbccddeeff", again), E_OK);
	ck_assert_int_eq(webhook_secret(&c, "2", "00112233445566778899aabbccddeeff", two), E_OK);
	ck_assert_str_eq(one, again);
	ck_assert_str_ne(one, two);
	ck_assert_int_eq(strncmp(one, "whsec_", 6), 0);
	ck_assert_uint_eq(strlen(one), 49);
}
END_TEST

START_TEST(deliver_waits_longer_each_time)
{
	ck_assert_int_eq(deliver_wait_s(1, 15, 0), 15);
	ck_assert_int_eq(deliver_wait_s(2, 15, 0), 30);
	ck_assert_int_eq(deliver_wait_s(3, 15, 0), 60);
	ck_assert_int_eq(deliver_wait_s(3, 15, 1), 30);
	ck_assert_int_eq(deliver_wait_s(200, 15, 0), 3600);
	ck_assert_int_eq(deliver_wait_s(1, 1, 1), 1);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { template_fills_values, template_escapes_html_and_controls, template_repeats_and_leaves_out,
		template_says_what_is_wrong_and_where, template_check_finds_unknown_variables, notify_every_message_has_every_part_in_every_language,
		notify_fills_the_examples, notify_examples_are_written_as_the_language_does,
		notify_subject_is_one_line, mime_refuses_header_injection, mime_lines_are_short_and_ascii, mime_dates,
		sms_counts_segments, webhook_signs_like_stripe, deliver_waits_longer_each_time, NULL };

	return unit_run("notify", tests);
}
