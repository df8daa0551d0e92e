#!/bin/sh
# Makes the small static programs that Slipway puts into images, for either platform, as
# FOLDER/tools/OS/ARCHITECTURE/NAME: the frontend's image carries them.
set -eu
folder=${1:?the folder to make them in}
for pair in amd64:x86_64 arm64:aarch64; do
  triple=${pair#*:}-unknown-linux-musl
  rustup target add "$triple"
  cargo build --quiet --locked --profile probe --package slipway-probe --target "$triple"
  mkdir -p "$folder/tools/linux/${pair%:*}"
  for program in slipway-probe slipway-template; do
    cp "${CARGO_TARGET_DIR:-target}/$triple/probe/$program" "$folder/tools/linux/${pair%:*}/"
  done
done
