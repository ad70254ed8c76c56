/* The pages of log-in (English and French, no script): handlers for cgi-bin/login.c.  docs/identity.md tells the steps. */
#ifndef SOUK_AUTH_LOGIN_PAGES_H
#define SOUK_AUTH_LOGIN_PAGES_H

#include "web/req.h"

enum err login_show(struct req *r);		/* GET /login: who is logged in, or the form for a customer's address */
enum err login_send_code(struct req *r);	/* POST /login */
enum err login_take_code(struct req *r);	/* POST /login/code */
enum err login_show_staff(struct req *r);	/* GET /login/staff */
enum err login_take_password(struct req *r);	/* POST /login/staff */
enum err login_take_second(struct req *r);	/* POST /login/second */
enum err login_leave(struct req *r);		/* POST /logout */

#endif
