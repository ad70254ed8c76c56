/* Settings: the file, the environment, refusals, and what is printed from the table.  Runs at the top of the checkout. */
#include "unit.h"

#include <string.h>

#include "core/config.h"

static char dir[64], path[128], err[512];

static void
begin(void)
{
	for (const struct cfg_row *row = cfg_table(); row->name != NULL; row++)
		(void)unsetenv(row->name);
	(void)unsetenv("SOUK_CONF");
	unit_make_dir(dir);
	(void)snprintf(path, sizeof path, "%s/souk.conf", dir);
}

static void
end(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
write_bytes(const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

static bool
load(const char *text)
{
	write_bytes(text, strlen(text));
	err[0] = '\0';
	return cfg_load(path, err, sizeof err);
}

/* Loading fails with exactly this line behind the file's name. */
static void
refused(const char *text, const char *line)
{
	char want[512];

	(void)snprintf(want, sizeof want, "%s:%s", path, line);
	ck_assert_msg(!load(text), "accepted: %s", text);
	ck_assert_str_eq(err, want);
}

START_TEST(defaults_hold_without_a_file)
{
	int64_t limit, window;

	begin();
	ck_assert_int_eq(cfg_int("WORKERS"), 4);	/* even before loading */
	ck_assert_msg(load(""), "%s", err);
	ck_assert_int_eq(cfg_int("API_TIMEOUT_MS"), 5000);
	ck_assert_int_eq(cfg_int("CHAT_TIMEOUT_MS"), 60000);
	ck_assert_int_eq(cfg_int("BODY_MAX"), 1048576);
	ck_assert_str_eq(cfg_str("SHOP_LOCALE"), "fr");
	ck_assert_str_eq(cfg_str("SHOP_LOCALES"), "fr,en");
	ck_assert_str_eq(cfg_str("MCP_LOG_LEVEL"), "info");
	ck_assert(cfg_bool("DB_PREPARED") && cfg_bool("ENABLE_AI_CHAT") && !cfg_bool("ENABLE_AI_CONTENT"));
	ck_assert(cfg_rate("RATE_STATUS", &limit, &window) && limit == 60 && window == 60);
	ck_assert(cfg_rate("RATE_TEST", &limit, &window) && limit == 10 && window == 3600);
	ck_assert(cfg_rate("RATE_DATA", &limit, &window) && limit == 100 && window == 60);
	ck_assert(cfg_rate("RATE_CHAT", &limit, &window) && limit == 10 && window == 60);
	ck_assert(cfg_rate("RATE_AI", &limit, &window) && limit == 10 && window == 60);
	ck_assert(cfg_rate("RATE_MCP", &limit, &window) && limit == 600 && window == 60);
	ck_assert(cfg_rate("RATE_HEALTH", &limit, &window) && limit == 600 && window == 60);
	ck_assert_str_eq(cfg_origin("WORKERS"), "default");
	ck_assert_str_eq(cfg_file(), path);
	end();
}
END_TEST

START_TEST(a_file_is_read)
{
	int64_t limit, window;

	begin();
	ck_assert_msg(load("\xEF\xBB\xBF# comment\n\n  WORKERS=7\r\n\tSHOP_NAME =  A shop = more # not a comment \n"
		"PUBLIC_URL = \"https://shop.example/base\"\nTWILIO_FROM_NUMBER=\" \\\"x\\\\y\\n \"\n"
		"DB_PREPARED = Off\nRATE_DATA = 5/10s\nRATE_CHAT=OFF\nREDIS_URL =\nLOG_FILE = /var/log/souk.log"), "%s", err);
	ck_assert_int_eq(cfg_int("WORKERS"), 7);
	ck_assert_str_eq(cfg_str("SHOP_NAME"), "A shop = more # not a comment");
	ck_assert_str_eq(cfg_str("PUBLIC_URL"), "https://shop.example/base");
	ck_assert_str_eq(cfg_str("TWILIO_FROM_NUMBER"), " \"x\\y\\n ");
	ck_assert(!cfg_bool("DB_PREPARED"));
	ck_assert(cfg_rate("RATE_DATA", &limit, &window) && limit == 5 && window == 10);
	ck_assert(!cfg_rate("RATE_CHAT", &limit, &window));
	ck_assert_str_eq(cfg_str("REDIS_URL"), "");
	ck_assert_str_eq(cfg_str("LOG_FILE"), "/var/log/souk.log");
	ck_assert_str_eq(cfg_origin("WORKERS"), "file");
	ck_assert_str_eq(cfg_origin("BODY_MAX"), "default");
	end();
}
END_TEST

START_TEST(mistakes_name_file_line_and_setting)
{
	begin();
	refused("WORKERS = 4\n\nWORKER = 5\n", "3: unknown setting WORKER");
	refused("WORKERS = 4\nWORKERS = 4\n", "2: WORKERS: already set in line 1");
	refused("workers = 4\n", "1: unknown setting workers");
	refused("WORKERS 4\n", "1: expected NAME = value");
	refused("= 4\n", "1: unknown setting ");
	refused("WORKERS = 0\n", "1: WORKERS: must be from 1 to 256");
	refused("WORKERS = 257\n", "1: WORKERS: must be from 1 to 256");
	refused("WORKERS = -1\n", "1: WORKERS: must be from 1 to 256");
	refused("WORKERS =\n", "1: WORKERS: must be a whole number");
	refused("WORKERS = 4x\n", "1: WORKERS: must be a whole number");
	refused("WORKERS = 4.0\n", "1: WORKERS: must be a whole number");
	refused("WORKERS = 99999999999999999999\n", "1: WORKERS: must be a whole number");
	refused("DB_PREPARED = maybe\n", "1: DB_PREPARED: must be on or off");
	refused("DB_PREPARED =\n", "1: DB_PREPARED: must be on or off");
	refused("SHOP_LOCALE = it\n", "1: SHOP_LOCALE: must be one of fr|en|es|de");
	refused("SHOP_LOCALE = fr|en\n", "1: SHOP_LOCALE: must be one of fr|en|es|de");
	refused("RATE_STORE =\n", "1: RATE_STORE: must be one of auto|shm|kv");
	refused("SHOP_NAME = \"x\n", "1: SHOP_NAME: the closing quote is missing or not at the end");
	refused("SHOP_NAME = \"x\" y\n", "1: SHOP_NAME: the closing quote is missing or not at the end");
	refused("SHOP_NAME = a\tb\n", "1: SHOP_NAME: must not hold control characters");
	end();
}
END_TEST

START_TEST(forms_are_checked)
{
	static const struct {
		const char *good, *bad;
	} rows[] = {
		{ "BASE_PATH = /shop/api", "BASE_PATH = shop" }, { "BASE_PATH =", "BASE_PATH = /" }, { "BASE_PATH = /a-b", "BASE_PATH = /a/" },
		{ "BASE_PATH = /a.b", "BASE_PATH = /a//b" }, { "PUBLIC_URL = http://localhost:8080", "PUBLIC_URL = shop.example" },
		{ "PUBLIC_URL = https://x", "PUBLIC_URL = https://" }, { "PUBLIC_URL = https://x/y", "PUBLIC_URL = https://x/y?z" },
		{ "PUBLIC_URL = https://[::1]:8", "PUBLIC_URL = https://user@host" }, { "TRUSTED_PROXIES = 127.0.0.1, ::1 10.0.0.0/8", "TRUSTED_PROXIES = localhost" },
		{ "STATE_DIR = /tmp", "STATE_DIR = tmp" }, { "LOG_FILE = /x", "LOG_FILE = x" }, { "REDIS_URL = redis://h:1/2", "REDIS_URL = h:1" },
		{ "REDIS_URL = unix:/run/redis.sock", "REDIS_URL = http://h" }, { "SMTP_URL = smtps://u:p@h", "SMTP_URL = mail.example" },
		{ "SHOP_CURRENCY = JPY", "SHOP_CURRENCY = eur" }, { "SHOP_CURRENCY = USD", "SHOP_CURRENCY = EURO" },
		{ "SHOP_LOCALES = fr", "SHOP_LOCALES = fr,it" }, { "SHOP_LOCALES = de,fr,es,en", "SHOP_LOCALES = fr,fr" },
		{ "SHOP_LOCALES = en,fr", "SHOP_LOCALES = fr,en," }, { "TOKEN_PEPPER = 0123456789abcdef0123456789abcdef", "TOKEN_PEPPER = 0123456789abcdef0123456789abcde" },
		{ "RATE_DATA = 1/1", "RATE_DATA = 0/60" }, { "RATE_DATA = 1000000/86400", "RATE_DATA = 1000001/60" },
		{ "RATE_DATA = off", "RATE_DATA = 60" }, { "RATE_DATA = 5/60s", "RATE_DATA = 5/60m" }, { "RATE_DATA = 5/60", "RATE_DATA = 5/60ss" },
		{ "RATE_DATA = 6/60", "RATE_DATA = 6/86401" }, { "RATE_DATA = 7/60", "RATE_DATA = -1/60" },
	};

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert_msg(load(rows[i].good), "%s: %s", rows[i].good, err);
		ck_assert_msg(!load(rows[i].bad), "accepted: %s", rows[i].bad);
		ck_assert_ptr_nonnull(strstr(err, ":1: "));
		ck_assert_ptr_nonnull(strstr(err, " must be "));
	}
	end();
}
END_TEST

START_TEST(values_have_to_fit_together)
{
	begin();
	ck_assert(!load("REQUEST_MEMORY_MAX = 4194304\n"));
	ck_assert_ptr_nonnull(strstr(err, "REQUEST_MEMORY_MAX: must be at least"));
	ck_assert(load("REQUEST_MEMORY_MAX = 4194304\nBODY_MAX_IMPORT = 3145728\n"));
	ck_assert(!load("SHOP_LOCALE = de\n"));
	ck_assert_ptr_nonnull(strstr(err, "SHOP_LOCALE: must be one of SHOP_LOCALES"));
	ck_assert(load("SHOP_LOCALE = de\nSHOP_LOCALES = en,de\n"));
	ck_assert(!load("LOGIN_CODE_LOG = on\n"));
	ck_assert_ptr_nonnull(strstr(err, "LOGIN_CODE_LOG: must be off where ENVIRONMENT is production"));
	ck_assert(load("LOGIN_CODE_LOG = on\nENVIRONMENT = development\n"));
	ck_assert(load("CUSTOMER_TOKEN_KEYS = a:HS256:01234567890123456789012345678901, b-2:RS256:/etc/souk/site.pem\n"));
	ck_assert(!load("CUSTOMER_TOKEN_KEYS = a:HS256:0123456789012345678901234567890\n"));
	ck_assert_ptr_nonnull(strstr(err, "CUSTOMER_TOKEN_KEYS"));
	ck_assert_ptr_null(strstr(err, "0123456789"));
	ck_assert(!load("CUSTOMER_TOKEN_KEYS = a:RS256:site.pem\n"));
	ck_assert(!load("CUSTOMER_TOKEN_KEYS = a:none:01234567890123456789012345678901\n"));
	ck_assert(!load("CUSTOMER_TOKEN_KEYS = 01234567890123456789012345678901\n"));
	end();
}
END_TEST

START_TEST(odd_files_are_refused)
{
	char big[6000];

	begin();
	memset(big, 'x', sizeof big);
	memcpy(big, "SHOP_NAME=", 10);
	write_bytes(big, sizeof big);
	ck_assert(!cfg_load(path, err, sizeof err));
	ck_assert_ptr_nonnull(strstr(err, ":1: line too long"));
	write_bytes("WORKERS=4\n\0WORKERS=5\n", 21);
	ck_assert(!cfg_load(path, err, sizeof err));
	ck_assert_ptr_nonnull(strstr(err, ":2: line too long, or not a text file"));
	(void)unlink(path);
	ck_assert(!cfg_load(path, err, sizeof err));
	ck_assert_ptr_nonnull(strstr(err, "No such file"));
	ck_assert(!cfg_load(dir, err, sizeof err));
	ck_assert_ptr_nonnull(strstr(err, "directory"));
	end();
}
END_TEST

START_TEST(the_environment_wins)
{
	begin();
	(void)setenv("WORKERS", "9", 1);
	(void)setenv("BODY_MAX", "", 1);
	(void)setenv("MCP_LOG_LEVEL", "", 1);
	(void)setenv("REDIS_URL", "", 1);
	ck_assert_msg(load("WORKERS = 7\nBODY_MAX = 2000\nREDIS_URL = redis://h\n"), "%s", err);
	ck_assert_int_eq(cfg_int("WORKERS"), 9);
	ck_assert_str_eq(cfg_origin("WORKERS"), "environment");
	/* Empty means not set, except for text, which can be empty. */
	ck_assert_int_eq(cfg_int("BODY_MAX"), 2000);
	ck_assert_str_eq(cfg_str("MCP_LOG_LEVEL"), "info");
	ck_assert_str_eq(cfg_str("REDIS_URL"), "");
	(void)setenv("WORKERS", "many", 1);
	ck_assert(!load(""));
	ck_assert_str_eq(err, "environment: WORKERS: must be a whole number");
	(void)unsetenv("WORKERS");
	write_bytes("WORKERS = 3\n", 12);
	(void)setenv("SOUK_CONF", path, 1);
	ck_assert_msg(cfg_load(NULL, err, sizeof err), "%s", err);
	ck_assert_int_eq(cfg_int("WORKERS"), 3);
	ck_assert_str_eq(cfg_file(), path);
	(void)setenv("SOUK_CONF", "/nonexistent/souk.conf", 1);
	ck_assert(!cfg_load(NULL, err, sizeof err));
	end();
}
END_TEST

START_TEST(the_known_names_of_the_ai_limit_count)
{
	int64_t limit, window;

	begin();
	ck_assert(load("RATE_AI = off\nAI_RATE_LIMIT_REQUESTS = 100\nAI_RATE_LIMIT_WINDOW_MS = 1500\n"));
	ck_assert(cfg_rate("RATE_AI", &limit, &window));
	ck_assert_int_eq(limit, 100);
	ck_assert_int_eq(window, 2);
	ck_assert(load("RATE_AI = 3/4\nAI_RATE_LIMIT_WINDOW_MS = 1500\n"));
	ck_assert(cfg_rate("RATE_AI", &limit, &window) && limit == 3 && window == 4);
	end();
}
END_TEST

START_TEST(secrets_are_not_told)
{
	begin();
	ck_assert(!load("REDIS_URL = hunter2\n"));
	ck_assert_ptr_null(strstr(err, "hunter2"));
	ck_assert(!load("TOKEN_PEPPER = hunter2\n"));
	ck_assert_ptr_null(strstr(err, "hunter2"));
	ck_assert(load("STRIPE_SECRET_KEY = hunter2\nSHOP_NAME = X\n"));
	ck_assert_str_eq(cfg_str("STRIPE_SECRET_KEY"), "hunter2");
	ck_assert_str_eq(cfg_shown("STRIPE_SECRET_KEY"), "(set)");
	ck_assert_str_eq(cfg_shown("TOKEN_PEPPER"), "");
	ck_assert_str_eq(cfg_shown("SHOP_NAME"), "X");
	/* Whatever can hold a password or key is a secret. */
	for (const struct cfg_row *row = cfg_table(); row->name != NULL; row++)
		if (strstr(row->name, "SECRET") != NULL || strstr(row->name, "_KEY") != NULL || (strstr(row->name, "TOKEN") != NULL && row->type == CFG_STR && strstr(row->name, "_AUDIENCE") == NULL) ||
			strcmp(row->name, "DATABASE_URL") == 0 || strcmp(row->name, "REDIS_URL") == 0 || strcmp(row->name, "SMTP_URL") == 0)
			ck_assert_msg(row->secret, "%s", row->name);
	end();
}
END_TEST

/* What print writes, as text to be freed. */
static char *
printed(void (*print)(FILE *))
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	ck_assert_ptr_nonnull(f);
	print(f);
	ck_assert_int_eq(fclose(f), 0);
	return text;
}

