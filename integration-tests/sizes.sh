#!/usr/bin/env bash
# Sizes of the systems' images in one table: on the family's slim image, minimal, and from a plain
# hand-written Dockerfile of the kind that the systems' own documents show, on the same bases.
#
#   sizes.sh [SYSTEM...]      jts, rtm, bun, reactbin
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
eval "$(integration-tests/engine.sh env)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Megabytes: all files, and what a registry would keep.
weigh() { # image
  local container
  container=$(docker create "$1" true)
  printf '%4d / %3d' $(($(docker export "$container" | wc -c) / 1000000)) $(($(docker image inspect -f '{{.Size}}' "$1") / 1000000))
  docker rm "$container" >/dev/null
}

# The spec with another base, and without the limits that it would then break.
ours() { # system component base
  local image=slipway-sizes/$2:$3
  sed -E "s/base: (minimal|slim|\\$\\{BASE_IMAGE.*)$/base: $3/; s/size: ("[^"]*"|[0-9]+MB),? ?//" "specs/$1/$1.spec.yaml" > "$work/$1.spec.yaml"
  docker buildx build -q -f "$work/$1.spec.yaml" --target "$2" --build-arg PYTHON_VERSION=3.11 -t "$image" "specs/$1" >/dev/null 2>"$work/log" ||
    { tail -n 30 "$work/log" >&2; exit 1; }
  weigh "$image"
}

plain() { # system component; Dockerfile on the standard input
  local image=slipway-sizes/$2:plain
  docker buildx build -q -f - -t "$image" "specs/$1" >/dev/null 2>"$work/log" || { tail -n 30 "$work/log" >&2; exit 1; }
  weigh "$image"
}

row() { # system component; Dockerfile on the standard input
  local dockerfile slim minimal theirs
  dockerfile=$(cat)
  slim=$(ours "$1" "$2" slim)
  minimal=$(ours "$1" "$2" minimal)
  theirs=$(plain "$1" "$2" <<<"$dockerfile")
  printf '| %-22s | %s | %s | %s |\n' "$2" "$slim" "$minimal" "$theirs"
}

jts() {
  local service
  for service in api-gateway order-execution risk-management data-ingestion notification-service; do
    row jts "$service" <<D
FROM node:22-slim AS base
WORKDIR /app
COPY package*.json ./
COPY apps ./apps
COPY libs ./libs
RUN npm ci
COPY . .
RUN npx nx build @jts/$service && npm prune --omit=dev
USER node
CMD ["node", "apps/$service/dist/main.js"]
D
  done
  row jts strategy-engine <<'D'
FROM node:22-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN npm ci && npx nx build @jts/strategy-engine && npm prune --omit=dev
ENV PIP_CERT=/usr/local/share/machine-roots.crt
RUN pip install --break-system-packages --no-cache-dir -r apps/strategy-engine/python/requirements.txt
CMD ["node", "apps/strategy-engine/dist/main.js"]
D
}

rtm() {
  local part
  for part in api worker; do
    row rtm "$part" <<D
FROM python:3.11-slim
WORKDIR /app
COPY $part/requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY $part .
CMD ["python", "-m", "src.api.main"]
D
  done
  row rtm frontend <<'D'
FROM node:22-slim AS build
WORKDIR /app
COPY frontend/package*.json ./
RUN npm ci --no-audit --no-fund
COPY frontend .
RUN npm run build
FROM nginx:alpine
COPY --from=build /app/dist /usr/share/nginx/html
D
}

bun() {
  row bun web-service <<'D'
FROM oven/bun:1 AS builder
WORKDIR /app
COPY web-service/package.json web-service/bun.lock ./
RUN bun install --frozen-lockfile
COPY web-service/ ./
RUN bun build src/index.ts --outdir dist --target bun
FROM oven/bun:1-slim
WORKDIR /app
COPY --from=builder /app/dist ./dist
COPY --from=builder /app/node_modules ./node_modules
COPY web-service/package.json ./
USER bun
CMD ["bun", "run", "dist/index.js"]
D
  row bun cli-tool <<'D'
FROM oven/bun:1 AS builder
WORKDIR /app
COPY cli-tool/package.json cli-tool/bun.lock ./
RUN bun install --frozen-lockfile
COPY cli-tool/ ./
RUN bun build src/index.ts --compile --outfile dist/cli
FROM debian:bookworm-slim
COPY --from=builder /app/dist/cli /usr/local/bin/slugify-lines
ENTRYPOINT ["slugify-lines"]
D
  row bun data-pipeline <<'D'
FROM oven/bun:1 AS builder
WORKDIR /app
COPY data-pipeline/package.json data-pipeline/bun.lock ./
RUN bun install --frozen-lockfile
COPY data-pipeline/ ./
FROM oven/bun:1-slim
WORKDIR /app
COPY --from=builder /app/node_modules ./node_modules
COPY --from=builder /app/src ./src
COPY data-pipeline/package.json ./
CMD ["bun", "run", "src/index.ts"]
D
}

reactbin() {
  row reactbin api <<'D'
FROM python:3.11-slim AS builder
COPY --from=ghcr.io/astral-sh/uv:0.9 /uv /usr/local/bin/uv
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --no-install-project
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=builder /app/.venv /app/.venv
COPY app ./app
CMD ["/app/.venv/bin/python", "-m", "app"]
D
}

echo "| MB, files / compressed | slim      | minimal   | a plain Dockerfile |"
echo "|---|---|---|---|"
[ $# -gt 0 ] || set -- jts rtm bun reactbin
for system in "$@"; do "$system"; done
