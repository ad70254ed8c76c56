/* The pages of log-in; see login_pages.h. */
#include "auth/login_pages.h"

#include <stdio.h>
#include <string.h>

#include "auth/login.h"
#include "auth/otp.h"
#include "auth/signed.h"
#include "auth/staff.h"
#include "core/banned.h"
#include "core/clock.h"
#include "web/page.h"

#define SECOND_KEEP_S 300

enum text {
	T_TITLE, T_TITLE_CODE, T_TITLE_STAFF, T_TITLE_SECOND, T_TITLE_IN, T_INTRO, T_EMAIL, T_SEND, T_STAFF_LINK, T_SENT, T_CODE, T_ENTER, T_AGAIN,
	T_PASSWORD, T_CUSTOMER_LINK, T_SECOND, T_SECOND_LABEL, T_AS, T_OUT, T_OLD, T_WRONG_CODE, T_WRONG_PASSWORD, T_MANY, T_HTTPS, T_EMAIL_FORM,
	T_CUSTOMER, T__N
};

/* English, French. */
static const char *const texts[T__N][2] = {
	[T_TITLE] = { "Sign in", "Connexion" },
	[T_TITLE_CODE] = { "Enter your code", "Saisissez votre code" },
	[T_TITLE_STAFF] = { "Staff sign-in", "Connexion de l’équipe" },
	[T_TITLE_SECOND] = { "Second step", "Deuxième étape" },
	[T_TITLE_IN] = { "You are signed in", "Vous êtes connecté" },
	[T_INTRO] = { "We send a code of six digits to the e-mail address of your account. There is no password to remember.",
		"Nous envoyons un code à six chiffres à l’adresse e-mail de votre compte. Aucun mot de passe à retenir." },
	[T_EMAIL] = { "E-mail address", "Adresse e-mail" },
	[T_SEND] = { "Send the code", "Envoyer le code" },
	[T_STAFF_LINK] = { "You work for this shop? Sign in with a password", "Vous travaillez pour cette boutique ? Connexion par mot de passe" },
	[T_SENT] = { "If this address belongs to an account, a code is on its way to it. It is good for ten minutes.",
		"Si cette adresse correspond à un compte, un code vient d’y être envoyé. Il est valable dix minutes." },
	[T_CODE] = { "Code of six digits", "Code à six chiffres" },
	[T_ENTER] = { "Sign in", "Se connecter" },
	[T_AGAIN] = { "Ask for a new code", "Demander un nouveau code" },
	[T_PASSWORD] = { "Password", "Mot de passe" },
	[T_CUSTOMER_LINK] = { "You are a customer? Sign in with a code by e-mail", "Vous êtes client ? Connexion par un code envoyé par e-mail" },
	[T_SECOND] = { "Enter the code that your authenticator app shows, or one of your recovery codes.",
		"Saisissez le code affiché par votre application d’authentification, ou l’un de vos codes de secours." },
	[T_SECOND_LABEL] = { "Code", "Code" },
	[T_AS] = { "Signed in as", "Connecté en tant que" },
	[T_OUT] = { "Sign out", "Se déconnecter" },
	[T_OLD] = { "This form was too old or came from elsewhere. Please try again.",
		"Ce formulaire a expiré ou vient d’ailleurs. Veuillez réessayer." },
	[T_WRONG_CODE] = { "This code is not right, was used, or is too old. After five tries you need a new one.",
		"Ce code est incorrect, déjà utilisé ou expiré. Après cinq essais, il en faut un nouveau." },
	[T_WRONG_PASSWORD] = { "E-mail address or password are not right.", "L’adresse e-mail ou le mot de passe est incorrect." },
	[T_MANY] = { "Too many tries. Please wait before you try again; minutes to wait:",
		"Trop d’essais. Veuillez patienter avant de réessayer ; minutes d’attente :" },
	[T_HTTPS] = { "Signing in needs a secure connection (https).", "La connexion exige une liaison sécurisée (https)." },
	[T_EMAIL_FORM] = { "Please enter an e-mail address.", "Veuillez saisir une adresse e-mail." },
	[T_CUSTOMER] = { "Customer", "Client" },
};

