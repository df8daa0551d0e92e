#!/bin/sh
# Runs the command; arguments that are no command are given to bun, as the official image does.
set -e
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null 2>&1; then
  set -- bun "$@"
fi
exec "$@"
