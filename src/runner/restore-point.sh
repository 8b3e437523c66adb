#!/usr/bin/env bash
# Restore points of a database: dumps in a folder that outlives the pods. Runs in a PostgreSQL image, whose pg_dump must
# not be older than the server; `DATABASE_URL` is in the environment, and its password in nothing that is printed.
#
#   restore-point.sh take NAME      dumps the database, verifies that the dump can be read, and records it
#   restore-point.sh list           prints a JSON array of what there is, oldest first
#   restore-point.sh restore NAME   puts the database back to it: all of it or nothing, in one transaction
#
# The schema `unity_migrations`, the record of what was done, is neither dumped nor put back.
set -Eeuo pipefail

folder=${RESTORE_POINTS:-/restore-points}
record_schema=unity_migrations

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

decoded() { printf '%b' "${1//%/\\x}"; }

# The place of an sslmode among libpq's, from the weakest on; -1 for another word.
strength() {
  local modes=(disable allow prefer require verify-ca verify-full) place
  for place in "${!modes[@]}"; do [[ ${modes[place]} != "$1" ]] || { echo "$place"; return; }; done
  echo -1
}

# Gives the URL to libpq by its environment variables, so that it is on no command line.
connect_by_environment() {
  local pattern='^postgres(ql)?(\+[a-z0-9]+)?://(([^:@/?]*)(:([^@/?]*))?@)?(\[([^]]+)\]|([^:/?,]*))(:([0-9]+))?/([^/?]+)(\?(.*))?$'
  local example='postgresql://USER:PASSWORD@HOST:5432/DATABASE, special characters of the password percent-encoded'
  local url=${MIGRATION_DATABASE_URL:-${DATABASE_URL:-}}
  [[ $url =~ $pattern ]] || fail "DATABASE_URL (not shown) is no URL of a PostgreSQL database: set it to $example."
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
        fail "DATABASE_URL has $parameter, which is weaker than the stack's $PGSSLMODE: take sslmode out of it."
      fi
      local variable=PG${parameter%%=*}
      variable=${variable//_/}
      export "${variable^^}=$(decoded "${parameter#*=}")"
      ;;
    *) fail "DATABASE_URL has the parameter ${parameter%%=*}, which is not known here: take it out." ;;
    esac
  done
  export PGUSER PGPASSWORD PGHOST PGPORT PGDATABASE PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-5} PGAPPNAME="unity-$1"
}

checked_name() {
  [[ ${1:-} =~ ^[a-z0-9][a-z0-9.-]{0,200}$ ]] || fail "\"${1:-}\" is no name of a restore point: run \`unity restore --list\`."
  printf '%s' "$1"
}

# The rows of alembic_version in a dump, with commas between them.
revision_of() {
  pg_restore --data-only --table=alembic_version --file=- "$1" |
    awk '/^COPY .*alembic_version/ { rows = 1; next } /^\\\.$/ { rows = 0 } rows' | paste -sd, -
}

take() {
  local name
  name=$(checked_name "${1:-}")
  partial=$folder/.$name.partial
  [[ ! -e $folder/$name.json ]] || fail "restore point $name exists already."
  trap 'rm -f "$partial"' EXIT
  connect_by_environment restore-point
  # A database that is about to come back is worth a minute.
  for _ in {1..60}; do ! pg_isready --quiet || break; sleep 1; done
  echo "Restore point $name: dumping"
  pg_dump --format=custom --exclude-schema="$record_schema" --lock-wait-timeout=30s --file="$partial"
  echo "Restore point $name: verifying"
  pg_restore --file=/dev/null "$partial"
  local tables revision bytes
  tables=$(pg_restore --list "$partial" | grep -c ' TABLE DATA ' || true)
  revision=$(revision_of "$partial")
  bytes=$(stat --format=%s "$partial")
  sync "$partial"
  mv "$partial" "$folder/$name.dump"
  printf '{"name":"%s","takenAt":"%s","revision":"%s","tables":%d,"bytes":%d}\n' \
    "$name" "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" "$revision" "$tables" "$bytes" >"$folder/$name.json"
  echo "Restore point $name: revision ${revision:-none}, $tables tables, $bytes bytes, can be read"
}

list() {
  local files=("$folder"/*.json)
  [[ -e ${files[0]} ]] || { echo '[]'; return; }
  # One line, whatever the files' number: it is read from a log.
  printf '[%s]\n' "$(ls -tr -- "${files[@]}" | xargs -d '\n' cat | paste -sd, -)"
}

# All that the application made is dropped, and nothing of an extension: what the dump brings must find no namesake.
prelude() {
  cat <<SQL
BEGIN;
SET LOCAL lock_timeout = '30s';
SET LOCAL client_min_messages = warning;
DO \$\$
DECLARE command text;
BEGIN
  IF NOT pg_try_advisory_xact_lock(('x' || encode('unity-db', 'hex'))::bit(64)::bigint) THEN
    RAISE EXCEPTION 'a migration of this database is running: wait for it, or end it, and try again';
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

# The rights that the dump has, one by one: a role that is gone since gets none, and keeps nobody else from theirs. What
# is made anew also has the default rights of the database as it is; of those, only reading is meant for alembic_version.
rights() {
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
  [[ -s $dump ]] || fail "there is no restore point $name: run \`unity restore --list\`."
  connect_by_environment restore
  echo "Restoring $name"
  # COMMIT is sent only after all of the dump was: whatever ends early leaves the database as it was.
  { prelude && pg_restore --no-owner --no-privileges --file=- "$dump" && rights "$dump" && echo 'COMMIT; ANALYZE;'; } |
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --output=/dev/null
  echo "Restored $name: the database is at $(revision_of "$dump")"
}

case ${1:-} in
take | restore) "$1" "${2:-}" ;;
list) list ;;
*) fail "usage: ${0##*/} take NAME | list | restore NAME" ;;
esac