START_TEST(the_example_is_a_configuration_file)
{
	char *text;

	begin();
	text = printed(cfg_print_example);
	ck_assert_msg(load(text), "%s", err);
	/* With every line made active it gives the same values, now by the file. */
	for (char *s = text; s != NULL; s = strchr(s + 1, '\n')) {
		char *line = s == text ? s : s + 1;

		if (line[0] == '#' && line[1] >= 'A' && line[1] <= 'Z')
			line[0] = ' ';
	}
	ck_assert_msg(load(text), "%s", err);
	for (const struct cfg_row *row = cfg_table(); row->name != NULL; row++)
		ck_assert_msg(strcmp(cfg_origin(row->name), "file") == 0, "%s", row->name);
	ck_assert_int_eq(cfg_int("WORKERS"), 4);
	free(text);
	end();
}
END_TEST

START_TEST(the_example_is_current)
{
	char *text = printed(cfg_print_example), *kept = calloc(1, 65536);
	FILE *f = fopen("souk.conf.example", "r");

	ck_assert_msg(f != NULL && kept != NULL, "not at the top of the checkout");
	ck_assert_uint_gt(fread(kept, 1, 65535, f), 0);
	(void)fclose(f);
	ck_assert_msg(strcmp(kept, text) == 0, "souk.conf.example has to be printed anew");
	free(kept);
	free(text);
}
END_TEST

