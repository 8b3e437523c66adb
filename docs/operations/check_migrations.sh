#!/usr/bin/env bash
# Says where the database is in the chain of revisions, applies what is pending, and verifies the result. It needs
# bash and kubectl. Made by `npm run unity -- docs` from the lock, the manifests and the stack's settings.
#
# shellcheck disable=SC2016 # backticks are words for people here
set -euo pipefail

context='unity-local'
namespace='unity'
backend='unity-backend'
postgres='postgres'
workloads='unity-backend, postgres'
name_label='app.kubernetes.io/name'
owns_database='true'
database='homelab_db'
database_owner='homelab_user'
backend_url='http://localhost:8000'
job='unity-db-migrate'
job_path='../../k8s/jobs/migrate-database.yaml'
job_image='registry.example/unity-backend:1.0'
deadline_seconds='600'
latest='add_plugin_execution'
tolerated=''
say_at_head='Database is up to date (head add_plugin_execution).'
say_never_applied='Database is uninitialized (no Alembic revision).'
say_behind='Database is at {}, behind head add_plugin_execution.'
say_ahead='Database is at {}, ahead of the lockfile and tolerated by the settings.'
say_unknown='Database is at {}, which is not in the lockfile (8 revisions).'
do_unknown='Deploy a release whose lockfile contains it (if its file is in this checkout, run: npm run unity -- lock), or restore the database. If this release supports it, run: pulumi config set toleratedRevisions {}'
revisions=('6a00ea433c25' '12e8b371598f' '70974ae864ff' '12df4f8e6ba9' '8f3d9e2a1c45' '00001_add_plugins' 'a1b2c3d4e5f6' 'add_plugin_execution')
tables=('alert_rules' 'alerts' 'dashboard_widgets' 'dashboards' 'marketplace_plugins' 'metrics' 'notification_channels' 'notification_logs' 'oauth_accounts' 'plugin_alerts' 'plugin_executions' 'plugin_metrics' 'plugins' 'servers' 'services' 'user_sessions' 'users')

usage() {
  cat <<END
usage: check_migrations.sh [--check] [--context NAME]

Says at which revision the database of namespace $namespace is, and which is the latest. If some are pending, applies
them by the Job of $job_file, in the image that the backend runs; then verifies the result.

  --check          change nothing: only say where the database is, and verify it if it is at the latest revision
  --context NAME   context of your kubeconfig (default: $context)

exit codes: 0 at the latest revision, and verified; 1 revisions are pending (--check), something failed, or a person has
to decide; 2 wrong usage, or the database can't be asked.
END
}

job_file="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$job_path"
apply=true
failures=0
# How long a pod may say that it can't start before it is believed: a Secret may come a moment later.
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
  kubectl --context "$context" --namespace "$namespace" "$@"
}

in_backend() {
  kube exec "deployment/$backend" --container="$backend" --pod-running-timeout=10s -- "$@"
}

in_postgres() {
  kube exec "deployment/$postgres" --container="$postgres" --pod-running-timeout=10s -- \
    psql -X -U "$database_owner" -d "$database" -v ON_ERROR_STOP=1 -Atc "$1"
}

