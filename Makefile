# make serve        install and run everything on the shipped demo
# make test         install what tests need, then lint, types, layers, tests
# make test-system  tests that need Debian packages (chromium, docker-compose, prometheus, redis-server) or a client generator; a skip is a failure
# make check        before a commit: what .ci/run runs once it has installed those packages
# make test-kernels the numeric tests as on processors with fewer instructions (KERNELS: avx2 avx sse --switches)
# make coverage     the tests, then which branches of slotbeam none of them took; fails below 95 % (minutes more than the tests)
# make fuzz         CASES (100 000) generated requests to both planes, held to their OpenAPI documents
# make mutants      what keeps edits safe is taken away, a line at a time: a test must turn red for each (minutes; MUTANTS: arguments)
# make torture      the long form of tests/torture: hours of kills, power cuts, faults and outages; resumable (TORTURE: arguments)
# make demo         the world and the artifact in model_artifacts/demo, from scratch
# make icecat       train on the Icecat products with a teacher, then the evaluation table beside every rival
# make lock         the versions and hashes in deploy/requirements, from pyproject.toml (needs uv; UPGRADE=1: newest ones)
# make paper        every table and plot of the evaluation into build/paper, resumable; QUICK=1: half an hour on two cores
# make scale        the demo's model on worlds of up to N (1 000 000) products, beside other engines, into build/scale

PYTHON  ?= $(shell command -v python3.11 || command -v python3)
VENV    ?= .venv
BIN     := $(VENV)/bin
PIP     := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# More arguments for installing PyTorch, e.g. the CPU build's index: see https://pytorch.org/get-started/locally/
TORCH   ?= torch==2.13.0
LOCKS   := deploy/requirements
UV      ?= uv
CATALOG ?= ../shared/data/icecat
WORLD   ?= build/world
# How long the training of `make icecat` may take, reading, dictionary and export included.
MINUTES ?= 25
JOBS    ?= 2
CASES   ?= 100000
# Which of the levels of `make test-kernels`; --switches takes the libraries' own instead of CPUID.
KERNELS ?=
# What is tried on many cases, in `make torture` on 100 000 (tests/support/cases.py).
PROPERTIES = tests/catalog/test_topk.py tests/catalog/test_filters.py tests/catalog/test_passing.py tests/decode/test_frontier.py \
             tests/search/rules/test_rules.py tests/search/rules/test_scores.py
# Arguments of `make torture`, e.g. --only kill,power --scale 0.01
TORTURE ?= --jobs $(JOBS)
# Products of the largest world of `make scale`; the others have a tenth and a hundredth of it.
N       ?= 1000000
SCALE   ?= build/scale
PAPER   ?= $(if $(QUICK),build/paper-quick,build/paper)

# Hundreds of processes are started: each compiles what no earlier one has kept.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve check test test-unit test-system test-kernels coverage fuzz torture mutants lint format bench demo icecat paper scale lock clean install install-dev

serve: $(VENV)/.serve
	$(BIN)/slotbeam up

install: $(VENV)/.serve
install-dev: $(VENV)/.dev

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Every version and hash is in $(LOCKS); PyTorch alone is not, as its builds differ. For development nothing is compiled
# ahead: three modules of four are never imported; and what needs PyTorch is told that it comes after it.
$(VENV)/.serve: pyproject.toml $(LOCKS)/build.txt $(LOCKS)/serve.txt | $(BIN)/python
	$(PIP) --require-hashes -r $(LOCKS)/build.txt -r $(LOCKS)/serve.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml $(LOCKS)/dev.txt | $(BIN)/python
	$(PIP) --no-compile --no-deps --require-hashes -r $(LOCKS)/dev.txt
	$(PIP) --no-compile $(TORCH)
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.serve

# What makes a client from an OpenAPI document needs an older typer than slotbeam is locked to: it has a place of its own.
$(VENV)/client/.installed: $(LOCKS)/client.txt | $(BIN)/python
	$(BIN)/python -m venv $(VENV)/client
	$(VENV)/client/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What .ci/run calls, in its order (tests/test_check.py).
check: test test-system

test: lint test-unit

# One thread a process: the workers share the cores.
test-unit: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal --durations=10 --ignore tests/system

test-system: $(VENV)/.dev $(VENV)/client/.installed
	SLOTBEAM_SYSTEM=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal --durations=5 tests/system

test-kernels: $(VENV)/.dev
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m kernels --jobs $(JOBS) $(KERNELS)

# Processes that the tests start write files of their own beside the others.
coverage: $(VENV)/.dev
	rm -rf build/coverage
	OMP_NUM_THREADS=1 $(BIN)/coverage run -m pytest -q -n $(JOBS) --dist worksteal
	$(BIN)/coverage combine -q
	PYTHONPATH=tests $(BIN)/python -m support.branches

# Prints what it did every thousand cases; FUZZ_SEED=n generates others.
fuzz: $(VENV)/.dev
	FUZZ_CASES=$(CASES) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -s --timeout=0 tests/api/http/test_openapi.py -k schemathesis

mutants: $(VENV)/.dev
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m torture.mutants --jobs $(JOBS) $(MUTANTS)

# Results as JSON lines in build/torture; what is there for this commit is not run again.
# Before them 100 000 cases of the top by words, unless some parts alone are asked for.
torture: $(VENV)/.dev
	$(if $(filter --only,$(TORTURE)),,PROPERTY_CASES=100000 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q --timeout=0 $(PROPERTIES))
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m torture $(TORTURE)

bench: $(VENV)/.serve
	$(BIN)/slotbeam bench --out build/bench.json

demo: $(VENV)/.dev
	$(BIN)/slotbeam world --out $(WORLD)
	$(BIN)/slotbeam train --catalog $(WORLD) --logs $(WORLD) --out model_artifacts/demo --config quick --steps 5000 --name demo-3

icecat: $(VENV)/.dev
	$(BIN)/slotbeam train --catalog $(CATALOG) --out build/icecat --config quick --teacher minilm --name icecat-2 --minutes $(MINUTES)
	$(BIN)/slotbeam eval --artifact build/icecat --catalog $(CATALOG) --teacher minilm --out build/icecat-eval

paper: $(VENV)/.dev
	$(BIN)/slotbeam paper --out $(PAPER) $(if $(wildcard $(CATALOG)),--icecat $(CATALOG)) $(if $(QUICK),--quick)

scale: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/slotbeam scale --out $(SCALE) --model model_artifacts/demo --demo model_artifacts/demo \
	  --items $(shell expr $(N) / 100),$(shell expr $(N) / 10),$(N)

COMPILE  = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
           $(if $(UPGRADE),--upgrade)

lock:
	$(COMPILE) $(LOCKS)/build.in -o $(LOCKS)/build.txt
	$(COMPILE) pyproject.toml -c $(LOCKS)/build.txt -o $(LOCKS)/serve.txt
	$(COMPILE) pyproject.toml --extra train --extra teacher --extra dev $(LOCKS)/build.in $(LOCKS)/torch.in --excludes $(LOCKS)/excluded.in \
	  -c $(LOCKS)/build.txt -c $(LOCKS)/serve.txt -o $(LOCKS)/dev.txt
	$(COMPILE) $(LOCKS)/client.in -o $(LOCKS)/client.txt

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
