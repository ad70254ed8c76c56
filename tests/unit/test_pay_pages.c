/* QR codes of bank transfers, and who has signed delivery reports. */
#include "unit.h"

#include <string.h>

#include "core/buf.h"
#include "core/json.h"
#include "notify/report.h"
#include "shop/epc.h"
#include "web/req.h"

static struct arena a;
static struct ctx c;

static void
begin(void)
{
	c = unit_ctx(&a, 4 << 20);
}


static const char *
text(const struct epc *e)
{
	struct buf b;

	buf_init(&b, c.a, 64, 4096);
	return epc_text(e, &b) ? buf_str(&b) : NULL;
}

static const struct epc good = { .bic = "", .name = "Maison Lumière", .iban = "FR7630001007941234567890185", .amount = "80.66", .text = "ORD-7K2M9QXA" };

START_TEST(epc_is_written_as_epc069_12_says)
{
	struct epc e = good;

	begin();
	ck_assert_str_eq(text(&e), "BCD\n002\n1\nSCT\n\nMaison Lumière\nFR7630001007941234567890185\nEUR80.66\n\n\nORD-7K2M9QXA");
	e.bic = "BDFEFRPPCCT";
	ck_assert_str_eq(text(&e), "BCD\n002\n1\nSCT\nBDFEFRPPCCT\nMaison Lumière\nFR7630001007941234567890185\nEUR80.66\n\n\nORD-7K2M9QXA");
	e.name = "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé#";	/* 70 of 71 characters */
	ck_assert_ptr_null(strchr(text(&e), '#'));
	ck_assert_ptr_nonnull(strstr(text(&e), "é\nFR76"));
	arena_release(&a);
}
END_TEST

START_TEST(epc_refuses_what_does_not_fit)
{
	static const char *const amounts[] = { "", "0", "0.00", "12.345", "1234567890", "1e3", "-1", "1,50", "1.5x" };
	struct epc e;

	begin();
	for (size_t i = 0; i < sizeof(amounts) / sizeof(*amounts); i++) {
		e = good;
		e.amount = amounts[i];
		ck_assert_msg(text(&e) == NULL, "%s", amounts[i]);
	}
	e = good, e.bic = "SHORT";
	ck_assert_ptr_null(text(&e));
	e = good, e.name = "Two\nlines";
	ck_assert_ptr_null(text(&e));
	e = good, e.iban = "FR76";
	ck_assert_ptr_null(text(&e));
	e = good, e.amount = "999999999.99";
	ck_assert_ptr_nonnull(text(&e));
	arena_release(&a);
}
END_TEST

START_TEST(epc_draws_finder_patterns_and_escapes)
{
	const char *svg;

	begin();
	svg = epc_svg(&c, &good, "Scan <this>");
	ck_assert_ptr_nonnull(svg);
	ck_assert_ptr_nonnull(strstr(svg, "<title>Scan &lt;this&gt;</title>"));
	ck_assert_ptr_nonnull(strstr(svg, " d=\"M4 4h7v1h-7z"));	/* the upper edge of the first finder pattern, after 4 modules of white */
	arena_release(&a);
}
END_TEST

static struct pair
pair(const char *name, const char *value)
{
	return (struct pair){ name, value, strlen(value) };
}

/* The example of Twilio's documentation. */
START_TEST(twilio_signature_vector)
{
	struct pair p[] = { pair("To", "+18005551212"), pair("CallSid", "CA1234567890ABCDE"), pair("From", "+12349013030"), pair("Digits", "1234"),
		pair("Caller", "+12349013030") };
	const char *url = "https://mycompany.com/myapp.php?foo=1&bar=2", *v = "0/KCTR6DLpKmkAf8muzZqo1nDgQ=";

	begin();
	ck_assert(report_twilio_signed(&c, v, url, p, 5, "12345"));
	ck_assert(report_twilio_signed(&c, v, "https://mycompany.com:8443/myapp.php?foo=1&bar=2", p, 5, "12345"));
	ck_assert(!report_twilio_signed(&c, v, url, p, 5, "12346"));
	ck_assert(!report_twilio_signed(&c, v, url, p, 4, "12345"));
	ck_assert(!report_twilio_signed(&c, v, "https://mycompany.com/myapp.php?foo=1&bar=3", p, 5, "12345"));
	ck_assert(!report_twilio_signed(&c, "", url, p, 5, "12345"));
	ck_assert(!report_twilio_signed(&c, NULL, url, p, 5, "12345"));
	arena_release(&a);
}
END_TEST

/* printf '%s' '{"object":"x"}' | openssl dgst -sha256 -hmac app-secret */
START_TEST(meta_signature_vector)
{
	const char *body = "{\"object\":\"x\"}", *v = "sha256=d5155d7b870af79a2eef5f1d9bb1f504a6b118b5754ebad8462822594f4425ec";

	begin();
	ck_assert(report_meta_signed(v, body, strlen(body), "app-secret"));
	ck_assert(!report_meta_signed(v + 7, body, strlen(body), "app-secret"));
	ck_assert(!report_meta_signed(v, body, strlen(body) - 1, "app-secret"));
	ck_assert(!report_meta_signed(v, body, strlen(body), "app-secreT"));
	ck_assert(!report_meta_signed(NULL, body, strlen(body), "app-secret"));
	arena_release(&a);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { epc_is_written_as_epc069_12_says, epc_refuses_what_does_not_fit, epc_draws_finder_patterns_and_escapes,
		twilio_signature_vector, meta_signature_vector, NULL };

	return unit_run("pay_pages", tests);
}