struct form {
	struct req *r;
	struct pair *fields;
	size_t n;
	const char *next;	/* "" or a path of our own */
};

static const char *
say(struct req *r, enum text t)
{
	return texts[t][strcmp(r->locale, "fr") == 0];
}

static void
put(struct page *p, enum text t)
{
	page_text(p, say(p->r, t));
}

static void
put_alert(struct page *p, const char *alert)
{
	if (alert == NULL)
		return;
	page_puts(p, "<p class=\"alert\" role=\"alert\">");
	page_text(p, alert);
	page_puts(p, "</p>\n");
}

static void
put_paragraph(struct page *p, enum text t)
{
	page_puts(p, "<p>");
	put(p, t);
	page_puts(p, "</p>\n");
}

/* purpose: what the form token is for. */
static void
begin_form(struct page *p, const char *path, const char *purpose, const char *next)
{
	const char *token = login_form_token(p->r, purpose);

	page_puts(p, "<form method=\"post\" action=\"");
	page_text(p, page_path(p->r, path));
	page_puts(p, "\">\n");
	page_hidden(p, "form", token != NULL ? token : "");
	if (next[0] != '\0')
		page_hidden(p, "next", next);
}

/* attributes: as they are. */
static void
put_input(struct page *p, enum text label, const char *name, const char *attributes)
{
	page_puts(p, "<label for=\"");
	page_puts(p, name);
	page_puts(p, "\">");
	put(p, label);
	page_puts(p, "</label>\n<input id=\"");
	page_puts(p, name);
	page_puts(p, "\" name=\"");
	page_puts(p, name);
	page_puts(p, "\" required ");
	page_puts(p, attributes);
	page_puts(p, ">\n");
}

static void
end_form(struct page *p, enum text button)
{
	page_puts(p, "<p class=\"choice\"><button class=\"main\" type=\"submit\">");
	put(p, button);
	page_puts(p, "</button></p>\n</form>\n");
}

