# Everything needs only Python 3.11 or newer, git and make. `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test check format-check lint types contracts docs-check bench browser clean

BIN := .venv/bin
STAMP := .venv/.suzani-stamp
DEMO_ARGS ?=
BENCH_ARGS ?=
PYTEST_ARGS ?=
WORKERS ?= 2

# Compiled modules are kept, whatever the environment says: commands would start seconds later without them.
export PYTHONDONTWRITEBYTECODE :=

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml uv.lock tools/bootstrap.sh
	@bash tools/bootstrap.sh

demo: $(STAMP)  ## Make a bank, make its customers one, and serve the pages (DEMO_ARGS="--no-serve")
	@$(BIN)/suzani demo $(DEMO_ARGS)

test: check browser  ## Check everything and run every test (WORKERS=2 at a time)
	@$(BIN)/pytest --numprocesses $(WORKERS) $(PYTEST_ARGS)

check: format-check lint types contracts docs-check  ## Format, lint, types, layers and docs, without the tests

format-check: $(STAMP)
	@$(BIN)/ruff format --check --quiet . || { echo "Run: $(BIN)/ruff format"; exit 1; }

lint: $(STAMP)
	@$(BIN)/ruff check --quiet .

types: $(STAMP)
	@$(BIN)/mypy

contracts: $(STAMP)
	@$(BIN)/lint-imports --no-cache --no-logo > .venv/contracts.log || { cat .venv/contracts.log; exit 1; }

docs-check: $(STAMP)
	@$(BIN)/python tools/check_docs.py

browser: $(STAMP)
	@bash tools/find_chromium.sh > /dev/null

bench: $(STAMP)  ## Measure loading and linking (BENCH_ARGS="--json")
	@$(BIN)/suzani bench load $(BENCH_ARGS)
	@$(BIN)/suzani bench link $(BENCH_ARGS)

clean:  ## Remove the environment and every cache; your data stays
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
