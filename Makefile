# Everything sets itself up: a fresh clone needs Python 3.11 or newer, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONUTF8 = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

SETUP := $(VENV)/.setup
SETUP_DEV := $(VENV)/.setup-dev

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check lint fast ui docs sandbox postgres odoo bench

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(SETUP): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(SETUP_DEV): requirements-dev.lock $(SETUP)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(SETUP) ## install what running needs (hash-locked), once

setup-dev: $(SETUP_DEV) ## install what developing needs as well, once

ROUTE ?= kartra_to_pipedrive

# A route into Odoo needs our own server: the demo makes a database in it, and reads its PostgreSQL.
demo: setup ## migrate a messy sample export into a local CRM, twice, and compare it with the truth (ROUTE=kartra_to_odoo: a real Odoo)
	@case "$(ROUTE)" in *_odoo) scripts/odoo.sh up >/dev/null || exit ;; esac; $(BIN)/python scripts/demo.py $(ROUTE)

# Odoo is brought up here, not by the first test that needs it: the first time it takes longer than a test may. 3: this machine cannot.
test: setup-dev ## run all tests, on two cores
	@[ -n "$$CRM_TEST_ODOO_URL" ] || scripts/odoo.sh up >/dev/null || [ $$? = 3 ]
	$(BIN)/python -m pytest -n 2 --dist loadfile

fast: setup-dev
	$(BIN)/python -m pytest crm_pipelines_tests/unit crm_pipelines_tests/language crm_pipelines_tests/conformance -q -n 2 --dist loadfile -m "not slow and not postgres and not node and not browser and not odoo"

lint: setup-dev ## format, lint, types, layers, generated docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory docs CHECK=--check

check: lint fast ## before every commit: lint and the fast tests

docs: setup-dev ## write what is generated: mapping-language.md and the JSON schema for editors
	$(BIN)/python scripts/docs.py $(CHECK)

ui: setup ## open Dagster on the engagements, history kept
	@$(BIN)/python scripts/ui.py

sandbox: setup ## start a Pipedrive on loopback
	$(BIN)/crm sandbox pipedrive --port 8801 --token sandbox

postgres: setup-dev ## run the ledger tests on a PostgreSQL of their own
	CRM_TEST_POSTGRES_URL="$$(scripts/postgres.sh start)" $(BIN)/python -m pytest crm_pipelines_tests/conformance/ledger; status=$$?; scripts/postgres.sh stop; exit $$status

odoo: ## start a real Odoo 19 on loopback (two minutes and 200 MB the first time, a second afterwards); `scripts/odoo.sh stop` ends it
	@scripts/odoo.sh up

bench: setup-dev ## measure what the product costs, beside its goals (15 minutes; ARGS=--quick: 3)
	$(BIN)/python -m benchmarks $(ARGS)
