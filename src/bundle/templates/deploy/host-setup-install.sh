#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Installs what @{ name } needs of a host, by the distribution's own packages.
set -euo pipefail
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

@{ arguments }
@{ run }
sudo=()
if [[ $(id -u) != 0 ]]; then sudo=(sudo); fi
if command -v apt-get > /dev/null; then
  run "${sudo[@]}" apt-get update
  # Docker's own packages call the plugin docker-compose-plugin, Ubuntu's docker-compose-v2, Debian's docker-compose.
  plugin=docker-compose
  for name in docker-compose-plugin docker-compose-v2; do
    if apt-cache show "$name" > /dev/null 2>&1; then plugin=$name; break; fi
  done
  engine=docker.io
  if [[ $plugin == docker-compose-plugin ]]; then engine=docker-ce; fi
  run "${sudo[@]}" apt-get install -y git curl jq nginx "$engine" "$plugin"
elif command -v dnf > /dev/null; then
  run "${sudo[@]}" dnf install -y git curl jq nginx docker docker-compose-plugin
elif command -v yum > /dev/null; then
  run "${sudo[@]}" yum install -y git curl jq nginx docker docker-compose-plugin
else
  fail "neither apt-get, dnf nor yum is here: install git, curl, jq, nginx and docker with its compose plugin"
fi
run "${sudo[@]}" systemctl enable --now docker
run "${sudo[@]}" systemctl enable --now nginx
check=()
if [[ $dry_run == 1 ]]; then check=(--dry-run); fi
exec "$HERE/host-setup-check.sh" "${check[@]}"
