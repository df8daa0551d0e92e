# shellcheck shell=bash
# @generated from @{ spec } by Slipway. What the scripts of @{ name } share; ROOT is the folder of compose.yaml.

PROJECT=${COMPOSE_PROJECT_NAME:-@{ name }}
DRY_RUN=0
USE_REGISTRY=0
LOCKED=0

info() { printf '[info] %s\n' "$*"; }
warn() { printf '[warn] %s\n' "$*" >&2; }
fail() { printf '[error] %s\n' "$*" >&2; exit 1; }

# Runs a command, or with --dry-run says what would run.
run() {
  if [[ $DRY_RUN == 1 ]]; then
    printf '[dry-run]'
    printf ' %q' "$@"
    printf '\n'
  else
    "$@"
  fi
}

needs_docker() {
  [[ $DRY_RUN == 1 ]] && return
  command -v docker > /dev/null || fail "docker is not installed"
  docker compose version > /dev/null 2>&1 || fail "docker has no compose plugin"
}

# Sets COMPOSE. Where the sources are, their spec is what runs; everywhere else compose.yaml, which needs none.
choose_compose() {
  COMPOSE=(docker compose)
  if [[ $USE_REGISTRY == 0 && $LOCKED == 0 && -f "$ROOT/@{ spec }" ]]; then
    COMPOSE+=(-f "$ROOT/@{ spec }")
  elif [[ -f $ROOT/compose.yaml ]]; then
    COMPOSE+=(-f "$ROOT/compose.yaml")
    if [[ $USE_REGISTRY == 1 ]]; then COMPOSE+=(-f "$ROOT/compose.registry.yaml"); fi
  else
    return 1
  fi
  if [[ $LOCKED == 1 ]]; then
    [[ -f $ROOT/images.lock ]] || fail "there is no images.lock in $ROOT"
    if [[ -f $ROOT/.env ]]; then COMPOSE+=(--env-file "$ROOT/.env"); fi
    COMPOSE+=(--env-file "$ROOT/images.lock")
  fi
  COMPOSE+=(--project-name "$PROJECT")
}
@% if ingress %@
# Where the ingress is reached from this machine.
base_url() {
  local address
  if [[ -n ${@{ prefix }_URL:-} ]]; then
    printf '%s\n' "${@{ prefix }_URL%/}"
    return
  fi
  address=$("${COMPOSE[@]}" port @{ ingress.service } @{ ingress.container_port } 2> /dev/null || true)
  address=${address/#0.0.0.0:/localhost:}
  address=${address/#\[::\]:/localhost:}
  printf 'http://%s\n' "${address:-localhost:@{ ingress.port }}"
}

# The status of an answer, or 000 if there is none.
status_of() {
  curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' "$1" || true
}
@% endif %@
# What may end, and is well if it did with 0.
MAY_END=(@% for name in may_end %@@{ name }@% if not loop.last %@ @% endif %@@% endfor %@)

# The containers of the project that are not well yet, a line each.
not_ready() {
  docker ps --all --filter "label=com.docker.compose.project=$PROJECT" \
    --format '{{.Label "com.docker.compose.service"}}|{{.State}}|{{.Status}}' |
    while IFS='|' read -r service state status; do
      case $state:$status in
        running:*'(healthy)'*) ;;
        running:*'(health: starting)'* | running:*'(unhealthy)'*) printf '%s: %s\n' "$service" "$status" ;;
        running:*) ;;
        'exited:Exited (0)'*)
          if [[ " ${MAY_END[*]} " != *" $service "* ]]; then printf '%s: %s\n' "$service" "$status"; fi
          ;;
        *) printf '%s: %s\n' "$service" "$status" ;;
      esac
    done
}

# Waits until all containers are well: WAIT_SECONDS, or three minutes.
wait_until_ready() {
  local deadline=$((SECONDS + ${WAIT_SECONDS:-180})) waiting
  while waiting=$(not_ready) && [[ -n $waiting ]]; do
    if ((SECONDS >= deadline)); then
      printf '%s\n' "$waiting" >&2
      fail "not ready in time; '${COMPOSE[*]} logs' says more"
    fi
    sleep 1
  done
}
@% if state %@
# Compares the state that these scripts were written for with the one that the folder has.
check_state() {
  local file=$ROOT/ci/state-metadata.json expected=@{ state.id } found
  [[ -f $file ]] || { warn "no ci/state-metadata.json in $ROOT: its state is not known"; return; }
  found=$(sed -n 's/.*"stateId": *"\([^"]*\)".*/\1/p' "$file" | head -n 1)
  info "state: expected $expected, found ${found:-none}"
  [[ $found == "$expected" ]] && return
  if [[ ${found%%-*} =~ ^[0-9]+$ && ${expected%%-*} =~ ^[0-9]+$ ]]; then
    if ((10#${found%%-*} < 10#${expected%%-*})); then
      warn "a forward transition, from $found to $expected: writing the files anew is usually safe"
    else
      warn "a backward transition, from $found to $expected: start from a clean folder"
    fi
  else
    warn "the states $found and $expected have no order"
  fi
  warn "to write the files anew: docker buildx build -f @{ spec } --target :bundle --output . ."
  warn "@{ prefix }_REGENERATE_ON_STATE_MISMATCH=1 does that, @{ prefix }_STATE_MISMATCH_STRICT=1 makes it an error"
  if [[ ${@{ prefix }_REGENERATE_ON_STATE_MISMATCH:-0} == 1 ]]; then
    [[ -f "$ROOT/@{ spec }" ]] || fail "there is no @{ spec } in $ROOT to write the files from"
    run docker buildx build -f "$ROOT/@{ spec }" --target :bundle --output "$ROOT" "$ROOT"
  elif [[ ${@{ prefix }_STATE_MISMATCH_STRICT:-0} == 1 ]]; then
    fail "the state is $found, not $expected"
  fi
}
@% endif %@
