#!/bin/bash
# mk/lint.sh: house rules, shellcheck, cppcheck, and clang-tidy where it is
# installed. Ends with 1 when one of them finds something.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
B=${B:-build}

tests/lint/house.sh || status=1

shellcheck -S warning bin/souk-serve mk/*.sh tests/run tests/lint/*.sh .ci/run || status=1

mapfile -t sources < <(ls lib/*/*.c cgi-bin/*.c bin/*.c tools/*.c 2>/dev/null)

# cppcheck 2.10 does not know __VA_OPT__, which the log macro uses: it reads a
# copy in which log events have no fields. Leaks are the sanitizer's (it takes a
# pointer kept in a structure for one), and it does not see that failstop() ends.
copy=$B/cppcheck
rm -rf "$copy"
mkdir -p "$copy"
cp -R lib cgi-bin bin tools mk/lint.h "$copy"
sed -i 's/__VA_ARGS__ __VA_OPT__(,)//' "$copy"/lib/core/*.h
(cd "$copy" && cppcheck --quiet --std=c11 --enable=warning,performance,portability \
	--inline-suppr --suppress=missingIncludeSystem \
	--suppress=nullPointerRedundantCheck --suppress=memleak \
	--suppress=negativeIndex:lib/core/config.c --error-exitcode=1 \
	--suppress=useClosedFile:bin/cmd_export.c -D__cppcheck__ --include=lint.h \
	-Ilib -I.. -DSOUK_VERSION='"x"' -DSOUK_SCHEMA=1 "${sources[@]}") || status=1

if command -v clang-tidy >/dev/null; then
	flags="-std=gnu11 -D_GNU_SOURCE -DSOUK_VERSION=\"x\" -DSOUK_SCHEMA=1 -DSOUK_NO_FAILSTOP -Ilib -I$B -include mk/lint.h"
	flags+=" $(pkg-config --cflags libpq json-c hiredis libsodium libzip expat zlib libjwt libcrypto libqrencode)"
	# One file at a time: version 14 carries va_list state from one to the next.
	printf '%s\n' "${sources[@]}" |
		xargs -P "$(nproc)" -n 1 sh -c '
			case $2 in lib/core/ctx.c | lib/mcp/methods.c) own=-DLINT_NO_FAIL ;; esac
			exec clang-tidy --quiet "$2" -- $1 $own 2>/dev/null' - "$flags" ||
		status=1
fi
exit $status
