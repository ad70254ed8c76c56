#include "mcp/apps.h"

#include <json-c/json.h>
#include <string.h>

#include "core/banned.h"
#include "core/config.h"
#include "core/json.h"
#include "mcp/methods.h"
#include "mcp/session.h"

#define MEDIA "text/html;profile=mcp-app"
#define HTML_MAX (512u << 10)

static const char scheme[] = "ui://souk/";

/* What clients are told of a view; a view without a row is none. */
static const struct {
	const char *name, *title, *description;
} about[] = {
	{ "product-cards", "Product cards", "Products with picture, price and stock, for the results of product searches." },
	{ "basket", "Basket", "The basket with its lines, discounts and total." },
	{ "order", "Order", "An order: how far it is, what is in it, where its parcels are." },
};

bool
app_declared_in(json_object *capabilities)
{
	json_object *extensions, *ui, *types;

	if (!json_object_is_type(capabilities, json_type_object) || json_get_object(capabilities, "extensions", &extensions) != JSON_OK ||
	    json_get_object(extensions, APP_EXTENSION, &ui) != JSON_OK || json_get_array(ui, "mimeTypes", &types) != JSON_OK)
		return false;
	for (size_t i = 0; i < json_object_array_length(types); i++) {
		json_object *type = json_object_array_get_idx(types, i);

		if (json_object_is_type(type, json_type_string) && strcmp(json_object_get_string(type), MEDIA) == 0)
			return true;
	}
	return false;
}

bool
app_declared(const struct mcp_call *call)
{
	json_object *capabilities = NULL;

	if (call->era == ERA_MODERN)
		(void)json_object_object_get_ex(call->m->meta, META_CLIENT_CAPABILITIES, &capabilities);
	else if (call->session != NULL)
		(void)json_object_object_get_ex(call->session->record, "capabilities", &capabilities);
	return app_declared_in(capabilities);
}

const struct mcp_app_file *
app_find(const char *uri)
{
	size_t n = sizeof(scheme) - 1;

	if (strncmp(uri, scheme, n) != 0)
		return NULL;
	for (const struct mcp_app_file *f = mcp_app_files; f->name != NULL; f++)
		if (strcmp(f->name, uri + n) == 0)
			return f;
	return NULL;
}

/* Where the shop's pictures are; "" when that is not known. */
static const char *
base_url(const struct mcp_call *call)
{
	return call->io->base_url != NULL && call->io->base_url[0] != '\0' ? call->io->base_url : cfg_str("PUBLIC_URL");
}

/* Only the shop's own host may be asked for pictures, for nothing else. */
static void
put_meta(struct mcp_call *call, struct buf *b)
{
	const char *base = base_url(call), *host = strstr(base, "://");

	buf_puts(b, ",\"_meta\":{\"ui\":{\"csp\":{\"connectDomains\":[],\"resourceDomains\":[");
	if (host != NULL)
		buf_json_string(b, base, (size_t)(host - base) + 3 + strcspn(host + 3, "/"));
	buf_puts(b, "],\"frameDomains\":[],\"baseUriDomains\":[]},\"prefersBorder\":true}}");
}

static void
put_text(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, ",\"%s\":", key);
	buf_json_cstr(b, value);
}

/* Does one of the endpoint's tools have it? */
static bool
is_used(const struct mcp_call *call, const char *name)
{
	const char *listed_as;

	for (const struct tool *t = tools_all(); t->name != NULL; t++)
		if (t->app != NULL && strcmp(t->app, name) == 0 && tool_listed(t, call->io->server, &listed_as))
			return true;
	return false;
}

size_t
app_put_resources(struct mcp_call *call, size_t start, size_t max, size_t *shown)
{
	size_t n = sizeof(about) / sizeof(about[0]);

	if (!app_declared(call))
		return 0;
	for (size_t i = start; i < n && *shown < max; i++) {
		if (!is_used(call, about[i].name))
			continue;
		buf_puts(call->out, (*shown)++ > 0 ? ",{\"uri\":" : "{\"uri\":");
		buf_json_cstr(call->out, arena_printf(call->c->a, "%s%s", scheme, about[i].name));
		put_text(call->out, "name", about[i].name);
		put_text(call->out, "title", about[i].title);
		put_text(call->out, "description", about[i].description);
		put_text(call->out, "mimeType", MEDIA);
		put_meta(call, call->out);
		buf_putc(call->out, '}');
	}
	return n;
}

/* The document, with the shop's address in the one place that is for it. */
static const char *
fill(struct mcp_call *call, const char *html)
{
	static const char mark[] = "{base}";
	const char *at = strstr(html, mark), *base = base_url(call);
	struct buf b;

	if (at == NULL)
		return html;
	buf_init(&b, call->c->a, 32768, HTML_MAX);
	buf_put(&b, html, (size_t)(at - html));
	if (strpbrk(base, "\"<>&") == NULL)
		buf_puts(&b, base);
	buf_puts(&b, at + sizeof(mark) - 1);
	return b.p;
}

bool
app_read(struct mcp_call *call, const struct mcp_app_file *app, const char *uri)
{
	mcp_member(call, "contents");
	buf_puts(call->out, "[{\"uri\":");
	buf_json_cstr(call->out, uri);
	put_text(call->out, "mimeType", MEDIA);
	put_text(call->out, "text", fill(call, app->html));
	put_meta(call, call->out);
	buf_puts(call->out, "}]");
	mcp_cacheable(call, true);
	return true;
}

void
app_put_view(struct mcp_call *call, const struct tool *t)
{
	if (t->app == NULL || !app_declared(call))
		return;
	call->out->n--;		/* the entry ends with '}': go on inside it */
	buf_printf(call->out, ",\"_meta\":{\"ui\":{\"resourceUri\":\"%s%s\",\"visibility\":[\"model\",\"app\"]},\"ui/resourceUri\":\"%s%s\"}}", scheme,
		t->app, scheme, t->app);
}
