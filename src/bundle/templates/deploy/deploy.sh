#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Deploys @{ name }: from images with --use-registry, else from source.
set -euo pipefail
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

# What one deployment may have otherwise. An empty domain is an error, and not the default.
REPO_URL=${@{ prefix }_REPO_URL:-@{ repository }}
BRANCH=${@{ prefix }_BRANCH:-@{ branch }}
WORKDIR=${@{ prefix }_WORKDIR:-$HOME/@{ slug }}
PROJECT=${@{ prefix }_COMPOSE_PROJECT_NAME:-@{ name }}
BUNDLE=${@{ prefix }_BUNDLE:-$HERE/../../..}
ENVIRONMENT=${@{ prefix }_DEPLOY_ENV:-@{ environment }}

info() { printf '[info] %s\n' "$*"; }
warn() { printf '[warn] %s\n' "$*" >&2; }
fail() { printf '[error] %s\n' "$*" >&2; exit 1; }

dry_run=0
use_registry=0
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=1 ;;
    --use-registry | --use-ghcr) use_registry=1 ;;
    -h | --help) printf 'usage: %s [--dry-run] [--use-registry]\n' "${0##*/}"; exit ;;
    *) fail "unknown argument: $argument" ;;
  esac
done

@{ run }
# A value of the environment, or else of the file of variables beside what is deployed, or else this one.
setting() {
  if [[ -v $1 ]]; then
    printf '%s' "${!1}"
  elif [[ -f $settings ]] && grep -q "^$1=" "$settings"; then
    sed -n "s/^$1=//p" "$settings" | tail -n 1 | sed "s/^'\(.*\)'\$/\1/; s/^\"\(.*\)\"\$/\1/"
  else
    printf '%s' "$2"
  fi
}

if [[ $use_registry == 1 ]]; then settings=$BUNDLE/.env; else settings=$WORKDIR/.env; fi
DOMAIN=$(setting @{ domain_variable } @{ domain | sh })
[[ -n $DOMAIN ]] || fail "@{ domain_variable } is empty: it is the domain under which browsers come"
# Compose reads these from the environment, and all others from there or from its own file of variables.
export @{ domain_variable }="$DOMAIN"
origins=$(setting @{ cors_variable } "https://$DOMAIN,http://$DOMAIN,http://localhost:@{ port }")
export @{ cors_variable }="${@{ prefix }_CORS_ALLOWED_ORIGINS:-$origins}"
info "deploying @{ name } ($ENVIRONMENT) for $DOMAIN; browsers of $@{ cors_variable } may ask"

if [[ $use_registry == 1 ]]; then
  compose=(docker compose -f "$BUNDLE/compose.yaml" --project-name "$PROJECT")
  if [[ ${@{ prefix }_LOCKED:-0} == 1 ]]; then
    if [[ -f $BUNDLE/.env ]]; then compose+=(--env-file "$BUNDLE/.env"); fi
    compose+=(--env-file "$BUNDLE/images.lock")
  fi
  needed=$BUNDLE/compose.yaml
else
  [[ -n $REPO_URL ]] || fail "@{ prefix }_REPO_URL is empty: say which repository to deploy, or --use-registry"
  if [[ -d $WORKDIR/.git ]]; then
    info "updating $WORKDIR"
  else
    run git clone --branch "$BRANCH" "$REPO_URL" "$WORKDIR"
  fi
  run git -C "$WORKDIR" fetch origin "$BRANCH"
  run git -C "$WORKDIR" checkout "$BRANCH"
  run git -C "$WORKDIR" reset --hard "origin/$BRANCH"
  compose=(docker compose -f "$WORKDIR/@{ spec }" --project-name "$PROJECT")
  needed=$WORKDIR/@{ spec }
fi

if [[ ! -f $needed ]]; then
  if [[ $dry_run == 1 ]]; then warn "there is no $needed yet"; else fail "there is no $needed"; fi
fi
if [[ $use_registry == 1 ]]; then
  run "${compose[@]}" pull
  run "${compose[@]}" up -d --remove-orphans
else
  run "${compose[@]}" up -d --build --remove-orphans
fi
