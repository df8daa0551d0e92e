#!/usr/bin/env bash
# A fully cached build through Slipway beside the same graph through the engine's built-in
# Dockerfile frontend: wall time of the whole `docker buildx build`, in turn, in one run.
#
#   bench.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
eval "$(./engine.sh env)"
rounds=${1:-15}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/api"
cp ../specs/market/feed/{package.json,package-lock.json,index.js} "$work/api/"
cat > "$work/bench.spec.yaml" <<'SPEC'
# syntax=slipway/frontend:0
name: bench
services:
  api:
    x-slipway: { recipe: node, source: api }
    command: [node, index.js]
SPEC
cat > "$work/bench.Dockerfile" <<'DOCKERFILE'
FROM node:22-bookworm-slim AS prod-deps
WORKDIR /app
COPY api/package.json api/package-lock.json /app/
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev
FROM debian:bookworm-slim
RUN echo 'app:x:1001:1001:app:/tmp:/sbin/nologin' >> /etc/passwd && echo 'app:x:1001:' >> /etc/group
COPY --link --from=node:22-bookworm-slim /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --link --from=prod-deps /app/node_modules /app/node_modules
COPY --link api/ /app/
ENV NODE_ENV=production
USER 1001:1001
CMD ["node", "index.js"]
DOCKERFILE

build() { docker buildx build --progress=quiet --provenance=false -f "$work/$1" -t slipway-bench "$work" >/dev/null; }
clock() { local start=$EPOCHREALTIME end; build "$1"; end=$EPOCHREALTIME; echo $(((${end/./} - ${start/./}) / 1000)); }

for file in bench.spec.yaml bench.Dockerfile; do build "$file"; build "$file"; done
slipway=() dockerfile=()
for ((round = 0; round < rounds; round++)); do
  slipway+=("$(clock bench.spec.yaml)")
  dockerfile+=("$(clock bench.Dockerfile)")
done

summary() { printf '%s\n' "$@" | sort -n | awk '{v[NR]=$1} END {printf "%d %d %d", v[1], v[int((NR+1)/2)], v[NR]}'; }
read -r a_min a_mid a_max <<<"$(summary "${slipway[@]}")"
read -r b_min b_mid b_max <<<"$(summary "${dockerfile[@]}")"
printf '%-28s %6s %6s %6s\n' "cached build, $rounds rounds, ms" min median max
printf '%-28s %6d %6d %6d\n' slipway "$a_min" "$a_mid" "$a_max"
printf '%-28s %6d %6d %6d\n' "built-in Dockerfile frontend" "$b_min" "$b_mid" "$b_max"
awk -v a="$a_mid" -v b="$b_mid" -v c="$a_min" -v d="$b_min" 'BEGIN {printf "ratio of medians %.2f, of minima %.2f\n", a / b, c / d}'
