# shellcheck shell=bash
# What the scripts share that make private engines: Debian's packages unpacked into a folder,
# and a dockerd that lives in that folder alone. Sourced, with:
#
#   FOLDER/tools/root   the unpacked packages
#   FOLDER/data         what dockerd stores
#   FOLDER/run          its socket, its pid file, and what it needs while it runs
#   FOLDER/log          its log

say() { printf '[engine] %s\n' "$*" >&2; }
die() { printf '[engine] error: %s\n' "$*" >&2; exit 1; }

need_root() { [ "$(id -u)" = 0 ] || die "a private engine needs root; name your own with DOCKER_HOST instead"; }

# The running release, whose packages suit the libc that is here.
# shellcheck source=/dev/null
release() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

# The archive's address and keyring are whatever this machine's apt already uses.
archive() {
  local uri
  # shellcheck disable=SC2016 # apt's own variables
  uri=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(SUITE)' 'Created-By: Packages' 2>/dev/null |
    awk '$0 !~ /security|updates|backports/ && $2 == "Debian" {print $1; exit}')
  [ -n "$uri" ] || uri=$(awk '/^URIs:/ {print $2; exit} /^deb / {for (i=2;i<=NF;i++) if ($i ~ /^http/) {print $i; exit}}' \
    /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null)
  [ -n "$uri" ] || die "no Debian archive among apt's sources; name your own engine with DOCKER_HOST"
  printf '%s' "$uri"
}

# Unpacks packages, each as name/suite, into a folder. A set that is there is not fetched again.
unpack() { # FOLDER NAME/SUITE...
  local folder=$1 stamp work name
  shift
  stamp=$folder/unpacked-$(printf '%s\n' "$@" | sha256sum | cut -c1-12)
  [ -e "$stamp" ] && return
  say "fetching $* into $folder"
  rm -rf "$folder"
  work=$folder/fetch
  mkdir -p "$work/lists/partial" "$work/cache" "$work/deb" "$folder/root"
  local uri
  uri=$(archive)
  printf '%s\n' "${@##*/}" | sort -u | while read -r name; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $name main"
  done > "$work/sources.list"
  local options=(-q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=3)
  apt-get "${options[@]}" update >&2
  (cd "$work/deb" && apt-get "${options[@]}" download "$@" >&2)
  for name in "$work"/deb/*.deb; do
    # `only` is what is wanted of a large package.
    dpkg --fsys-tarfile "$name" | tar -x -C "$folder/root" ${only:+"$only"}
  done
  rm -rf "$work"
  touch "$stamp"
}

alive() { # FOLDER
  [ -s "$1/run/docker.pid" ] && kill -0 "$(cat "$1/run/docker.pid")" 2>/dev/null
}

answers() { # FOLDER
  curl --silent --fail --max-time 5 --output /dev/null --unix-socket "$1/run/docker.sock" http://engine/_ping
}

start_dockerd() { # FOLDER ARGUMENT...
  local folder=$1 tries
  shift
  alive "$folder" && return
  mkdir -p "$folder/run" "$folder/log"
  rm -f "$folder/run/docker.pid" "$folder/run/docker.sock"
  say "starting dockerd (log: $folder/log/dockerd.log)"
  PATH=$folder/tools/root/usr/bin:$folder/tools/root/usr/sbin:$folder/tools/root/usr/libexec/docker:$PATH \
    setsid dockerd --data-root "$folder/data" --exec-root "$folder/run/exec" --pidfile "$folder/run/docker.pid" \
    -H "unix://$folder/run/docker.sock" "$@" >>"$folder/log/dockerd.log" 2>&1 </dev/null &
  for tries in $(seq 1 150); do
    answers "$folder" && return
    [ "$tries" -lt 20 ] || alive "$folder" || break
    sleep 0.2
  done
  tail -n 20 "$folder/log/dockerd.log" >&2
  die "dockerd did not come up"
}

stop_dockerd() { # FOLDER
  alive "$1" || { say "no engine is running in $1"; return 0; }
  local pid
  pid=$(cat "$1/run/docker.pid")
  say "stopping dockerd (pid $pid)"
  kill "$pid"
  for _ in $(seq 1 150); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.2
  done
  die "dockerd (pid $pid) did not stop within 30 s"
}
