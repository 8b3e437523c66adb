#!/bin/sh
# Creates the database of POSTGRES_USER, POSTGRES_PASSWORD, and POSTGRES_DB in an empty PGDATA, then runs the server.
# The database is created in a folder beside its destination and then moved, PG_VERSION last. If the container is killed
# at any moment, its next start finds either a complete database or none.
set -eu

# from_file NAME: sets the variable NAME to the content of the file that NAME_FILE refers to, if it is set.
from_file() {
  eval "path=\${$1_FILE:-}"
  [ -z "$path" ] || eval "$1=\$(cat \"\$path\")"
}

initialize() {
  umask 077
  from_file POSTGRES_USER
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_DB
  user=${POSTGRES_USER:-postgres}
  database=${POSTGRES_DB:-$user}
  if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo "error: POSTGRES_PASSWORD is empty; set it to the password of user $user" >&2
    exit 1
  fi

  new=$PGDATA/.initializing
  mkdir -p "$PGDATA"
  # Removes what a killed initialization left.
  find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +
  printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
  # shellcheck disable=SC2086  # POSTGRES_INITDB_ARGS contains several arguments
  initdb --pgdata "$new" --username "$user" --pwfile /tmp/password --encoding UTF8 --auth-local trust \
    --auth-host scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
  rm /tmp/password
  {
    echo "listen_addresses = '*'"
    echo "unix_socket_directories = '/var/run/postgresql'"
  } >>"$new/postgresql.conf"
  echo 'host all all all scram-sha-256' >>"$new/pg_hba.conf"
  if [ "$database" != postgres ]; then
    quoted=$(printf '%s' "$database" | sed 's/"/""/g')
    printf 'CREATE DATABASE "%s"\n' "$quoted" | postgres --single -D "$new" postgres >/dev/null
  fi
  mv "$new/PG_VERSION" "$PGDATA/PG_VERSION.complete"
  find "$new" -mindepth 1 -maxdepth 1 -exec mv {} "$PGDATA" \;
  rmdir "$new"
  chmod 0700 "$PGDATA"
  mv "$PGDATA/PG_VERSION.complete" "$PGDATA/PG_VERSION"
  sync
}

if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
  initialize
fi
exec "$@"
