#!/usr/bin/env bash
# All tests, the units first, then those on the engine. The frontend's image must be there:
# `make test` sees to it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
eval "$(integration-tests/engine.sh env)"

# A report is opened in a real browser.
command -v chromium > /dev/null || { apt-get update -qq; apt-get install -y -qq --no-install-recommends chromium > /dev/null; }

# More tests at once would only share two cores and one engine. The summary comes last.
cargo test --quiet --workspace --exclude integration-tests
cargo test --package integration-tests --tests -- --test-threads=2
