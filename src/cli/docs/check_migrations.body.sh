usage() {
  cat <<END
usage: check_migrations.sh [--check] [--context NAME]

Shows the current revision of the database of namespace $namespace and the latest one. Applies pending revisions with the
Job of $job_file, in the backend's image, and verifies the result.

  --check          make no changes: show the revisions, and verify if the database is at the latest one
  --context NAME   kubeconfig context (default: ${context:-the current one})

exit codes: 0 at the latest revision and verified; 1 pending revisions (--check), failure, or manual action required;
2 invalid usage, or the database is unavailable.
END
}

job_file="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$job_path"
apply=true
failures=0
# Grace period for a pod that can't start: a Secret may be created a moment later.
stuck_seconds=15
while (($# > 0)); do
  case "$1" in
    --check) apply=false ;;
    --context)
      if [[ -z "${2:-}" ]]; then
        usage >&2
        exit 2
      fi
      context="$2"
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  shift
done

errors="$(mktemp)"
trap 'rm -f "$errors"' EXIT

kube() {
  kubectl ${context:+--context "$context"} --namespace "$namespace" "$@"
}

in_backend() {
  kube exec "deployment/$backend" --container="$backend" --pod-running-timeout=10s -- "$@"
}

# Prints the answers of a psql script, one per line.
in_postgres() {
  local output
  output="$(kube exec --stdin "deployment/$postgres" --container="$postgres" --pod-running-timeout=10s -- \
    psql -XqAtw -U "$database_owner" -d "$database" -v ON_ERROR_STOP=1 <<<"$1")" || return 1
  sed -n "s/^$answer_mark//p" <<<"$output"
}

# Prints the rows of alembic_version, one per line; nothing for an uninitialized database. Alembic can't show a revision
# that its files lack, nor can a backend that isn't running: then the stack's PostgreSQL is queried.
current_revision() {
  local output
  if output="$(in_backend alembic current 2>"$errors")"; then
    sed -e 's/ .*//' -e '/^$/d' <<<"$output"
  elif [[ "$owns_database" == true ]]; then
    output="$(in_postgres "$revision_sql" 2>>"$errors")" || return 1
    [[ "$output" == null ]] || tr -d '"' <<<"$output" | tr ' ' '\n' | sed '/^$/d'
  else
    return 1
  fi
}

is_known() {
  local revision
  for revision in "${revisions[@]}"; do
    [[ "$revision" != "$1" ]] || return 0
  done
  return 1
}

# Whether a revision is a later one that the stack tolerates.
is_tolerated() {
  [[ -n "$1" && " $tolerated " == *" $1 "* ]]
}

# Prints the Job's name and its true conditions; nothing if the Job doesn't exist.
job_state() {
  kube get job "$job" --ignore-not-found \
    --output='jsonpath={.metadata.name} {.status.conditions[?(@.status=="True")].type}'
}

has_ended() {
  [[ "$1" == *Complete* || "$1" == *Failed* ]]
}

# Prints why the Job's pod can't start, if that requires manual action.
stuck_because() {
  local waiting='state.waiting.reason'
  kube get pods --selector="job-name=$job" --output="jsonpath={.items[*].status.containerStatuses[*].$waiting} \
    {.items[*].status.initContainerStatuses[*].$waiting}" |
    grep -oE 'ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|CreateContainerConfigError' | head -n 1
}

# Waits for the Job and prints its log. Fails unless the Job is complete.
wait_for_job() {
  local state reason waited=0 stuck=0
  until state="$(job_state)" && has_ended "$state"; do
    ((waited += 1))
    if reason="$(stuck_because)"; then
      ((stuck += 1))
    else
      stuck=0
    fi
    if ((stuck > stuck_seconds)); then
      echo "error: Job $job can't start: $reason; deleting it so that it doesn't migrate later" >&2
      kube describe pods --selector="job-name=$job" | sed -n '/^Events:/,$p' >&2
      kube delete job "$job" --wait=false
      return 1
    fi
    if ((waited > deadline_seconds + 30)); then
      echo "error: timed out waiting for Job $job" >&2
      break
    fi
    sleep 1
  done
  kube logs "job/$job" --all-containers || true
  [[ "$state" == *Complete* ]] || kube get pods --selector="job-name=$job" || true
  [[ "$state" == *Complete* ]]
}

