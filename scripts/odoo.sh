#!/usr/bin/env bash
# A real Odoo 19 Community on loopback, with a PostgreSQL of its own: for tests, the demo and a look by eye. docs/adr/0006 says why so.
#
#   scripts/odoo.sh up [--workers N]   install what is missing, build the template database, start, print how to connect
#   scripts/odoo.sh start | stop       both servers; nothing is installed, nothing is lost
#   scripts/odoo.sh status | info      what runs; how to connect (the key's file, never the key)
#   scripts/odoo.sh env                lines for `eval`: CRM_TEST_ODOO_URL, CRM_TEST_ODOO_KEY, CRM_TEST_ODOO_DSN
#   scripts/odoo.sh clone DB | drop DB one more database from the template, in less than a second; take a name never used before
#   scripts/odoo.sh clean              drop the databases that killed tests left behind
#   scripts/odoo.sh prefork N PORT     one more Odoo on the same databases, N worker processes, in the foreground (PORT + 1 is used, too)
#
# Everything is kept in ${CRM_ODOO_HOME:-.odoo}; remove that folder (after `stop`) to begin anew. Every step that is done is skipped; two
# calls at once wait for each other. Ports: CRM_ODOO_PORT and CRM_ODOO_PGPORT, else 8469 and 5469 or, when taken, free ones.
# CRM_ODOO_WORKERS: 0 (default) is one threaded process, N are N processes. CRM_ODOO_MIRROR: a Debian mirror other than this machine's.
# Exit codes: 0 done, 3 this machine cannot run it (one sentence says why), 1 it should have worked: the log is named.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
home=${CRM_ODOO_HOME:-$repo/.odoo}
mkdir -p "$home"
home=$(cd "$home" && pwd)
python=${PYTHON:-python3}
workers=${CRM_ODOO_WORKERS:-0}
modules=base,contacts,crm,sale_management,calendar,product,account
template=odoo_tpl
database=odoo
lock=$repo/requirements-odoo.lock
packages=$home/src/usr/lib/python3/dist-packages
log=$home/odoo.log
began=$(date +%s%N)

say() { printf 'odoo %5.1f s  %s\n' "$((($(date +%s%N) - began) / 10000000))e-2" "$*" >&2; }
failed() { echo "Odoo did not come up: $*" >&2; exit 1; }
cannot() {
  echo "Odoo cannot run here: $*. Without it the tests marked \`odoo\` and \`make demo ROUTE=kartra_to_odoo\` do not run; the tests can use a server elsewhere (README, Odoo)." >&2
  exit 3
}
exclusive() { exec 9>"$home/lock"; flock 9; }   # daemons must close 9, or the lock lives as long as they do

# --- what is there, and what is not

is_root() { [ "$(id -u)" = 0 ]; }
pgbin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }
is_alive() {   # is_alive PIDFILE: the process is there, and it is an Odoo of this folder (numbers are used again)
  [ -s "$1" ] && tr '\0' ' ' 2>/dev/null <"/proc/$(cat "$1")/cmdline" | grep -qF -- "$home/odoo.conf"
}
is_installed() { [ -e "$home/src" ] && [ "$(cat "$home/venv/.lock" 2>/dev/null)" = "$(lock_id)" ] && [ -n "$(pgbin)" ]; }
lock_id() { sha256sum <"$lock"; }
need() {
  "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || cannot "$python is no Python 3.11 or newer with the venv module (set PYTHON, or install python3-venv)"
  [ -r "$lock" ] || cannot "${lock##*/} is not there: restore it, Odoo's packages are installed by it"
  [ -r /proc/self/cmdline ] && command -v flock setpriv >/dev/null || cannot "it is no Linux with util-linux"
  is_installed && return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || cannot "apt-get and dpkg-deb are missing, and Odoo comes as a Debian package"
  [ -r "$keyring" ] || cannot "$keyring is missing (install debian-archive-keyring)"
  [ -n "$(pgbin)" ] || is_root || cannot "PostgreSQL is not installed, and installing it needs root (apt-get install postgresql)"
}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
is_free() { "$python" -c 'import socket, sys; socket.socket().bind(("127.0.0.1", int(sys.argv[1])))' "$1" 2>/dev/null; }
free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
ports() {   # chosen once and kept: the databases remember nothing, but people and engagements do
  local kept=() port=$home/ports
  [ -s "$port" ] && read -r -a kept <"$port"
  http=${CRM_ODOO_PORT:-${kept[0]:-8469}}
  pg=${CRM_ODOO_PGPORT:-${kept[1]:-5469}}
  is_alive "$home/odoo.pid" || is_free "$http" || { [ -z "${CRM_ODOO_PORT:-}" ] || cannot "port $http is taken"; http=$(free_port); }
  pg_runs || is_free "$pg" || { [ -z "${CRM_ODOO_PGPORT:-}" ] || cannot "port $pg is taken"; pg=$(free_port); }
  echo "$http $pg" >"$port"
}

