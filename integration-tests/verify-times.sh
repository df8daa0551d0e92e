#!/usr/bin/env bash
# What `:verify` adds to a first build, per service: the time of its own steps, by BuildKit's
# records, beside that of all steps of the same build without any cache of them.
#
#   integration-tests/verify-times.sh [SYSTEM...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../specs"
[ $# -gt 0 ] || set -- market jts rtm bun reactbin

seconds='def exact: capture("^(?<whole>[^.]+)(?<part>\\.[0-9]+)?") | (.whole | sub("Z$"; "") + "Z" | fromdateiso8601) + ((.part // "0") | tonumber);'

printf '%-24s %10s %10s %8s\n' service 'build s' 'verify s' share
for system in "$@"; do
  args=()
  [ "$system" != reactbin ] || args=(--build-arg PYTHON_VERSION=3.11)
  for service in $(docker buildx build --call=targets,format=json -f "$system/$system.spec.yaml" "$system" 2>/dev/null | jq -r '.targets[].name | select(startswith(":") | not)'); do
    docker buildx build --progress=rawjson --no-cache "${args[@]}" -f "$system/$system.spec.yaml" \
      --target "$service:verify" "$system" 2> /tmp/verify-times.$$ > /dev/null || continue
    jq -rs --arg service "$service" "$seconds"'
      [.[].vertexes // [] | .[] | select(.completed)] | group_by(.digest) | map(last)
      | map({ name, time: ((.completed | exact) - (.started | exact)) })
      | { all: (map(select(.name | startswith("[")) | .time) | add), verify: (map(select(.name | startswith("[\($service) verify]")) | .time) | add) }
      | "\(.all - .verify) \(.verify)"' /tmp/verify-times.$$ |
      awk -v service="$service" '{ printf "%-24s %10.1f %10.1f %7.0f%%\n", service, $1, $2, 100 * $2 / ($1 + $2) }'
  done
done
rm -f /tmp/verify-times.$$
