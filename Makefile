# Everything a newcomer or CI runs. Needs Python 3.11 or newer, make and a package registry.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SEEDS ?= 2000
PYTEST_ARGS ?=

.PHONY: help demo test test-long test-compose check format simulate clean

help:  ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(STAMP)  ## a broker, two people who talk, and you
	$(BIN)/zchat demo

test: $(STAMP)  ## all tests that finish within minutes
	$(BIN)/pytest -n 2 -m 'not long and not compose' $(PYTEST_ARGS)

test-long: $(STAMP)  ## scenarios with real processes that are killed, and many seeds
	$(BIN)/pytest -n 2 -m long --timeout 1800 $(PYTEST_ARGS)

test-compose: $(STAMP)  ## compose.yaml on a Docker engine: three people talk, a fourth joins
	$(BIN)/pytest -m compose -p no:randomly --timeout 900 $(PYTEST_ARGS)

check: $(STAMP)  ## lint, format, strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)  ## write the code as `check` wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

simulate: $(STAMP)  ## the simulation: make simulate SEEDS=100000 [FIRST=0]
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(or $(FIRST),0)

clean:  ## forget what was built
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
