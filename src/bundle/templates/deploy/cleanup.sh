#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Stops @{ name }; with @{ prefix }_PRUNE_DOCKER=1 also removes what no container uses.
set -euo pipefail
PROJECT=${@{ prefix }_COMPOSE_PROJECT_NAME:-@{ name }}

@{ arguments }
@{ run }
# A project is stopped by its name, whichever file it was started from.
run docker compose --project-name "$PROJECT" down --remove-orphans
if [[ ${@{ prefix }_PRUNE_DOCKER:-0} == 1 ]]; then
  run docker system prune -f
  run docker volume prune -f
fi
