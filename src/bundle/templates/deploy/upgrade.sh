#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Deploys @{ name } anew; with @{ prefix }_RUN_CLEANUP=1 it is cleaned up before.
set -euo pipefail
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

if [[ ${@{ prefix }_RUN_CLEANUP:-0} == 1 ]]; then
  cleanup=()
  # Of what deploy.sh takes, cleanup.sh takes this.
  for argument in "$@"; do
    if [[ $argument == --dry-run ]]; then cleanup+=(--dry-run); fi
  done
  "$HERE/cleanup.sh" "${cleanup[@]}"
fi
exec "$HERE/deploy.sh" "$@"
