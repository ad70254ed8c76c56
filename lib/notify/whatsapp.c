/*
 * The channel whatsapp: Meta's Cloud API (POST /{version}/{phone number id}/messages).  A notification is sent as a template that Meta has approved,
 * WHATSAPP_TEMPLATE_PREFIX and its name, with the variables of the file's @whatsapp section as body parameters; what people write is free text, which
 * Meta delivers within 24 hours of the recipient's last message only.
 */
#include <string.h>

#include "core/banned.h"
#include "core/buf.h"
#include "core/config.h"
#include "core/json.h"
#include "notify/channel.h"
#include "store/fetch.h"

#define TEXT_MAX 4096		/* characters of free text */
#define PARAMETER_MAX 1024

/* ---- the request ---- */

/* A parameter: one line, never empty, as Meta demands. */
static void
put_parameter(struct ctx *c, struct buf *b, json_object *data, const char *name)
{
	const char *s = json_object_get_string(json_object_object_get(data, name));
	char *line = arena_strndup(c->a, s != NULL && s[0] != '\0' ? s : "-", s != NULL && s[0] != '\0' ? strnlen(s, PARAMETER_MAX) : 1);

	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	buf_puts(b, "{\"type\":\"text\",\"text\":");
	buf_json_cstr(b, line);
	buf_putc(b, '}');
}

static void
begin_template(struct buf *b, const char *name, const char *locale)
{
	buf_puts(b, "\"type\":\"template\",\"template\":{\"name\":");
	buf_json_cstr(b, name);
	buf_puts(b, ",\"language\":{\"code\":");
	buf_json_cstr(b, notify_locale(locale));
	buf_puts(b, "},\"components\":[{\"type\":\"body\",\"parameters\":[");
}

/* A template that whoever wrote the message has chosen, with the values they gave. */
static void
put_chosen(struct buf *b, const struct delivery *d, const char *name)
{
	json_object *values = json_object_object_get(d->data, "metaParameters");
	size_t n = json_object_is_type(values, json_type_array) ? json_object_array_length(values) : 0;

	begin_template(b, name, d->locale);
	for (size_t i = 0; i < n; i++) {
		buf_puts(b, i > 0 ? ",{\"type\":\"text\",\"text\":" : "{\"type\":\"text\",\"text\":");
		buf_json_cstr(b, json_object_get_string(json_object_array_get_idx(values, i)));
		buf_putc(b, '}');
	}
	buf_puts(b, "]}]}");
}

static void
put_template(struct ctx *c, struct buf *b, const struct delivery *d, const char *names)
{
	size_t n;

	begin_template(b, arena_printf(c->a, "%s%s", cfg_str("WHATSAPP_TEMPLATE_PREFIX"), d->template), d->locale);
	for (const char *p = names; (n = strcspn(p, " \n")) > 0; p += n + (p[n] != '\0')) {
		if (p != names)
			buf_putc(b, ',');
		put_parameter(c, b, d->data, arena_strndup(c->a, p, n));
	}
	buf_puts(b, "]}");
	/* A template of the category authentication has a button that copies the code. */
	if (strcmp(d->template, "one_time_code") == 0) {
		buf_puts(b, ",{\"type\":\"button\",\"sub_type\":\"url\",\"index\":\"0\",\"parameters\":[");
		put_parameter(c, b, d->data, "code");
		buf_puts(b, "]}");
	}
	buf_puts(b, "]}");
}

/* ---- the answer ---- */

enum meaning { LATER, NEVER, OPTED_OUT };

/* Meta's error codes: what is not here will not get better by itself. */
static enum meaning
meaning_of(int64_t code, int status)
{
	static const int later[] = { 1, 2, 4, 80007, 130429, 131000, 131016, 131048, 131049, 131056, 131057, 133004, 133016,
		0, 3, 10, 190, 200 /* credentials and permissions: they can be mended while it waits */ };

	if (code == 131050)		/* the recipient has stopped such messages */
		return OPTED_OUT;
	for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++)
		if (code == later[i])
			return LATER;
	return code < 0 && (status >= 500 || status == 429 || status == 401) ? LATER : NEVER;
}

