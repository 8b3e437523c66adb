#!/usr/bin/env bash
# Restore points of a database: dumps in a folder that outlives the pods. Runs in a PostgreSQL image whose pg_dump is
# not older than the server. Requires `DATABASE_URL` in the environment; its password is never printed.
#
#   restore-point.sh take NAME      dump the database, verify the dump, and record it
#   restore-point.sh list           print a JSON array of the restore points, oldest first
#   restore-point.sh restore NAME   restore the database in one transaction
#
# The schema `unity_migrations`, the run record, is neither dumped nor restored.
set -Eeuo pipefail

folder=${RESTORE_POINTS:-/restore-points}
record_schema=unity_migrations

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

decoded() { printf '%b' "${1//%/\\x}"; }

# The rank of a libpq sslmode, weakest first; -1 for an unknown value.
strength() {
  local modes=(disable allow prefer require verify-ca verify-full) rank
  for rank in "${!modes[@]}"; do [[ ${modes[rank]} != "$1" ]] || { echo "$rank"; return; }; done
  echo -1
}

# Passes the URL to libpq through environment variables, which keeps it off the command line.
connect_by_environment() {
  local pattern='^postgres(ql)?(\+[a-z0-9]+)?://(([^:@/?]*)(:([^@/?]*))?@)?(\[([^]]+)\]|([^:/?,]*))(:([0-9]+))?/([^/?]+)(\?(.*))?$'
  local example='postgresql://USER:PASSWORD@HOST:5432/DATABASE, with special characters in the password percent-encoded'
  local url=${MIGRATION_DATABASE_URL:-${DATABASE_URL:-}}
  [[ $url =~ $pattern ]] || fail "DATABASE_URL (value hidden) is not a PostgreSQL URL. Set it to $example."
  PGUSER=$(decoded "${BASH_REMATCH[4]}")
  PGPASSWORD=$(decoded "${BASH_REMATCH[6]}")
  PGHOST=${BASH_REMATCH[8]:-${BASH_REMATCH[9]}}
  PGPORT=${BASH_REMATCH[11]:-5432}
  PGDATABASE=$(decoded "${BASH_REMATCH[12]}")
  local parameters parameter
  IFS='&' read -ra parameters <<<"${BASH_REMATCH[14]:-}"
  for parameter in "${parameters[@]}"; do
    case ${parameter%%=*} in
    sslmode | sslrootcert | sslcert | sslkey | host | port | options | connect_timeout)
      if [[ $parameter == sslmode=* ]] && (($(strength "${parameter#*=}") < $(strength "${PGSSLMODE:-disable}"))); then
        fail "DATABASE_URL has $parameter, weaker than the stack's $PGSSLMODE. Remove sslmode from the URL."
      fi
      local variable=PG${parameter%%=*}
      variable=${variable//_/}
      export "${variable^^}=$(decoded "${parameter#*=}")"
      ;;
    *) fail "unsupported parameter ${parameter%%=*} in DATABASE_URL. Remove it." ;;
    esac
  done
  export PGUSER PGPASSWORD PGHOST PGPORT PGDATABASE PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-10} PGAPPNAME="unity-$1"
}

checked_name() {
  [[ ${1:-} =~ ^[a-z0-9][a-z0-9.-]{0,200}$ ]] || fail "invalid restore point name \"${1:-}\". Run: unity restore --list"
  printf '%s' "$1"
}

# The rows of alembic_version in a dump, separated by commas.
revision_of() {
  pg_restore --data-only --table=alembic_version --file=- "$1" |
    awk '/^COPY .*alembic_version/ { rows = 1; next } /^\\\.$/ { rows = 0 } rows' | paste -sd, -
}

take() {
  local name
  name=$(checked_name "${1:-}")
  partial=$folder/.$name.partial
  [[ ! -e $folder/$name.json ]] || fail "restore point \"$name\" already exists"
  trap 'rm -f "$partial"' EXIT
  connect_by_environment restore-point
  # Wait up to a minute for a database that is starting.
  for _ in {1..60}; do ! pg_isready --quiet || break; sleep 1; done
  echo "Creating restore point $name"
  pg_dump --format=custom --exclude-schema="$record_schema" --lock-wait-timeout=30s --file="$partial"
  echo "Verifying restore point $name"
  pg_restore --file=/dev/null "$partial"
  local tables revision bytes
  tables=$(pg_restore --list "$partial" | grep -c ' TABLE DATA ' || true)
  revision=$(revision_of "$partial")
  bytes=$(stat --format=%s "$partial")
  sync "$partial"
  mv "$partial" "$folder/$name.dump"
  printf '{"name":"%s","takenAt":"%s","revision":"%s","tables":%d,"bytes":%d}\n' \
    "$name" "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" "$revision" "$tables" "$bytes" >"$folder/$name.json"
  echo "Created restore point $name (revision ${revision:-none}, $tables tables, $bytes bytes)"
}

