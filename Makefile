# Everything runs from a virtual environment of its own; nothing but Python 3.11 or newer and make is needed.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := $(shell command -v uv 2>/dev/null)
WORKERS ?= auto
QUICK := $(addprefix tests/,core config planning catalogue checks providers notifiers reports web)
# What `make soak` plays: make soak SEEDS=1-10 DAYS=7 TARGETS=20
SEEDS ?= 1
DAYS ?= 30
TARGETS ?= 50

.PHONY: demo test quick check bench soak real drift clean

demo: $(READY) ## the sandbox, a day of recorded outage, live checks and the page
	@echo "Starting the demo: practice provider, monitor and page, no key needed. The page stands within 10 seconds; Ctrl-C ends it."
	@$(BIN)/earwitness demo

test: $(READY) check ## everything that CI runs
	@echo "Running the tests: about 8 minutes on two cores. Browser tests need a Chromium and are counted as skipped without one."
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

quick: $(READY) ## the pure core, configuration, checks, reports and pages, with fewer examples each
	@echo "Running what needs no socket and no Postgres: under a minute on two cores."
	@HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -q -n $(WORKERS) -m "not postgres and not browser" $(QUICK)

check: $(READY) ## format, lint, types and the direction of imports
	@echo "Checking format, lint, types and import contracts: about two minutes, a few seconds the next time."
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## ratios of our cost against the bare libraries, in one run
	@echo "Measuring: about 7 minutes. Read the ratios; absolute figures move with the neighbours."
	$(BIN)/python -m benchmarks

soak: $(READY) ## days of the real service on a driven clock, with planted trouble, judged by an independent judge
	@echo "Playing $(DAYS) days of $(TARGETS) targets for each of the seeds $(SEEDS): a month takes about half an hour. Any difference is printed and ends it with 1."
	$(BIN)/python -m tests.soak --days $(DAYS) --seeds $(SEEDS) --targets $(TARGETS)

real: $(READY) ## the REST pathway against a recogniser that is not ours
	@echo "Installing a Whisper server into .venv-real and asking it for real words: about 3 minutes the first time, 570 MB on disk."
	$(BIN)/python scripts/real.py

drift: $(READY) ## the practice provider beside aimock and the official SDK's types; needs Node
	@echo "Installing aimock into .aimock and asking it and the practice provider the same: under a minute, 12 MB on disk."
	npm install --silent --no-audit --no-fund --prefix .aimock @copilotkit/aimock@1.43.0
	$(BIN)/python -m pytest -q -n0 tests/sandbox/openai/test_drift.py

clean: ## forget the environments and what was built
	rm -rf $(VENV) .venv-real .aimock build dist

$(READY): pyproject.toml constraints.txt
	@echo "Preparing $(VENV) with the pinned versions: 30 seconds to 2 minutes, once."
ifdef UV
	@test -x $(BIN)/python || uv venv -q --python $(PYTHON) $(VENV)
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install -q --compile-bytecode -c constraints.txt -e '.[dev]'
else
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name one with: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
endif
	@$(BIN)/python -m compileall -q monitor  # or the first start of the demo would do it
	@touch $@
