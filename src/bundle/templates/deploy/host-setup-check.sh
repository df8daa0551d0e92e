#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Says what a host lacks that @{ name } is to run on.
set -euo pipefail

@{ arguments }
missing=0
for program in git curl jq docker nginx; do
  if command -v "$program" > /dev/null; then
    printf 'ok       %s\n' "$program"
  else
    printf 'missing  %s\n' "$program"
    missing=$((missing + 1))
  fi
done
if docker compose version > /dev/null 2>&1; then
  printf 'ok       docker compose\n'
else
  printf 'missing  docker compose (the plugin)\n'
  missing=$((missing + 1))
fi
if ! command -v certbot > /dev/null; then
  printf 'warning  certbot is not there: certificates have to come from elsewhere\n'
fi
if ((missing > 0)); then
  printf '[%s] %s missing; host-setup-install.sh installs them\n' "$([[ $dry_run == 1 ]] && echo dry-run || echo error)" "$missing" >&2
  [[ $dry_run == 1 ]] || exit 1
fi
