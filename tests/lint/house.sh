#!/bin/bash
# The house rules that a machine can see. One line per rule, "ok RULE" or
# "FAILED RULE" after what breaks it; exit status 1 when one is broken.
set -u
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C
broken=0

files() { # files DIRECTORIES -- find-expression
	local where=()
	while [ "$1" != -- ]; do
		[ ! -e "$1" ] || where+=("$1")
		shift
	done
	shift
	[ ${#where[@]} = 0 ] ||
		find "${where[@]}" -name node_modules -prune -o -type f \( "$@" \) -print | sort
}
mapfile -t c_files < <(files lib cgi-bin bin tools tests/unit tests/fuzz -- -name '*.c' -o -name '*.h')
mapfile -t request_files < <(files cgi-bin -- -name '*.c')
mapfile -t page_files < <(files htdocs -- -name '*.js' -o -name '*.mjs' -o -name '*.html')
mapfile -t all_files < <(files lib cgi-bin bin mk sql tools tests/unit tests/fuzz tests/http tests/contract \
	tests/sql tests/system htdocs docs bench -- -name '*.[ch]' -o -name '*.sql' -o -name '*.json' -o -name '*.js' \
	-o -name '*.mjs' -o -name '*.py' -o -name '*.sh' -o -name '*.awk' -o -name '*.md' -o -name 'souk-*')

# rule NAME FINDINGS
rule() {
	if [ -n "$2" ]; then
		printf '%s\n' "$2" | head -n 20 | cut -c1-160
		echo "FAILED $1"
		broken=1
	else
		echo "ok $1"
	fi
}

# search PATTERN FILE...: nothing to search in is nothing found.
search() {
	local pattern=$1
	shift
	[ $# = 0 ] || grep -nHE "$pattern" "$@"
}

rule "no unbounded or stateful C calls" "$(search \
	'\b(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|strtok|gmtime|localtime|ctime|asctime|atoi|atol|atoll|atof)[ ]*\(' \
	"${c_files[@]}" | grep -v '^lib/core/banned.h:')"

rule "no SQL text in C" "$(search \
	'"[^"]*\b(SELECT .* FROM|INSERT INTO|UPDATE .* SET|DELETE FROM|CREATE TABLE)\b' "${c_files[@]}" |
	grep -v '^tests/')"

rule "no malloc in request handlers" "$(search \
	'\b(malloc|calloc|realloc|strdup|free)[ ]*\(' "${request_files[@]}")"

rule "no typedef of structs" "$(search '^typedef (struct|enum|union)[^(]*$' "${c_files[@]}")"

rule "no markup written from scripts" "$(search \
	'\.(innerHTML|outerHTML)[ ]*=|insertAdjacentHTML|document\.write|\beval\(|new Function\(' "${page_files[@]}")"

rule "no inline scripts or styles in pages" "$(search \
	'<script>|<script type="module">|[ ]on[a-z]+="|[ ]style="|<style>' "${page_files[@]}" | grep '\.html:')"

rule "no left-overs" "$(search \
	'\b(TODO|FIXME|HACK)\b|XXX:' "${all_files[@]}" | grep -v '^tests/lint/')"

# A function's body starts and ends in column one.
rule "functions of at most 70 lines" "$([ ${#c_files[@]} = 0 ] || awk '
	/^\{/ { start = FNR }
	/^\}/ && start {
		if (FNR - start + 1 > 70)
			print FILENAME ":" start ": " FNR - start + 1 " lines"
		start = 0
	}' "${c_files[@]}")"

rule "library files of at most 500 lines, programs of 150" "$(wc -l "${c_files[@]}" |
	awk '$2 ~ /^(lib|bin)\// && $1 > 500 || $2 ~ /^cgi-bin\// && $1 > 150 { print $2 ": " $1 " lines" }')"

rule "header guards" "$(for f in "${c_files[@]}"; do
	case $f in
	*.h) grep -qE '^#ifndef [A-Z0-9_]+_H' "$f" || echo "$f" ;;
	esac
done)"

rule "no tabs or blanks at the end of lines in C" "$(search '[ 	]$' "${c_files[@]}")"

exit $broken
