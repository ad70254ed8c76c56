/* souk config: the settings, from their one table. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "core/banned.h"
#include "core/config.h"

int
cmd_config_list(struct cli *cli)
{
	const struct cfg_row *r;
	const char *group = "";

	(void)cli;
	printf("# %s\n", cfg_file()[0] != '\0' ? cfg_file() : "no souk.conf");
	for (r = cfg_table(); r->name != NULL; r++) {
		if (strcmp(r->group, group) != 0)
			printf("\n# %s\n", group = r->group);
		printf("%s = %s\t# %s\n", r->name, cfg_shown(r->name), cfg_origin(r->name));
	}
	return CLI_OK;
}

int
cmd_config_get(struct cli *cli)
{
	const struct cfg_row *r;

	for (r = cfg_table(); r->name != NULL; r++) {
		if (strcmp(r->name, cli->argv[0]) == 0) {
			printf("%s\n", cfg_shown(r->name));
			return CLI_OK;
		}
	}
	return cli_fail(cli, CLI_USAGE, "there is no setting \"%s\" (souk config list)", cli->argv[0]);
}

int
cmd_config_docs(struct cli *cli)
{
	if (cli_value(cli, "markdown") != NULL)
		cfg_print_markdown(stdout);
	else if (cli_value(cli, "example") != NULL)
		cfg_print_example(stdout);
	else
		return cli_fail(cli, CLI_USAGE, "usage: souk config list | get NAME | --example | --markdown");
	return CLI_OK;
}
