# Turns the contracts tools/{server}/NAME.json, and the statement NAME.sql beside
# each that has one, into C: `const struct tool_file tool_files[]` of
# lib/tool/tool.h, ended by an empty row.
#
#   awk -f tools/embed.awk tools/*/*.json                      > tools.c
#   awk -f tools/embed.awk tools/*/*.json tests/tools/*/*.json > tools_test.c
#
# -v table=NAME calls the table otherwise: prompt_files holds the prompts of lib/mcp/prompts.
#
# The order is that of the arguments. Statements may be given too: they are read
# with their contract, and one without a contract is an error. The comment at the
# head of a statement stays out of the text; its name in the database is the path,
# "catalog/search_products". Plain POSIX awk: mawk and gawk write the same bytes.

function fail(message)
{
	print "embed: " message > "/dev/stderr"
	failed = 1
	exit 1
}

# "tools/catalog/search_products.json" -> "catalog/search_products"
function tool_path(file, parts, n, path)
{
	n = split(file, parts, "/")
	path = (n > 1 ? parts[n - 1] : ".") "/" parts[n]
	sub(/\.[a-z]+$/, "", path)
	if (path !~ /^[a-z][a-z0-9_]*\/[a-z][a-z0-9_]*$/)
		fail(file ": a contract is server/name.json, both of [a-z0-9_]")
	if (length(path) > 62)
		fail(file ": the name is too long")
	return path
}

# One C string literal per line of the file; false when it cannot be read. With
# head set, comment and blank lines before the first other line are left out.
function print_file(file, head, line, status, lines)
{
	lines = 0
	while ((status = (getline line < file)) > 0) {
		sub(/\r$/, "", line)
		if (head && (line ~ /^--/ || line ~ /^[ \t]*$/))
			continue
		head = 0
		if (lines++ == 0)
			printf "%s", opening
		gsub(/["\\?]/, "\\\\&", line)
		gsub(/\t/, "\\t", line)
		print "\t\t\"" line "\\n\""
	}
	close(file)
	if (status < 0)
		return 0
	if (lines == 0)
		fail(file ": nothing in it")
	return 1
}

function embed(file, path, statement)
{
	path = tool_path(file)
	if (path in seen)
		fail(file ": given twice")
	seen[path] = 1
	opening = "\t{\"" path "\",\n"
	if (!print_file(file, 0))
		fail(file ": cannot be read")
	statement = file
	sub(/\.json$/, ".sql", statement)
	opening = "\t\t, {\"" path "\",\n"
	if (print_file(statement, 1))
		print "\t\t}},"
	else
		print "\t\t, {0}},"
}

BEGIN {
	print "/* generated from the contracts by tools/embed.awk */"
	print "#include \"tool/tool.h\"\n"
	print "extern const struct tool_file " (table ? table : "tool_files") "[];"
	print "const struct tool_file " (table ? table : "tool_files") "[] = {"
	for (i = 1; i < ARGC && !failed; i++)
		if (ARGV[i] ~ /\.json$/)
			embed(ARGV[i])
	for (i = 1; i < ARGC && !failed; i++)
		if (ARGV[i] ~ /\.sql$/ && !(tool_path(ARGV[i]) in seen))
			fail(ARGV[i] ": a statement without a contract")
	print "\t{0}"
	print "};"
	exit failed
}
