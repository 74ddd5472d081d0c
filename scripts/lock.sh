#!/usr/bin/env bash
# Re-resolve the lock files from pyproject.toml and requirements-odoo.in. Needs `uv` on the PATH; the locks hold hashes and no index address.
set -euo pipefail
cd "$(dirname "$0")/.."
common=(--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-strip-extras --quiet)
uv pip compile pyproject.toml --extra build "${common[@]}" -o requirements.lock
uv pip compile pyproject.toml --extra build --extra dev -c requirements.lock "${common[@]}" -o requirements-dev.lock
# Odoo's own set (scripts/odoo.sh installs it into a venv of its own, wheels only): any Python from 3.11 on.
uv pip compile requirements-odoo.in --universal "${common[@]}" --no-emit-package docopt -o requirements-odoo.lock
