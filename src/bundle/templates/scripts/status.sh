#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Says how @{ name } is.
@{ head }
@{ arguments }
needs_docker
choose_compose || fail "neither @{ spec } nor compose.yaml is in $ROOT"
run "${COMPOSE[@]}" ps
@% if ingress %@
if [[ $DRY_RUN == 1 ]]; then exit; fi
base=$(base_url)
printf '\n%-6s %-28s %s\n' STATUS SERVICE URL
@% for check in checks %@printf '%-6s %-28s %s\n' "$(status_of "$base"@{ check.path | sh })" @{ check.service } "$base"@{ check.path | sh }
@% endfor %@@% endif %@
