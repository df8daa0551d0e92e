#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Builds what can be built here, starts @{ name } and waits until it is well.
@{ head }
usage() {
  cat << USAGE
usage: ${0##*/} [--dry-run] [--skip-build] [--registry] [--locked]
  --dry-run     say what would run
  --skip-build  start without building
  --registry    take all images from a registry: @{ prefix }_REGISTRY
  --locked      take all images by the digests of images.lock
USAGE
}

build=--build
for argument in "$@"; do
  case $argument in
    --dry-run) DRY_RUN=1 ;;
    --skip-build) build=--no-build ;;
    --registry) USE_REGISTRY=1 ;;
    --locked) LOCKED=1 ;;
    -h | --help) usage; exit ;;
    *) fail "unknown argument: $argument" ;;
  esac
done

needs_docker
@% if state %@check_state
@% endif %@choose_compose || fail "neither @{ spec } nor compose.yaml is in $ROOT"
run "${COMPOSE[@]}" up -d "$build" --remove-orphans
if [[ $DRY_RUN == 0 ]]; then
  wait_until_ready
  @% if ingress %@info "ready: $(base_url)"@% else %@info "ready"@% endif %@
fi
