#!/bin/bash
# mk/cov.sh BUILD: run `make check` with a build made for it, and print what part
# of each group of lib/ was executed.
set -u
build=$1
find "$build" -name '*.gcda' -delete
# The servers may run as another user, who adds to the same counts. (From a folder
# that he cannot enter, theirs are missing.)
find "$build" -name '*.gcno' | while read -r notes; do
	: >"${notes%.gcno}.gcda"
done
chmod -R a+rwX "$build"
umask 0
B=$build tests/run check
status=$?
find "$build" -name '*.gcda' -empty -delete
find "$build/lib" "$build/cgi-bin" -name '*.gcda' -print0 |
	xargs -0 -r gcov -n 2>/dev/null |
	awk '
	/^File / { split($2, part, /\047/); file = part[2] }
	/^Lines executed:/ && file ~ /^(lib|cgi-bin)\// && file !~ /\.h$/ {
		split($0, n, /[:% ]+/)
		group = file
		sub(/\/[^\/]*$/, "", group)
		lines[group] += n[5]
		run[group] += n[3] * n[5] / 100
		file = ""
	}
	END {
		for (g in lines) {
			printf "%-16s %5.1f %% of %5d lines\n", g, 100 * run[g] / lines[g], lines[g] | "sort"
			a += run[g]; b += lines[g]
		}
		close("sort")
		if (b) printf "%-16s %5.1f %% of %5d lines\n", "all", 100 * a / b, b
	}'
exit $status
