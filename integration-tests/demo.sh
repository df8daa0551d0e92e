#!/usr/bin/env bash
# The main job, as a person would do it: build the market system with bake, run it with
# Compose, ask it over HTTP and websocket through the ingress, show what came out, stop it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../specs/market"
eval "$(../../integration-tests/engine.sh env)"

export MARKET_PORT=${MARKET_PORT:-8080}
url=http://127.0.0.1:$MARKET_PORT
market() { docker compose -f market.spec.yaml "$@"; }
step() { printf '\n== %s\n' "$*"; }
trap 'market down -t 10 >/dev/null 2>&1' EXIT

step "docker buildx bake -f market.spec.yaml"
docker buildx bake -f market.spec.yaml

step "docker compose -f market.spec.yaml up --build"
market up --build --detach --wait --wait-timeout 120

step "over HTTP, through the ingress"
printf 'GET  /                   %s\n' "$(curl -fsS -o /dev/null -w '%{http_code} %{content_type}' "$url/")"
printf 'GET  /api/health         %s\n' "$(curl -fsS "$url/api/health")"
printf 'GET  /@vite/client       %s\n' "$(curl -sS -o /dev/null -w '%{http_code}' "$url/@vite/client")"

step "over websocket, through the ingress"
# The orders image has a socket.io client: it listens, places an order, and waits for the news.
market exec -T orders node --input-type=module -e '
  import { io } from "socket.io-client";
  const feed = io("http://ingress:8080", { transports: ["websocket"] });
  const late = setTimeout(() => { console.error("no news within 10 s"); process.exit(1); }, 10000);
  feed.on("order", (order) => { console.log("news:", JSON.stringify(order)); clearTimeout(late); feed.close(); });
  feed.on("connect", () => fetch("http://ingress:8080/api/orders", {
    method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ ticker: "HULL", side: "buy", quantity: 100 }),
  }));'

step "what came out"
printf '%-10s %12s %12s  %-22s %s\n' component uncompressed compressed user health
for component in orders feed web ingress; do
  container=$(market ps -q "$component")
  size=$(docker export "$container" | wc -c)
  compressed=$(docker image inspect -f '{{.Size}}' "market/$component")
  user=$(docker exec "$container" id | sed -E 's/ groups=.*//')
  health=$(docker inspect -f '{{.State.Health.Status}}' "$container")
  printf '%-10s %9d MB %9d MB  %-22s %s\n' "$component" $((size / 1000000)) $((compressed / 1000000)) "$user" "$health"
done

step "docker compose -f market.spec.yaml down"
market down -t 10
