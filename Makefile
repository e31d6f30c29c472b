# Two commands are enough on a fresh machine: `make demo` and `make test`.
# Everything lives in .venv, installed under constraints.txt; nothing needs root
# except `make system`, which adds what only some tests use.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
# One thread per process in numpy: the processes already fill the cores.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet \
	--constraint constraints.txt
# The build tool is pinned like everything else, so it is installed, not fetched.
EDITABLE := $(PIP_INSTALL) --no-build-isolation --editable

.PHONY: help demo test test-all coverage lint format bench docs docs-serve system clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the environment -----------------------------------------------------------
# A stamp is written last, so an interrupted installation is simply done again.

$(VENV)/.created:
	@found=; \
	for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if command -v "$$candidate" >/dev/null 2>&1 && "$$candidate" -c \
	    'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    found="$$candidate"; break; \
	  fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Myograph needs Python 3.11 or newer and found none on PATH." >&2; \
	  echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv)," >&2; \
	  echo "or name it: make demo PYTHON=/path/to/python3.11" >&2; \
	  exit 2; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  echo "$$found cannot create environments: its venv module is missing." >&2; \
	  echo "On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; \
	  exit 2; \
	fi; \
	echo "Creating $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv $(VENV)
	@touch $@

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/.created
	@echo "Installing Myograph into $(VENV) (first time: about a minute)"
	@$(PIP_INSTALL) hatchling editables
	@$(EDITABLE) .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@echo "Installing what lint and tests need"
	@# A bare torch may bring gigabytes of CUDA: the pinned one comes first, by itself.
	@$(PIP_INSTALL) torch==2.13.0
	@$(EDITABLE) '.[dev,io,table,boost,stream,deep,explain,tune,cluster]'
	@touch $@

$(VENV)/.docs: $(VENV)/.core
	@echo "Installing what the documentation needs"
	@$(EDITABLE) '.[docs]'
	@touch $@

# --- what people run -------------------------------------------------------------

demo: $(VENV)/.core ## run the main job on real or simulated people and write a report
	@$(BIN)/myograph demo

test: $(VENV)/.dev ## run the tests, all but the slow ones
	@$(ONE_THREAD) $(BIN)/python -m pytest -n $(JOBS) -m 'not slow'

test-all: $(VENV)/.dev ## run every test
	@$(ONE_THREAD) $(BIN)/python -m pytest -n $(JOBS)

coverage: $(VENV)/.dev ## run the tests and show what they do not reach
	@$(ONE_THREAD) $(BIN)/python -m pytest -n $(JOBS) -m 'not slow' --cov --cov-report=term

lint: $(VENV)/.dev ## check style, formatting, types, layers and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell src tests docs README.md CHANGELOG.md CONTRIBUTING.md

format: $(VENV)/.dev ## format the code and sort its imports
	@$(BIN)/ruff check --fix --exit-zero --quiet .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev ## time Myograph beside its peers, in one sitting
	@found=0; for script in $$(find benchmarks/speed -name 'bench_*.py' 2>/dev/null | sort); do \
	  found=1; echo "== $$script"; $(BIN)/python "$$script"; \
	done; \
	if [ $$found = 0 ]; then echo "No benchmarks/speed/**/bench_*.py yet." >&2; exit 2; fi

docs: $(VENV)/.docs ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Open site/index.html"

docs-serve: $(VENV)/.docs ## show the documentation while writing it
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

system: ## (root) install the system packages that development and tests use
	@if [ "$$(id -u)" != 0 ]; then echo "Run it as root: sudo make system" >&2; exit 2; fi
	@apt-get update
	@DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
	  ca-certificates git make mosquitto python3 python3-venv

clean: ## remove the environment, caches and built pages
	@rm -rf $(VENV) site build dist .coverage .coverage.* htmlcov \
	  .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
