#!/usr/bin/env bash
# Makes the frontend's image in the engine, from source or from a folder with the binary.
#
#   frontend.sh source | FOLDER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
eval "$(integration-tests/engine.sh env)"

given=()
[ "${1:?source, or the folder with the binary}" = source ] || given=(--build-context "binary=$1")
docker buildx build --quiet --load --provenance=false -f frontend.Dockerfile -t slipway/frontend:0 "${given[@]}" . >/dev/null
