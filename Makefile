# Every verb is one call of a tool; `make` alone lists them.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
T ?= tests
PORT ?= 4008
DATA ?=
SETUP := $(if $(PYTHON),$(PYTHON),python3) tools/setup.py

.DEFAULT_GOAL := help
.PHONY: help setup run test one check fix unit acceptance page-test bench soak docs lock release python

help: ## list these verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; found: $$(python3 --version 2>&1)"; exit 1; }

setup: python ## make .venv, install the locked packages, build the page
	@$(SETUP) test

run: python ## start everything on http://127.0.0.1:4008 (PORT=…, DATA=…)
	@$(SETUP) run
	@exec $(BIN)/studysmart serve --port $(PORT) $(if $(DATA),--data-dir "$(DATA)")

test: $(if $(filter tests,$(T)),check page-test unit acceptance,one) ## run everything, browser included (T=path for one)

one: setup
	$(BIN)/python -m pytest $(T) -q -rs

unit: python ## unit and integration tests
	@$(SETUP) test
	$(BIN)/python -m pytest tests/unit tests/integration $(wildcard tests/reference) -q -rs -n 2

acceptance: python ## real processes, kills, a real browser
	@$(SETUP) test
	$(BIN)/python -m pytest tests/acceptance -q -rs

page-test: python ## types, lint and unit tests of the page
	@$(SETUP) test
	$(BIN)/python tools/page.py typecheck lint test size

check: python ## formats, lint, types, import contracts, links: changes nothing
	@$(SETUP) test
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports && $(BIN)/python tools/check_docs.py

fix: python ## format, and fix what can be fixed safely
	@$(SETUP) test
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: python ## measure: speed, retraining, serving (figures: docs/figures.md)
	@$(SETUP) test
	$(BIN)/python -m bench.speed && $(BIN)/python -m bench.retrain && $(BIN)/python -m bench.serve

soak: python ## the long runs: 10,000 answers through 100 kills on each database, fifty times the examples
	@$(SETUP) test
	$(BIN)/python -m pytest tests -q -rs --soak

docs: python ## write docs/reference anew from the code, and check every link and command
	@$(SETUP) test
	$(BIN)/python tools/reference.py && $(BIN)/python tools/check_docs.py

lock: python ## resolve requirements/*.txt anew (ARGS=--upgrade for newer ones)
	@$(SETUP) test
	$(BIN)/python tools/lock.py $(ARGS)

release: python ## V=1.2.3: check that all say so, build, try the wheel in an empty environment
	@$(SETUP) test
	$(BIN)/python tools/release.py "$(V)"