static void
judge(struct ctx *c, const struct fetch_reply *reply, struct outcome *out)
{
	json_object *o = NULL, *list, *error;
	const char *id;
	int64_t code = -1;
	size_t n;

	if (json_parse(c, reply->body, reply->n, &o) != E_OK)
		o = NULL;
	ctx_clear_error(c);
	if (reply->status == 200) {
		out->kind = OUTCOME_SENT;
		if (json_get_array(o, "messages", &list) == JSON_OK && json_get_string(json_object_array_get_idx(list, 0), "id", 1, 200, &id, &n) == JSON_OK)
			out->provider_id = id;
		return;
	}
	if (json_get_object(o, "error", &error) == JSON_OK && json_get_int(error, "code", 0, 999999999, &code) != JSON_OK)
		code = -1;
	out->reason = arena_printf(c->a, "Meta refused the message (%d, code %d)%s", reply->status, (int)code,
		code == 131047 ? ": free text needs a message from the recipient in the last 24 hours" : code == 132001 ? ": it has no such template" : "");
	out->wait_s = reply->retry_after_s;
	switch (meaning_of(code, reply->status)) {
	case LATER: out->kind = OUTCOME_RETRY; break;
	case NEVER: out->kind = OUTCOME_PARK; break;
	case OPTED_OUT: out->kind = OUTCOME_OPT_OUT; break;
	}
}

static void
post(struct ctx *c, const struct buf *body, struct outcome *out)
{
	const struct fetch_header headers[] = { { "Content-Type", "application/json" },
		{ "Authorization", arena_printf(c->a, "Bearer %s", cfg_str("WHATSAPP_ACCESS_TOKEN")) }, { NULL, NULL } };
	struct fetch_request req = { .headers = headers, .body = body->p, .bodysz = body->n, .timeout_ms = CHANNEL_TIMEOUT_MS };
	struct fetch_reply reply;

	req.url = arena_printf(c->a, "%s/%s/%s/messages", cfg_str("WHATSAPP_URL"), cfg_str("WHATSAPP_API_VERSION"),
		fetch_escape(c, cfg_str("WHATSAPP_PHONE_NUMBER_ID")));
	if (fetch(c, &req, &reply) == E_OK)
		judge(c, &reply, out);
	else
		channel_no_answer(&reply, out);
}

void
whatsapp_send(struct ctx *c, const struct delivery *d, struct outcome *out)
{
	bool set = cfg_str("WHATSAPP_PHONE_NUMBER_ID")[0] != '\0' && cfg_str("WHATSAPP_ACCESS_TOKEN")[0] != '\0';
	const char *names = notify_whatsapp(c, d->template), *chosen = json_object_get_string(json_object_object_get(d->data, "metaTemplate")), *text;
	struct notify_message m;
	struct buf body;

	*out = (struct outcome){ .kind = OUTCOME_PARK };
	if (!set && cfg_str("MAIL_DIR")[0] == '\0') {
		out->reason = "no account for WhatsApp is set (WHATSAPP_PHONE_NUMBER_ID, WHATSAPP_ACCESS_TOKEN)";
		return;
	}
	if (d->recipient[0] != '+' || strspn(d->recipient + 1, "0123456789") != strlen(d->recipient + 1)) {
		out->reason = "the recipient is no telephone number of the form +33612345678";
		return;
	}
	if (!channel_message(c, d, &m, out))
		return;
	text = m.part[PART_SMS];
	if (!set) {
		text = arena_printf(c->a, "To: %s\n\n%s\n", d->recipient, text);
		(void)channel_write(c, d, "whatsapp.txt", text, strlen(text), out);
		return;
	}
	if (names == NULL && chosen == NULL && (text[0] == '\0' || utf8_length(text, strlen(text)) > TEXT_MAX)) {
		out->reason = "the text is empty, or longer than 4096 characters";
		return;
	}
	buf_init(&body, c->a, 1024, 65536);
	buf_puts(&body, "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\",\"to\":");
	buf_json_cstr(&body, d->recipient + 1);
	buf_puts(&body, ",\"biz_opaque_callback_data\":");
	buf_json_cstr(&body, d->key);
	buf_putc(&body, ',');
	if (chosen != NULL) {
		put_chosen(&body, d, chosen);
	} else if (names != NULL) {
		put_template(c, &body, d, names);
	} else {
		buf_puts(&body, "\"type\":\"text\",\"text\":{\"preview_url\":false,\"body\":");
		buf_json_cstr(&body, text);
		buf_putc(&body, '}');
	}
	buf_putc(&body, '}');
	post(c, &body, out);
}
