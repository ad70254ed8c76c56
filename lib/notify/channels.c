/* The table of channels, and what they share; see channel.h. */
#include "notify/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "shop/pay.h"
#include "store/fetch.h"

/* What a payment needs of its provider: a refund, the end of a session. */
static void
stripe_send(struct ctx *c, const struct delivery *d, struct outcome *out)
{
	size_t n;
	const char *failed = NULL;
	enum err e = pay_deliver(c, json_text(c, d->data, &n), &failed);

	out->kind = e != E_OK ? OUTCOME_RETRY : failed != NULL ? OUTCOME_PARK : OUTCOME_SENT;
	out->reason = e != E_OK ? ctx_message(c) : failed;
	out->wait_s = e != E_OK ? c->retry_after_s : 0;
}

static const struct {
	const char *name;
	channel_fn *fn;
} channels[] = {
	{ "email", mail_send },
	{ "sms", sms_send },
	{ "whatsapp", whatsapp_send },
	{ "webhook", webhook_send },
	{ "stripe", stripe_send },
};

channel_fn *
channel_find(const char *name)
{
	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++)
		if (strcmp(channels[i].name, name) == 0)
			return channels[i].fn;
	return NULL;
}

bool
channel_message(struct ctx *c, const struct delivery *d, struct notify_message *m, struct outcome *out)
{
	const char *locale = notify_locale(d->locale);
	struct notify_texts texts;

	if (notify_texts(c, d->template, locale, &texts) == E_OK && notify_fill(c, &texts, locale, d->data, m) == E_OK)
		return true;
	out->kind = c->err == E_UNAVAILABLE ? OUTCOME_HOLD : OUTCOME_PARK;
	out->reason = ctx_message(c);
	return false;
}

static bool
write_whole(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno != EINTR)
			return false;
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	return fsync(fd) == 0;
}

bool
channel_write(struct ctx *c, const struct delivery *d, const char *ext, const char *text, size_t n, struct outcome *out)
{
	const char *dir = cfg_str("MAIL_DIR"), *path, *temp;
	bool ok;
	int fd;

	if (dir[0] == '\0')
		return false;
	path = arena_printf(c->a, "%s/%06ld-%s.%s", dir, strtol(d->id, NULL, 10), d->template[0] != '\0' ? d->template : d->channel, ext);
	temp = arena_printf(c->a, "%s.new", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	ok = fd >= 0 && write_whole(fd, text, n);
	if (fd >= 0)
		ok = close(fd) == 0 && ok && rename(temp, path) == 0;
	out->kind = ok ? OUTCOME_SENT : OUTCOME_RETRY;
	out->reason = ok ? NULL : "the message could not be written into MAIL_DIR";
	out->provider_id = ok ? arena_printf(c->a, "file:%s", strrchr(path, '/') + 1) : NULL;
	return true;
}

void
channel_no_answer(const struct fetch_reply *reply, struct outcome *out)
{
	out->kind = reply->fault == FETCH_HELD_BACK ? OUTCOME_HOLD : reply->fault == FETCH_REFUSED ? OUTCOME_PARK : OUTCOME_RETRY;
	out->reason = reply->why;
	out->lost = reply->fault == FETCH_LOST || reply->fault == FETCH_TOO_LARGE;
}
