/*
 * For test programs that need a database: a PostgreSQL (and Redis) of their own, started before the tests and stopped after them.
 * Without PostgreSQL's programs, DATABASE_URL is used for what needs no power over the server; without that, nothing can be tested.
 */
#ifndef SOUK_TESTS_SERVERS_H
#define SOUK_TESTS_SERVERS_H

#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/config.h"
#include "core/log.h"
#include "store/shm.h"

static char servers_dir[64] = "/tmp/souk-test-XXXXXX";
static bool servers_own;	/* ours to freeze and to stop */

/* Run servers.sh; its output becomes environment variables. */
static int
servers_do(const char *what)
{
	char cmd[160], line[256];
	FILE *f;

	(void)snprintf(cmd, sizeof(cmd), "tests/unit/servers.sh %s %s", what, servers_dir);
	f = popen(cmd, "r");
	if (f == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL) {
		char *eq = strchr(line, '=');

		line[strcspn(line, "\n")] = '\0';
		if (eq != NULL) {
			*eq = '\0';
			(void)setenv(line, eq + 1, 1);
		}
	}
	return WEXITSTATUS(pclose(f));
}

static void
servers_stop(void)
{
	char cmd[96];

	if (!servers_own)
		return;
	(void)servers_do("stop");
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", servers_dir);
	if (system(cmd) != 0)
		(void)fprintf(stderr, "%s is left behind\n", servers_dir);
}

/* false: there is no database to test with. */
static bool
servers_start(void)
{
	char state[96];
	int status;

	if (mkdtemp(servers_dir) == NULL || chmod(servers_dir, 0755) != 0) {
		perror(servers_dir);
		exit(1);
	}
	(void)snprintf(state, sizeof(state), "%s/state", servers_dir);
	if (mkdir(state, 0700) != 0) {
		perror(state);
		exit(1);
	}
	(void)setenv("STATE_DIR", state, 1);
	(void)setenv("TOKEN_PEPPER", "a pepper that only the tests know, 0123456789", 1);
	(void)setenv("REDIS_TIMEOUT_MS", "5000", 1);	/* a machine that is busy with all suites does not count as a dead Redis */
	(void)unsetenv("SOUK_CONF");
	servers_own = true;
	status = servers_do("start");
	if (status == 0)
		return true;
	servers_stop();
	servers_own = false;
	if (status != 77) {
		(void)fprintf(stderr, "the test servers did not start\n");
		exit(1);
	}
	if (getenv("DATABASE_URL") != NULL) {
		(void)printf("PostgreSQL's programs are missing: tests that stop the server are left out\n");
		return true;
	}
	(void)printf("skipped: neither PostgreSQL's programs nor DATABASE_URL\n100%%: Checks: 0, Failures: 0, Errors: 0\n");
	return false;
}

/* What every process begins with, and a context of a minute over an arena of max bytes.  TEST_LOG=1 shows the log. */
static inline struct ctx
servers_ctx(struct arena *a, size_t max)
{
	char err[256];

	ck_assert_msg(cfg_load(NULL, err, sizeof(err)), "%s", err);
	log_init("test", getenv("TEST_LOG") ? NULL : "/dev/null", "debug");
	shm_open_state();
	arena_init(a, max);
	return (struct ctx){ .a = a, .deadline_ms = now_ms() + 60000 };
}

/* main() of such a program: the suite is made when the servers run, for some tests are only for servers_own. */
static inline int
servers_run(Suite *(*suite)(void))
{
	int status;

	if (!servers_start())
		return 0;
	status = unit_run_suite(suite());
	servers_stop();
	return status;
}

#endif
