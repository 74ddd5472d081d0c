#!/bin/sh
# A throw-away PostgreSQL 15 from Debian's packages, on a random loopback port, in a temporary folder.
#
#   scripts/postgres.sh start    starts one and prints its URL (the only line on stdout)
#   scripts/postgres.sh stop     stops and erases it
#
#   CRM_TEST_POSTGRES_URL=$(scripts/postgres.sh start) pytest crm_pipelines_tests/conformance/ledger
#
# The folder's name is kept in ${CRM_POSTGRES_STATE:-${TMPDIR:-/tmp}/crm-postgres-$(id -u)}. Durable as shipped: fsync stays on.
set -eu

bin=${CRM_POSTGRES_BIN:-/usr/lib/postgresql/15/bin}
state=${CRM_POSTGRES_STATE:-${TMPDIR:-/tmp}/crm-postgres-$(id -u)}

as_postgres() {  # the server refuses to run as root
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

start() {
    [ -x "$bin/initdb" ] || { echo "no PostgreSQL in $bin: apt-get install postgresql, or set CRM_POSTGRES_BIN" >&2; exit 1; }
    if [ -s "$state" ]; then
        if is_running "$(cat "$state")"; then echo "one is running in $(cat "$state"): scripts/postgres.sh stop" >&2; exit 1; fi
        stop
    fi
    folder=$(mktemp -d "${TMPDIR:-/tmp}/crm-postgres.XXXXXX")
    chmod 700 "$folder"
    [ "$(id -u)" != 0 ] || chown postgres "$folder"
    cd "$folder"
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    umask 077
    printf '%s' "$password" > "$folder/password"
    [ "$(id -u)" != 0 ] || chown postgres "$folder/password"
    as_postgres "$bin/initdb" -D "$folder/data" -U crm --auth=scram-sha-256 --pwfile="$folder/password" -E UTF8 --locale=C > "$folder/initdb.log"
    port=$(free_port)
    as_postgres "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -t 60 \
        -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=100" start > "$folder/start.log" ||
        { cat "$folder/start.log" "$folder/server.log" >&2; rm -rf "$folder"; exit 1; }
    printf '%s\n' "$folder" > "$state"
    echo "postgresql+psycopg://crm:$password@127.0.0.1:$port/postgres"
}

is_running() {
    as_postgres "$bin/pg_ctl" -D "$1/data" status > /dev/null 2>&1
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

stop() {
    [ -s "$state" ] || { echo "none is running" >&2; return 0; }
    folder=$(cat "$state")
    cd /
    as_postgres "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop > /dev/null || true
    rm -rf "$folder" "$state"
}

case ${1:-} in
    start) start ;;
    stop) stop ;;
    *) sed -n '2,9p' "$0" >&2; exit 2 ;;
esac
