#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Stops @{ name }; with @{ prefix }_PRUNE_DOCKER=1 also removes what no container uses.
set -euo pipefail
PROJECT=${@{ prefix }_COMPOSE_PROJECT_NAME:-@{ name }}

fail() { printf '[error] %s\n' "$*" >&2; exit 1; }

dry_run=0
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=1 ;;
    -h | --help) printf 'usage: %s [--dry-run]\n' "${0##*/}"; exit ;;
    *) fail "unknown argument: $argument" ;;
  esac
done

run() {
  if [[ $dry_run == 1 ]]; then
    printf '[dry-run]'
    printf ' %q' "$@"
    printf '\n'
  else
    "$@"
  fi
}

# A project is stopped by its name, whichever file it was started from.
run docker compose --project-name "$PROJECT" down --remove-orphans
if [[ ${@{ prefix }_PRUNE_DOCKER:-0} == 1 ]]; then
  run docker system prune -f
  run docker volume prune -f
fi
