#!/bin/sh
# Makes the database of POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB in an empty PGDATA, then becomes the server.
# The database is made in a folder beside its place and moved there whole, PG_VERSION last: whenever the container is
# killed, its next start finds either a complete database or none.
set -eu

# from_file NAME: sets the variable NAME to the content of the file that NAME_FILE names, if it names one.
from_file() {
  eval "path=\${$1_FILE:-}"
  [ -z "$path" ] || eval "$1=\$(cat \"\$path\")"
}

initialise() {
  umask 077
  from_file POSTGRES_USER
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_DB
  user=${POSTGRES_USER:-postgres}
  database=${POSTGRES_DB:-$user}
  if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo "POSTGRES_PASSWORD is empty: set it to the password that $user is to have" >&2
    exit 1
  fi

  new=$PGDATA/.initialising
  mkdir -p "$PGDATA"
  find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} + # of an initialisation that was killed
  printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
  # shellcheck disable=SC2086  # POSTGRES_INITDB_ARGS holds several words
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
  initialise
fi
exec "$@"