apply_job() {
  local image manifest state
  state="$(job_state)"
  if [[ -n "$state" ]] && ! has_ended "$state"; then
    echo "Waiting for Job $job, which is running"
  else
    if [[ ! -f "$job_file" ]]; then
      echo "error: $job_file not found; run this script in its folder of the project" >&2
      return 1
    fi
    # A Job's template can't be changed, so the Job is replaced.
    kube delete job "$job" --ignore-not-found --cascade=foreground --timeout=60s || return 1
    manifest="$(cat "$job_file")"
    image="$(kube get "deployment/$backend" --ignore-not-found \
      --output="jsonpath={.spec.template.spec.containers[?(@.name==\"$backend\")].image}")"
    # The database must fit the image that the backend runs, which may differ from that of the file.
    [[ -z "$image" || -z "$job_image" ]] || manifest="${manifest//"$job_image"/$image}"
    kube apply --server-side --filename=- <<<"$manifest" || return 1
  fi
  wait_for_job
}

# check TITLE COMMAND: prints whether the command succeeds.
check() {
  local title="$1"
  shift
  if "$@"; then
    echo "  ok      $title"
  else
    echo "  FAILED  $title"
    failures=$((failures + 1))
  fi
}

has_latest() {
  local revision
  revision="$(current_revision)" || return 1
  [[ "$revision" == "$latest" ]] || is_tolerated "$revision"
}

pods_run() {
  local phases
  phases="$(kube get pods --selector="$name_label in ($workloads)" --output='jsonpath={.items[*].status.phase}')"
  [[ "$phases" =~ ^(Running ?)+$ ]]
}

is_healthy() {
  local answer attempt
  for attempt in 1 2 3 4 5; do
    answer="$(in_backend curl -s --max-time 30 "$backend_url/health" 2>"$errors" | tr -d ' \n')" || answer=''
    if [[ "$answer" == '{"status":"healthy"'* && "$answer" == *'"database":{"status":"healthy"'* ]]; then return 0; fi
    ((attempt == 5)) || sleep 2
  done
  echo "$answer"
  return 1
}

lists_plugins() {
  [[ "$(in_backend curl -s --max-time 30 "$backend_url/api/plugins" 2>"$errors")" == '['*']' ]]
}

has_tables() {
  local found table missing=()
  found="$(in_postgres "$tables_sql" 2>"$errors")" || return 1
  for table in "${tables[@]}"; do
    [[ "$table" == *.* ]] || table="public.$table"
    grep -qxF "$table" <<<"$found" || missing+=("$table")
  done
  ((${#missing[@]} == 0)) && return 0
  echo "          missing: ${missing[*]}"
  return 1
}

verify() {
  echo 'Verifying:'
  check "the database is at $latest" has_latest
  check "every pod of $workloads runs" pods_run
  check 'the backend and its database are healthy' is_healthy
  check 'the backend lists its plugins' lists_plugins
  [[ "$owns_database" != true ]] || check "the database has all ${#tables[@]} tables" has_tables
  ((failures == 0))
}

echo "Latest revision: $latest"
if ! current="$(current_revision)"; then
  sed 's/^/  /' "$errors" >&2
  echo "error: can't read the database's revision" >&2
  echo "Run: kubectl${context:+ --context $context} get pods -n $namespace" >&2
  exit 2
fi
echo "Current revision: ${current:-none}"

if [[ "$current" == "$latest" ]]; then
  echo "$at_head_message"
elif is_tolerated "$current"; then
  echo "${ahead_message//\{\}/$current}"
elif [[ -n "$current" && "$current" != *$'\n'* ]] && ! is_known "$current"; then
  echo "${unknown_message//\{\}/$current}"
  echo "${unknown_remediation//\{\}/$current}"
  exit 1
else
  if [[ -z "$current" ]]; then echo "$never_applied_message"; else echo "${behind_message//\{\}/${current//$'\n'/, }}"; fi
  if [[ "$apply" == false ]]; then
    echo 'No changes were made.'
    exit 1
  fi
  if ! apply_job; then
    echo "error: the migration failed" >&2
    echo "Run: kubectl${context:+ --context $context} logs -n $namespace job/$job" >&2
    exit 1
  fi
fi
verify || exit 1
echo 'Done.'
