#!/usr/bin/env bash
# Re-resolve both lock files from pyproject.toml. Needs `uv` on the PATH; the locks hold hashes and no index address.
set -euo pipefail
cd "$(dirname "$0")/.."
common=(--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-strip-extras --quiet)
uv pip compile pyproject.toml --extra build "${common[@]}" -o requirements.lock
uv pip compile pyproject.toml --extra build --extra dev -c requirements.lock "${common[@]}" -o requirements-dev.lock
