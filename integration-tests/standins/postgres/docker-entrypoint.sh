#!/bin/sh
# What the official image does at its first start, written anew: a cluster, a user, a database.
set -eu
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown postgres:postgres "$PGDATA" /var/run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
    echo "POSTGRES_PASSWORD must have a value" >&2
    exit 1
  fi
  user=${POSTGRES_USER:-postgres}
  password=$(mktemp)
  printf '%s\n' "${POSTGRES_PASSWORD:-}" > "$password"
  initdb --username="$user" --pwfile="$password" --auth-host="${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" --auth-local=trust > /dev/null
  rm "$password"
  printf "listen_addresses = '*'\n" >> "$PGDATA/postgresql.conf"
  printf 'host all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
  pg_ctl -w -o "-c listen_addresses=''" start > /dev/null
  [ "${POSTGRES_DB:-$user}" = postgres ] || createdb -U "$user" -h /var/run/postgresql "${POSTGRES_DB:-$user}"
  pg_ctl -m fast -w stop > /dev/null
fi
exec "$@"
