#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Looks for what is known to be unsafe in images of @{ name }, with trivy.
set -euo pipefail

usage() { printf 'usage: [TAG=latest] [SEVERITY=HIGH,CRITICAL] %s [--dry-run]\n' "${0##*/}"; }
dry_run=0
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=1 ;;
    -h | --help) usage; exit ;;
    *) printf '[error] unknown argument: %s\n' "$argument" >&2; exit 1 ;;
  esac
done
if [[ $dry_run == 0 ]] && ! command -v trivy > /dev/null; then
  printf '[error] trivy is not installed\n' >&2
  exit 1
fi
found=0
images=(@% for component in components %@@{ component.local | sh }@% if not loop.last %@ @% endif %@@% endfor %@)
for image in "${images[@]}"; do
  command=(trivy image --severity "${SEVERITY:-HIGH,CRITICAL}" --ignore-unfixed --exit-code 1 "$image:${TAG:-latest}")
  if [[ $dry_run == 1 ]]; then
    printf '[dry-run] %s\n' "${command[*]}"
  elif ! "${command[@]}"; then
    found=$((found + 1))
  fi
done
if ((found > 0)); then
  printf '[error] %s images have findings\n' "$found" >&2
  exit 1
fi
