# Turns the prompts lib/mcp/prompts/NAME.json into C: `const struct prompt_file
# prompt_files[]` of lib/mcp/prompts.h, ended by an empty row.
#
#   awk -f tools/embed_prompt.awk lib/mcp/prompts/*.json > prompts.c
#
# Plain POSIX awk: mawk and gawk write the same bytes.

function end_file()
{
	if (open)
		print "\t},"
	open = 0
}

BEGIN {
	print "/* generated from lib/mcp/prompts by tools/embed_prompt.awk */"
	print "#include \"mcp/prompts.h\"\n"
	print "const struct prompt_file prompt_files[] = {"
}

FNR == 1 {
	end_file()
	name = FILENAME
	sub(/^.*\//, "", name)
	print "\t{\"" name "\","
	open = 1
}

{
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
