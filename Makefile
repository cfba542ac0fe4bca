# Two commands do everything on a machine with Python (3.11 or newer), pip and make:
#   make lab     a private environment in .venv, then JupyterLab on the first notebook
#   make test    the same with what the tests need, then every check that CI runs
# `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench
LAB_ARGS ?=
PYTEST_ARGS ?=
WORKERS ?= 2
SOURCES := $(wildcard workbench tests benchmarks docs)
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
FIRST_NOTEBOOK := $(or $(wildcard notebooks/01_first_graph.ipynb),.)
AS_ROOT := $(filter 0,$(shell id -u))

# uv never fetches another Python, trusts the certificates that the system trusts, and copies where it cannot link.
export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS ?= true
export UV_LINK_MODE ?= copy
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# $(call install,ENVIRONMENT,WHAT,UV'S OWN OPTIONS): uv takes seconds, pip a minute; pip is there when uv is not.
install = if $(1)/bin/python -m uv --version >/dev/null 2>&1 && \
	$(1)/bin/python -m uv pip install --quiet --python $(1)/bin/python $(3) $(2); then :; \
	else echo "make: uv could not install; trying pip (slower)"; $(1)/bin/python -m pip install --quiet $(2); fi

.DEFAULT_GOAL := help
.PHONY: help lab test test-cuda check fmt format-check lint types pytest notebooks bench system-packages clean
.DELETE_ON_ERROR:

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

# ---------------------------------------------------------------- environments
# A stamp per environment: nothing is installed again until pyproject.toml or constraints.txt changes.

$(VENV)/made.stamp:
	@sh .ci/venv $(PYTHON) $(VENV)
	@touch $@

$(VENV)/lab.stamp: pyproject.toml constraints.txt | $(VENV)/made.stamp
	@echo "make: installing the workbench and JupyterLab"
	@$(call install,$(VENV),-c constraints.txt -e ".[lab]",--build-constraints constraints.txt)
	@touch $@

$(VENV)/test.stamp: $(VENV)/lab.stamp
	@echo "make: installing what the tests need"
	@$(call install,$(VENV),-c constraints.txt -e ".[lab$(COMMA)dev]",--build-constraints constraints.txt)
	@touch $@

COMMA := ,

# pytensor asks for an older llvmlite than ours; it works with ours, so it gets an environment with that request overridden.
$(BENCH_VENV)/bench.stamp: pyproject.toml constraints.txt benchmarks/overrides.txt
	@sh .ci/venv $(PYTHON) $(BENCH_VENV)
	@echo "make: installing the peers that the benchmarks compare with"
	@$(BENCH_VENV)/bin/python -m uv pip install --quiet --python $(BENCH_VENV)/bin/python \
		-c constraints.txt --override benchmarks/overrides.txt -e ".[bench]"
	@touch $@

system-packages:
	@sh .ci/system-packages $(PYTHON)

# ---------------------------------------------------------------- the two commands

lab: $(VENV)/lab.stamp ## open JupyterLab on the first notebook (LAB_ARGS="--no-browser --port=8899")
	$(BIN)/jupyter lab $(if $(AS_ROOT),--allow-root) $(LAB_ARGS) $(FIRST_NOTEBOOK)

# Every part runs although an earlier one failed, pytest last: its closing line ends the output.
test: system-packages $(VENV)/test.stamp ## everything that CI checks
	@failed=; for part in format-check lint types pytest; do \
		$(MAKE) --no-print-directory $$part || failed="$$failed $$part"; \
	done; [ -z "$$failed" ] || { echo "make: failed:$$failed" >&2; exit 1; }

check: test ## the same as make test

# pycuda has no wheels; where one was built, CUDA_WHEEL names it, else it is built with the CUDA toolkit.
CUDA_WHEEL ?= pycuda
CUDA_DEVICE ?= cuda0

test-cuda: $(VENV)/test.stamp ## the device suite on a CUDA device (CUDA_DEVICE=cuda0 CUDA_WHEEL=pycuda)
	@$(BIN)/python -c "import pycuda.driver, nvidia.cublas" 2>/dev/null || \
		$(call install,$(VENV),-c constraints.txt $(CUDA_WHEEL) -e ".[cuda$(COMMA)lab$(COMMA)dev]")
	WORKBENCH_TEST_DEVICE=$(CUDA_DEVICE) $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS) tests/gpu

# ---------------------------------------------------------------- parts of it

fmt: $(VENV)/test.stamp ## format the code and mend what the linter can mend
	$(BIN)/ruff check --fix-only --quiet $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

format-check: $(VENV)/test.stamp
	$(BIN)/ruff format --check --output-format concise $(SOURCES)

lint: $(VENV)/test.stamp ## ruff
	$(BIN)/ruff check --output-format concise $(SOURCES)

types: $(VENV)/test.stamp ## mypy: strict on workbench/core, basic elsewhere
	$(BIN)/mypy

# One run for unit tests, doctests, notebooks and browser tests, so that one line at the end counts them all;
# a file's tests stay on one worker, as a notebook's cells must.
pytest: $(VENV)/test.stamp ## tests, doctests, notebooks with their outputs, browser (PYTEST_ARGS="-k scan")
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --nbval --nbval-current-env \
		--nbval-sanitize-with tests/nbval.cfg --nbval-cell-timeout 120 \
		--doctest-modules --doctest-ignore-import-errors $(PYTEST_ARGS) tests $(wildcard workbench) $(NOTEBOOKS)

notebooks: $(VENV)/test.stamp ## the notebooks alone, their outputs compared
	$(BIN)/python -m pytest --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg notebooks

bench: $(BENCH_VENV)/bench.stamp ## every benchmark; results go to benchmarks/results
	$(BENCH_VENV)/bin/python -m benchmarks

clean: ## remove the environments and every cache
	rm -rf $(VENV) $(BENCH_VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
