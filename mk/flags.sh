#!/bin/sh
# mk/flags.sh COMPILER: which of the warnings and hardening flags we want this
# compiler takes, as make variables. gcc 12 takes all; clang 14 lacks some.
set -u
cc=$1
warn='-Wall -Wextra -Wformat=2 -Wconversion -Wimplicit-fallthrough
	-Wbidi-chars=any -Wtrampolines -Werror=format-security -Werror=implicit
	-Werror=incompatible-pointer-types -Werror=int-conversion'
developer='-Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
	-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wvla -Wundef
	-Wcast-align -Wduplicated-cond'
harden='-fstack-protector-strong -fstack-clash-protection
	-fcf-protection=full -ftrivial-auto-var-init=zero
	-fzero-call-used-regs=used-gpr -fno-delete-null-pointer-checks
	-fno-strict-overflow -fno-strict-aliasing -fstrict-flex-arrays=3'

# takes FLAG: whether a compilation with it runs without any complaint.
takes() {
	echo 'int main(void) { return 0; }' |
		$cc -Wformat -Werror "$1" -x c -c -o /dev/null - 2>/dev/null
}

accepted() {
	for flag in $1; do
		takes "$flag" && printf ' %s' "$flag"
	done
}

if ! takes -O2; then
	echo "$cc does not compile a program: run \"make deps\"" >&2
	exit 1
fi
echo "FLAGS_WARN :=$(accepted "$warn")"
echo "FLAGS_DEVELOPER :=$(accepted "$developer")"
echo "FLAGS_HARDEN :=$(accepted "$harden")"
