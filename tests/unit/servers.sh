#!/bin/sh
# tests/unit/servers.sh start|stop|freeze|thaw|restart|redis-stop|redis-start DIR
#
# A PostgreSQL with souk's schema and, where it is installed, a Redis, both on
# sockets in DIR only. start prints the lines DATABASE_URL=... (the owner),
# ADMIN_URL=... (a superuser) and REDIS_URL=... . freeze stops all processes of
# PostgreSQL as SIGSTOP does; thaw lets them go on. Exit status 77: PostgreSQL
# is not installed here. PG_BIN is the folder of another server's programs.
set -eu
cd "$(dirname "$0")/../.."
dir=$2
data=$dir/data

pgbin=${PG_BIN:-}
[ -n "$pgbin" ] || for b in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin "$(dirname "$(command -v initdb || echo /x)")"; do
	[ ! -x "$b/initdb" ] || pgbin=$b
done
[ -n "$pgbin" ] || exit 77

# PostgreSQL refuses to run as root.
as_service() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid nobody --regid nogroup --clear-groups "$@"
	else
		"$@"
	fi
}

postgres() {
	as_service "$pgbin/pg_ctl" -s -w -D "$data" -l "$dir/postgres.log" \
		-o "-k $dir -c listen_addresses= -c fsync=off -c max_connections=40 -c shared_buffers=16MB" "$@"
}

query() {
	PGOPTIONS='-c client_min_messages=warning' \
		env PATH="$pgbin:$PATH" psql -X -q -t -v ON_ERROR_STOP=1 -h "$dir" -U "$1" -d "$2" -f - >/dev/null
}

schema() {
	cat sql/bootstrap.sql
	for f in sql/migrations/*.sql sql/app/*.sql; do
		echo "BEGIN;"
		cat "$f"
		echo "COMMIT;"
	done
}

redis() {
	command -v redis-server >/dev/null || return 0
	as_service redis-server --port 0 --unixsocket "$dir/redis.sock" --save '' --daemonize yes \
		--pidfile "$dir/redis.pid" --logfile "$dir/redis.log" --dir "$dir" >/dev/null
	for _ in $(seq 200); do
		[ ! -S "$dir/redis.sock" ] || break
		sleep 0.1
	done
	echo "REDIS_URL=unix:$dir/redis.sock"
}

family() {
	parent=$(head -n 1 "$data/postmaster.pid")
	echo "$parent"
	ps -o pid= --ppid "$parent"
}

case $1 in
start)
	if [ "$(id -u)" = 0 ]; then
		chown nobody:nogroup "$dir"
	fi
	as_service "$pgbin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C -N >/dev/null
	postgres start >/dev/null
	echo "CREATE ROLE shop LOGIN CREATEROLE;" | query postgres postgres
	echo "CREATE DATABASE shop OWNER shop;" | query postgres postgres
	schema | query shop shop
	echo "DATABASE_URL=postgresql://shop@/shop?host=$dir"
	echo "ADMIN_URL=postgresql://postgres@/shop?host=$dir"
	redis
	;;
stop)
	family | xargs kill -CONT 2>/dev/null || :
	postgres -m immediate stop >/dev/null || :
	[ ! -s "$dir/redis.pid" ] || kill "$(cat "$dir/redis.pid")" 2>/dev/null || :
	;;
freeze) family | xargs kill -STOP ;;
thaw) family | xargs kill -CONT ;;
restart) postgres -m fast restart >/dev/null ;;
redis-stop) kill -STOP "$(cat "$dir/redis.pid")" ;;
redis-start) kill -CONT "$(cat "$dir/redis.pid")" ;;
*) exit 2 ;;
esac
