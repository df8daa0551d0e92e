#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. @{ about }
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

usage() { printf 'usage: [TAG=latest] [REGISTRY=…] [CACHE=…] %s [--dry-run] [COMPONENT …]\n' "${0##*/}"; }
dry_run=0
targets=()
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=1 ;;
    -h | --help) usage; exit ;;
    -*) printf '[error] unknown argument: %s\n' "$argument" >&2; exit 1 ;;
    *) targets+=("$argument") ;;
  esac
done
command=(docker buildx bake -f @{ spec } -f docker-bake.hcl @{ flags } "${targets[@]}")
if [[ $dry_run == 1 ]]; then
  printf '[dry-run] %s\n' "${command[*]}"
else
  "${command[@]}"
fi
