# Every target sets up .venv by itself. `make verify` and `make test` are the two commands of the README.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What the environment was made from: it is made anew when these change.
MADE := $(VENV)/.made

# torch and jax for the tests that use them, on the CPU. Where they cannot be had, those tests are skipped and counted.
# PyPI's torch for Linux is the CUDA build: TORCH='torch --index-url https://download.pytorch.org/whl/cpu' takes the small one.
TORCH ?= torch==2.13.0
JAX ?= jax equinox

.PHONY: verify test site quickstart lint audits pictures sentences bench soundness mutation clean models

$(MADE): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "scoreproof needs Python 3.11 or newer; run make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[data,report,test,lint,docs,browser]'
	touch $@

verify: $(MADE)
	$(BIN)/scoreproof verify

test: $(MADE) models
	$(BIN)/python -m pytest -n auto --dist worksteal py tests

# Never fails: without them `make test` skips and counts what needs them.
models: $(VENV)/.models
$(VENV)/.models: $(MADE)
	-$(BIN)/python -c 'import torch' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	-$(BIN)/python -c 'import jax' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check $(JAX)
	-$(BIN)/python -c 'import torch, jax' 2>/dev/null && touch $@

# The README's Python examples with the bare dependencies, in an environment of their own.
quickstart:
	$(PYTHON) -m venv .venv-quickstart
	.venv-quickstart/bin/python -m pip install --quiet --disable-pip-version-check .
	.venv-quickstart/bin/python -m doctest README.md
	.venv-quickstart/bin/scoreproof verify --profile quick

lint: $(MADE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .lake
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

bench: $(MADE) models
	$(BIN)/python bench/run.py
	$(BIN)/python bench/causes.py

# The pages of what the checks say, from the corpus and from what the suite is told: about ten minutes.
sentences: $(MADE) models
	rm -rf build/said
	$(BIN)/python docs/wrong_code.py
	PYTHONPATH=docs SCOREPROOF_SAID=build/said $(BIN)/python -m pytest -q -n auto --dist worksteal -p said py tests
	$(BIN)/python docs/sentences.py build/said --fresh

# The two long proofs, hours each. Both append to build/ and go on where they were stopped; then they write
# bench/SOUNDNESS.md and bench/MUTATION.md. After a change to a check, delete its file in build/soundness/.
SEEDS ?= 0:500
soundness: $(MADE) models
	$(BIN)/python bench/soundness.py run --seeds $(SEEDS)
	$(BIN)/python bench/soundness.py report

mutation: $(MADE) models
	$(BIN)/python -c 'import cosmic_ray' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[mutation]'
	$(BIN)/python bench/mutation.py run
	$(BIN)/python bench/mutation.py report

# The site, in build/site: a warning is an error.
site: $(MADE)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# The pictures of the guides and of README in the tree. A build of the site makes its own.
pictures: $(MADE) models
	$(BIN)/python docs/pictures.py

# Public code at pinned versions, all in .venv-audits: writes audits/findings.md. Not part of `make test`.
audits:
	$(PYTHON) audits/run.py
