for argument in "$@"; do
  case $argument in
    --dry-run) DRY_RUN=1 ;;
    -h | --help) printf 'usage: %s [--dry-run]\n' "${0##*/}"; exit ;;
    *) fail "unknown argument: $argument" ;;
  esac
done
