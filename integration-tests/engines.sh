#!/usr/bin/env bash
# Older Docker Engines beside the main one, to see what Slipway does on them.
#
#   engines.sh up ENGINE      make one ready: 26.1, 26.1-classic or 20.10
#   engines.sh host ENGINE    print its address
#   engines.sh down ENGINE    stop it (what it stored is kept)
#   engines.sh clean          stop them and remove everything that they stored
#
# Each comes out of the Debian release that has it, into a folder of its own beside that of
# engine.sh, with its own data, socket, pid file and bridge. 26.1 keeps images in containerd,
# like the main engine; "classic" is the store that it has by default. There is no older client:
# the main engine's buildx drives them all.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=private-engine.sh
. "$here/private-engine.sh"

engines=(26.1 26.1-classic 20.10)
main=${SLIPWAY_ENGINE_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway/engine}

choose() { # ENGINE
  home=$main-$1 version=${1%-classic} containerd_store=false
  case $1 in
    26.1) suite=trixie bridge=slipway-26-1 subnet=10.213.26.1/24 containerd_store=true ;;
    26.1-classic) suite=trixie bridge=slipway-26-1c subnet=10.213.27.1/24 ;;
    20.10) suite=bookworm bridge=slipway-20-10 subnet=10.213.20.1/24 ;;
    *) die "no engine $1 is known here; there are: ${engines[*]}" ;;
  esac
}

# With the default bridge, two engines would hand out the same addresses.
make_bridge() {
  ip link show "$bridge" >/dev/null 2>&1 || ip link add "$bridge" type bridge
  ip address replace "$subnet" dev "$bridge"
  ip link set "$bridge" up
}

up() {
  need_root
  alive "$home" && answers "$home" && return
  local found
  mkdir -p "$home" "$main-$version"
  # One engine, whatever its store. The newer suite's runc wants a newer libc than may be here.
  (
    flock 9
    unpack "$main-$version/tools" "docker.io/$suite" "containerd/$suite" "runc/$(release)" "tini/$(release)"
    ln -sf tini-static "$main-$version/tools/root/usr/bin/docker-init"
  ) 9>"$main-$version/tools.lock"
  [ "$home" = "$main-$version" ] || ln -sfn "$main-$version/tools" "$home/tools"
  make_bridge
  # Nothing of the machine's own configuration, and nothing of its packet filter, which is the
  # main engine's: what is tried here needs no way out, and loopback ports go through a proxy.
  cat > "$home/daemon.json" <<J
{"iptables": false, "ip-forward": false, "features": {"containerd-snapshotter": $containerd_store}}
J
  start_dockerd "$home" --config-file "$home/daemon.json" --bridge "$bridge"
  found=$(curl --silent --fail --unix-socket "$home/run/docker.sock" http://engine/version | jq -r .Version)
  case $found in
    "$version".*) say "ready: $found at unix://$home/run/docker.sock" ;;
    *) down; die "Debian $suite has Docker Engine $found, not $version" ;;
  esac
}

down() {
  stop_dockerd "$home"
  ip link show "$bridge" >/dev/null 2>&1 && ip link delete "$bridge"
  return 0
}

case $#/${1:-} in
  2/up) choose "$2"; up ;;
  2/host) choose "$2"; printf 'unix://%s\n' "$home/run/docker.sock" ;;
  2/down) choose "$2"; down ;;
  1/clean)
    for engine in "${engines[@]}"; do
      choose "$engine"
      down
      rm -rf "$home"
    done ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
