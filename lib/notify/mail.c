/* The channel email: SMTP through libcurl (RFC 5321; TLS and authentication are libcurl's), or files in MAIL_DIR. */
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "notify/channel.h"
#include "notify/mime.h"
#include "notify/unsubscribe.h"

static CURL *handle;	/* kept with its connection, between messages */

/* Where curl reads the message from. */
struct source {
	const char *p;
	size_t n;
};

static size_t
give(char *to, size_t size, size_t n, void *arg)
{
	struct source *s = arg;

	n *= size;
	if (n > s->n)
		n = s->n;
	memcpy(to, s->p, n);
	s->p += n;
	s->n -= n;
	return n;
}

/* The host that our addresses belong to: that of MAIL_FROM or of PUBLIC_URL. */
static const char *
own_domain(struct ctx *c)
{
	const char *at = strchr(cfg_str("MAIL_FROM"), '@'), *url = strstr(cfg_str("PUBLIC_URL"), "://");

	if (at != NULL)
		return at + 1;
	if (url == NULL || url[3] == '[')
		return "localhost";
	return arena_strndup(c->a, url + 3, strcspn(url + 3, ":/"));
}

/* smtp://127.0.0.1, localhost or [::1]: nobody listens in between. */
static bool
is_local(const char *url)
{
	const char *host = strstr(url, "://") + 3, *at = strrchr(host, '@');

	if (at != NULL)
		host = at + 1;
	return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 || strncmp(host, "[::1]", 5) == 0;
}

static void
prepare(const char *url, struct curl_slist *to, const char *from, struct source *source, int timeout_ms)
{
	const char *tls = cfg_str("SMTP_TLS"), *ca = cfg_str("OUTGOING_CA_FILE");
	bool need = strcmp(tls, "always") == 0 || (strcmp(tls, "auto") == 0 && !is_local(url));

	curl_easy_setopt(handle, CURLOPT_URL, url);
	curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(handle, CURLOPT_PROXY, "");
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
	curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(handle, CURLOPT_USE_SSL, (long)(need ? CURLUSESSL_ALL : strcmp(tls, "never") == 0 ? CURLUSESSL_NONE : CURLUSESSL_TRY));
	if (ca[0] != '\0')
		curl_easy_setopt(handle, CURLOPT_CAINFO, ca);
	curl_easy_setopt(handle, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(handle, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(handle, CURLOPT_READDATA, source);
	curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)source->n);
}

/*
 * What the end of an SMTP conversation means.  reply: the server's last code, 0 when there was none; given: was the message read already?  A server that
 * turns us away at its greeting (554), or wants us to log in first (530, 534, 538), says nothing of the message.
 */
static void
judge(struct ctx *c, CURLcode code, long reply, bool given, struct outcome *out)
{
	bool of_us = reply == 530 || reply == 534 || reply == 538 || (code == CURLE_WEIRD_SERVER_REPLY && !given);

	out->kind = OUTCOME_RETRY;
	if (code == CURLE_OK) {
		out->kind = OUTCOME_SENT;
	} else if (code == CURLE_LOGIN_DENIED) {
		out->reason = "the mail server refuses the user or password of SMTP_URL";
	} else if (code == CURLE_USE_SSL_FAILED || code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION) {
		out->reason = "no trusted TLS connection to the mail server";
	} else if (reply >= 500 && reply < 600 && of_us) {
		out->reason = arena_printf(c->a, "the mail server takes nothing from us (%ld); see SMTP_URL", reply);
	} else if (reply >= 500 && reply < 600) {
		out->kind = OUTCOME_PARK;
		out->reason = arena_printf(c->a, "the mail server refused the message for good (%ld)", reply);
	} else if (reply >= 400 && reply < 500) {
		out->reason = arena_printf(c->a, "the mail server put the message off (%ld)", reply);
	} else {
		out->reason = code == CURLE_OPERATION_TIMEDOUT ? "the mail server did not answer in time" : "no connection to the mail server";
	}
}

static void
send_by_smtp(struct ctx *c, const struct mime_mail *m, const struct buf *text, struct outcome *out)
{
	struct source source = { text->p, text->n };
	struct curl_slist *to = curl_slist_append(NULL, arena_printf(c->a, "<%s>", m->to));
	long reply = 0;
	CURLcode code;

	if (handle == NULL)
		handle = curl_easy_init();
	else
		curl_easy_reset(handle);
	prepare(cfg_str("SMTP_URL"), to, arena_printf(c->a, "<%s>", m->from), &source, ctx_left_ms(c, CHANNEL_TIMEOUT_MS));
	code = curl_easy_perform(handle);
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &reply);
	curl_easy_reset(handle);
	curl_slist_free_all(to);
	judge(c, code, reply, source.n < text->n, out);
}

void
mail_send(struct ctx *c, const struct delivery *d, struct outcome *out)
{
	const char *domain = own_domain(c), *from = cfg_str("MAIL_FROM"), *name = cfg_str("MAIL_FROM_NAME");
	bool smtp = cfg_str("SMTP_URL")[0] != '\0', written_by_people = strcmp(d->template, "message") == 0;
	struct notify_message message;
	struct mime_mail m = { .to = d->recipient, .reply_to = cfg_str("MAIL_REPLY_TO"), .unsubscribe = "", .unsubscribe_url = "" };
	struct buf text;

	if (!smtp && cfg_str("MAIL_DIR")[0] == '\0') {
		*out = (struct outcome){ .kind = OUTCOME_PARK, .reason = "no mail server is set (SMTP_URL)" };
		return;
	}
	if (strcmp(d->template, "one_time_code") != 0 && strcmp(d->template, "alert") != 0) {
		m.unsubscribe = m.reply_to[0] != '\0' ? m.reply_to : from[0] != '\0' ? from : arena_printf(c->a, "shop@%s", domain);
		m.unsubscribe_url = unsubscribe_url(c, d->id);
		json_object_object_add(d->data, "unsubscribeUrl", json_object_new_string(m.unsubscribe_url));
	}
	if (!channel_message(c, d, &message, out))
		return;
	m.from = from[0] != '\0' ? from : arena_printf(c->a, "shop@%s", domain);
	m.from_name = name[0] != '\0' ? name : cfg_str("SHOP_NAME");
	m.subject = message.part[PART_SUBJECT];
	m.text = message.part[PART_TEXT];
	m.html = message.part[PART_HTML];
	m.message_id = arena_printf(c->a, "%s@%s", d->key, domain);
	m.boundary = d->key;
	m.date_s = wall_ms() / 1000;
	m.automatic = !written_by_people;
	if (json_get_array(d->data, "attachments", &m.attachments) != JSON_OK)
		m.attachments = NULL;
	buf_init(&text, c->a, 8192, MIME_MAX);
	if (mime_write(c, &m, &text)) {
		*out = (struct outcome){ .kind = OUTCOME_PARK, .reason = ctx_message(c) };
		return;
	}
	out->provider_id = m.message_id;
	if (smtp)
		send_by_smtp(c, &m, &text, out);
	else
		(void)channel_write(c, d, "eml", text.p, text.n, out);
}
