/* The question to a person: who asks, for what, in whose name. */
#include <string.h>

#include "auth/login.h"
#include "auth/oauth_internal.h"
#include "core/banned.h"
#include "core/config.h"
#include "store/fetch.h"

/* The form is good for exactly this question. */
const char *
consent_purpose(struct ctx *c, const char *query)
{
	return arena_printf(c->a, "oauth consent %s", query);
}

static const char *
question_path(struct req *r, const char *query)
{
	return arena_printf(r->c.a, "%s?%s", page_path(r, "/oauth/authorize"), query);
}

const char *
consent_login(struct req *r, const char *query)
{
	return arena_printf(r->c.a, "%s?next=%s", page_path(r, "/login"), fetch_escape(&r->c, question_path(r, query)));
}

/* ---- page ---------------------------------------------------------------------------------------- */

static const char *
say(const struct oauth_ask *ask, const char *en, const char *fr)
{
	return strcmp(ask->locale, "fr") == 0 ? fr : en;
}

/* Where the form's redirect may lead, for the content security policy: browsers hold redirects to it. */
static const char *
form_source(struct req *r, const char *uri)
{
	size_t scheme = strcspn(uri, ":");
	const char *host = uri_host(&r->c, uri);

	if (*host == '\0' || *host == '[' || (strncmp(uri, "http:", 5) != 0 && strncmp(uri, "https:", 6) != 0))
		return arena_printf(r->c.a, "%.*s:", (int)scheme, uri);
	return arena_printf(r->c.a, "%.*s", (int)(scheme + 3 + strcspn(uri + scheme + 3, "/?")), uri);
}

/* Where the answer goes: what an impostor cannot choose. */
static const char *
destination(struct req *r, const struct oauth_ask *ask)
{
	const char *host = uri_host(&r->c, ask->redirect_uri);

	if (*host == '\0' || (strncmp(ask->redirect_uri, "http:", 5) != 0 && strncmp(ask->redirect_uri, "https:", 6) != 0))
		return arena_printf(r->c.a, "%s (%.*s)", say(ask, "an app on this device", "une application sur cet appareil"),
			(int)strcspn(ask->redirect_uri, ":"), ask->redirect_uri);
	if (strncmp(ask->redirect_uri, "http:", 5) == 0)
		return say(ask, "a program on this computer", "un programme sur cet ordinateur");
	return host;
}

static void
put_client(struct page *p, const struct oauth_ask *ask)
{
	bool verified = strcmp(ask->client.kind, "document") == 0, known = strcmp(ask->client.kind, "manual") == 0;

	page_puts(p, "<dl class=\"facts\">\n<dt>");
	page_text(p, say(ask, "Who asks", "Qui demande"));
	page_puts(p, "</dt><dd><strong>");
	page_text(p, ask->client.name);
	page_puts(p, "</strong> <span class=\"mark");
	page_puts(p, verified || known ? "\">" : " not\">");
	if (known)
		page_text(p, say(ask, "registered by the shop", "enregistré par la boutique"));
	else if (verified)
		page_text(p, uri_host(&p->r->c, ask->client.id));
	else
		page_text(p, say(ask, "unverified", "non vérifié"));
	page_puts(p, "</span></dd>\n");
	page_fact(p, say(ask, "Answer goes to", "La réponse va à"), destination(p->r, ask));
}

static void
put_rights(struct page *p, const struct oauth_ask *ask, const struct subject *who, const char *given)
{
	page_puts(p, "<h2>");
	page_text(p, say(ask, "It may then", "Il pourra alors"));
	page_puts(p, "</h2>\n<ul class=\"rights\">\n");
	for (const char *s = given; *s != '\0';) {
		size_t n = strcspn(s, " ");
		bool changes;
		const char *words = scope_words(&p->r->c, arena_strndup(p->r->c.a, s, n), ask->locale,
			strcmp(who->kind, "staff") == 0, &changes);

		page_puts(p, changes ? "<li class=\"changes\">" : "<li>");
		page_text(p, words);
		page_puts(p, "</li>\n");
		s += n + (s[n] == ' ');
	}
	page_puts(p, "</ul>\n");
}

