#!/bin/bash
# mk/deps.sh run|check|test|lint: install the Debian packages that the goal
# needs and that are missing. Says nothing and asks nobody when all are there.
# The services that come with them (PostgreSQL, Redis, web servers) are not
# started and not enabled: souk starts private ones of its own.
set -u

build='gcc libc6-dev make pkg-config libfcgi-dev libjson-c-dev libpq-dev
	libhiredis-dev libsodium-dev libcsv-dev libexpat1-dev libzip-dev
	zlib1g-dev libjwt-dev libssl-dev libstemmer-dev libcurl4-openssl-dev libwebsockets-dev
	libqrencode-dev'
serve='postgresql redis-server lighttpd lighttpd-mod-deflate
	lighttpd-mod-openssl'
apache='apache2-bin libapache2-mod-fcgid'
check='check python3 python3-pytest python3-requests python3-jsonschema curl
	procps'
full='jq openssl shellcheck valgrind libfiu0 python3-aiosmtpd python3-xapian
	php-cli'
lint='clang clang-tidy cppcheck shellcheck'

goal=${1:-run}
case $goal in
run)   want="$build $serve" ;;
check) want="$build $serve $check" ;;
test)  want="$build $serve $apache $check $full" ;;
lint)  want="$build $lint" ;;
*)     echo "usage: mk/deps.sh run|check|test|lint" >&2; exit 2 ;;
esac
case ${SERVER:-lighttpd} in
apache*) want="$want $apache" ;;
esac

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || exit 0

# The end-to-end tests need a Chromium, and npm with any recent Node: tests/run
# gets Node 20 through npm where the system has an older one.
if [ "$goal" = test ]; then
	node_major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null)
	[ "${node_major:-0}" -ge 18 ] && command -v npm >/dev/null ||
		want="$want nodejs npm"
	command -v chromium >/dev/null || command -v google-chrome >/dev/null ||
		want="$want chromium"
fi

missing() {
	local package
	for package in $want; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || printf ' %s' "$package"
	done
}

need=$(missing)
[ -n "$need" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null; then
	as_root=sudo
else
	printf 'missing packages; as root: apt-get install --no-install-recommends%s\n' \
		"$need" >&2
	exit 1
fi
echo "installing:$need"

# Packages ask policy-rc.d before they start a service. Where the system has
# none, one that says no is there while we install.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$as_root rm -f $policy' EXIT
	trap 'exit 130' INT TERM HUP
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null &&
		$as_root chmod 755 $policy
fi

apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
		-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# shellcheck disable=SC2086 # a list of names
apt install -y --no-install-recommends $need >/dev/null 2>&1 || {
	apt update && apt install -y --no-install-recommends $need
} || {
	echo "could not install:$(missing)" >&2
	exit 1
}

# What has just come must not start at the next boot either.
if command -v systemctl >/dev/null; then
	for package in $need; do
		case $package in
		postgresql) unit=postgresql ;;
		redis-server) unit=redis-server ;;
		lighttpd) unit=lighttpd ;;
		*) continue ;;
		esac
		$as_root systemctl disable --quiet "$unit" 2>/dev/null
	done
fi
need=$(missing)
[ -z "$need" ] || { echo "still missing:$need" >&2; exit 1; }
