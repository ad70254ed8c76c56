/* souk completion: rules for bash and zsh, from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "core/banned.h"

/* Length of a command's first word, and whether this is the first row that has it. */
static int
word(const struct command *cmd)
{
	return (int)strcspn(cmd->name, " ");
}

static bool
is_first(const struct command *cmd)
{
	return cmd == commands || word(cmd) != word(cmd - 1) || strncmp(cmd[-1].name, cmd->name, (size_t)word(cmd)) != 0;
}

static void
print_options(const struct command *cmd)
{
	int i;

	for (i = 0; i < CLI_OPTIONS_MAX && cmd->options[i].name != NULL; i++)
		printf(" --%s%s", cmd->options[i].name, cmd->options[i].arg != NULL ? "=" : "");
	printf(" --config= --help");
}

static void
bash(void)
{
	const struct command *cmd;
	int i;

	/* bash takes "--format=xl" apart at the "=" */
	printf("_souk() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n\tCOMPREPLY=()\n"
	    "\t[[ $cur == \"=\" ]] && cur=\n\t[[ $prev == \"=\" ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
	    "\tlocal line=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\"\n");
	printf("\tif ((COMP_CWORD == 1)); then\n\t\tCOMPREPLY=($(compgen -W '");
	for (cmd = commands; cmd->name != NULL; cmd++) {
		if (is_first(cmd))
			printf("%.*s ", word(cmd), cmd->name);
	}
	printf("--help --version' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $prev in\n");
	for (cmd = commands; cmd->name != NULL; cmd++) {
		for (i = 0; i < CLI_OPTIONS_MAX && cmd->options[i].name != NULL; i++) {
			const struct cli_option *o = &cmd->options[i];

			if (o->values != NULL && o->values[0] == '@')
				printf("\t--%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", o->name);
			else if (o->values != NULL)
				printf("\t--%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n", o->name, o->values);
		}
	}
	printf("\t--config) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n\tesac\n\tcase $line in\n");
	for (cmd = commands; cmd->name != NULL; cmd++) {
		if (strchr(cmd->name, ' ') == NULL)
			continue;
		printf("\t\"%s \"*) words='", cmd->name);
		print_options(cmd);
		printf("' ;;\n\t\"%s\") words='", cmd->name);
		print_options(cmd);
		printf("' ;;\n");
	}
	for (cmd = commands; cmd->name != NULL; cmd++) {
		const struct command *other;

		if (!is_first(cmd))
			continue;
		printf("\t\"%.*s \"*) words='", word(cmd), cmd->name);
		for (other = cmd; other->name != NULL; other++) {
			size_t n = (size_t)word(cmd);

			if (strncmp(other->name, cmd->name, n) == 0 && other->name[n] == ' ')
				printf(" %s", other->name + n + 1);
			if (strncmp(other->name, cmd->name, n) == 0 && other->name[n] == '\0')
				print_options(other);
		}
		printf("' ;;\n");
	}
	printf("\tesac\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "\t[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
	    "\t[[ $cur == -* ]] || COMPREPLY+=($(compgen -f -- \"$cur\"))\n}\n"
	    "complete -F _souk souk\n");
}

/* In zsh texts, brackets and colons end things. */
static void
print_zsh_text(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			fputs("'\\''", stdout);
		else if (*s == ':' || *s == '[' || *s == ']')
			printf("\\%c", *s);
		else
			putchar(*s);
	}
}

static void
zsh_command(const struct command *cmd)
{
	int i;

	printf("\t\t'%s') _arguments -S", cmd->name);
	for (i = 0; i < CLI_OPTIONS_MAX && cmd->options[i].name != NULL; i++) {
		const struct cli_option *o = &cmd->options[i];

		printf(" '--%s%s[", o->name, o->arg != NULL ? "=" : "");
		print_zsh_text(o->help);
		printf("]");
		if (o->arg != NULL)
			printf(":%s:%s%s%s", o->arg, o->values == NULL ? "" : o->values[0] == '@' ? "_files" : "(",
			    o->values != NULL && o->values[0] != '@' ? o->values : "", o->values != NULL && o->values[0] != '@' ? ")" : "");
		printf("'");
	}
	printf(" '--config=[souk.conf]:FILE:_files' '--help[explain]' '*:operand:_files' ;;\n");
}

static void
zsh(void)
{
	const struct command *cmd;

	printf("#compdef souk\n_souk() {\n\tlocal -a words_; local cmd=$words[2]\n\tif ((CURRENT == 2)); then\n\t\twords_=(");
	for (cmd = commands; cmd->name != NULL; cmd++) {
		if (!is_first(cmd))
			continue;
		printf("'%.*s:", word(cmd), cmd->name);
		print_zsh_text(cmd->summary);
		printf("' ");
	}
	printf(")\n\t\t_describe command words_\n\t\treturn\n\tfi\n\tcase $cmd in\n");
	for (cmd = commands; cmd->name != NULL; cmd++) {
		if (strchr(cmd->name, ' ') != NULL)
			printf("\t%.*s) ((CURRENT == 3)) && compadd %s; cmd=\"$words[2] $words[3]\" ;|\n", word(cmd), cmd->name,
			    strchr(cmd->name, ' ') + 1);
	}
	printf("\tesac\n\tcase $cmd in\n");
	for (cmd = commands; cmd->name != NULL; cmd++)
		zsh_command(cmd);
	printf("\tesac\n}\n_souk \"$@\"\n");
}

int
cmd_completion(struct cli *cli)
{
	if (strcmp(cli->argv[0], "bash") == 0)
		bash();
	else if (strcmp(cli->argv[0], "zsh") == 0)
		zsh();
	else
		return cli_fail(cli, CLI_USAGE, "bash or zsh");
	return CLI_OK;
}