# Prints what alembic_version holds, a row a line: nothing for a database that was never migrated. Alembic itself can't
# tell of a revision that its files lack, nor can a backend that is not running; then the stack's PostgreSQL is asked.
current_revision() {
  local output
  if output="$(in_backend alembic current 2>"$errors")"; then
    sed -e 's/ .*//' -e '/^$/d' <<<"$output"
  elif [[ "$owns_database" == true ]]; then
    output="$(in_postgres "SELECT to_regclass('alembic_version') IS NOT NULL" 2>>"$errors")" || return 1
    [[ "$output" != t ]] || in_postgres 'SELECT version_num FROM alembic_version ORDER BY 1' 2>>"$errors"
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

# Whether it is a later release's revision that this one is said to run on.
is_tolerated() {
  [[ -n "$1" && " $tolerated " == *" $1 "* ]]
}

# Prints the Job's name and its conditions that are true; nothing if there is no such Job.
job_state() {
  kube get job "$job" --ignore-not-found \
    --output='jsonpath={.metadata.name} {.status.conditions[?(@.status=="True")].type}'
}

has_ended() {
  [[ "$1" == *Complete* || "$1" == *Failed* ]]
}

# Why the Job's pod can't start, if only a person can mend that; nothing if it runs or has to wait.
stuck_because() {
  local waiting='state.waiting.reason'
  kube get pods --selector="job-name=$job" --output="jsonpath={.items[*].status.containerStatuses[*].$waiting} \
    {.items[*].status.initContainerStatuses[*].$waiting}" |
    grep -oE 'ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|CreateContainerConfigError' | head -n 1
}

# Waits for the Job's end, and prints its log. Fails unless the Job is complete.
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
      echo "Job $job can't start: $reason. It is removed, so that it does not migrate later, when nobody looks." >&2
      kube describe pods --selector="job-name=$job" | sed -n '/^Events:/,$p' >&2
      kube delete job "$job" --wait=false
      return 1
    fi
    if ((waited > deadline_seconds + 30)); then
      echo "Job $job has not ended." >&2
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
    echo "Job $job is running: waiting for it."
  else
    if [[ ! -f "$job_file" ]]; then
      echo "There is no $job_file: run this script where the project has it." >&2
      return 1
    fi
    # A Job's template can't be changed: an old one makes room for the new.
    kube delete job "$job" --ignore-not-found --cascade=foreground --timeout=60s || return 1
    manifest="$(cat "$job_file")"
    image="$(kube get "deployment/$backend" --ignore-not-found \
      --output="jsonpath={.spec.template.spec.containers[?(@.name==\"$backend\")].image}")"
    # What the backend runs is what has to fit the database; the file only has the image that it was made with.
    [[ -z "$image" || -z "$job_image" ]] || manifest="${manifest//"$job_image"/$image}"
    kube apply --filename=- <<<"$manifest" || return 1
  fi
  wait_for_job
}

# check TITLE COMMAND: shows whether the command succeeds.
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
    answer="$(in_backend curl -s --max-time 10 "$backend_url/health" 2>"$errors" | tr -d ' \n')" || answer=''
    if [[ "$answer" == '{"status":"healthy"'* && "$answer" == *'"database":{"status":"healthy"'* ]]; then return 0; fi
    ((attempt == 5)) || sleep 2
  done
  echo "$answer"
  return 1
}

lists_plugins() {
  [[ "$(in_backend curl -s --max-time 10 "$backend_url/api/plugins" 2>"$errors")" == '['*']' ]]
}

has_tables() {
  local found table missing=()
  found="$(in_postgres "SELECT schemaname || '.' || tablename FROM pg_tables" 2>"$errors")" || return 1
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
  echo "The database can't be asked for its revision. Look at: kubectl --context $context get pods -n $namespace" >&2
  exit 2
fi
echo "Current revision: ${current:-none}"

if [[ "$current" == "$latest" ]]; then
  echo "$say_at_head"
elif is_tolerated "$current"; then
  echo "${say_ahead//\{\}/$current}"
elif [[ -n "$current" && "$current" != *$'\n'* ]] && ! is_known "$current"; then
  echo "${say_unknown//\{\}/$current}"
  echo "${do_unknown//\{\}/$current}"
  exit 1
else
  if [[ -z "$current" ]]; then echo "$say_never_applied"; else echo "${say_behind//\{\}/${current//$'\n'/, }}"; fi
  if [[ "$apply" == false ]]; then
    echo 'Nothing was changed.'
    exit 1
  fi
  if ! apply_job; then
    echo "The migration failed. What ran, and why it failed: kubectl --context $context logs -n $namespace job/$job" >&2
    exit 1
  fi
fi
verify || exit 1
echo 'Done.'
