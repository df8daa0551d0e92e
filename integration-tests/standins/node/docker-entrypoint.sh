#!/bin/sh
# Runs the command; arguments that are no command are given to node, as the official image does.
set -e
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null 2>&1; then
  set -- node "$@"
fi
exec "$@"
