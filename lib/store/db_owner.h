/*
 * A connection as the owner of the database beside the program's own (db.h): for imports, migrations and whatever works in long
 * transactions.  No web role, no request deadline; the caller closes it.
 */
#ifndef SOUK_STORE_DB_OWNER_H
#define SOUK_STORE_DB_OWNER_H

#include <libpq-fe.h>
#include <stddef.h>

/* NULL: why gets the reason, which is not for callers of the API. */
PGconn *db_owner_open(char *why, size_t whysz);

#endif
