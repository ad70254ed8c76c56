/* The dispatcher; see deliver.h. */
#include "notify/deliver.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

#include "core/banned.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/log.h"
#include "gen/sql.h"
#include "notify/channel.h"
#include "ops/metrics.h"
#include "store/db.h"

#define LEASE_S 120		/* longer than any attempt takes */
#define WAIT_MAX_S 3600
#define HOLD_S 5
#define FINISH_TRIES 20
#define STRIPE_RETRY_H 23
#define ATTEMPTS_MAX 200	/* a row that kills its dispatcher each time ends here */

enum { C_ID, C_ATTEMPT, C_CHANNEL, C_TEMPLATE, C_RECIPIENT, C_LOCALE, C_KEY, C_DATA, C_AGE, C_EXPIRED, C_UNWANTED, C_RECENT, C_WAIT, C_UNSURE };

int
deliver_wait_s(int attempts, int64_t base_s, double chance)
{
	int64_t wait = base_s;

	for (int i = 1; i < attempts && wait < WAIT_MAX_S; i++)
		wait *= 2;
	if (wait > WAIT_MAX_S)
		wait = WAIT_MAX_S;
	wait = (int64_t)((double)wait * (1 - chance / 2));
	return wait < 1 ? 1 : (int)wait;
}

/* ---- what comes of it ---- */

static const char *const outcome_names[] = {
	[OUTCOME_SENT] = "sent", [OUTCOME_RETRY] = "retried", [OUTCOME_HOLD] = "held", [OUTCOME_PARK] = "parked", [OUTCOME_OPT_OUT] = "suppressed",
};

static enum err
finish(struct ctx *c, const struct delivery *d, const char *status, const struct outcome *out, int wait_s)
{
	bool unsure = out->lost || (out->kind == OUTCOME_HOLD && d->unsure);
	const char *v[8] = { d->id, arena_printf(c->a, "%d", d->attempt), status, out->reason, out->provider_id, arena_printf(c->a, "%d", wait_s),
		out->kind == OUTCOME_HOLD ? "1" : "0", unsure ? "true" : "false" };
	const char *id;
	size_t n;
	enum err e;

	/* What has been sent should be known, or it is sent again: a database that restarts is waited for. Saying it twice changes nothing. */
	for (int tries = 0;; tries++) {
		ctx_clear_error(c);
		e = db_call(c, DB_WRITE, NULL, &sql_outbox_finish, 8, v, &id, &n);
		if (e != E_UNAVAILABLE || tries == FINISH_TRIES)
			break;
		db_rollback(c);
		nanosleep(&(struct timespec){ 1, 0 }, NULL);
	}
	if (e != E_OK)
		return e;
	log_event(strcmp(status, "parked") == 0 ? LOG_WARN_ : LOG_INFO_, c, "outbox", LOG_S("id", d->id), LOG_S("channel", d->channel),
		LOG_S("template", d->template), LOG_I("attempt", d->attempt), LOG_S("status", id != NULL ? status : "lease lost"), LOG_S("reason", out->reason));
	return E_OK;
}

static enum err
opt_out(struct ctx *c, const struct delivery *d)
{
	const char *channel;
	size_t n;

	return db_call(c, DB_WRITE, NULL, &sql_outbox_opt_out, 1, &d->id, &channel, &n);
}

/* Seconds to wait after this attempt. */
static int
wait_after(const struct delivery *d, const struct outcome *out)
{
	int wait = deliver_wait_s(d->attempt, cfg_int("NOTIFY_RETRY_S"), (double)randombytes_uniform(1000) / 1000);

	if (out->kind == OUTCOME_HOLD)
		wait = HOLD_S;
	return out->wait_s > wait ? out->wait_s : wait;
}

static enum err
settle(struct ctx *c, const struct delivery *d, struct outcome *out, struct deliver_report *report)
{
	/* messages are worth nothing when they are old; webhooks and payments are */
	int64_t hours = cfg_int(d->template[0] != '\0' ? "NOTIFY_RETRY_H" : "WEBHOOK_RETRY_H");

	/* Stripe forgets idempotency keys after a day: a refund whose answer was lost must not be made again then. Somebody has to look. */
	if (strcmp(d->channel, "stripe") == 0 && hours > STRIPE_RETRY_H)
		hours = STRIPE_RETRY_H;

	if (out->kind == OUTCOME_RETRY && (d->age_s >= hours * 3600 || d->attempt >= ATTEMPTS_MAX)) {
		out->kind = OUTCOME_PARK;
		out->reason = arena_printf(c->a, "given up after %d attempts: %s", d->attempt, out->reason != NULL ? out->reason : "");
	}
	metrics_count("souk_outbox_attempts_total", "outcome", outcome_names[out->kind]);
	switch (out->kind) {
	case OUTCOME_SENT:
		report->sent++;
		return finish(c, d, "sent", out, 0);
	case OUTCOME_OPT_OUT:
		report->suppressed++;
		return opt_out(c, d) ? c->err : finish(c, d, "suppressed", out, 0);
	case OUTCOME_PARK:
		report->parked++;
		return finish(c, d, "parked", out, 0);
	case OUTCOME_RETRY:
	case OUTCOME_HOLD:
		break;
	}
	report->retried++;
	return finish(c, d, "waiting", out, wait_after(d, out));
}

