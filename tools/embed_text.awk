# Turns message templates into C: `const struct notify_file notify_files[]` of
# lib/notify/catalog.h, ended by an empty row. Lines that begin with # before
# the first other line are remarks and stay out.
#
#   awk -f tools/embed_text.awk lib/notify/templates/*.tmpl > templates.c
#
# Plain POSIX awk: mawk and gawk write the same bytes.

function end_file()
{
	if (open)
		print "\t},"
	open = 0
}

BEGIN {
	print "/* generated from lib/notify/templates by tools/embed_text.awk */"
	print "#include \"notify/catalog.h\"\n"
	print "const struct notify_file notify_files[] = {"
}

FNR == 1 {
	end_file()
	name = FILENAME
	sub(/^.*\//, "", name)
	sub(/\.tmpl$/, "", name)
	print "\t{\"" name "\", \"\""
	open = 1
	started = 0
}

!started && (/^#/ || /^[ \t\r]*$/) { next }

{
	started = 1
	sub(/\r$/, "")
	gsub(/["\\?]/, "\\\\&")
	gsub(/\t/, "\\t")
	print "\t\t\"" $0 "\\n\""
}

END {
	end_file()
	print "\t{0}"
	print "};"
}
