# Turns the views lib/mcp/apps/NAME.html into C: `const struct mcp_app_file mcp_app_files[]` of lib/mcp/apps.h, ended by an
# empty row. A line "<!-- include FILE -->" is replaced by that file of the same folder: a view is one document that loads nothing.
# Plain POSIX awk.
#
#   awk -f tools/embed_app.awk lib/mcp/apps/*.html > apps.c

function fail(message)
{
	print "embed_app: " message > "/dev/stderr"
	failed = 1
	exit 1
}

function print_file(file, depth, folder, line, status)
{
	folder = file
	sub(/[^\/]*$/, "", folder)
	while ((status = (getline line < file)) > 0) {
		if (line ~ /^<!-- include [a-z.]+ -->$/) {
			if (depth > 0)
				fail(file ": an included file includes nothing")
			print_file(folder substr(line, 14, length(line) - 17), depth + 1)
			continue
		}
		gsub(/\\/, "\\\\", line)
		gsub(/"/, "\\\"", line)
		gsub(/\?\?/, "?\\?", line)
		sub(/^[\t ]+/, "", line)
		if (line != "")
			print "\t\"" line "\\n\""
	}
	close(file)
	if (status < 0)
		fail(file ": cannot be read")
}

BEGIN {
	print "/* generated from lib/mcp/apps by tools/embed_app.awk */"
	print "#include \"mcp/apps.h\"\n"
	print "const struct mcp_app_file mcp_app_files[] = {"
	for (i = 1; i < ARGC && !failed; i++) {
		name = ARGV[i]
		sub(/^.*\//, "", name)
		sub(/\.html$/, "", name)
		print "\t{\"" name "\","
		print_file(ARGV[i], 0)
		print "\t},"
	}
	print "\t{0}"
	print "};"
	exit failed
}
