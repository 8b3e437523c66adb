#!/usr/bin/env bash
# Restore points of a database: dumps in a folder that outlives the pods. Runs in a PostgreSQL image whose pg_dump is
# not older than the server. Requires `DATABASE_URL` in the environment; its password is never printed.
#
#   restore-point.sh take NAME      dump the database, check the dump, and record it
#   restore-point.sh list           print a JSON array of the restore points, oldest first
#   restore-point.sh restore NAME   restore the database in one transaction
#
# Both end after RESTORE_POINT_TIMEOUT_SECONDS, if that is set. A restore point is "verified" if it was restored into a scratch database, which requires a role that may create one. It
# is "readable" if the dump could only be read to its end. The schema `pulumi_alembic`, the run record, is neither dumped
# nor restored. Extensions stay as they are.
set -euo pipefail
umask 077

volume=${RESTORE_POINTS:-/restore-points}
folder=$volume/dumps
record_schema=pulumi_alembic
# Alembic's table, by the lockfile; without a schema, in any.
version_schema='' version_table=alembic_version
version_file=${BASH_SOURCE[0]%/*}/version-table.txt
[[ ! -e $version_file ]] || { IFS= read -r version_table && { IFS= read -r version_schema || true; }; } <"$version_file"
timeout_seconds=${RESTORE_POINT_TIMEOUT_SECONDS:-}
if [[ -n $timeout_seconds && -z ${RESTORE_POINT_IS_LIMITED:-} ]]; then
  RESTORE_POINT_IS_LIMITED=1 exec timeout --kill-after=60 "$timeout_seconds" bash "$0" "$@"
fi

work='' # folder for lists of a dump's entries
partial='' # unfinished files of a restore point, without their extension
scratch='' # scratch database, once it may exist
child='' # process group that is waited for

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

clean_up() {
  trap '' TERM INT
  [[ -z $partial ]] || rm -f -- "$partial.dump" "$partial.json"
  [[ -z $scratch ]] || drop_scratch || echo "Can't drop database $scratch. The next restore point drops it." >&2
  [[ -z $work ]] || rm -rf -- "$work"
}

cancel() {
  trap '' TERM INT
  [[ -z $child ]] || kill -TERM -- "-$child" 2>/dev/null || true
  fail "Canceled: it took longer than restorePointTimeoutSeconds${timeout_seconds:+ ($timeout_seconds)}, or its pod was deleted."
}

# Runs a command so that a signal cancels it at once: bash would wait for a foreground command first.
cancelable() {
  set -m # a process group of its own, for all processes of a pipeline
  "$@" &
  child=$!
  set +m
  local code=0
  wait "$child" || code=$?
  child=''
  return "$code"
}

decoded() { local text=${1//\\/\\\\}; printf '%b' "${text//%/\\x}"; }

# Prints a text as JSON.
json_string() {
  local text=$1 code character
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  for code in {1..31} 127; do
    printf -v character "\\x$(printf '%02x' "$code")"
    text=${text//"$character"/"$(printf '\\u%04x' "$code")"}
  done
  printf '"%s"' "$text" | iconv -c --from-code=UTF-8 --to-code=UTF-8
}

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
  export PGUSER PGPASSWORD PGHOST PGPORT PGDATABASE PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-10} PGAPPNAME="alembic-$1"
}

session() {
  psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --set=version_schema="$version_schema" \
    --set=version_table="$version_table" "$@"
}

# Runs the SQL on standard input with an empty search path, and prints its rows.
sql() { { echo "SET search_path = '';" && cat; } | session; }

checked_name() {
  [[ ${1:-} =~ ^[a-z0-9][a-z0-9.-]{0,200}$ ]] || fail "invalid restore point name \"${1:-}\". Run: pulumi-alembic restore --list"
  printf '%s' "$1"
}

# The rows of Alembic's table in a dump, separated by commas, as JSON.
revision_of() {
  local row decoded rows=''
  # COPY escapes a few characters with backslashes, all of which printf knows.
  while IFS= read -r row; do
    printf -v decoded '%b' "$row"
    rows+=${rows:+,}$decoded
  done < <(pg_restore --data-only ${version_schema:+--schema="$version_schema"} --table="$version_table" --file=- "$1" |
    awk '!rows && /^COPY / { rows = 1; next } /^\\\.$/ { rows = 0 } rows')
  json_string "$rows"
}

# The objects that a restore drops: all but those of extensions, the run record, and PostgreSQL itself. Casts have no
# owner, and indexes, row types, and identity sequences are parts of other objects. The columns: the order of the drops,
# catalog and oid, the schema's owner, and the object's type and identity.
replaced_objects="
  SELECT o.place, o.class, o.oid, o.schema_owner, i.type, i.identity FROM (
    SELECT 1, 'pg_publication'::regclass::oid, oid, NULL::oid FROM pg_publication
    UNION ALL SELECT 1, 'pg_event_trigger'::regclass, oid, NULL FROM pg_event_trigger
    UNION ALL SELECT 2, d.classid, d.objid, n.nspowner FROM pg_depend d JOIN pg_namespace n ON n.oid = d.refobjid
      WHERE d.refclassid = 'pg_namespace'::regclass AND d.deptype = 'n' AND d.objsubid = 0
      AND d.classid <> 'pg_extension'::regclass AND n.nspname !~ '^pg_'
      AND n.nspname NOT IN ('information_schema', '$record_schema')
      AND NOT EXISTS (SELECT FROM pg_depend p WHERE p.classid = d.classid AND p.objid = d.objid AND p.deptype = 'i')
    UNION ALL SELECT 3, 'pg_cast'::regclass, oid, NULL FROM pg_cast
    UNION ALL SELECT 3, 'pg_foreign_server'::regclass, oid, NULL FROM pg_foreign_server
    UNION ALL SELECT 4, 'pg_foreign_data_wrapper'::regclass, oid, NULL FROM pg_foreign_data_wrapper
    UNION ALL SELECT 4, 'pg_language'::regclass, oid, NULL FROM pg_language
    UNION ALL SELECT 4, 'pg_am'::regclass, oid, NULL FROM pg_am
    UNION ALL SELECT 5, 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace n
      WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public', '$record_schema')
      AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.extnamespace = n.oid)
      AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_depend e ON e.classid = d.classid AND e.objid = d.objid
        AND e.deptype = 'e' WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid)
  ) AS o (place, class, oid, schema_owner), pg_identify_object(o.class, o.oid, 0) i
  WHERE o.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = o.class AND e.objid = o.oid AND e.deptype = 'e')"

# Fails if a restore could not replace what the database contains: it would have to drop objects of other roles, create
# objects where the role may not, or take more locks in its transaction than the server has room for.
check_replaceable() {
  local problems
  problems=$(
    sql <<SQL
WITH replaced AS ($replaced_objects), kept_schemas AS (
  SELECT n.oid, n.nspname FROM pg_namespace n WHERE nspname !~ '^pg_'
  AND nspname NOT IN ('information_schema', '$record_schema')
  AND NOT EXISTS (SELECT FROM replaced WHERE class = 'pg_namespace'::regclass AND oid = n.oid)
), problems AS (
  SELECT format('%s %s belongs to role %s', type, identity, pg_get_userbyid(owner)) AS problem FROM (
    SELECT r.*, coalesce((SELECT s.refobjid FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid
      WHERE d.datname = current_database() AND s.classid = r.class AND s.objid = r.oid AND s.objsubid = 0
      AND s.deptype = 'o'), 10) AS owner FROM replaced r WHERE r.class <> 'pg_cast'::regclass
  ) AS owned WHERE NOT pg_has_role(owner, 'USAGE') AND NOT coalesce(pg_has_role(schema_owner, 'USAGE'), false)
  UNION ALL SELECT format('large object %s belongs to role %s', oid, pg_get_userbyid(lomowner))
    FROM pg_largeobject_metadata WHERE NOT pg_has_role(lomowner, 'USAGE')
  UNION ALL SELECT format('role %s may not create objects in schema %s', current_user, nspname) FROM kept_schemas
    WHERE NOT has_schema_privilege(oid, 'CREATE') AND EXISTS (SELECT FROM replaced r JOIN pg_depend d
      ON d.classid = r.class AND d.objid = r.oid AND d.refclassid = 'pg_namespace'::regclass
      WHERE d.refobjid = kept_schemas.oid)
  UNION ALL SELECT format('role %s may not create %s %s: it lacks CREATE on the database', current_user, type, identity)
    FROM replaced WHERE type IN ('schema', 'publication') AND NOT has_database_privilege(current_database(), 'CREATE')
  UNION ALL SELECT format('about %s locks are required in one transaction, and the server has room for %s. As a '
      'superuser, run: ALTER SYSTEM SET max_locks_per_transaction = %s; then restart the server', required, room,
      ceil(required * 1.5 / slots))
    FROM (SELECT
      -- Dropping locks each object, creating each relation.
      (SELECT 2 * count(*) FROM pg_class WHERE oid >= 16384) + (SELECT count(*) FROM pg_constraint WHERE oid >= 16384)
        + (SELECT count(*) FROM pg_type WHERE oid >= 16384) + (SELECT count(*) FROM pg_attrdef)
        + (SELECT count(*) FROM pg_largeobject_metadata) AS required,
      slots, slots * current_setting('max_locks_per_transaction')::int AS room
      FROM (SELECT sum(setting::int) + 1 AS slots FROM pg_settings WHERE name IN ('max_connections',
        'max_prepared_transactions', 'autovacuum_max_workers', 'max_worker_processes', 'max_wal_senders')) AS s
    ) AS locks WHERE required > room
)
SELECT CASE WHEN row_number > 5 THEN format('and %s more', count - 5) ELSE problem END FROM (
  SELECT problem, row_number() OVER (), count(*) OVER () FROM problems) AS p WHERE row_number <= 6
SQL
  )
  [[ -z $problems ]] || fail "can't take a restore point: a restore would fail:"$'\n'"  ${problems//$'\n'/$'\n'  }"
}

# Fails if a restore would run code of other roles with the rights of this one, because restored functions, constraints, and
# views belong to it. A superuser has the rights of all roles, but trusts only other superusers and the database's owner.
# By the dump, which contains exactly what would run.
check_owners() {
  local strangers
  sql >"$work/trusted" <<SQL
SELECT ' ' || o.rolname FROM pg_roles o, pg_roles me, pg_database
WHERE me.rolname = current_user AND datname = current_database() AND (o.rolsuper OR o.oid IN (me.oid, datdba)
  OR o.rolname = 'pg_database_owner' OR NOT me.rolsuper AND pg_has_role(o.oid, 'USAGE'))
SQL
  strangers=$(awk -v work="$work" '
    FILENAME != work "/all" { trusted[$0]; next }
    { sub(/^[0-9]+; [0-9]+ [0-9]+ /, "") }
    /^((DEFAULT )?ACL|TABLE DATA|SEQUENCE SET) / || / $/ { next } # privileges and data; entries without an owner
    { for (owner in trusted) if (substr($0, length($0) - length(owner) + 1) == owner) next }
    ++count <= 5 { print "  " $0 }
    END { if (count > 5) print "  and " count - 5 " more" }
  ' "$work/trusted" "$work/all")
  [[ -z $strangers ]] || fail "can't take a restore point: a restore would run code of other roles as role $PGUSER. Drop these \
objects, or transfer them (ALTER ... OWNER TO). Each line ends with the owner:"$'\n'"$strangers"
}

# Lists a dump's entries for a restore into a database: `objects`, `large-objects` with their data, and `grants`.
list_entries() {
  local dump=$1 database=$2
  rm -f -- "$work/objects" "$work/large-objects" "$work/grants"
  pg_restore --list "$dump" | awk '/^[0-9]/' >"$work/all"
  # Schemas that stay because an extension is in them, and data of extensions that the role may not write.
  PGDATABASE=$database sql >"$work/kept" <<SQL
SELECT 'SCHEMA - ' || nspname || ' ' FROM pg_namespace n WHERE nspname <> 'public'
  AND (EXISTS (SELECT FROM pg_extension e WHERE e.extnamespace = n.oid) OR EXISTS (SELECT FROM pg_depend d
    WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e'));
SELECT 'COMMENT - SCHEMA ' || nspname || ' ' FROM pg_namespace WHERE NOT pg_has_role(nspowner, 'USAGE');
SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE SET ' ELSE 'TABLE DATA ' END || nspname || ' ' || relname || ' '
  FROM pg_extension e, unnest(e.extconfig) AS configured JOIN pg_class c ON c.oid = configured
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT CASE relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'UPDATE')
    ELSE has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'DELETE') END;
SQL
  echo 'COMMENT - EXTENSION ' >>"$work/kept"
  awk -v work="$work" '
    FILENAME != work "/all" { kept[$0]; next }
    { entry = $0; sub(/^[0-9]+; [0-9]+ [0-9]+ /, "", entry) }
    entry ~ /^BLOBS / { print > (work "/large-objects"); next }
    entry ~ /^(DEFAULT )?ACL / { print > (work "/grants"); next }
    { for (prefix in kept) if (index(entry, prefix) == 1) next; print > (work "/objects") }
  ' "$work/kept" "$work/all"
  touch "$work/objects" "$work/large-objects" "$work/grants"
}

# Starts the transaction of a restore, and drops all that could conflict with the dump.
drop_objects() {
  cat <<SQL
BEGIN;
SET LOCAL search_path = '';
SET LOCAL lock_timeout = '30s';
SET LOCAL statement_timeout = 0;
SET LOCAL client_min_messages = warning;
DO \$\$
DECLARE command text;
BEGIN
  IF NOT pg_try_advisory_xact_lock(('x' || encode('alembic!', 'hex'))::bit(64)::bigint) THEN
    RAISE EXCEPTION 'another migration holds the advisory lock. Wait for it to finish, or terminate it, and retry.';
  END IF;
  FOREACH command IN ARRAY (
    SELECT coalesce(array_agg(format('DROP %s IF EXISTS %s CASCADE', CASE WHEN class = 'pg_proc'::regclass THEN 'ROUTINE'
      WHEN type = 'statistics object' THEN 'STATISTICS' WHEN type = 'foreign-data wrapper' THEN 'FOREIGN DATA WRAPPER'
      ELSE upper(type) END, identity) ORDER BY place, type = 'sequence'), '{}') FROM ($replaced_objects) AS replaced)
  LOOP
    EXECUTE command;
  END LOOP;
  PERFORM lo_unlink(oid) FROM pg_largeobject_metadata;
  -- What an extension's tables contain in addition to the extension's own rows is part of a dump.
  FOREACH command IN ARRAY (
    SELECT coalesce(array_agg(format('DELETE FROM %s %s', c.oid::regclass, condition)), '{}') FROM pg_extension e,
      unnest(e.extconfig, e.extcondition) AS configured (relation, condition) JOIN pg_class c ON c.oid = relation
    WHERE c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'DELETE'))
  LOOP
    EXECUTE command;
  END LOOP;
END \$\$;
SQL
  # A dump contains the objects of this schema, but not the schema.
  ! grep -Eq '^[0-9]+; [0-9]+ [0-9]+ [A-Z ]+ public ' "$work/objects" || cat <<SQL
DO \$\$ BEGIN IF to_regnamespace('public') IS NULL THEN CREATE SCHEMA public; END IF; END \$\$;
SQL
}

# Restores the content of large objects. pg_restore would commit the transaction after it; each of its lines is SQL, as
# content is hexadecimal.
large_objects() {
  [[ ! -s $work/large-objects ]] || pg_restore --use-list="$work/large-objects" --file=- "$1" | sed -E '/^(BEGIN|COMMIT);$/d'
}

# Grants the dump's privileges one by one, so that a role that no longer exists doesn't affect the others. Restored
# objects also get the current default privileges; on Alembic's table, all of those but SELECT are revoked.
grants() {
  printf '%s\n' '\set ON_ERROR_STOP 0' '\set ON_ERROR_ROLLBACK on'
  pg_restore --no-owner --use-list="$work/grants" --file=- "$1" || return 1
  cat <<SQL
\\set ON_ERROR_ROLLBACK off
\\set ON_ERROR_STOP 1
SELECT DISTINCT format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON %I.%I FROM %I',
  n.nspname, c.relname, r.rolname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relkind = 'r' AND c.relname = :'version_table' AND :'version_schema' IN ('', n.nspname)
AND a.grantee <> c.relowner AND a.privilege_type <> 'SELECT' \\gexec
SQL
}

# Replaces the content of a database with a dump's, in one transaction. COMMIT follows the whole dump, so that an early end
# rolls back. The other arguments are options of pg_restore.
replace_content() {
  local dump=$1 database=$2
  shift 2
  {
    drop_objects && pg_restore --no-owner --no-privileges --use-list="$work/objects" "$@" --file=- "$dump" &&
      { [[ $* == *--schema-only* ]] || large_objects "$dump"; } && grants "$dump" && echo 'COMMIT;'
  } | PGDATABASE=$database session --output=/dev/null
}

# Prints one name for each database, so that a restore point drops what a killed one has left.
scratch_name() { printf 'alembic_restore_check_%s' "$(printf '%s' "$PGDATABASE" | md5sum | cut -c-12)"; }

# Without FORCE first: that ends autovacuum, which FORCE may lack the permission for.
drop_scratch() {
  local attempt
  for attempt in 1 2 3; do
    if session --command="DROP DATABASE IF EXISTS $scratch" 2>/dev/null; then return 0; fi
    if session --command="DROP DATABASE IF EXISTS $scratch WITH (FORCE)"; then return 0; fi
    sleep "$attempt"
  done
  return 1
}

# Creates the scratch database with the encoding and locale of the database, and the extensions of the dump.
create_scratch() {
  sql >"$work/create" <<SQL || return 1
SELECT format('CREATE DATABASE $scratch TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L',
  pg_encoding_to_char(encoding), datcollate, datctype) || CASE to_jsonb(d) ->> 'datlocprovider'
  WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L',
    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'))
  WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', to_jsonb(d) ->> 'datlocale') ELSE '' END
FROM pg_database d WHERE datname = current_database()
SQL
  session --file="$work/create" || return 1
  grep -E '^[0-9]+; [0-9]+ [0-9]+ (SCHEMA|EXTENSION) - ' "$work/all" >"$work/extensions" || return 0
  pg_restore --no-owner --no-privileges --use-list="$work/extensions" --file=- "$1" |
    PGDATABASE=$scratch session --output=/dev/null
}

# Restores a dump into the scratch database: first its schema, then, as a restore of the database does, all of it in place
# of that. Without a scratch database like this one, it only reads the dump, and prints why. Writes the kind of the check.
check_dump() {
  local dump=$1 reason
  pg_restore --list "$dump" | awk '/^[0-9]/' >"$work/all"
  check_owners
  if [[ $(sql <<<'SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user') != t ]]; then
    reason="role $PGUSER may not create a scratch database. To allow it, run: ALTER ROLE \"$PGUSER\" CREATEDB"
  elif reason=$(create_scratch "$dump" 2>&1); then
    list_entries "$dump" "$scratch"
    replace_content "$dump" "$scratch" --schema-only || fail "can't restore the schema of the dump"
    list_entries "$dump" "$scratch"
    replace_content "$dump" "$scratch" || fail "can't restore the dump"
    echo verified >"$work/check"
    return
  else
    reason="can't create a scratch database like this one: $reason"
  fi
  pg_restore --file=/dev/null "$dump"
  echo "Read the dump without restoring it: $reason"
  echo readable >"$work/check"
}

take() {
  local name check revision tables bytes
  name=$(checked_name "${1:-}")
  mkdir -p "$folder"
  chmod 0700 "$folder"
  [[ ! -e $folder/$name.json ]] || fail "restore point \"$name\" already exists"
  connect_by_environment restore-point
  work=$(mktemp -d)
  trap clean_up EXIT
  trap cancel TERM INT
  # Wait up to a minute for a database that is starting.
  for _ in {1..60}; do ! pg_isready --quiet || break; sleep 1; done
  # What killed runs have left.
  find "$folder" -name '.*.dump' -mmin +60 -delete
  scratch=$(scratch_name)
  drop_scratch
  check_replaceable
  echo "Creating restore point $name"
  partial=$folder/.$name
  cancelable pg_dump --format=custom --exclude-schema="$record_schema" --no-subscriptions --lock-wait-timeout=30s \
    --file="$partial.dump"
  echo "Checking restore point $name"
  cancelable check_dump "$partial.dump"
  check=$(<"$work/check")
  tables=$(grep -c ' TABLE DATA ' "$work/all" || true)
  revision=$(revision_of "$partial.dump")
  bytes=$(stat --format=%s "$partial.dump")
  printf '{"name":"%s","takenAt":"%s","revision":%s,"check":"%s","tables":%d,"bytes":%d}\n' \
    "$name" "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" "$revision" "$check" "$tables" "$bytes" >"$partial.json"
  sync "$partial.dump" "$partial.json"
  mv "$partial.dump" "$folder/$name.dump"
  mv "$partial.json" "$folder/$name.json"
  echo "Created restore point $name ($check, revision $(shown "$revision"), $tables tables, $bytes bytes)"
}

# Prints a JSON string without its quotes; `none` for an empty one.
shown() { local text=${1:1:-1}; printf '%s' "${text:-none}"; }

list() {
  local files=("$folder"/*.json) old=("$volume"/*.dump)
  [[ ! -e ${old[0]} ]] || echo "Not listed: ${#old[@]} dumps of an earlier format in $volume" >&2
  [[ -e ${files[0]} ]] || { echo '[]'; return; }
  # On one line, because the CLI reads it from the log.
  printf '[%s]\n' "$(ls -tr -- "${files[@]}" | xargs -d '\n' cat | paste -sd, -)"
}

restore() {
  local name dump
  name=$(checked_name "${1:-}")
  dump=$folder/$name.dump
  [[ -s $dump ]] || fail "restore point \"$name\" not found. Run: pulumi-alembic restore --list"
  connect_by_environment restore
  work=$(mktemp -d)
  trap clean_up EXIT
  trap cancel TERM INT
  echo "Restoring $name"
  list_entries "$dump" "$PGDATABASE"
  cancelable replace_content "$dump" "$PGDATABASE"
  session --command="SET search_path = ''" --command='SET client_min_messages = error' --command=ANALYZE || true
  echo "Restored $name: database is at $(shown "$(revision_of "$dump")")"
}

case ${1:-} in
take | restore) "$1" "${2:-}" ;;
list) list ;;
*) fail "usage: ${0##*/} take NAME | list | restore NAME" ;;
esac
