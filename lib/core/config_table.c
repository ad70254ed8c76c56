/* The table of all settings; see config.h.  Rows of one group stand together. */
#include "core/banned.h"
#include "core/config.h"
#include "core/ip.h"
#include "core/money.h"

#include <stddef.h>
#include <string.h>

static bool
is_absolute(const char *v)
{
	return v[0] == '/';
}

static bool
is_base_path(const char *v)
{
	size_t n = strlen(v);

	return v[0] == '/' && n > 1 && v[n - 1] != '/' && strpbrk(v, "?# %\\") == NULL && strstr(v, "//") == NULL;
}

static bool
is_web_url(const char *v)
{
	size_t scheme = strncmp(v, "https://", 8) == 0 ? 8 : strncmp(v, "http://", 7) == 0 ? 7 : 0;

	return scheme > 0 && v[scheme] != '\0' && v[scheme] != '/' && strpbrk(v, "?# \"<>@") == NULL;
}

static bool
is_redis_url(const char *v)
{
	return strncmp(v, "redis://", 8) == 0 || strncmp(v, "unix:", 5) == 0 || v[0] == '/';
}

static bool
is_smtp_url(const char *v)
{
	return strncmp(v, "smtp://", 7) == 0 || strncmp(v, "smtps://", 8) == 0;
}

/* ISO 13616: country, check digits, account; the whole, turned and in digits, leaves 1 when divided by 97. */
static bool
is_iban(const char *v)
{
	size_t n = strlen(v);
	unsigned rest = 0;

	if (n < 15 || n > 34)
		return false;
	for (size_t i = 0; i < n; i++) {
		char ch = v[(i + 4) % n];

		if (ch >= '0' && ch <= '9')
			rest = (rest * 10 + (unsigned)(ch - '0')) % 97;
		else if (ch >= 'A' && ch <= 'Z')
			rest = (rest * 100 + (unsigned)(ch - 'A') + 10) % 97;
		else
			return false;
	}
	return rest == 1;
}

static bool
is_port_list(const char *v)
{
	return strspn(v, "0123456789, ") == strlen(v);
}

static bool
is_resolve_list(const char *v)
{
	size_t n;

	for (; (n = strcspn(v += strspn(v, " "), " ")) > 0; v += n) {
		const char *host = memchr(v, ':', n), *port = host != NULL ? memchr(host + 1, ':', n - (size_t)(host + 1 - v)) : NULL;

		if (host == v || port == NULL || port + 1 == v + n)
			return false;
	}
	return true;
}

/* One @ with something on both sides, nothing that could end a header or an address. */
static bool
is_mail_address(const char *v)
{
	const char *at = strchr(v, '@');

	return at != NULL && at > v && at[1] != '\0' && strchr(at + 1, '@') == NULL && strpbrk(v, " \t\r\n<>()[],;:\\\"") == NULL && strlen(v) <= 320;
}

static bool
is_api_version(const char *v)
{
	return v[0] == 'v' && v[1] != '\0' && strspn(v + 1, "0123456789.") == strlen(v + 1);
}

static bool
is_pepper(const char *v)
{
	return strlen(v) >= 32;
}

