#!/bin/sh
# Before nginx starts, the scripts in /docker-entrypoint.d run in order, as in the official image.
set -e
case "$1" in
  nginx | nginx-debug)
    for step in /docker-entrypoint.d/*.sh; do
      [ -x "$step" ] && "$step"
    done ;;
esac
exec "$@"
