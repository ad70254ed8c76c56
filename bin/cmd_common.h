/* What leads to the commands: finding the row, parsing its options, help. */
#ifndef SOUK_BIN_CMD_COMMON_H
#define SOUK_BIN_CMD_COMMON_H

#include <stdio.h>

struct command;

int cli_main(int argc, char **argv);
void cli_print_help(FILE *to, const struct command *cmd);
void cli_print_overview(FILE *to);

#endif
