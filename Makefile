# `make run` and `make test` do all set-up themselves; they need Python 3.11 or newer, make and git.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
ONLY   ?=

# properties and kills that are tried more often by `make chaos` than by `make test`
CAMPAIGNS := tests/domain/risk/test_properties.py tests/domain/slots/test_ledger_machine.py \
	tests/infra/journal/test_sigkill.py tests/practice/market/test_long_run.py

# the tests start hundreds of processes: what was compiled once is kept
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check types style unit bench soak chaos study docs clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "Python %d.%d found, 3.11 or newer needed: make PYTHON=/path/to/python3.11" % v[:2])'
	@echo "Setting up in $(VENV) (a minute or two, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

run: $(READY) ## Run the desk on the practice gateway (ARGS="--for 90s")
	@$(BIN)/thetawarden run $(ARGS)

test: check unit ## Everything that must hold before a change lands

check: $(READY) ## Style, types, architecture, generated docs
	@$(MAKE) --no-print-directory -j 2 types style

types: $(READY)
	@$(BIN)/mypy

style: $(READY)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python docs/generate.py --check

unit: $(READY) ## The tests (ARGS="-k halt" to pick)
	@$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

bench: $(READY) ## Figures, each beside its reference (ONLY=name)
	@$(BIN)/python -m bench $(ONLY)

soak: $(READY) ## A whole market day with kills (ARGS="--speed 30"); WHAT=kills, twenty, wheel, crash
	@$(BIN)/python -m soak $(or $(WHAT),day) $(ARGS)

chaos: $(READY) ## Trading days under faults, planted bugs to be found, a kill at every point, long campaigns (ARGS="--seeds 50")
	@$(BIN)/thetawarden chaos $(or $(ARGS),--seeds 500)
	@$(BIN)/python -m tests.sim.hunt
	@$(BIN)/python -m tests.sim.crash_points
	@THETAWARDEN_TEST_TIMES=3 $(BIN)/python -m pytest -q -n 2 --dist worksteal $(CAMPAIGNS)

study: $(READY) ## The practice market beside the real one: table and charts in docs/
	@$(BIN)/python -m bench.market_study

docs: $(READY) ## Write the generated documents anew
	@$(BIN)/python docs/generate.py

clean: ## Remove everything that can be made again
	@rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis build bench/latest.json *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
