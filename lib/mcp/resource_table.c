/* Which resources there are, and how a URI finds its row. */
#include "mcp/resources.h"

#include <string.h>

#include "core/banned.h"
#include "core/json.h"

static const char own_scheme[] = "souk://";
static const char other_scheme[] = "vivr://";

const struct mcp_resource mcp_resource_table[] = {
	{ "souk://products/catalog", "product-catalog", "Product catalog",
	    "All products that can be bought, 200 a page in the order of their ids; the next page is at souk://products/catalog?cursor=NEXT.",
	    "resource_catalog", "{}", "catalog storefront", NULL },
	{ "souk://products/categories", "category-list", "Category list", "All product categories, with the number of products in each.",
	    "list_categories", "{\"limit\":500}", "catalog storefront", NULL },
	{ "souk://products/featured", "featured-products", "Featured products", "The products that the shop puts forward now.",
	    "search_products", "{\"featured\":true,\"limit\":50}", "catalog storefront", NULL },
	{ "souk://products/{slug}", "product", "Product", "Everything the shop tells about one product.",
	    "get_product_details", "{}", "catalog storefront", "complete_product" },
	{ "souk://categories/{categorySlug}", "category-products", "Products of a category",
	    "Products of one category and of those below it, the most popular first.",
	    "get_category_products", "{\"limit\":50}", "catalog storefront", "complete_category" },
	{ "souk://orders/{number}", "order", "Order", "One order with its lines and shipments; customers see their own.",
	    "resource_order", "{}", "orders support", "complete_order" },
	{ "souk://policies/return", "return-policy", "Return policy", "What can be returned, for how long, at whose cost, with the exceptions.",
	    "resource_policy", "{\"name\":\"return\"}", "support storefront", NULL },
	{ "souk://policies/shipping", "shipping-policy", "Shipping policy", "Ways, costs and times of delivery.",
	    "resource_policy", "{\"name\":\"shipping\"}", "support storefront", NULL },
	{ "souk://policies/payment", "payment-policy", "Payment policy", "Ways to pay, and when money is taken.",
	    "resource_policy", "{\"name\":\"payment\"}", "support storefront", NULL },
	{ "souk://policies/terms", "terms-policy", "Terms and conditions", "The conditions of sale.",
	    "resource_policy", "{\"name\":\"terms\"}", "support storefront", NULL },
	{ "souk://policies/privacy", "privacy-policy", "Privacy policy", "What the shop does with personal data.",
	    "resource_policy", "{\"name\":\"privacy\"}", "support storefront", NULL },
	{ "souk://policies/{name}", "policy", "Policy", "What the shop promises: return, shipping, payment, terms or privacy.",
	    "resource_policy", "{}", "support storefront", "complete_policy" },
	{ "souk://faq", "faq", "Frequently asked questions", "All questions with their answers, 100 a page; the next page is at souk://faq?cursor=NEXT.",
	    "resource_faq", "{}", "support storefront", NULL },
	{ "souk://faq/{category}", "faq-category", "Frequently asked questions of a category", "Questions on shipping, returns, payment, products or account.",
	    "resource_faq", "{}", "support storefront", "complete_faq_category" },
	{ NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
};

bool
resource_served(const char *servers, const char *server)
{
	size_t n = strlen(server);

	if (n == 0)
		return true;
	for (const char *p = servers; (p = strstr(p, server)) != NULL; p += n)
		if ((p == servers || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

const char *
resource_canonical(struct ctx *c, const char *uri)
{
	size_t n = sizeof(other_scheme) - 1;

	return strncmp(uri, other_scheme, n) == 0 ? arena_printf(c->a, "%s%s", own_scheme, uri + n) : uri;
}

static int
hex_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	ch = (char)(ch | 0x20);
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* %-decode n bytes; NULL when they are no text. */
static const char *
decode(struct ctx *c, const char *s, size_t n)
{
	char *out = arena_alloc(c->a, n + 1);
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] != '%') {
			out[k++] = s[i];
			continue;
		}
		if (i + 2 >= n || hex_digit(s[i + 1]) < 0 || hex_digit(s[i + 2]) < 0)
			return NULL;
		out[k++] = (char)(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
		i += 2;
	}
	out[k] = '\0';
	return k > 0 && strlen(out) == k && utf8_valid(out, k) ? out : NULL;
}

/* Does the URI (n bytes) fit the pattern, which may have one {variable} of a path segment? */
static bool
fits(struct ctx *c, const char *pattern, const char *uri, size_t n, struct mcp_found *found)
{
	const char *open = strchr(pattern, '{'), *close = open != NULL ? strchr(open, '}') : NULL;
	size_t head, tail;

	if (close == NULL)
		return strlen(pattern) == n && memcmp(pattern, uri, n) == 0;
	head = (size_t)(open - pattern);
	tail = strlen(close + 1);
	if (n <= head + tail || memcmp(uri, pattern, head) != 0 || memcmp(uri + n - tail, close + 1, tail) != 0 ||
	    memchr(uri + head, '/', n - head - tail) != NULL)
		return false;
	found->name = arena_strndup(c->a, open + 1, (size_t)(close - open - 1));
	found->value = decode(c, uri + head, n - head - tail);
	return found->value != NULL;
}

bool
resource_find(struct ctx *c, const char *server, const char *uri, struct mcp_found *found)
{
	static const char query[] = "?cursor=";
	const char *at;
	size_t n;

	*found = (struct mcp_found){ 0 };
	uri = resource_canonical(c, uri);
	for (const struct mcp_fixture_resource *f = mcp_fixtures()->resources; f->uri != NULL; f++)
		if (fits(c, f->uri, uri, strlen(uri), found)) {
			found->fixture = f;
			return true;
		}
	at = strchr(uri, '?');
	n = at != NULL ? (size_t)(at - uri) : strlen(uri);
	if (at != NULL) {
		if (strncmp(at, query, sizeof(query) - 1) != 0)
			return false;
		found->cursor = decode(c, at + sizeof(query) - 1, strlen(at + sizeof(query) - 1));
		if (found->cursor == NULL)
			return false;
	}
	for (const struct mcp_resource *r = mcp_resource_table; r->uri != NULL; r++)
		if (resource_served(r->servers, server) && fits(c, r->uri, uri, n, found)) {
			found->resource = r;
			return true;
		}
	return false;
}

const struct mcp_resource *
resource_template(struct ctx *c, const char *server, const char *template)
{
	template = resource_canonical(c, template);
	for (const struct mcp_resource *r = mcp_resource_table; r->uri != NULL; r++)
		if (resource_served(r->servers, server) && strcmp(r->uri, template) == 0)
			return r;
	return NULL;
}