/* A registered name is anybody's; a verified one too where the answer stays on this computer, since any program may ask in its name. */
static void
put_warning(struct page *p, const struct oauth_ask *ask)
{
	bool registered = strcmp(ask->client.kind, "registered") == 0;

	if (!registered && strncmp(ask->redirect_uri, "https:", 6) == 0)
		return;
	page_puts(p, "<p class=\"note\">");
	if (registered)
		page_text(p, say(ask, "The name was chosen by whoever asks; nobody has checked it. Go on only if you have just started this yourself.",
			"Le nom a été choisi par qui demande ; personne ne l’a vérifié. Ne continuez que si vous venez de lancer cela vous-même."));
	else
		page_text(p, say(ask, "Any program on this device could ask in that name. Go on only if you have just started this yourself.",
			"Tout programme de cet appareil pourrait demander sous ce nom. Ne continuez que si vous venez de lancer cela vous-même."));
	page_puts(p, "</p>\n");
}

static void
put_form(struct page *p, const struct oauth_ask *ask, const char *proof)
{
	page_puts(p, "<form method=\"post\" action=\"");
	page_text(p, page_path(p->r, "/oauth/authorize"));
	page_puts(p, "\">\n");
	page_hidden(p, "query", ask->query);
	page_hidden(p, "proof", proof);
	page_puts(p, "<div class=\"choice\">\n<button class=\"main\" type=\"submit\" name=\"decision\" value=\"allow\">");
	page_text(p, say(ask, "Allow", "Autoriser"));
	page_puts(p, "</button>\n<button type=\"submit\" name=\"decision\" value=\"deny\">");
	page_text(p, say(ask, "Refuse", "Refuser"));
	page_puts(p, "</button>\n</div>\n</form>\n");
}

/* Log out, and come back to the question as somebody else. */
static void
put_leave(struct page *p, const struct oauth_ask *ask)
{
	const char *token = login_form_token(p->r, "logout");

	page_puts(p, "<form method=\"post\" action=\"");
	page_text(p, page_path(p->r, "/logout"));
	page_puts(p, "\">\n");
	page_hidden(p, "form", token != NULL ? token : "");
	page_hidden(p, "next", question_path(p->r, ask->query));
	page_puts(p, "<p class=\"soft\">");
	page_text(p, say(ask, "Somebody else?", "Quelqu’un d’autre ?"));
	page_puts(p, " <button type=\"submit\">");
	page_text(p, say(ask, "Change account", "Changer de compte"));
	page_puts(p, "</button></p>\n</form>\n");
}

enum err
consent_page(struct req *r, const struct oauth_ask *ask, const struct subject *who, const char *given)
{
	const char *name = *who->name != '\0' ? who->name : who->principal;
	struct page p;
	const char *proof = login_form_token(r, consent_purpose(&r->c, ask->query));

	if (proof == NULL)
		return fail(&r->c, E_UNAVAILABLE, NULL);
	page_begin(&p, r, say(ask, "en", "fr"), say(ask, "Allow access?", "Autoriser l’accès ?"));
	p.form_to = form_source(r, ask->redirect_uri);
	page_puts(&p, "<p>");
	page_text(&p, arena_printf(r->c.a, "%s %s %s.", ask->client.name, say(ask, "wants to act for you at", "veut agir pour vous chez"),
		cfg_str("SHOP_NAME")));
	page_puts(&p, "</p>\n");
	put_client(&p, ask);
	page_fact(&p, say(ask, "For", "Pour"), name);
	page_puts(&p, "</dl>\n");
	put_rights(&p, ask, who, given);
	put_warning(&p, ask);
	put_form(&p, ask, proof);
	page_puts(&p, "<p class=\"soft\">");
	page_text(&p, say(ask, "It never sees your password. The shop can end this access at any time.",
		"Il ne voit jamais votre mot de passe. La boutique peut mettre fin à cet accès à tout moment."));
	page_puts(&p, "</p>\n");
	put_leave(&p, ask);
	return page_send(&p, 200);
}

enum err
consent_fault(struct req *r, const char *locale, int status, const char *en, const char *fr)
{
	bool is_fr = strcmp(locale, "fr") == 0;
	struct page p;

	page_begin(&p, r, locale, is_fr ? "Cela n’a pas marché" : "This did not work");
	page_puts(&p, "<p>");
	page_text(&p, is_fr ? fr : en);
	page_puts(&p, "</p>\n<p class=\"soft\">");
	page_text(&p, is_fr ? "Fermez cette page et recommencez depuis l’assistant." : "Close this page and start again from the assistant.");
	page_puts(&p, "</p>\n");
	return page_send(&p, status);
}
