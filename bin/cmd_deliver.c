/* souk deliver: send what waits in souk.outbox, and see to payments that wait, once or for as long as it runs. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "core/banned.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "notify/deliver.h"
#include "shop/pay.h"
#include "store/db.h"
#include "store/shm.h"

#define ROW_MS 300000
#define IDLE_MS 1000
#define SWEEP_MS 5000
#define TROUBLE_MS 2000	/* the database is away */

static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void
rest(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

/* One row; its memory ends with it. */
static enum err
one(struct cli *cli, const char *only, bool *found, struct deliver_report *report)
{
	enum err e;

	random_uuid(cli->c.id);
	cli->c.deadline_ms = now_ms() + ROW_MS;
	e = deliver_one(&cli->c, only, found, report);
	if (e != E_OK)
		log_event(LOG_WARN_, &cli->c, "deliver", LOG_S("error", ctx_message(&cli->c)));
	db_rollback(&cli->c);
	ctx_clear_error(&cli->c);
	arena_reset(&cli->arena);
	return e;
}

/* What payments need to have done now and then, where webhooks do not wait for it. */
static void
sweep(struct cli *cli)
{
	static int64_t next_ms;

	if (now_ms() < next_ms)
		return;
	next_ms = now_ms() + SWEEP_MS;
	random_uuid(cli->c.id);
	cli->c.deadline_ms = now_ms() + ROW_MS;
	if (pay_sweep(&cli->c) != E_OK)
		log_event(LOG_WARN_, &cli->c, "payments", LOG_S("error", ctx_message(&cli->c)));
	db_rollback(&cli->c);
	ctx_clear_error(&cli->c);
	arena_reset(&cli->arena);
}

static void
work_on(struct cli *cli, const char *only)
{
	struct deliver_report report = { 0 };
	bool found;

	while (!stopped) {
		if (strcmp(only, "webhooks") != 0)
			sweep(cli);
		if (one(cli, only, &found, &report) != E_OK)
			rest(TROUBLE_MS);
		else if (!found)
			rest(IDLE_MS);
	}
}

/* A process of its own for messages and one for webhooks: an endpoint that keeps its callers waiting holds up no mail. */
static pid_t
start(struct cli *cli, const char *only)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent)
		work_on(cli, only);
	db_close_idle(0);
	_exit(0);
}

static int
watch(struct cli *cli)
{
	static const char *const kinds[2] = { "messages", "webhooks" };
	pid_t pids[2] = { -1, -1 }, ended;
	int i;

	while (!stopped) {
		for (i = 0; i < 2; i++)
			if (pids[i] < 0)
				pids[i] = start(cli, kinds[i]);
		if ((ended = waitpid(-1, NULL, 0)) < 0)
			continue;	/* a signal */
		for (i = 0; i < 2; i++)
			if (pids[i] == ended)
				pids[i] = -1;
		rest(stopped ? 0 : IDLE_MS);
	}
	for (i = 0; i < 2; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGTERM);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	return CLI_OK;
}

int
cmd_deliver(struct cli *cli)
{
	struct sigaction stop = { .sa_handler = on_stop };	/* without SA_RESTART: waiting ends */
	const char *given = cli_value(cli, "only"), *only = given != NULL ? given : "";
	struct deliver_report r = { 0 };
	bool found = true;

	if (given != NULL && strcmp(only, "messages") != 0 && strcmp(only, "webhooks") != 0)
		return cli_fail(cli, CLI_USAGE, "--only: messages or webhooks is expected");
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	shm_open_state();
	if (cli_value(cli, "watch") != NULL && given == NULL)
		return watch(cli);
	if (cli_value(cli, "watch") != NULL) {
		work_on(cli, only);
		return CLI_OK;
	}
	if (strcmp(only, "webhooks") != 0)
		sweep(cli);
	while (found && !stopped)
		if (one(cli, only, &found, &r) != E_OK)
			return cli_fail(cli, CLI_DATABASE, "the database did not answer");
	if (cli_value(cli, "quiet") == NULL)
		printf("%d sent, %d to be tried again, %d parked, %d not wanted\n", r.sent, r.retried, r.parked, r.suppressed);
	return CLI_OK;
}
