# Two verbs. Each sets everything up in ./.venv on a bare machine with Python 3.11 and a C compiler.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.9.30
WORKERS ?= 2
BIN := .venv/bin

.PHONY: help demo test check clean

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: .venv/.installed ## a day of support on simulated time; leaves nothing running
	@$(BIN)/signalbox demo

test: .venv/.installed ## every test; those that kill things and those in containers have the machine for themselves
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --ignore tests/faults --ignore tests/containers $(ARGS)
	$(BIN)/python -m pytest tests/faults tests/containers $(ARGS)

check: .venv/.installed ## only the gates: style, types, layers
	$(BIN)/python -m pytest -q tests/architecture

clean: ## away with the virtual environment and what tools left
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/.installed: pyproject.toml uv.lock
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 13) else "Signalbox needs Python 3.11 or 3.12: make PYTHON=/path/to/python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv sync --quiet --locked --all-extras --all-groups --compile-bytecode
	@touch $@
