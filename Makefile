# `make run` and `make test` do everything on a fresh machine; `make help` lists the rest.
# Nothing is installed outside .venv, and nothing is started that is not ended again. What is installed is compiled when it is
# first imported, since most of it never is: that takes a third off the first `make`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTRUMENT := magnesium
SAMPLES := exports/$(INSTRUMENT)
WAVES := 2026-01 2026-02 2026-03
NEWEST := 2026-03
ROWS := 1200
SECONDS := 60
SEED := 0
COMMUNITIES := 1000

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# What was compiled is kept, also where the surroundings say otherwise: without, every command would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run test lint format types tests fuzz bench agreement simulate prove prove-bench lint-bench sample-report lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(VENV)/.run: requirements.lock pyproject.toml
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the pipeline needs (once) ..."
	@$(BIN)/pip install --quiet --no-compile --require-hashes --requirement requirements.lock
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: requirements-dev.lock $(VENV)/.run
	@echo "Installing what the tests need (once) ..."
	@$(BIN)/pip install --quiet --no-compile --require-hashes --requirement requirements-dev.lock
	@touch $@

setup: $(VENV)/.run ## make .venv from requirements.lock

samples: $(VENV)/.run
	@mkdir -p $(SAMPLES)
	@seed=1; for wave in $(WAVES); do \
	  $(BIN)/survey-pipeline sample --instrument $(INSTRUMENT) --wave $$wave --rows $(ROWS) --seed $$seed \
	    --out $(SAMPLES)/$(INSTRUMENT)-$$wave.csv --quiet || exit $$?; seed=$$((seed + 1)); done
	@echo "Invented answers for three waves: $(SAMPLES)/"

run: samples ## invent three waves, backfill them, publish the newest, and say where the report is
	@$(BIN)/python flows/backfill.py $(SAMPLES) --instrument $(INSTRUMENT)
	@$(BIN)/python flows/publish_wave.py $(SAMPLES)/$(INSTRUMENT)-$(NEWEST).csv --instrument $(INSTRUMENT) --wave $(NEWEST)

test: $(VENV)/.test lint ## everything that must pass; types are checked while the tests run
	@$(MAKE) --no-print-directory --jobs 2 types tests

lint: $(VENV)/.test ## style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.test ## strict types
	@$(BIN)/mypy

tests: $(VENV)/.test ## the tests, slow ones included
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

format: $(VENV)/.test ## put the code in its format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

fuzz: $(VENV)/.test ## broken files for a minute: make fuzz SECONDS=600 SEED=7
	@$(BIN)/python tests/fuzz.py --seconds $(SECONDS) --seed $(SEED)

bench: $(VENV)/.run ## a million invented answers: this pipeline beside a hand-written query
	@$(BIN)/python tests/benchmarks/million_rows.py

agreement: $(VENV)/.test ## each statistic beside R's result, as docs/agreement.md (needs ../shared)
	@$(BIN)/python tests/agreement

simulate: $(VENV)/.test ## invented communities without and with an effect: what is claimed of them, and how often ranges hold
	@$(BIN)/python tests/simulate

prove: $(VENV)/.test ## attack releases of invented communities, as docs/proof-simulations.md: make prove COMMUNITIES=20
	@$(BIN)/python tests/prove --communities $(COMMUNITIES) --seed $(SEED)

prove-bench: $(VENV)/.run ## a wave with forty tables: how long its proof takes, beside a linear programme for each end
	@$(BIN)/python tests/benchmarks/forty_tables.py

lint-bench: $(VENV)/.test ## put 300 mistakes into clean newsletters: how many are found, and how often clean text is found fault with
	@$(BIN)/python tests/lint_bench --seed $(SEED)

sample-report: $(VENV)/.run ## make reports/sample/ again
	@$(BIN)/python tests/sample_report.py

lock: ## make the lock files again (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --quiet pyproject.toml --group build --output-file requirements.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --quiet pyproject.toml --group build --group dev --output-file requirements-dev.lock

clean: ## remove what runs made, except the warehouse
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .survey-pipeline/prefect dist
