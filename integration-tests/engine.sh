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
home=${SLIPWAY_ENGINE_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway/engine}
socket=$home/run/docker.sock
pidfile=$home/run/docker.pid
tools=$home/tools/root
chosen=$home/host

# The newest engine that Debian packages, with the runc of the running release: the newer
# suite's runc wants a newer libc.
suite=${SLIPWAY_ENGINE_SUITE:-forky}
packages=(docker.io docker-cli docker-buildx docker-compose containerd docker-registry)

say() { printf '[engine] %s\n' "$*" >&2; }
die() { printf '[engine] error: %s\n' "$*" >&2; exit 1; }

# --- installing -------------------------------------------------------------------------

need_root() { [ "$(id -u)" = 0 ] || die "a private engine needs root; name your own with DOCKER_HOST instead"; }

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

# The archive's address and keyring are whatever this machine's apt already uses.
archive() {
  local uri
  uri=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(SUITE)' 'Created-By: Packages' 2>/dev/null |
    awk '$0 !~ /security|updates|backports/ && $2 == "Debian" {print $1; exit}')
  [ -n "$uri" ] || uri=$(awk '/^URIs:/ {print $2; exit} /^deb / {for (i=2;i<=NF;i++) if ($i ~ /^http/) {print $i; exit}}' \
    /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null)
  [ -n "$uri" ] || die "no Debian archive among apt's sources; name your own engine with DOCKER_HOST"
  printf '%s' "$uri"
}

install_tools() {
  local stamp=$home/tools/installed-$suite apt=$home/tools/apt release
  [ -e "$stamp" ] && return
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  say "fetching Docker Engine from Debian $suite into $home"
  rm -rf "$home/tools"
  mkdir -p "$apt/lists/partial" "$apt/cache" "$home/tools/deb" "$tools"
  local uri name
  uri=$(archive)
  for name in "$suite" "$release"; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $name main"
  done > "$apt/sources.list"
  local options=(-q -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root
    -o Acquire::Retries=3)
  apt-get "${options[@]}" update >&2
  (cd "$home/tools/deb" && apt-get "${options[@]}" download "${packages[@]/%//$suite}" "runc/$release" "tini/$release" >&2)
  for name in "$home"/tools/deb/*.deb; do dpkg -x "$name" "$tools"; done
  ln -sf tini-static "$tools/usr/bin/docker-init"
  rm -rf "$apt" "$home/tools/deb"
  touch "$stamp"
}

docker_config() {
  mkdir -p "$home/config/cli-plugins"
  ln -sf "$tools"/usr/libexec/docker/cli-plugins/* "$home/config/cli-plugins/"
  [ -e "$home/config/config.json" ] || echo '{}' > "$home/config/config.json"
}

# --- running ----------------------------------------------------------------------------

alive() { [ -s "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null; }

start() {
  alive && return
  mkdir -p "$home/run" "$home/log"
  rm -f "$pidfile" "$socket"
  # OCI exporters, multi-platform results and attestations need containerd's image store.
  echo '{"features":{"containerd-snapshotter":true}}' > "$home/daemon.json"
  say "starting dockerd (log: $home/log/dockerd.log)"
  PATH=$tools/usr/bin:$tools/usr/sbin:$tools/usr/libexec/docker:$PATH \
    setsid dockerd --config-file "$home/daemon.json" --data-root "$home/data" --exec-root "$home/run/exec" \
    --pidfile "$pidfile" -H "unix://$socket" >>"$home/log/dockerd.log" 2>&1 </dev/null &
  local tries
  for tries in $(seq 1 150); do
    if docker_private info >/dev/null 2>&1; then return; fi
    [ "$tries" -lt 20 ] || alive || break
    sleep 0.2
  done
  tail -n 20 "$home/log/dockerd.log" >&2
  die "dockerd did not come up"
}

docker_private() { DOCKER_HOST=unix://$socket DOCKER_CONFIG=$home/config "$tools/usr/bin/docker" "$@"; }

stop() {
  alive || { say "no private engine is running"; return 0; }
  local pid
  pid=$(cat "$pidfile")
  say "stopping dockerd (pid $pid)"
  kill "$pid"
  for _ in $(seq 1 150); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.2
  done
  die "dockerd (pid $pid) did not stop within 30 s"
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
  alive || die "no engine is up; run: $0 up"
  printf 'export DOCKER_HOST=%q DOCKER_CONFIG=%q SLIPWAY_ENGINE=private\n' "unix://$socket" "$home/config"
  printf 'export PATH=%q:"$PATH"\n' "$tools/usr/bin"
}

case ${1:-} in
  up) shift; up "$@" ;;
  env) print_env ;;
  down) if [ -s "$chosen" ]; then rm -f "$chosen"; else stop; fi ;;
  clean) stop; rm -rf "$home" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
