#!/usr/bin/env bash
# @generated from @{ spec } by Slipway.
exec "$(dirname -- "${BASH_SOURCE[0]}")/@{ script }" "$@"