list() {
  local files=("$folder"/*.json)
  [[ -e ${files[0]} ]] || { echo '[]'; return; }
  # On one line, because the CLI reads it from the log.
  printf '[%s]\n' "$(ls -tr -- "${files[@]}" | xargs -d '\n' cat | paste -sd, -)"
}

# Drops all objects that could conflict with the dump's; those of extensions stay.
drop_objects() {
  cat <<SQL
BEGIN;
SET LOCAL lock_timeout = '30s';
SET LOCAL client_min_messages = warning;
DO \$\$
DECLARE command text;
BEGIN
  IF NOT pg_try_advisory_xact_lock(('x' || encode('unity-db', 'hex'))::bit(64)::bigint) THEN
    RAISE EXCEPTION 'another migration holds the advisory lock. Wait for it to finish, or terminate it, and retry.';
  END IF;
  FOREACH command IN ARRAY (
    SELECT coalesce(array_agg(step ORDER BY place), '{}') FROM (
      SELECT 1 AS place, format('DROP SCHEMA %I CASCADE', nspname) AS step FROM pg_namespace n
      WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public', '$record_schema')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = n.oid AND d.deptype = 'e')
      UNION ALL
      SELECT 2, format('DROP %s IF EXISTS public.%I CASCADE', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN
        'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, relname)
      FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('e', 'i'))
      UNION ALL
      SELECT 3, format('DROP ROUTINE IF EXISTS public.%I(%s) CASCADE', proname, pg_get_function_identity_arguments(oid))
      FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
      UNION ALL
      SELECT 4, format('DROP TYPE IF EXISTS public.%I CASCADE', typname)
      FROM pg_type t WHERE typnamespace = 'public'::regnamespace AND typelem = 0
        AND (typrelid = 0 OR (SELECT relkind = 'c' FROM pg_class WHERE oid = typrelid))
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
    ) AS steps)
  LOOP
    EXECUTE command;
  END LOOP;
END \$\$;
SQL
}

# Grants the dump's privileges one by one, so that a role that no longer exists doesn't affect the others. Restored
# objects also get the current default privileges; on alembic_version, all of those but SELECT are revoked.
grants() {
  local list
  list=$(mktemp)
  pg_restore --list "$1" | grep -E '^[0-9]+; [0-9]+ [0-9]+ (DEFAULT )?ACL ' >"$list" || true
  printf '%s\n' '\set ON_ERROR_STOP 0' '\set ON_ERROR_ROLLBACK on'
  pg_restore --no-owner --use-list="$list" --file=- "$1" || return 1
  rm "$list"
  cat <<SQL
\\set ON_ERROR_ROLLBACK off
\\set ON_ERROR_STOP 1
DO \$\$
DECLARE reader name;
BEGIN
  FOR reader IN SELECT DISTINCT r.rolname FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.oid = to_regclass('public.alembic_version') AND a.grantee <> c.relowner AND a.privilege_type <> 'SELECT'
  LOOP
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON public.alembic_version FROM %I', reader);
  END LOOP;
END \$\$;
SQL
}

restore() {
  local name dump
  name=$(checked_name "${1:-}")
  dump=$folder/$name.dump
  [[ -s $dump ]] || fail "restore point \"$name\" not found. Run: unity restore --list"
  connect_by_environment restore
  echo "Restoring $name"
  # COMMIT follows the whole dump, so that an early end rolls back.
  {
    drop_objects && pg_restore --no-owner --no-privileges --file=- "$dump" && grants "$dump" && echo 'COMMIT; ANALYZE;'
  } | psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --output=/dev/null
  echo "Restored $name: database is at $(revision_of "$dump")"
}

case ${1:-} in
take | restore) "$1" "${2:-}" ;;
list) list ;;
*) fail "usage: ${0##*/} take NAME | list | restore NAME" ;;
esac
