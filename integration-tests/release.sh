#!/usr/bin/env bash
# Makes the frontend's image for both platforms, from binaries that are there, as an OCI layout.
#
#   release.sh FOLDER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
eval "$(integration-tests/engine.sh env)"
folder=${1:?the folder of the layout}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

./tools.sh "$work"
for pair in amd64:x86_64 arm64:aarch64; do
  mkdir -p "$work/${pair%:*}"
  cp "target/${pair#*:}-unknown-linux-musl/release/docker-slipway" "$work/${pair%:*}/"
done
# The same file as for one platform, with the binary of each.
sed -e '/^FROM --platform/,/^FROM scratch/c FROM scratch\nARG TARGETARCH' \
    -e 's|COPY --from=binary /docker-slipway|COPY --from=binary /$TARGETARCH/docker-slipway|' \
    frontend.Dockerfile > "$work/Dockerfile"
mkdir -p "$(dirname "$folder")"
docker buildx build --platform linux/amd64,linux/arm64 -f "$work/Dockerfile" --build-context "binary=$work" \
  --output "type=oci,tar=false,dest=$folder" .
