#include "web/app.h"

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "auth/token.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "store/db.h"
#include "store/kv.h"
#include "store/shm.h"
#include "tool/record.h"
#include "tool/tool.h"
#include "web/conn.h"
#include "web/router.h"
#include "web/workers.h"

bool
app_start(const char *program, const char *conf, char *err, size_t errsz)
{
	if (sodium_init() < 0) {
		snprintf(err, errsz, "libsodium did not initialise");
		return false;
	}
	if (!cfg_load(conf, err, errsz))
		return false;
	log_init(program, cfg_str("LOG_FILE"), cfg_str("MCP_LOG_LEVEL"));
	shm_open_state();
	return true;
}

void
app_tick(void)
{
	int64_t idle_ms = cfg_int("IDLE_CLOSE_S") * 1000;

	record_flush(false);
	db_close_idle(idle_ms);
	kv_close_idle(idle_ms);
}

void
app_stop(void)
{
	record_flush(true);
	token_flush_uses();
	db_close_idle(0);
	kv_close_idle(0);
	log_flush();
}

/* One worker: requests until it is told to stop, or has served enough to be replaced by a fresh process. */
static int
work(int sock)
{
	int64_t left = cfg_int("WORKER_REQUESTS");
	struct conn *k;

	log_keep_back();
	if (!conn_open(sock)) {
		log_event(LOG_ERROR_, NULL, "cannot serve the FastCGI socket");
		return 1;
	}
	while (left > 0) {
		enum conn_event ev = conn_accept(&k);

		if (ev == CONN_STOP)
			break;
		if (ev == CONN_REQUEST) {
			app_request(k);
			left--;
		} else {
			token_flush_uses();
			log_flush();
		}
		app_tick();
	}
	app_stop();
	return 0;
}

int
app_serve(int sock, int workers)
{
	log_event(LOG_INFO_, NULL, "started", LOG_S("version", SOUK_VERSION), LOG_I("workers", workers));
	if (workers <= 1)
		return work(sock);
	tools_prepare();
	return workers_run(sock, workers, work);
}

int
app_cgi(void)
{
	app_request(conn_cgi());
	app_stop();
	return 0;
}