/* kid:HS256:secret, kid:RS256:/file, ... */
static bool
is_token_keys(const char *v)
{
	for (;;) {
		size_t n, kid;

		v += strspn(v, ", \t");
		n = strcspn(v, ", \t");
		if (n == 0)
			return true;
		kid = strspn(v, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-");
		if (kid == 0 || kid > 64 || n < kid + 8)
			return false;
		if (!(strncmp(v + kid, ":HS256:", 7) == 0 && n >= kid + 7 + 32) && !(strncmp(v + kid, ":RS256:/", 8) == 0 && n > kid + 8))
			return false;
		v += n;
	}
}

static bool
is_currency(const char *v)
{
	return strlen(v) == 3 && money_scale(v) >= 0;
}

/* "fr,en": languages that souk speaks, each once. */
static bool
is_locale_list(const char *v)
{
	static const char known[] = "fr en es de";
	unsigned seen = 0;

	for (;; v += 3) {
		const char *at = NULL;

		for (const char *k = known; at == NULL && k < known + sizeof known - 1; k += 3)
			if (strncmp(v, k, 2) == 0)
				at = k;
		if (at == NULL || (seen & (1u << (at - known))) != 0)
			return false;
		seen |= 1u << (at - known);
		if (v[2] == '\0')
			return true;
		if (v[2] != ',')
			return false;
	}
}

#define TEXT(name, def, group, meaning) \
	{ name, CFG_STR, def, 0, 0, false, group, meaning, NULL, NULL, NULL }
#define FORM(name, def, group, check, form, meaning) \
	{ name, CFG_STR, def, 0, 0, false, group, meaning, NULL, check, form }
#define ONE_OF(name, def, group, choices, meaning) \
	{ name, CFG_STR, def, 0, 0, false, group, meaning, choices, NULL, NULL }
#define SECRET(name, def, group, meaning) \
	{ name, CFG_STR, def, 0, 0, true, group, meaning, NULL, NULL, NULL }
#define SECRET_FORM(name, def, group, check, form, meaning) \
	{ name, CFG_STR, def, 0, 0, true, group, meaning, NULL, check, form }
#define NUMBER(name, def, lo, hi, group, meaning) \
	{ name, CFG_INT, def, lo, hi, false, group, meaning, NULL, NULL, NULL }
#define SWITCH(name, def, group, meaning) \
	{ name, CFG_BOOL, def, 0, 0, false, group, meaning, NULL, NULL, NULL }
#define RATE(name, def, group, meaning) \
	{ name, CFG_RATE, def, 0, 0, false, group, meaning, NULL, NULL, NULL }

#define G_STORE "Database and state"
#define G_WEB "Web"
#define G_LIMIT "Sizes, times and processes"
#define G_SHOP "Shop"
#define G_ACCESS "Access tokens and rate limits"
#define G_LOG "Log and monitoring"
#define G_AI "Language models"
#define G_PAY "Payment"
#define G_OUT "Calls to other services"
#define G_MESSAGE "Mail and messengers"

#define ID_OF "Identifier given by the provider."

static const struct cfg_row table[] = {
	SECRET("DATABASE_URL", "postgresql:///souk", G_STORE,
		"PostgreSQL connection, as a URI (postgresql://user:password@host/name) or as key=value words. The default is the "
		"database souk on the local socket, as the user the programs run as."),
	SWITCH("DB_PREPARED", "on", G_STORE,
		"Prepare statements by name. Turn it off behind a pooler that changes the server connection between transactions, such as "
		"pgbouncer before 1.21; each statement is then planned anew."),
	SECRET_FORM("REDIS_URL", "", G_STORE, is_redis_url, "redis://[:password@]host[:port][/db] or unix:/path/to/socket",
		"Redis for rate counters of several hosts, caches and locks. Empty: PostgreSQL does the same, slower but completely."),
	FORM("STATE_DIR", "/var/lib/souk", G_STORE, is_absolute, "an absolute path",
		"Folder that the programs may write: shared memory of the processes (souk.shm) and the spool of recorded calls. It has to be on a local disk, "
		"the same for all programs and the souk command."),
	FORM("INDEX_FILE", "", G_STORE, is_absolute, "an absolute path",
		"The product search index, which souk index builds. Empty: search.seg in STATE_DIR. Without one PostgreSQL answers searches, slower."),
	NUMBER("INDEX_MEMORY_MB", "128", 4, 65536, G_STORE,
		"Memory for products' words while the search index is built; the rest goes to temporary files beside it."),

	FORM("PUBLIC_URL", "", G_WEB, is_web_url, "a URL such as https://shop.example without query",
		"Address under which the outside reaches souk, with BASE_PATH if there is one; written into links, metadata and the OpenAPI document. "
		"Empty: taken from each request's Host header."),
	FORM("BASE_PATH", "", G_WEB, is_base_path, "a path such as /shop, without a slash at its end",
		"Path before all routes when souk does not sit at the root of its host."),
	FORM("TRUSTED_PROXIES", "", G_WEB, ip_list_valid, "addresses and networks such as 127.0.0.1, 10.0.0.0/8",
		"Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. Empty: the connecting address is the client."),
	TEXT("CORS_ORIGINS", "", G_WEB,
		"Web origins, separated by commas, whose pages may call souk from a browser, such as https://shop.example; * allows all. "
		"Pages of souk's own host always may."),
	TEXT("ALLOWED_HOSTS", "", G_WEB,
		"Host names, separated by commas, that requests may carry in Host; others are refused, which stops DNS rebinding. The host of "
		"PUBLIC_URL is always allowed. Empty: any host, except on loopback addresses, where only localhost names are."),
	ONE_OF("ENVIRONMENT", "production", G_WEB, "development|production",
		"Shown in the status route."),
	SWITCH("SOUK_CONFORMANCE", "off", G_WEB,
		"Serve what the protocol's conformance tests ask for beside the shop, with the program souk-conformance.fcgi; never in production."),

	NUMBER("BODY_MAX", "1048576", 1024, 67108864, G_LIMIT,
		"Largest request body in bytes; more is answered with 413. Keep the web server's own limit a little above it."),
	NUMBER("BODY_MAX_IMPORT", "16777216", 1024, 1073741824, G_LIMIT,
		"The same for routes that take whole files."),
	NUMBER("REQUEST_MEMORY_MAX", "33554432", 4194304, 2147483647, G_LIMIT,
		"Most memory in bytes that one request may hold, its body included. A request that needs more is refused, not the process lost."),
	NUMBER("API_TIMEOUT_MS", "5000", 100, 600000, G_LIMIT,
		"Time in milliseconds that an API request may take, with all its calls to databases and other services; then it is answered with 503."),
	NUMBER("CHAT_TIMEOUT_MS", "60000", 1000, 600000, G_LIMIT,
		"The same for conversation routes, which wait for a language model."),
	NUMBER("WORKERS", "4", 1, 256, G_LIMIT,
		"Processes that a program starts when it owns a listening FastCGI socket: two per core. Set 1 under mod_fcgid, which manages processes itself."),
	NUMBER("WORKER_REQUESTS", "100000", 0, 1000000000, G_LIMIT,
		"A process ends after so many requests and is replaced by a fresh one; 0: never."),
	NUMBER("MCP_STREAMS", "2", 0, 250, G_LIMIT,
		"Event streams of MCP clients that may be open at once on this host. Each occupies a process, so keep it at half of them; at least one of WORKERS "
		"always stays free. 0: none. With WORKERS = 1 there are none unless this is set."),
	NUMBER("MCP_STREAM_S", "60", 30, 3600, G_LIMIT,
		"An event stream ends after so many seconds; clients open it again."),
	NUMBER("REDIS_TIMEOUT_MS", "200", 10, 60000, G_LIMIT,
		"Time in milliseconds for connecting to Redis and for each call; then PostgreSQL serves, until Redis answers again."),
	NUMBER("IDLE_CLOSE_S", "60", 1, 86400, G_LIMIT,
		"Connections to PostgreSQL and Redis that were idle for so many seconds are closed."),

	TEXT("SHOP_NAME", "Souk", G_SHOP,
		"Name of the shop, as customers and assistants see it."),
	ONE_OF("SHOP_LOCALE", "fr", G_SHOP, "fr|en|es|de",
		"Language of answers to whom no other was negotiated; one of SHOP_LOCALES."),
	FORM("SHOP_LOCALES", "fr,en", G_SHOP, is_locale_list, "a list of fr, en, es, de without spaces",
		"Languages that the shop offers."),
	FORM("SHOP_CURRENCY", "EUR", G_SHOP, is_currency, "an ISO 4217 code such as EUR",
		"Currency of prices that do not name theirs."),

	SECRET_FORM("TOKEN_PEPPER", "", G_ACCESS, is_pepper, "at least 32 characters",
		"Key under which access tokens are hashed; keep it outside the database and its backups. Changing it makes all tokens invalid. "
		"Without it no token can be created or checked. `openssl rand -hex 32` makes one."),
	NUMBER("IDEMPOTENCY_KEEP_H", "24", 1, 720, G_ACCESS,
		"Hours for which an Idempotency-Key answers with the first result."),
	ONE_OF("RATE_STORE", "auto", G_ACCESS, "auto|shm|kv",
		"Where rate counters live. shm: in STATE_DIR, exact on this host. kv: in Redis or PostgreSQL, exact over several hosts. auto: shm "
		"where processes can share memory, else kv."),
	SWITCH("OAUTH", "on", G_ACCESS,
		"People may let assistants act for them: the OAuth addresses answer. It needs TOKEN_PEPPER, and PUBLIC_URL with https wherever souk is reached from "
		"other machines."),
	SWITCH("OAUTH_REGISTRATION", "on", G_ACCESS,
		"Assistants that nobody knows may register themselves. Those with a metadata document of their own, and those that souk oauth client makes, need not."),
	NUMBER("OAUTH_ACCESS_S", "3600", 60, 86400, G_ACCESS,
		"Seconds for which an assistant's access token is good; it then gets the next one by itself."),
	NUMBER("OAUTH_REFRESH_S", "2592000", 3600, 31536000, G_ACCESS,
		"An assistant that was not used for so many seconds has to ask its user again."),
	NUMBER("OAUTH_SERVICE_S", "900", 60, 3600, G_ACCESS,
		"Seconds for which the signed token of a service account is good."),
	RATE("RATE_OAUTH", "120/60", G_ACCESS, "Requests per seconds, of an address, to the OAuth routes; off: no limit."),
	RATE("RATE_REGISTER", "20/3600", G_ACCESS, "The same for registering and for reading metadata documents of assistants."),
	RATE("RATE_STATUS", "60/60", G_ACCESS, "Requests per seconds, of a token or address, to status and metrics routes; off: no limit."),
	RATE("RATE_TEST", "10/3600", G_ACCESS, "The same for starting test runs."),
	RATE("RATE_DATA", "100/60", G_ACCESS, "The same for catalogue, sales, inventory and order data."),
	RATE("RATE_CHAT", "10/60", G_ACCESS, "The same for conversation."),
	RATE("RATE_AI", "10/60", G_ACCESS, "The same for other routes that use a language model."),
	RATE("RATE_MCP", "600/60", G_ACCESS, "The same for MCP messages that call no tool."),
	RATE("RATE_HEALTH", "600/60", G_ACCESS, "The same for health probes."),
	RATE("RATE_LOGIN", "10/900", G_ACCESS,
		"Tries to log in per seconds, by account and by caller's address: passwords and TOTP codes; one-time codes that customers ask for by caller's address."),
	RATE("RATE_GUEST", "5/3600", G_ACCESS,
		"One-time codes per seconds that guests ask for, by order number, by e-mail address and by caller's address, and customers by e-mail address."),
	RATE("RATE_AUTH", "60/60", G_ACCESS,
		"Refused tokens and wrong one-time codes per seconds and caller's address; above it they are answered with 429. Valid tokens always pass."),
	NUMBER("GUEST_SESSION_S", "900", 60, 86400, G_ACCESS,
		"Seconds for which a guest who has proven an order may go on with it."),
	NUMBER("CUSTOMER_SESSION_S", "3600", 60, 2592000, G_ACCESS,
		"Seconds for which the access token of a customer who logged in with a one-time code is good."),
	SECRET_FORM("CUSTOMER_TOKEN_KEYS", "", G_ACCESS, is_token_keys, "KID:HS256:SECRET or KID:RS256:/path/to/public.pem, separated by blanks or commas",
		"Keys of the customer tokens that the shop's own site issues: a secret of 32 characters or more, or the file of a public key. Several while they are "
		"changed. Empty: none are accepted."),
	TEXT("CUSTOMER_TOKEN_AUDIENCE", "", G_ACCESS,
		"What these tokens have to name as their audience (aud); empty: PUBLIC_URL, and without that a loopback address under which souk is called."),
	NUMBER("CUSTOMER_TOKEN_MAX_S", "86400", 60, 2592000, G_ACCESS,
		"Longest time in seconds that such a token may still be good for; longer ones are refused."),
	NUMBER("SESSION_IDLE_S", "1800", 60, 2592000, G_ACCESS,
		"Seconds without a request after which a browser is logged out."),
	NUMBER("SESSION_S", "43200", 300, 31536000, G_ACCESS,
		"Seconds after which a browser is logged out in any case."),
	NUMBER("PASSWORD_MEMORY_MB", "19", 8, 1024, G_ACCESS,
		"Memory in MiB that checking a password takes (argon2id), times the log-ins at one time. Existing passwords are hashed anew at their next log-in."),
	NUMBER("PASSWORD_ROUNDS", "2", 1, 20, G_ACCESS,
		"Passes of argon2id over that memory."),
	SWITCH("LOGIN_CODE_LOG", "off", G_ACCESS,
		"Write one-time codes to the log as well, to try log-in without a mail server; refused in production."),

	ONE_OF("MCP_LOG_LEVEL", "info", G_LOG, "debug|info|warn|error",
		"Lowest level that is logged."),
	FORM("LOG_FILE", "", G_LOG, is_absolute, "an absolute path",
		"File for the log, one JSON object per line; a moved file is noticed and a new one made. Empty: standard error, which the web server logs."),
	FORM("STATUS_DISK_PATH", "/", G_LOG, is_absolute, "an absolute path",
		"The disk whose use the status route shows is the one that holds this path."),

	SWITCH("ENABLE_AI_CHAT", "true", G_AI, "Conversation routes are on."),
	SWITCH("ENABLE_AI_SEARCH", "true", G_AI, "Search in everyday words is on."),
	SWITCH("ENABLE_AI_RECOMMENDATIONS", "true", G_AI, "Recommendation routes are on."),
	SWITCH("ENABLE_AI_CONTENT", "false", G_AI, "Writing of product texts by a model is on."),
	NUMBER("AI_RATE_LIMIT_REQUESTS", "0", 0, CFG_RATE_LIMIT_MAX, G_AI,
		"When above 0: requests per AI_RATE_LIMIT_WINDOW_MS, used instead of RATE_AI."),
	NUMBER("AI_RATE_LIMIT_WINDOW_MS", "60000", 1000, CFG_RATE_WINDOW_MAX * 1000LL, G_AI,
		"Window of AI_RATE_LIMIT_REQUESTS in milliseconds; rounded up to seconds."),
	TEXT("AI_DEFAULT_MODEL", "", G_AI, "Model name, as its provider spells it, where no other is set. Empty: no model is asked."),
	TEXT("AI_CHAT_MODEL", "", G_AI, "Model for conversation; empty: AI_DEFAULT_MODEL."),
	TEXT("AI_ANALYSIS_MODEL", "", G_AI, "Model for questions about business data; empty: AI_DEFAULT_MODEL."),
	TEXT("AI_SEARCH_MODEL", "", G_AI,
		"Model that reads search queries which the built-in parser could not; claude... is asked at ANTHROPIC_URL, others at OPENAI_URL. Empty: none is asked."),
	NUMBER("AI_SEARCH_TIMEOUT_MS", "2500", 100, 60000, G_AI, "How long a search waits for that model; then the built-in result is given."),
	FORM("OPENAI_URL", "https://api.openai.com/v1", G_AI, is_web_url, "a URL such as https://api.openai.com/v1",
		"Where the interface of OpenAI's models is, or of a server with the same."),
	FORM("ANTHROPIC_URL", "https://api.anthropic.com", G_AI, is_web_url, "a URL such as https://api.anthropic.com", "Where Anthropic's interface is."),
	SECRET("ANTHROPIC_API_KEY", "", G_AI, "Key for Anthropic's models."),
	SECRET("OPENAI_API_KEY", "", G_AI, "Key for OpenAI's models, or for a server with the same interface."),
	SECRET("GROQ_API_KEY", "", G_AI, "Key for Groq's models."),
	FORM("BUSINESS_API_URL", "", G_AI, is_web_url, "a URL such as https://erp.example/api",
		"Shop system that answers business questions which this database cannot; empty: none."),
	NUMBER("MCP_ORCHESTRATOR_PORT", "3300", 1, 65535, G_AI,
		"Port on 127.0.0.1 where souk-ws listens for WebSocket connections."),
	SWITCH("WS", "on", G_AI,
		"Whether souk-serve starts souk-ws, for WebSocket connections to /ws."),
	NUMBER("WS_WORKERS", "2", 1, 100, G_AI,
		"Processes that answer the messages of WebSocket connections."),
	NUMBER("WS_CONNECTIONS", "2000", 1, 100000, G_AI,
		"WebSocket connections that may be open at once; further ones are refused with 503."),
	NUMBER("WS_PER_ADDRESS", "100", 1, 100000, G_AI,
		"WebSocket connections that one address may have open; further ones are refused with 429."),
	NUMBER("WS_MESSAGES", "600", 1, 1000000, G_AI,
		"Messages that one WebSocket connection may send in a minute; beyond, it is closed. Rate limits count besides."),
	NUMBER("WS_PING_S", "30", 1, 3600, G_AI,
		"A WebSocket connection that was silent for so many seconds is pinged, and closed when nothing comes for half as long again; so is one that "
		"takes nothing of what is sent to it for so long."),

	SECRET("STRIPE_SECRET_KEY", "", G_PAY, "Key for creating payment links at Stripe; empty: none are offered."),
	SECRET("STRIPE_WEBHOOK_SECRET", "", G_PAY, "Secret with which Stripe signs its webhooks; two, separated by a comma, while it is changed."),
	FORM("STRIPE_API_URL", "https://api.stripe.com", G_PAY, is_web_url, "a URL such as https://api.stripe.com",
		"Where Stripe's interface is; another one for tests."),
	TEXT("STRIPE_API_VERSION", "2025-03-31.basil", G_PAY, "Version of Stripe's interface that is asked for, sent as Stripe-Version."),
	NUMBER("PAYMENT_HOLD_MIN", "60", 31, 1430, G_PAY,
		"Minutes for which stock is held for an order that is being paid; a Checkout Session at Stripe lives as long."),
	SWITCH("PAY_ON_DELIVERY", "on", G_PAY, "The payment page offers payment on delivery."),
	FORM("BANK_IBAN", "", G_PAY, is_iban, "an IBAN without blanks", "Account for bank transfers, shown on the payment page; empty: none are offered."),
	TEXT("BANK_BIC", "", G_PAY, "BIC of that account."),
	TEXT("BANK_HOLDER", "", G_PAY, "Holder of that account; empty: SHOP_NAME."),
	NUMBER("BANK_TRANSFER_DAYS", "7", 1, 60, G_PAY, "Days for which stock is held for an order that a bank transfer is awaited for."),

	FORM("OUTGOING_PRIVATE", "", G_OUT, ip_list_valid, "addresses and networks such as 10.0.0.0/8",
		"Networks of your own that outgoing webhooks may reach, with plain http and any port too. Empty: only public addresses, by https."),
	FORM("OUTGOING_PORTS", "443", G_OUT, is_port_list, "port numbers such as 443, 8443",
		"Ports of public addresses that outgoing webhooks may reach."),
	FORM("OUTGOING_CA_FILE", "", G_OUT, is_absolute, "an absolute path",
		"Certificates, in PEM form, that are trusted for calls to other services instead of the system's."),
	FORM("OUTGOING_RESOLVE", "", G_OUT, is_resolve_list, "entries such as erp.example:443:10.0.0.7",
		"Addresses of host names, separated by blanks, as host:port:address, instead of asking for them."),

	SECRET_FORM("SMTP_URL", "", G_MESSAGE, is_smtp_url, "smtp://user:password@host:587 or smtps://...",
		"Mail server for outgoing mail; empty: no mail is sent."),
	ONE_OF("SMTP_TLS", "auto", G_MESSAGE, "auto|always|never",
		"Encryption towards an smtp:// server. auto: STARTTLS has to work, except on loopback addresses."),
	FORM("MAIL_FROM", "", G_MESSAGE, is_mail_address, "an address such as shop@shop.example",
		"Sender of mail. Empty: shop@ and the host of PUBLIC_URL."),
	TEXT("MAIL_FROM_NAME", "", G_MESSAGE, "Name of the sender; empty: SHOP_NAME."),
	FORM("MAIL_REPLY_TO", "", G_MESSAGE, is_mail_address, "an address such as help@shop.example",
		"Where answers to mail go; empty: to MAIL_FROM."),
	FORM("MAIL_DIR", "", G_MESSAGE, is_absolute, "an absolute path",
		"Folder into which messages are written, one file each, where no server or account is set for their channel; for trying things out. Empty: such "
		"messages are parked."),
	TEXT("ALERT_TO", "", G_MESSAGE, "Mail address, or telephone number such as +33123456789, of whoever is to get the shop's alerts."),
	NUMBER("NOTIFY_RETRY_S", "15", 1, 3600, G_MESSAGE,
		"Seconds until a message or webhook that could not be delivered is tried again; doubling each time up to an hour, with some chance in it."),
	NUMBER("NOTIFY_RETRY_H", "24", 1, 720, G_MESSAGE, "Hours after which a message that could not be sent is parked."),
	NUMBER("WEBHOOK_RETRY_H", "72", 1, 720, G_MESSAGE,
		"Hours after which a webhook that could not be delivered is parked; an endpoint that took nothing for so long is disabled."),
	RATE("NOTIFY_LIMIT", "30/3600", G_MESSAGE, "Messages per seconds to one recipient on one channel; more wait. off: no limit."),
	TEXT("TWILIO_ACCOUNT_SID", "", G_MESSAGE, "Account for text messages by Twilio. " ID_OF),
	SECRET("TWILIO_AUTH_TOKEN", "", G_MESSAGE, "Secret of that account."),
	TEXT("TWILIO_FROM_NUMBER", "", G_MESSAGE, "Sender of text messages, such as +33123456789, or the identifier of a messaging service (MG...)."),
	FORM("TWILIO_STATUS_CALLBACK", "", G_MESSAGE, is_web_url, "a URL such as https://shop.example/sms", "Where Twilio reports what became of a text message; empty: to /webhooks/twilio, if PUBLIC_URL is https."),
	FORM("TWILIO_URL", "https://api.twilio.com", G_MESSAGE, is_web_url, "a URL such as https://api.twilio.com", "Address of Twilio's interface."),
	TEXT("WHATSAPP_PHONE_NUMBER_ID", "", G_MESSAGE, "Number from which WhatsApp messages are sent. " ID_OF),
	SECRET("WHATSAPP_ACCESS_TOKEN", "", G_MESSAGE, "Token for sending WhatsApp messages."),
	FORM("WHATSAPP_URL", "https://graph.facebook.com", G_MESSAGE, is_web_url, "a URL such as https://graph.facebook.com", "Address of Meta's interface."),
	FORM("WHATSAPP_API_VERSION", "v23.0", G_MESSAGE, is_api_version, "a version such as v23.0", "Version of Meta's interface."),
	TEXT("WHATSAPP_TEMPLATE_PREFIX", "", G_MESSAGE,
		"What stands before a notification's name in the name of its template at Meta: with souk_ the confirmation of orders is souk_order_confirmation."),
	SECRET("WHATSAPP_APP_SECRET", "", G_MESSAGE, "Secret with which Meta signs its webhooks, the app's secret; empty: delivery reports are refused."),
	SECRET("WHATSAPP_VERIFY_TOKEN", "", G_MESSAGE, "Word of your choice that the provider repeats when the webhook is set up."),
	TEXT("INSTAGRAM_ACCOUNT_ID", "", G_MESSAGE, "Account from which Instagram messages are sent. " ID_OF),
	SECRET("INSTAGRAM_ACCESS_TOKEN", "", G_MESSAGE, "Token for sending Instagram messages."),
	SECRET("INSTAGRAM_APP_SECRET", "", G_MESSAGE, "Secret with which Instagram webhooks are signed."),
	SECRET("INSTAGRAM_VERIFY_TOKEN", "", G_MESSAGE, "Word of your choice that the provider repeats when the webhook is set up."),

	{ NULL, CFG_STR, NULL, 0, 0, false, NULL, NULL, NULL, NULL, NULL }
};

_Static_assert(sizeof table / sizeof *table <= CFG_ROWS_MAX, "raise CFG_ROWS_MAX");

const struct cfg_row *
cfg_table(void)
{
	return table;
}

const char *
cfg_conflict(void)
{
	/* A body that just fits must leave room for what is made of it. */
	int64_t room = cfg_int("REQUEST_MEMORY_MAX") - 1048576;

	if (cfg_int("BODY_MAX") > room || cfg_int("BODY_MAX_IMPORT") > room)
		return "REQUEST_MEMORY_MAX: must be at least 1 MiB (1048576) above BODY_MAX and BODY_MAX_IMPORT";
	if (strstr(cfg_str("SHOP_LOCALES"), cfg_str("SHOP_LOCALE")) == NULL)
		return "SHOP_LOCALE: must be one of SHOP_LOCALES";
	if (cfg_bool("SOUK_CONFORMANCE") && strcmp(cfg_str("ENVIRONMENT"), "production") == 0)
		return "SOUK_CONFORMANCE: must be off where ENVIRONMENT is production";
	if (cfg_bool("LOGIN_CODE_LOG") && strcmp(cfg_str("ENVIRONMENT"), "production") == 0)
		return "LOGIN_CODE_LOG: must be off where ENVIRONMENT is production";
	return NULL;
}
