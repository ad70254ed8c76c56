/*
 * main() of every program in cgi-bin.
 *
 *   NAME                     serve what descriptor 0 is: a FastCGI socket, or one plain CGI request
 *   NAME --listen SOCKET     serve a Unix socket of its own (behind mod_proxy_fcgi or nginx)
 *   NAME --check             check configuration and tables, then end
 */
#include <fcgiapp.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config.h"
#include "core/log.h"
#include "web/app.h"
#include "web/conn.h"
#include "web/route.h"
#include "web/router.h"

static const char *
program_name(void)
{
	return programs[0].name && !programs[1].name ? programs[0].name : "souk";
}

static int
refuse(const char *why)
{
	fprintf(stderr, "souk: %s\n", why);
	log_event(LOG_ERROR_, NULL, "does not start", LOG_S("reason", why));
	return 78;	/* EX_CONFIG */
}

/* A Unix socket that only user and group may use; who can write to it can claim any address. */
static int
listen_on(const char *path)
{
	mode_t old = umask(0117);
	int sock;

	unlink(path);
	sock = FCGX_OpenSocket(path, 1024);
	umask(old);
	return sock;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' }, { "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' }, { "version", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 },
	};
	const char *path = NULL, *conf = NULL;
	char err[512] = "";
	int opt, check = 0, sock = STDIN_FILENO;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'v')
			return puts("souk " SOUK_VERSION) < 0;
		if (opt == '?')
			return 64;
		path = opt == 'l' ? optarg : path;
		conf = opt == 'c' ? optarg : conf;
		check = opt == 'k' ? 1 : check;
	}
	if (!app_start(program_name(), conf, err, sizeof err) || !router_check(err, sizeof err))
		return refuse(err);
	if (check)
		return 0;
	if (path && (sock = listen_on(path)) < 0)
		return refuse("cannot listen on the socket of --listen");
	if (!path && !conn_is_fastcgi())
		return app_cgi();
	return app_serve(sock, (int)cfg_int("WORKERS"));
}
