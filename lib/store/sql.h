/* A named SQL statement, embedded from sql/query/NAME.sql or tools/{server}/NAME.sql.  Its name is also that of the prepared statement. */
#ifndef SOUK_STORE_SQL_H
#define SOUK_STORE_SQL_H

struct sql {
	const char *name;
	const char *text;
};

#endif