/* ---- the attempt ---- */

/* A row that is not to be attempted at all; true: *out says why. */
static bool
stop_before(const struct delivery *d, PGresult *r, struct outcome *out)
{
	bool code = strcmp(d->template, "one_time_code") == 0;
	int64_t limit, window;

	if (PQgetvalue(r, 0, C_EXPIRED)[0] == 't')
		*out = (struct outcome){ .kind = OUTCOME_PARK, .reason = "it was too late to send it" };
	else if (PQgetvalue(r, 0, C_UNWANTED)[0] == 't')
		*out = (struct outcome){ .kind = OUTCOME_OPT_OUT, .reason = "the recipient wants no messages on this channel" };
	else if (d->attempt > ATTEMPTS_MAX)
		*out = (struct outcome){ .kind = OUTCOME_PARK, .reason = "too many attempts" };
	else if (d->recipient[0] != '\0' && cfg_rate("NOTIFY_LIMIT", &limit, &window) && strtoll(PQgetvalue(r, 0, C_RECENT), NULL, 10) >= limit)
		*out = (struct outcome){ .kind = code ? OUTCOME_PARK : OUTCOME_HOLD, .reason = "the recipient has had enough messages for now",
			.wait_s = (int)strtol(PQgetvalue(r, 0, C_WAIT), NULL, 10) };
	else
		return false;
	return true;
}

/* Messages to the shop itself go where ALERT_TO says; a number makes them text messages. */
static bool
to_the_shop(struct delivery *d, struct outcome *out)
{
	if (d->recipient[0] != '\0' || strcmp(d->channel, "email") != 0)
		return true;
	d->recipient = cfg_str("ALERT_TO");
	if (d->recipient[0] == '+')
		d->channel = "sms";
	if (d->recipient[0] == '\0' && cfg_str("MAIL_DIR")[0] != '\0' && cfg_str("SMTP_URL")[0] == '\0')
		d->recipient = "shop@localhost";
	*out = (struct outcome){ .kind = OUTCOME_PARK, .reason = "nobody is set to get the shop's alerts (ALERT_TO)" };
	return d->recipient[0] != '\0';
}

static void
attempt(struct ctx *c, struct delivery *d, PGresult *r, struct outcome *out)
{
	channel_fn *send;

	if (stop_before(d, r, out) || !to_the_shop(d, out))
		return;
	*out = (struct outcome){ .kind = OUTCOME_PARK, .reason = "there is no such channel in this program" };
	if ((send = channel_find(d->channel)) == NULL)
		return;
	out->reason = NULL;
	if (json_parse(c, PQgetvalue(r, 0, C_DATA), (size_t)PQgetlength(r, 0, C_DATA), &d->data) != E_OK) {
		out->reason = "its data cannot be read";
		return;
	}
	send(c, d, out);
}

enum err
deliver_one(struct ctx *c, const char *only, bool *found, struct deliver_report *report)
{
	int64_t limit, window = 3600, until = c->deadline_ms;
	const char *v[3] = { arena_printf(c->a, "%d", LEASE_S), only, NULL };
	struct outcome out = { .kind = OUTCOME_PARK };
	struct delivery d;
	PGresult *r;
	enum err e;

	*found = false;
	(void)cfg_rate("NOTIFY_LIMIT", &limit, &window);
	v[2] = arena_printf(c->a, "%lld", (long long)window);
	if (db_begin(c, DB_WRITE, NULL) || db_exec(c, &sql_outbox_claim, 3, v, &r) || db_commit(c))
		return c->err;
	if (PQntuples(r) == 0)
		return E_OK;
	*found = true;
	d = (struct delivery){ .id = PQgetvalue(r, 0, C_ID), .channel = PQgetvalue(r, 0, C_CHANNEL), .template = PQgetvalue(r, 0, C_TEMPLATE),
		.recipient = PQgetvalue(r, 0, C_RECIPIENT), .locale = PQgetvalue(r, 0, C_LOCALE), .key = PQgetvalue(r, 0, C_KEY),
		.attempt = (int)strtol(PQgetvalue(r, 0, C_ATTEMPT), NULL, 10), .age_s = strtoll(PQgetvalue(r, 0, C_AGE), NULL, 10),
		.unsure = PQgetvalue(r, 0, C_UNSURE)[0] == 't' };
	/* The attempt gets no more time than the lease has, less what is needed to note it. */
	if (c->deadline_ms > now_ms() + (LEASE_S / 2) * 1000)
		c->deadline_ms = now_ms() + (LEASE_S / 2) * 1000;
	attempt(c, &d, r, &out);
	c->deadline_ms = until;
	e = settle(c, &d, &out, report);
	return e;
}