static void
put_link(struct page *p, const char *path, const char *next, enum text t)
{
	page_puts(p, "<p class=\"soft\"><a href=\"");
	page_text(p, page_path(p->r, path));
	if (next[0] != '\0') {
		page_puts(p, "?next=");
		for (const char *s = next; *s != '\0'; s++) {
			bool plain = (*s >= '0' && *s <= '9') || (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || strchr("-._~/", *s) != NULL;

			page_puts(p, plain ? arena_strndup(p->r->c.a, s, 1) : arena_printf(p->r->c.a, "%%%02X", (unsigned char)*s));
		}
	}
	page_puts(p, "\">");
	put(p, t);
	page_puts(p, "</a></p>\n");
}

/* ---- the pages -------------------------------------------------------------------- */

static enum err
page_email(struct req *r, int status, const char *alert, const char *next)
{
	struct page p;

	page_begin(&p, r, strcmp(r->locale, "fr") == 0 ? "fr" : "en", say(r, T_TITLE));
	put_alert(&p, alert);
	put_paragraph(&p, T_INTRO);
	begin_form(&p, "/login", "email", next);
	put_input(&p, T_EMAIL, "email", "type=\"email\" autocomplete=\"email\" maxlength=\"254\"");
	end_form(&p, T_SEND);
	put_link(&p, "/login/staff", next, T_STAFF_LINK);
	return page_send(&p, status);
}

static enum err
page_code(struct req *r, int status, const char *alert, const char *next, const char *challenge)
{
	struct page p;

	page_begin(&p, r, strcmp(r->locale, "fr") == 0 ? "fr" : "en", say(r, T_TITLE_CODE));
	put_alert(&p, alert);
	put_paragraph(&p, T_SENT);
	begin_form(&p, "/login/code", "code", next);
	page_hidden(&p, "challenge", challenge);
	put_input(&p, T_CODE, "code", "type=\"text\" inputmode=\"numeric\" autocomplete=\"one-time-code\" pattern=\"[0-9]{6}\" maxlength=\"6\"");
	end_form(&p, T_ENTER);
	put_link(&p, "/login", next, T_AGAIN);
	return page_send(&p, status);
}

static enum err
page_staff(struct req *r, int status, const char *alert, const char *next)
{
	struct page p;

	page_begin(&p, r, strcmp(r->locale, "fr") == 0 ? "fr" : "en", say(r, T_TITLE_STAFF));
	put_alert(&p, alert);
	begin_form(&p, "/login/staff", "staff", next);
	put_input(&p, T_EMAIL, "email", "type=\"email\" autocomplete=\"username\" maxlength=\"254\"");
	put_input(&p, T_PASSWORD, "password", "type=\"password\" autocomplete=\"current-password\" maxlength=\"200\"");
	end_form(&p, T_ENTER);
	put_link(&p, "/login", next, T_CUSTOMER_LINK);
	return page_send(&p, status);
}

/* step: proves that the password was right.  The form is this account's and this browser's. */
static enum err
page_second(struct req *r, int status, const char *alert, const char *next, const char *step, const char *id)
{
	struct page p;

	page_begin(&p, r, strcmp(r->locale, "fr") == 0 ? "fr" : "en", say(r, T_TITLE_SECOND));
	put_alert(&p, alert);
	put_paragraph(&p, T_SECOND);
	begin_form(&p, "/login/second", arena_printf(r->c.a, "second %s", id), next);
	page_hidden(&p, "step", step);
	put_input(&p, T_SECOND_LABEL, "code", "type=\"text\" autocomplete=\"one-time-code\" maxlength=\"24\"");
	end_form(&p, T_ENTER);
	return page_send(&p, status);
}

static enum err
page_in(struct req *r, const struct subject *who)
{
	struct page p;

	page_begin(&p, r, strcmp(r->locale, "fr") == 0 ? "fr" : "en", say(r, T_TITLE_IN));
	page_puts(&p, "<p>");
	put(&p, T_AS);
	page_puts(&p, " <strong>");
	page_text(&p, who->name[0] != '\0' ? who->name : say(r, T_CUSTOMER));
	page_puts(&p, "</strong></p>\n");
	begin_form(&p, "/logout", "logout", "");
	end_form(&p, T_OUT);
	return page_send(&p, 200);
}

/* ---- the steps -------------------------------------------------------------------- */

static const char *
next_of(const char *next)
{
	return next != NULL && login_next_ok(next) ? next : "";
}

static const char *
field(const struct form *f, const char *name)
{
	const char *value = form_value(f->fields, f->n, name);

	return value != NULL ? value : "";
}

/* What can be told in the page itself; anything else is answered as everywhere. */
static const char *
alert_of(struct req *r, enum err e, enum text refused, int *status)
{
	*status = err_info(e)->http;
	if (e == E_UNAUTHENTICATED)
		return say(r, refused);
	if (e != E_RATE_LIMITED)
		return NULL;
	res_header(r, "Retry-After", arena_printf(r->c.a, "%d", r->c.retry_after_s));
	return arena_printf(r->c.a, "%s %d", say(r, T_MANY), (r->c.retry_after_s + 59) / 60);
}

static enum err
form_begin(struct form *f, struct req *r)
{
	f->r = r;
	if (form_parse(r, &f->fields, &f->n))
		return r->c.err;
	f->next = next_of(form_value(f->fields, f->n, "next"));
	return E_OK;
}

/* After log-in: where the browser wanted to go, else the page that says so. */
static enum err
enter(const struct form *f, const char *staff_id, const char *customer_id)
{
	if (login_begin(f->r, staff_id, customer_id))
		return f->r->c.err;
	return page_redirect(f->r, f->next[0] != '\0' ? f->next : page_path(f->r, "/login"));
}

enum err
login_show(struct req *r)
{
	const char *next = next_of(req_param(r, "next"));
	struct subject who;
	enum err e = login_current(r, &who);

	if (e != E_OK && e != E_UNAUTHENTICATED)
		return e;
	if (e == E_OK)
		return next[0] != '\0' ? page_redirect(r, next) : page_in(r, &who);
	return page_email(r, 200, login_transport_ok(r) ? NULL : say(r, T_HTTPS), next);
}

enum err
login_send_code(struct req *r)
{
	char challenge[OTP_ID_LEN + 1];
	struct otp_request ask = { .locale = r->locale, .remote_ip = r->remote_ip };
	struct form f;
	const char *alert;
	int status;

	if (form_begin(&f, r))
		return r->c.err;
	if (!login_form_ok(r, "email", field(&f, "form")))
		return page_email(r, 403, say(r, T_OLD), f.next);
	ask.email = field(&f, "email");
	if (strlen(ask.email) > 254 || strchr(ask.email, '@') == NULL)
		return page_email(r, 400, say(r, T_EMAIL_FORM), f.next);
	if (otp_start(&r->c, &ask, challenge) == E_OK)
		return page_code(r, 200, NULL, f.next, challenge);
	alert = alert_of(r, r->c.err, T_WRONG_CODE, &status);
	return alert != NULL ? page_email(r, status, alert, f.next) : r->c.err;
}

enum err
login_take_code(struct req *r)
{
	struct otp_proof proof;
	struct form f;
	const char *alert, *challenge;
	int status;

	if (form_begin(&f, r))
		return r->c.err;
	challenge = field(&f, "challenge");
	if (!login_form_ok(r, "code", field(&f, "form")))
		return page_email(r, 403, say(r, T_OLD), f.next);
	if (otp_verify(&r->c, false, challenge, field(&f, "code"), r->remote_ip, &proof) == E_OK)
		return enter(&f, NULL, proof.customer_id);
	alert = alert_of(r, r->c.err, T_WRONG_CODE, &status);
	return alert != NULL ? page_code(r, status, alert, f.next, challenge) : r->c.err;
}

enum err
login_show_staff(struct req *r)
{
	return page_staff(r, 200, login_transport_ok(r) ? NULL : say(r, T_HTTPS), next_of(req_param(r, "next")));
}

enum err
login_take_password(struct req *r)
{
	char step[SIGNED_MAX];
	const char *id, *alert;
	struct form f;
	bool second;
	int status;

	if (form_begin(&f, r))
		return r->c.err;
	if (!login_form_ok(r, "staff", field(&f, "form")))
		return page_staff(r, 403, say(r, T_OLD), f.next);
	if (staff_login(&r->c, field(&f, "email"), field(&f, "password"), r->remote_ip, &id, &second)) {
		alert = alert_of(r, r->c.err, T_WRONG_PASSWORD, &status);
		return alert != NULL ? page_staff(r, status, alert, f.next) : r->c.err;
	}
	if (!second)
		return enter(&f, id, NULL);
	if (signed_make(&r->c, "lgn", id, wall_ms() / 1000 + SECOND_KEEP_S, step))
		return r->c.err;
	return page_second(r, 200, NULL, f.next, step, id);
}

enum err
login_take_second(struct req *r)
{
	const char *id, *alert, *step;
	struct form f;
	int status;

	if (form_begin(&f, r))
		return r->c.err;
	step = field(&f, "step");
	if (signed_check(&r->c, "lgn", step, &id) || !login_form_ok(r, arena_printf(r->c.a, "second %s", id), field(&f, "form"))) {
		ctx_clear_error(&r->c);
		return page_staff(r, 403, say(r, T_OLD), f.next);
	}
	if (staff_second(&r->c, id, field(&f, "code"), r->remote_ip) == E_OK)
		return enter(&f, id, NULL);
	alert = alert_of(r, r->c.err, T_WRONG_CODE, &status);
	return alert != NULL ? page_second(r, status, alert, f.next, step, id) : r->c.err;
}

enum err
login_leave(struct req *r)
{
	struct form f;

	if (form_begin(&f, r))
		return r->c.err;
	if (!login_form_ok(r, "logout", field(&f, "form")))
		return page_redirect(r, page_path(r, "/login"));
	if (login_end(r))
		return r->c.err;
	return page_redirect(r, f.next[0] != '\0' ? f.next : page_path(r, "/login"));
}
