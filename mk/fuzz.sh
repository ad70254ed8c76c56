#!/bin/bash
# mk/fuzz.sh BUILD SECONDS: run every fuzz entry for that long, from its corpus.
# New inputs go to BUILD/corpus/NAME, what breaks it to BUILD/crash-NAME-*.
set -u
build=$1 seconds=$2 status=0
for program in "$build"/fuzz/*; do
	[ -x "$program" ] && [ ! -d "$program" ] || continue
	name=${program##*/}
	corpus=tests/fuzz/corpus/$name
	mkdir -p "$build/corpus/$name"
	echo "fuzz $name"
	dictionary=()
	[ ! -f "tests/fuzz/$name.dict" ] || dictionary=(-dict="tests/fuzz/$name.dict")
	"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$build/crash-$name-" \
		"${dictionary[@]}" "$build/corpus/$name" "$corpus" >"$build/$name.log" 2>&1 ||
		{ tail -n 30 "$build/$name.log"; status=1; }
	grep -E '^stat::number_of_executed|^#[0-9]+.*DONE' "$build/$name.log"
done
exit $status
