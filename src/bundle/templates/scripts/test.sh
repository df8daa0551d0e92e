#!/usr/bin/env bash
# @generated from @{ spec } by Slipway. Asks the running @{ name } whether it keeps what its spec says.
@{ head }
@{ arguments }
needs_docker
choose_compose || fail "neither @{ spec } nor compose.yaml is in $ROOT"
failures=0
passed() { printf 'ok    %s\n' "$*"; }
failed() { printf 'FAIL  %s\n' "$*"; failures=$((failures + 1)); }

# Every container is well.
if [[ $DRY_RUN == 1 ]]; then
  printf '[dry-run] all containers of %s are well\n' "$PROJECT"
elif [[ -z $(docker ps --quiet --filter "label=com.docker.compose.project=$PROJECT") ]]; then
  failed "$PROJECT does not run"
elif waiting=$(not_ready) && [[ -n $waiting ]]; then
  failed "not well: ${waiting//$'\n'/, }"
else
  passed "all containers are well"
fi
@% if ingress %@
# Asks for a path; the other arguments are the statuses that are right.
expect() {
  local name=$1 path=$2 found
  shift 2
  if [[ $DRY_RUN == 1 ]]; then
    printf '[dry-run] %s: GET %s answers %s\n' "$name" "$path" "$*"
    return
  fi
  found=$(status_of "$base$path")
  if [[ " $* " == *" $found "* ]]; then
    passed "$name: GET $path answers $found"
  else
    failed "$name: GET $path answers $found, not $*"
  fi
}

base=$(base_url)
@% for check in checks %@expect @{ check.service } @{ check.path | sh } @{ check.expected }
@% endfor %@@% for path in forbidden %@expect "must not be served" @{ path | sh } 400 401 403 404 405 410
@% endfor %@@% for route in redirects %@expect redirect @{ route | sh } 301 302 307 308
@% endfor %@@% endif %@
if ((failures > 0)); then fail "$failures failed"; fi
info "all passed"
