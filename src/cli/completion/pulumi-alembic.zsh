#compdef pulumi-alembic
# Completes `pulumi-alembic` in zsh. The typed words are passed on as they are, never evaluated.
_pulumi_alembic() {
  local line kind
  local -a found
  while IFS= read -r line; do
    case $line in
      :*) kind=${line#:} ;;
      *) found+=("${${line//:/\\:}//$'\t'/:}") ;;
    esac
  done < <("${(Q)words[1]}" __complete zsh -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
  case $kind in
    files) compset -P '--*='; _files ;;
    folders) compset -P '--*='; _files -/ ;;
    *) _describe pulumi-alembic found ;;
  esac
}
compdef _pulumi_alembic pulumi-alembic