START_TEST(the_manual_has_every_row)
{
	char *text = printed(cfg_print_markdown), cell[64];
	const char *line = text;

	for (const struct cfg_row *row = cfg_table(); row->name != NULL; row++) {
		(void)snprintf(cell, sizeof cell, "\n| `%s` | ", row->name);
		line = strstr(line, cell);
		ck_assert_msg(line != NULL, "%s", row->name);
	}
	free(text);
}
END_TEST

START_TEST(the_table_is_sound)
{
	size_t n = 0;

	for (const struct cfg_row *row = cfg_table(); row->name != NULL; row++, n++) {
		ck_assert_uint_eq(strspn(row->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), strlen(row->name));
		ck_assert_msg(strlen(row->meaning) > 10 && row->meaning[strlen(row->meaning) - 1] == '.', "%s", row->name);
		/* The web server fills the environment with these. */
		ck_assert(strncmp(row->name, "HTTP_", 5) != 0 && strncmp(row->name, "SERVER_", 7) != 0 && strncmp(row->name, "REMOTE_", 7) != 0);
		for (const struct cfg_row *other = cfg_table(); other < row; other++)
			ck_assert_str_ne(other->name, row->name);
	}
	ck_assert_uint_gt(n, 60);
	ck_assert_uint_le(n, CFG_ROWS_MAX);
}
END_TEST

START_TEST(an_unknown_name_stops)
{
	(void)cfg_int("NO_SUCH_SETTING");
}
END_TEST

START_TEST(a_wrong_type_stops)
{
	(void)cfg_int("SHOP_NAME");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { defaults_hold_without_a_file, a_file_is_read, mistakes_name_file_line_and_setting, forms_are_checked,
		values_have_to_fit_together, odd_files_are_refused, the_environment_wins, the_known_names_of_the_ai_limit_count,
		secrets_are_not_told, the_example_is_a_configuration_file, the_example_is_current, the_manual_has_every_row,
		the_table_is_sound, NULL };
	const TTest *const stops[] = { an_unknown_name_stops, a_wrong_type_stops, NULL };
	int failed = unit_run_exit("config: stops", stops, 70);

	return unit_run("config", tests) | failed;
}
