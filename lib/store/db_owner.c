#include "store/db_owner.h"

#include <stdio.h>

#include "core/banned.h"
#include "core/config.h"

static void
no_notice(void *arg, const char *message)
{
	(void)arg, (void)message;
}

PGconn *
db_owner_open(char *why, size_t whysz)
{
	static const char *const keys[] = { "dbname", "fallback_application_name", "gssencmode", "connect_timeout", "client_encoding", NULL };
	const char *const values[] = { cfg_str("DATABASE_URL"), "souk", "disable", "10", "UTF8", NULL };
	PGconn *pg = PQconnectdbParams(keys, values, 1);

	if (PQstatus(pg) == CONNECTION_OK) {
		PQsetNoticeProcessor(pg, no_notice, NULL);
		return pg;
	}
	snprintf(why, whysz, "%s", pg != NULL ? PQerrorMessage(pg) : "out of memory");
	PQfinish(pg);
	return NULL;
}
