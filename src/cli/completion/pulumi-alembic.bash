# Completes `pulumi-alembic` in bash 3.2 or later. The typed words are passed on as they are, never evaluated.
_pulumi_alembic() {
  local line kind
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :*) kind=${line#:} ;;
      *) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done < <("$1" __complete bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  case ${kind-} in
    files | folders)
      local action=file current=$2
      [ "$kind" = folders ] && action=directory
      [ "$current" = "=" ] && current=
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -A "$action" -- "$current")
      ;;
  esac
}
complete -F _pulumi_alembic pulumi-alembic
