# Works on a machine that has only python3 (3.11 or newer) with pip, and make: `make test`, `make demo`.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench lock browser
SHELL := /bin/bash

PYTHON ?= python3
BIN := .venv/bin
export TZ := UTC
# Tests start the command line many times: compiled once, it starts in two thirds of the time.
unexport PYTHONDONTWRITEBYTECODE

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv from requirements.lock (nothing to do when it is up to date)
	@$(PYTHON) scripts/bootstrap.py

demo: setup ## Build the demo company in demo-company/; an earlier one is replaced
	@if [ -n "$$(ls -A demo-company 2>/dev/null)" ] && [ ! -f demo-company/segmentry.yaml ]; then \
	    echo "demo-company/ has files but no segmentry.yaml: it was not made by this. Move it away, then try again."; exit 1; fi
	@rm -rf demo-company
	$(BIN)/segmentry demo -w demo-company

test: setup browser ## Check the code and run every test
	@$(MAKE) --no-print-directory check
	$(BIN)/pytest -n 2 --dist worksteal --durations=15 $(PYTEST_ARGS)

check: setup ## Lint, format, types, and who may import whom; all of them, also when one fails
	@failed=; for tool in "ruff check --output-format concise" "ruff format --check" mypy lint-imports; do \
	    echo "$(BIN)/$$tool"; $(BIN)/$$tool || failed="$$failed, $${tool%% --*}"; done; \
	if [ -n "$$failed" ]; then echo "check: failed: $${failed#, }"; exit 1; fi

bench: setup ## Run every benchmark (or BENCH="rfm traits") beside its peers and write benchmarks/README.md
	@$(PYTHON) scripts/bootstrap.py bench
	@.venv-bench/bin/python -m benchmarks $(BENCH)

lock: ## Resolve pyproject.toml into requirements.lock (UPGRADE=1: let the pins move)
	@$(PYTHON) scripts/bootstrap.py lock $(if $(UPGRADE),--upgrade)

# Tests marked `browser` drive a real Chromium.
browser:
	@if command -v chromium chromium-browser google-chrome >/dev/null; then exit 0; fi; \
	why="it is not installed, and only root can install it with apt-get"; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "browser: installing Chromium"; export DEBIAN_FRONTEND=noninteractive; log=$$(mktemp); \
	    apt-get update >"$$log" 2>&1; \
	    if apt-get install -y --no-install-recommends chromium chromium-driver >>"$$log" 2>&1; then rm "$$log"; exit 0; fi; \
	    tail -n 20 "$$log"; why="apt-get could not install it (its last lines are above)"; \
	fi; \
	echo "browser: NO CHROMIUM: $$why. The tests marked 'browser' will FAIL."
