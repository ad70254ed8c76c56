/* souk: the command line.  The table of commands, and what leads to them. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cmd_common.h"

#define FORMATS "auto csv tsv json jsonl xlsx"

const struct command commands[] = {
	{ "migrate", cmd_migrate, "create or update the tables in the database", "", 0, 0,
	    "Applies sql/migrations in order, each in one transaction, then sql/app whole. Two runs at once are safe.", 0,
	    { { "status", NULL, "show what is applied and what is pending, change nothing", NULL },
	      { "verify", NULL, "compare the applied migrations with their files, change nothing", NULL } } },
	{ "demo load", cmd_demo_load, "load the demo shop into an empty database", "", 0, 0, NULL, 0, { { 0 } } },
	{ "demo drawings", cmd_demo_drawings, "print what souk-draw makes product pictures from", "", 0, 0,
	    "souk demo drawings | souk-draw htdocs/img/products", 0, { { 0 } } },
	{ "import", cmd_import, "bring in products or orders from a file", "FILE|-", 1, 1,
	    "Reads CSV, TSV, JSON, JSONL and XLSX, gzip or not: own columns, WooCommerce and Shopify exports. Repeating it changes\n"
	    "nothing. Exit codes: 0 all rows good, 1 some rows bad (good ones kept), 2 usage, 3 unusable file, 4 database.", CLI_FILES,
	    { { "dry-run", NULL, "change nothing, say what would change", NULL },
	      { "orders", NULL, "the file holds orders, not products", NULL },
	      { "format", "FORMAT", "what the file is (auto)", FORMATS },
	      { "currency", "CODE", "of amounts that do not name theirs (SHOP_CURRENCY)", "EUR USD GBP CHF" },
	      { "locale", "CODE", "language of the texts and form of the numbers (SHOP_LOCALE)", "fr en es de" },
	      { "stock", "N", "stock of new products when the file does not tell it (0)", NULL },
	      { "status", "STATUS", "of orders that do not name theirs (DELIVERED)", "PENDING PROCESSING PAID SHIPPED DELIVERED CANCELLED" },
	      { "report", "FILE", "write what happened as JSON", "@file" },
	      { "errors", "N", "bad rows to show (20)", NULL },
	      { "wait", NULL, "wait until all products can be found by search", NULL },
	      { "quiet", NULL, "no progress", NULL } } },
	{ "export products", cmd_export, "write all products", "", 0, 0, NULL, 0,
	    { { "format", "FORMAT", "csv, tsv, jsonl or json (csv)", "csv tsv jsonl json" },
	      { "output", "FILE", "instead of standard output", "@file" } } },
	{ "export orders", cmd_export, "write all orders, one line per item", "", 0, 0, "Holds personal data of customers.", 0,
	    { { "format", "FORMAT", "csv, tsv, jsonl or json (csv)", "csv tsv jsonl json" },
	      { "output", "FILE", "instead of standard output", "@file" } } },
	{ "index", cmd_index, "build the product search index", "", 0, 0,
	    "Reads the catalogue from the database and replaces the index file in one step; searches go on meanwhile.", 0,
	    { { "watch", NULL, "go on and fold changes in", NULL },
	      { "every", "SECONDS", "with --watch: changes wait at most so long (60)", NULL },
	      { "changes", "N", "with --watch: or until so many products have changed (1000)", NULL },
	      { "if-missing", NULL, "do nothing when there is an index", NULL },
	      { "file", "FILE", "write there (INDEX_FILE)", "@file" },
	      { "memory", "MB", "memory to use (INDEX_MEMORY_MB)", NULL },
	      { "quiet", NULL, "print nothing", NULL } } },
	{ "token create", cmd_token_create, "make an access token and print it, once", "", 0, 0, NULL, 0,
	    { { "name", "NAME", "what it is for", NULL },
	      { "scope", "LIST", "what it may do, separated by commas: catalog:read, orders:*, *", NULL },
	      { "scopes", "LIST", "the same", NULL },
	      { "kind", "KIND", "staff (default), service or system", "staff service system" },
	      { "rate-class", "CLASS", "bulk: without rate limit", "bulk" },
	      { "expires", "TIME", "it ends after so long: 90d, 12h", NULL },
	      { "ip", "LIST", "it works from these addresses or networks only", NULL },
	      { "json", NULL, "print a JSON object", NULL } } },
	{ "token list", cmd_token_list, "show all tokens, without their secrets", "", 0, 0, NULL, 0,
	    { { "json", NULL, "print a JSON array", NULL } } },
	{ "token rotate", cmd_token_rotate, "replace a token by a new one with the same rights", "ID", 1, 1, NULL, 0,
	    { { "overlap", "TIME", "the old one goes on working for so long (0s)", NULL },
	      { "json", NULL, "print a JSON object", NULL } } },
	{ "token revoke", cmd_token_revoke, "end a token at once", "ID", 1, 1, NULL, 0, { { 0 } } },
	{ "config list", cmd_config_list, "show all settings, their values and where they come from", "", 0, 0, NULL, 0, { { 0 } } },
	{ "config get", cmd_config_get, "print one setting; secrets are not shown", "NAME", 1, 1, NULL, 0, { { 0 } } },
	{ "config", cmd_config_docs, "print the settings as a file to start from", "", 0, 0, NULL, CLI_NO_CONFIG,
	    { { "example", NULL, "souk.conf.example", NULL },
	      { "markdown", NULL, "the table of docs/configuration.md", NULL } } },
	{ "call", cmd_call, "run a tool as an assistant would", "TOOL [JSON]", 1, 2, NULL, CLI_AS_WEB,
	    { { "as", "TOKEN", "with the rights of this token", NULL },
	      { "admin", NULL, "with all rights", NULL },
	      { "locale", "CODE", "language to answer in", "fr en es de" },
	      { "key", "KEY", "Idempotency-Key of a write", NULL } } },
	{ "housekeep", cmd_housekeep, "remove what has expired, prepare the coming months (nightly cron)", "", 0, 0, NULL, 0, { { 0 } } },
	{ "tools", cmd_tools, "show the tools with their scopes and rate classes", "", 0, 0, NULL, CLI_NO_CONFIG,
	    { { "markdown", NULL, "docs/tools.md", NULL }, { "json", NULL, "the contracts as a JSON array", NULL } } },
	{ "serve", cmd_serve, "start or stop database, web server and programs (souk-serve)", "run|start|stop|restart|status", 0, 1, NULL,
	    CLI_NO_CONFIG, { { 0 } } },
	{ "doctor", cmd_doctor, "look for what is wrong and say how to mend it", "", 0, 0, NULL, 0,
	    { { "url", "URL", "where souk is reached (SOUK_URL, PUBLIC_URL)", NULL },
	      { "token", "TOKEN", "token to try (SOUK_MONITOR_TOKEN, SOUK_ADMIN_TOKEN)", NULL },
	      { "json", NULL, "print a JSON object", NULL } } },
	{ "completion", cmd_completion, "print completion rules for a shell", "bash|zsh", 1, 1,
	    "bash: eval \"$(souk completion bash)\"   zsh: souk completion zsh > ~/.zfunc/_souk", CLI_NO_CONFIG, { { 0 } } },
	{ "help", cmd_help, "explain a command", "[COMMAND]", 0, 2, NULL, CLI_NO_CONFIG, { { 0 } } },
	{ NULL, NULL, NULL, NULL, 0, 0, NULL, 0, { { 0 } } }
};

int
main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
