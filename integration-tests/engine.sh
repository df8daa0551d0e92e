#!/usr/bin/env bash
# A real Docker Engine for the tests and the demo.
#
#   engine.sh up     make an engine ready: the one that you name, or a private one
#   engine.sh env    print the shell exports that point docker, buildx and compose at it
#   engine.sh down   stop the private engine (its images and cache are kept)
#   engine.sh clean  stop it and remove everything that it stored
#
# An engine that you name (DOCKER_HOST, or `up --host URL`) is used as it is: nothing is
# installed, nothing is started or stopped, and base images come from their registries.
#
# Otherwise a private engine is unpacked from Debian's packages into one folder
# (SLIPWAY_ENGINE_HOME, by default ~/.cache/slipway/engine), with its own data, socket and
# pid file. No system service is touched. Stand-in base images (see standins/build.sh) are
# made once and live in that engine alone.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=private-engine.sh
. "$here/private-engine.sh"

home=${SLIPWAY_ENGINE_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway/engine}
socket=$home/run/docker.sock
tools=$home/tools/root
chosen=$home/host
emulator=/proc/sys/fs/binfmt_misc/slipway-arm64

# The newest engine that Debian packages, with the runc of the running release: the newer
# suite's runc wants a newer libc.
suite=${SLIPWAY_ENGINE_SUITE:-forky}
engine_packages=(docker.io docker-cli docker-buildx docker-compose containerd docker-registry)

# --- installing -------------------------------------------------------------------------

host_packages() {
  local missing=() pair
  for pair in python3:python3 iptables:iptables mmdebstrap:mmdebstrap ip:iproute2 curl:curl jq:jq; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  [ -e /usr/lib/x86_64-linux-gnu/libseccomp.so.2 ] || [ -e /usr/lib/aarch64-linux-gnu/libseccomp.so.2 ] || missing+=(libseccomp2)
  python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

install_tools() {
  local name packages=()
  for name in "${engine_packages[@]}"; do packages+=("$name/$suite"); done
  unpack "$home/tools" "${packages[@]}" "runc/$(release)" "tini/$(release)"
  ln -sf tini-static "$tools/usr/bin/docker-init"
}

docker_config() {
  mkdir -p "$home/config/cli-plugins"
  ln -sf "$tools"/usr/libexec/docker/cli-plugins/* "$home/config/cli-plugins/"
  [ -e "$home/config/config.json" ] || echo '{}' > "$home/config/config.json"
}

# Programs for linux/arm64 run under QEMU, which the kernel starts by itself: it holds the
# program open from here on (flag F), so containers need nothing of it.
install_emulator() {
  [ "$(uname -m)" != aarch64 ] || return 0
  only=./usr/bin/qemu-aarch64 unpack "$home/emulator" "qemu-user/$suite"
  local kernel=/proc/sys/fs/binfmt_misc magic mask
  [ -e $kernel/register ] || mount -t binfmt_misc none $kernel ||
    die "this machine's kernel cannot run programs for linux/arm64: it has no binfmt_misc"
  [ ! -e "$emulator" ] || return 0
  # The head of an ELF program for the architecture 183, executable or position independent.
  magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  printf '%s' ":${emulator##*/}:M::$magic:$mask:$home/emulator/root/usr/bin/qemu-aarch64:OCPF" > $kernel/register ||
    die "this machine's kernel refused to run programs for linux/arm64 under QEMU"
}

# --- running ----------------------------------------------------------------------------

start() {
  # OCI exporters, multi-platform results and attestations need containerd's image store.
  # Tests count what is cached: nothing may be thrown away between two builds of theirs.
  echo '{"features":{"containerd-snapshotter":true},"builder":{"gc":{"enabled":false}}}' > "$home/daemon.json"
  start_dockerd "$home" --config-file "$home/daemon.json"
}

docker_private() { DOCKER_HOST=unix://$socket DOCKER_CONFIG=$home/config "$tools/usr/bin/docker" "$@"; }

stop() {
  stop_dockerd "$home"
  if grep -qsF "interpreter $home/" "$emulator"; then echo -1 > "$emulator"; fi
}

# --- commands ---------------------------------------------------------------------------

named_host() {
  if [ -n "${DOCKER_HOST:-}" ] && [ "$DOCKER_HOST" != "unix://$socket" ]; then
    printf '%s' "$DOCKER_HOST"
  fi
}

up() {
  local host
  host=$(named_host)
  while [ $# -gt 0 ]; do
    case $1 in
      --host) host=${2:?--host needs a URL}; shift 2 ;;
      *) die "unknown argument $1" ;;
    esac
  done
  mkdir -p "$home"
  if [ -n "$host" ]; then
    printf '%s' "$host" > "$chosen"
    DOCKER_HOST=$host docker version >/dev/null || die "no engine answers at $host"
    DOCKER_HOST=$host docker buildx version >/dev/null || die "docker buildx is not installed"
    say "using the engine at $host"
    return
  fi
  rm -f "$chosen"
  need_root
  host_packages
  install_tools
  install_emulator
  docker_config
  start
  (eval "$(print_env)" && "$here/standins/build.sh")
  say "ready: $(docker_private version --format '{{.Server.Version}}') at unix://$socket"
}

print_env() {
  if [ -s "$chosen" ]; then
    printf 'export DOCKER_HOST=%q SLIPWAY_ENGINE=named\n' "$(cat "$chosen")"
    return
  fi
  alive "$home" || die "no engine is up; run: $0 up"
  printf 'export DOCKER_HOST=%q DOCKER_CONFIG=%q SLIPWAY_ENGINE=private\n' "unix://$socket" "$home/config"
  # shellcheck disable=SC2016 # for the caller to expand
  printf 'export PATH=%q:"$PATH"\n' "$tools/usr/bin"
}

case ${1:-} in
  up) shift; up "$@" ;;
  env) print_env ;;
  down) if [ -s "$chosen" ]; then rm -f "$chosen"; else stop; fi ;;
  clean) stop; rm -rf "$home" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
