#!/bin/sh
# Templates -> configuration, with the variables that the environment defines and no others:
# nginx's own variables ($host, $uri) stay as they are.
set -e
templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
[ -d "$templates" ] || exit 0
if [ ! -w "$output" ]; then
  echo "$0: ERROR: $templates exists, but $output is not writable" >&2
  exit 0
fi
defined=$(awk 'BEGIN { for (name in ENVIRON) if (name ~ /^[A-Za-z_][A-Za-z0-9_]*$/) printf "${%s} ", name }')
find "$templates" -follow -type f -name "*$suffix" -print | while read -r template; do
  target=$output/$(basename "$template" "$suffix")
  envsubst "$defined" < "$template" > "$target"
done
