#!/bin/bash
# mk/search-shop.sh FILE: a shop of its own from a product file (own columns,
# TSV or CSV, gzip or not), with its search index. Settings are left in
# var/search.env; after ". var/search.env" the souk command works on that shop.
# LOCALE=en is the language of the texts, CURRENCY=USD that of the prices.
set -u
cd "$(dirname "$0")/.." || exit 1
file=${1:-}
[ -r "$file" ] || { echo "usage: make search-shop FILE=products.tsv.gz" >&2; exit 2; }
build=$(readlink -f "${SOUK_BUILD:-build}")
mkdir -p var
home=$(readlink -f var)/search
env_file=$(readlink -f var)/search.env
locale=${LOCALE:-en}

free_port() {
	local port
	for port in {18200..18299}; do
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
}

# Settings of another shop are not for this one.
unset DATABASE_URL REDIS_URL STATE_DIR SOUK_CONF INDEX_FILE
serve() { SOUK_HOME=$home SOUK_BUILD=$build bin/souk-serve "$1"; }
serve purge >/dev/null 2>&1
PORT=$(free_port) DEMO=off REDIS=off WORKERS=1 SHOP_LOCALE=$locale SHOP_LOCALES=$locale \
	SHOP_CURRENCY=${CURRENCY:-USD} serve start >"$home.log" 2>&1 || {
	tail -n 20 "$home.log" >&2
	exit 1
}
data=$home
[ ! -L "$home/home" ] || data=$(readlink "$home/home")
{
	echo "# make search-shop FILE=$file"
	echo 'unset DATABASE_URL REDIS_URL STATE_DIR INDEX_FILE SHOP_LOCALE SHOP_LOCALES'
	printf 'export SOUK_CONF=%q SOUK_HOME=%q\n' "$data/souk.conf" "$home"
	printf 'export PATH=%q:$PATH\n' "$build/bin"
} >"$env_file"
# shellcheck disable=SC1090
. "$env_file"
# Rows that cannot be read (status 1) are told and left out; the others make the shop.
souk import "$file" --locale "$locale" --quiet || [ $? -eq 1 ] || exit 1
souk index &&
	echo "settings are in $env_file; SOUK_HOME=$home bin/souk-serve purge removes the shop"