# --- install: three things that do not need each other

debian_mirror() { apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' | awk '$1 == "Debian" && $2 !~ /-/ {print $3; exit}'; }
install_source() {
  [ -e "$home/src" ] && return
  local apt=$home/apt mirror=${CRM_ODOO_MIRROR:-$(debian_mirror)}
  [ -n "$mirror" ] || cannot "no Debian mirror is configured (set CRM_ODOO_MIRROR)"
  rm -rf "$home/src.new"
  mkdir -p "$apt"/{lists/partial,cache/archives/partial} "$home/src.new"
  echo "deb [signed-by=$keyring] $mirror sid main" >"$apt/sources.list"
  local options=(-qq -oDir::State::Lists="$apt/lists" -oDir::Etc::sourcelist="$apt/sources.list" -oDir::Etc::sourceparts=/dev/null
    -oDir::Cache="$apt/cache" -oAPT::Sandbox::User=root -oAcquire::Languages=none -oAPT::Update::Error-Mode=any -oAcquire::Retries=3)
  say "Debian's package odoo-19 (125 MB)"
  (cd "$apt" && apt-get "${options[@]}" update && apt-get "${options[@]}" download odoo-19) >"$apt/log" 2>&1 ||
    cannot "Debian's package odoo-19 cannot be downloaded ($(tail -1 "$apt/log"))"
  say "unpacking it, without translations (400 MB)"
  dpkg-deb --fsys-tarfile "$apt"/odoo-19_*.deb | tar -x -C "$home/src.new" --exclude='*/i18n/*.po' --exclude='*/i18n/*.pot'
  mv "$home/src.new" "$home/src"
  rm -rf "$apt"
}
install_venv() {
  [ "$(cat "$home/venv/.lock" 2>/dev/null)" = "$(lock_id)" ] && return
  say "Python packages (60 MB)"
  rm -rf "$home/venv"
  "$python" -m venv "$home/venv"
  "$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: --no-compile -r "$lock" \
    >"$home/pip.log" 2>&1 || cannot "Odoo's Python packages cannot be installed ($(grep -v WARNING "$home/pip.log" | tail -1))"
  lock_id >"$home/venv/.lock"
}
install_postgres() {
  [ -n "$(pgbin)" ] && return
  say "apt-get install postgresql"
  (apt-get -oAcquire::Retries=3 update -qq && DEBIAN_FRONTEND=noninteractive apt-get -oAcquire::Retries=3 install -y -qq postgresql) >"$home/apt.log" 2>&1 ||
    cannot "PostgreSQL cannot be installed ($(tail -1 "$home/apt.log"))"
}
install_all() {
  is_installed && return
  local jobs=() one status=0
  install_source & jobs+=($!)
  install_venv & jobs+=($!)
  install_postgres & jobs+=($!)
  for one in "${jobs[@]}"; do wait "$one" || status=$?; done
  [ "$status" = 0 ] || exit "$status"
}

# --- PostgreSQL: refuses to run as root, so its data must lie where its user can reach it

as_postgres() { if is_root; then setpriv --reuid=postgres --regid=postgres --init-groups env -C / "$@"; else "$@"; fi; }
pgdata() {
  if as_postgres test -x "$home"; then echo "$home/pg/data"; else echo "/tmp/crm-odoo-pg-$(id -u)-$(printf %s "$home" | sha256sum | cut -c1-12)/data"; fi
}
pg_runs() { [ -n "$(pgbin)" ] && as_postgres "$(pgbin)/pg_ctl" -D "$(pgdata)" status >/dev/null 2>&1; }
sql() { PGPASSWORD=odoo PGOPTIONS='-c client_min_messages=warning' "$(pgbin)/psql" -X -q -At -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$pg" -U odoo -d postgres -c "$1"; }
has_database() { [ "$(sql "select 1 from pg_database where datname = '$1'")" = 1 ]; }
start_postgres() {
  pg_runs && return
  local data bin; data=$(pgdata) bin=$(pgbin)
  as_postgres test -s "$data/complete" || make_cluster "$data" "$bin"
  as_postgres "$bin/pg_ctl" -D "$data" -l "$data/../log" -w -o "-p $pg" start >/dev/null 9>&- || failed "PostgreSQL: see $data/../log"
}
make_cluster() {   # make_cluster DATA BIN: throw-away durability; the only role that can log in is Odoo's, from loopback
  say "a PostgreSQL of its own"
  rm -rf "$(dirname "$1")"
  mkdir -p "$(dirname "$1")"
  ! is_root || chown postgres "$(dirname "$1")"
  as_postgres "$2/initdb" -D "$1" -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
  as_postgres tee "$1/pg_hba.conf" >/dev/null <<<"host all odoo 127.0.0.1/32 scram-sha-256"
  as_postgres tee -a "$1/postgresql.conf" >/dev/null <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
fsync = off
synchronous_commit = off
full_page_writes = off
CONF
  as_postgres "$2/postgres" --single -D "$1" postgres >/dev/null 2>&1 <<SETUP
create role odoo login createdb password 'odoo'
grant pg_signal_backend to odoo
SETUP
  as_postgres tee "$1/complete" >/dev/null <<<yes
}

# --- Odoo

odoo() { PYTHONPATH=$packages "$home/venv/bin/python" "$home/src/usr/bin/odoo" "$1" -c "$home/odoo.conf" "${@:2}"; }
configure() {   # attachments live in the database (the template says so), so a clone needs no files
  cat >"$home/odoo.conf" <<CONF
[options]
db_host = 127.0.0.1
db_port = $pg
db_user = odoo
db_password = odoo
admin_passwd = admin
data_dir = $home/data
http_interface = 127.0.0.1
http_port = $http
gevent_port = $((http + 1))
dbfilter = ^(?!$template).*\$
without_demo = True
workers = $workers
max_cron_threads = 0
limit_time_cpu = 600
limit_time_real = 1200
limit_memory_soft = 4294967296
limit_memory_hard = 6442450944
log_level = warn
log_handler = :WARNING,odoo.addons.rpc.controllers:ERROR
CONF
}
make_template() {
  has_database "$template" && [ -s "$home/apikey" ] && [ "$(cat "$home/modules" 2>/dev/null)" = "$modules" ] && return
  say "the template database: $modules"
  sql "drop database if exists $template with (force)"
  sql "drop database if exists ${template}_new with (force)"
  odoo server -d "${template}_new" -i "$modules" --stop-after-init --no-http --logfile="$log" 9>&- >>"$log" 2>&1 || failed "see $log"
  say "its API key"
  (umask 077 && odoo shell -d "${template}_new" --no-http --logfile="$log" 9>&- >>"$log" 2>&1 <<PY
env['ir.cron'].search([]).write({'active': False})
env['ir.config_parameter'].set_param('ir_attachment.location', 'db')
env['ir.attachment'].force_storage()
env['ir.config_parameter'].set_param('web.base.url.freeze', 'True')
key = env(user=env.ref('base.user_admin').id)['res.users.apikeys']._generate(None, 'crm_pipelines', None)
env.cr.commit()
open('$home/apikey', 'w').write(key)
PY
  ) || failed "see $log"
  [ -s "$home/apikey" ] || failed "no API key; see $log"
  sql "alter database ${template}_new rename to $template"
  echo "$modules" >"$home/modules"
}
is_healthy() { "$python" -c 'import sys, urllib.request as u; u.urlopen(f"http://127.0.0.1:{sys.argv[1]}/web/health", timeout=30)' "$http" 2>/dev/null; }
start_odoo() {
  is_alive "$home/odoo.pid" && return
  configure
  (cd "$home" && PYTHONPATH=$packages exec setsid nohup "$home/venv/bin/python" "$home/src/usr/bin/odoo" server -c "$home/odoo.conf" \
    --pidfile="$home/odoo.pid" --logfile="$log" >>"$log" 2>&1 </dev/null 9>&-) &
  for _ in $(seq 600); do is_healthy && return; sleep 0.1; done
  failed "no answer on port $http after a minute; see $log"
}
stop() {
  if is_alive "$home/odoo.pid"; then
    local pid; pid=$(cat "$home/odoo.pid")
    kill "$pid"
    for _ in $(seq 150); do is_alive "$home/odoo.pid" || break; sleep 0.1; done
    ! is_alive "$home/odoo.pid" || kill -9 "$pid"
  fi
  rm -f "$home/odoo.pid"
  ! pg_runs || as_postgres "$(pgbin)/pg_ctl" -D "$(pgdata)" -m fast -w stop >/dev/null
}
up() {
  need
  exclusive
  [ ! -s "$home/ports" ] || read -r http pg <"$home/ports"
  is_installed && is_alive "$home/odoo.pid" && pg_runs && is_healthy && has_database "$template" && return
  is_installed || stop   # a new lock: nothing may run in the folder that is replaced
  install_all
  bring_up
}
bring_up() {
  ports
  start_postgres
  configure
  make_template
  clone "$database"
  start_odoo
  say "ready"
}
clone() {
  [[ $1 =~ ^[a-z0-9_]+$ ]] || { echo "a database's name is small letters, digits and _" >&2; exit 2; }
  has_database "$1" || sql "create database $1 template $template"
}
drop() { [ "$1" != "$template" ] && sql "drop database if exists \"$1\" with (force)"; }
clean() { sql "select datname from pg_database where datname like 't\\_%'" | while read -r one; do drop "$one"; done; }
url() { echo "http://127.0.0.1:$http"; }
dsn() { echo "postgresql://odoo:odoo@127.0.0.1:$pg/$1"; }
info() {
  cat <<INFO
ODOO_URL=$(url)
ODOO_DB=$database
ODOO_LOGIN=admin
ODOO_PASSWORD=admin
ODOO_KEY_FILE=$home/apikey
ODOO_DSN=$(dsn '{database}')
INFO
}
environment() {
  printf 'export CRM_TEST_ODOO_URL=%q\nexport CRM_TEST_ODOO_KEY="$(cat %q)"\nexport CRM_TEST_ODOO_DSN=%q\n' "$(url)" "$home/apikey" "$(dsn $template)"
}
known() { [ -s "$home/ports" ] || { echo "no Odoo in $home: scripts/odoo.sh up" >&2; exit 1; }; read -r http pg <"$home/ports"; }
status() {
  if is_alive "$home/odoo.pid"; then echo "Odoo: $(url), pid $(cat "$home/odoo.pid")"; else echo "Odoo: down"; fi
  if pg_runs; then echo "PostgreSQL: port $pg, $(pgdata)"; else echo "PostgreSQL: down"; fi
}
prefork() {   # ends with who started it, even when that is killed
  cd "$home"
  PYTHONPATH=$packages exec setpriv --pdeathsig TERM "$home/venv/bin/python" "$home/src/usr/bin/odoo" server -c "$home/odoo.conf" --workers="$1" --http-port="$2" --gevent-port="$(($2 + 1))"
}

case ${1:-} in
  up)
    [ "${2:-}" != --workers ] || workers=${3:?--workers N}
    up
    info ;;
  start) need; is_installed || { echo "not installed: scripts/odoo.sh up" >&2; exit 1; }; exclusive; bring_up; info ;;
  stop) exclusive; stop ;;
  status) known; status ;;
  info) known; info ;;
  env) known; environment ;;
  clone) known; clone "${2:?clone DB}" ;;
  drop) known; drop "${2:?drop DB}" ;;
  clean) known; clean ;;
  prefork) known; prefork "${2:?prefork N PORT}" "${3:?prefork N PORT}" ;;
  *) sed -n '2,17p' "$0" >&2; exit 2 ;;
esac
