# Turns sql/query/NAME.sql into C: one `const struct sql sql_NAME` each.
#
#   awk -f tools/embed_sql.awk sql/query/*.sql             > sql.c
#   awk -v header=1 -f tools/embed_sql.awk sql/query/*.sql > sql.h
#
# The file's name without .sql is the statement's name in the database too, so
# it must be [a-z0-9_]. The comment at the head of a file stays out of the text.

function fail(message)
{
	print "embed_sql: " message > "/dev/stderr"
	failed = 1
	exit 1
}

function end_statement()
{
	if (name == "")
		return
	if (!started)
		fail(file ": no statement in it")
	if (!header)
		print "};\n"
}

function begin_statement()
{
	end_statement()
	file = FILENAME
	name = FILENAME
	sub(/^.*\//, "", name)
	sub(/\.sql$/, "", name)
	if (name !~ /^[a-z][a-z0-9_]*$/)
		fail(file ": the name must be [a-z][a-z0-9_]*")
	started = 0
	if (header)
		print "extern const struct sql sql_" name ";"
	else
		print "const struct sql sql_" name " = {\n\t\"" name "\","
}

BEGIN {
	print "/* generated from sql/query by tools/embed_sql.awk */"
	if (header)
		print "#ifndef GEN_SQL_H\n#define GEN_SQL_H\n"
	print (header ? "#include \"store/sql.h\"\n" : "#include \"gen/sql.h\"\n")
}

FNR == 1 { begin_statement() }

!started && (/^--/ || /^[ \t\r]*$/) { next }

{
	started = 1
	if (header)
		next
	sub(/\r$/, "")
	gsub(/["\\]/, "\\\\&")
	gsub(/\t/, "\\t")
	print "\t\"" $0 "\\n\""
}

END {
	if (failed)
		exit 1
	end_statement()
	if (header)
		print "\n#endif"
}
