/* souk serve: hand over to souk-serve, which starts database, web server and programs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "core/banned.h"

int
cmd_serve(struct cli *cli)
{
	char path[8192];
	char *argv[3] = { path, cli->argc > 0 ? cli->argv[0] : (char[]){ "run" }, NULL };

	if (!cli_beside("souk-serve", path, sizeof(path)))
		return cli_fail(cli, CLI_UNUSABLE, "souk-serve is not installed beside souk");
	fflush(stdout);
	execv(path, argv);
	return cli_fail(cli, CLI_FAILED, "%s: %s", path, strerror(errno));
}
