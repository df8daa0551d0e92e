#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Stops @{ name }; volumes stay.
set -euo pipefail
ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/@{ up }" && pwd)
# shellcheck source=@{ lib_beside }
. "$ROOT/@{ lib }"

for argument in "$@"; do
  case $argument in
    --dry-run) DRY_RUN=1 ;;
    -h | --help) printf 'usage: %s [--dry-run]\n' "${0##*/}"; exit ;;
    *) fail "unknown argument: $argument" ;;
  esac
done

needs_docker
if ! choose_compose; then
  info "neither @{ spec } nor compose.yaml is in $ROOT: nothing to stop"
  exit
fi
run "${COMPOSE[@]}" down --remove-orphans
