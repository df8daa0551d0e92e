fail() { printf '[error] %s\n' "$*" >&2; exit 1; }

dry_run=0
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=1 ;;
    -h | --help) printf 'usage: %s [--dry-run]\n' "${0##*/}"; exit ;;
    *) fail "unknown argument: $argument" ;;
  esac
done
