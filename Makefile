# Targets are the contract of DESIGN section 7; each sets up what it needs and says what it is doing.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.PHONY: help setup demo test serve check format sweep mutants bench lock clean

help:
	@echo 'make demo     attest evidence of every supported type over HTTPS and show the tokens'
	@echo 'make test     the tests (under five minutes)'
	@echo 'make serve    leave the service running, in development mode'
	@echo 'make check    format, lint, types, architecture, docs'
	@echo 'make sweep    every bit flip, injected faults, fuzzing, all examples of property tests: the long ones'
	@echo 'make mutants  remove each declared check in turn and show which test notices'
	@echo 'make bench    the benchmarks, beside the crypto floor and dcap-qvl'
	@echo 'make lock     resolve the dependencies again into requirements.lock'

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "assay needs Python 3.11 or newer")'
	@echo '== setting up .venv (once; a minute or so)'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)
	@echo '== demo: a service on this machine, evidence of every supported type, tokens verified as a relying party'
	@$(BIN)/python -m demo

test: $(READY)
	@echo '== tests, on all cores'
	@$(BIN)/python -m pytest -n auto --dist loadscope

serve: $(READY)
	@$(BIN)/assay simulate SgxEnclave --out .assay/sample >/dev/null
	@echo '== serving in development mode until Ctrl-C; in another terminal try:'
	@echo '     .venv/bin/assay attest SgxEnclave .assay/sample/quote.bin --url https://localhost:8443 \'
	@echo '         --ca .assay/dev/ca.pem'
	@$(BIN)/assay serve --dev --state-dir .assay --collateral .assay/sample/collateral

check: $(READY)
	@echo '== format and lint'
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@echo '== types'
	@$(BIN)/mypy
	@echo '== architecture and docs'
	@$(BIN)/python -m pytest tests/test_architecture.py tests/test_docs.py

format: $(READY)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

sweep: $(READY)
	@echo '== sweep: every bit flip and injected fault, fuzz targets with a time budget'
	@$(BIN)/python -m pytest -m sweep tests/sweep
	@echo '== sweep: property tests with all their examples'
	@$(BIN)/python -m pytest -n auto --dist loadscope -m hypothesis --hypothesis-profile=thorough

mutants: $(READY)
	@echo '== mutants: each declared check is removed in turn'
	@$(BIN)/python -m tests.mutants

bench: $(READY)
	@echo '== bench: ratios in one run; nothing here is asserted'
	@$(BIN)/python -m bench

lock:
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --extra dev --extra postgres --extra otel pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .assay .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build
