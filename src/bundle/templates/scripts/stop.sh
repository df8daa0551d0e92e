#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Stops @{ name }; volumes stay.
@{ head }
@{ arguments }
needs_docker
if ! choose_compose; then
  info "neither @{ spec } nor compose.yaml is in $ROOT: nothing to stop"
  exit
fi
run "${COMPOSE[@]}" down --remove-orphans
