# make sna and make test are each enough on a fresh clone; everything they install goes into .venv.
# Only relative paths are used, so that the clone's own path may hold spaces.

PYTHON ?= python3
JOBS ?= 2
# The order of the tests: another number is another order, the same number the same one.
ORDER ?= 20260401
PY := .venv/bin/python
RISKMODEL := .venv/bin/riskmodel
PLATFORMS := x86_64-pc-windows-msvc x86_64-manylinux_2_28 aarch64-manylinux_2_28 aarch64-apple-darwin x86_64-apple-darwin
PYTHONS := 3.11 3.14

# A stamp carries the checksum of all that was installed from, so a second run installs nothing and a changed lock does.
fingerprint = $(shell { pwd; cat pyproject.toml $(1); } 2>/dev/null | cksum | cut -d' ' -f1)
CORE := .venv/core-$(call fingerprint,requirements/core.lock requirements/build.lock requirements/installer.lock).stamp
DEV := .venv/dev-$(call fingerprint,requirements/dev.lock).stamp

# uv is quick; pip is the way where uv cannot be had, or where only pip knows the organisation's package mirror.
define install
$(PY) -m uv pip install --python $(PY) $(1) || { \
	echo "uv did not manage; going on with pip, which takes a few minutes"; $(PY) -m pip install --progress-bar on $(2); }
endef
from_lock = $(call install,--require-hashes -r $(1),--require-hashes --only-binary :all: -r $(1))

.PHONY: help sna openmp browser test lint format types imports dependencies tests coverage docs bench bench-audit bench-pages lock clean
.NOTPARALLEL:

help:
	@echo "make sna     install into .venv, build the synthetic region, write its assessment"
	@echo "make test    lint, format, types, import rules, dependencies, tests and doctests"
	@echo "make bench   accuracy and speed beside other libraries, into docs/benchmarks.md (make bench DATA=FOLDER)"
	@echo "make bench-audit  the fairness audit alone, in regions whose truth is known, into docs/benchmarks.md"
	@echo "make bench-pages  weight and loading time of the pages of 1,500 areas, into docs/benchmarks.md"
	@echo "make docs    write the reference pages of the documentation and the README's pictures"
	@echo "make lock    refresh requirements/*.lock (make lock UPGRADE=--upgrade for newer versions)"
	@echo "make clean   remove .venv, build/ and caches; mlruns/ stays"

$(CORE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "riskmodel needs Python 3.11 or newer, and '$(PYTHON)' is not."; \
		echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	@rm -f .venv/*.stamp
	$(PY) -m pip install --quiet --require-hashes --only-binary :all: -r requirements/build.lock
	@$(PY) -m pip install --quiet --require-hashes --only-binary :all: -r requirements/installer.lock \
		|| echo "uv could not be installed"
	@$(call from_lock,requirements/core.lock)
	@$(call install,--no-deps --no-build-isolation --reinstall-package riskmodel -e .,--no-deps --no-build-isolation -e .)
	@touch $@

$(DEV): $(CORE)
	@$(call from_lock,requirements/dev.lock)
	@touch $@

# LightGBM's wheel leaves the OpenMP library to the system; bare machines lack it.
openmp: $(CORE)
	@said=$$($(PY) -c 'import lightgbm' 2>&1) || { \
		printf '%s\n' "$$said" | tail -n 1; \
		printf '%s\n' "$$said" | grep -qE 'lib(g|i)?omp' || exit 1; \
		sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo "; \
		if command -v apt-get >/dev/null; then mend="$${sudo}apt-get install -y libgomp1"; \
		elif command -v dnf >/dev/null; then mend="$${sudo}dnf install -y libgomp"; \
		elif command -v brew >/dev/null; then mend="brew install libomp"; \
		else mend="your system's command to install libgomp, the GNU OpenMP library"; fi; \
		echo "LightGBM needs a system library that this machine lacks. Run this, then make $(MAKECMDGOALS) again:"; \
		echo "  $$mend"; exit 1; }

define demo
$(RISKMODEL) init . --synthetic
$(RISKMODEL) run demo --out build/demo
endef

sna: openmp
	$(demo)
	@echo
	@echo "The assessment of the synthetic region lies in build/demo. Read first:"
	@echo "  build/demo/index.html              the assessment, on one page; places/ and partners/ hold theirs"
	@echo "  build/demo/fairness.html           what the audit found, what it cannot see, and what is to be decided"
	@echo "  build/demo/forecast.html           what is expected, how sure that is, and how good the forecast has been"
	@echo "  build/demo/model.html              what it leans on, and which conditions are found with recorded violence"
	@echo "  build/demo/tables/leaderboard.csv  is any model better than counting the last twelve months?"
	@echo "  build/demo/tables/quality.csv      what happened to every row of the published files"
	@echo "Does it hold? Every file and every number: $(RISKMODEL) verify build/demo"
	@echo "Next, the same on published files (README, 'Real data', lists them):"
	@echo "  $(RISKMODEL) run gloucestershire --data FOLDER --out build/gloucestershire"

test: lint format types imports dependencies tests

lint: $(DEV)
	@echo "== lint: ruff check"
	@$(PY) -m ruff check

format: $(DEV)
	@echo "== format: ruff format --check"
	@$(PY) -m ruff format --check

types: $(DEV)
	@echo "== types: mypy --strict"
	@$(PY) -m mypy

imports: $(DEV)
	@echo "== import rules: import-linter"
	@$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

dependencies: $(DEV)
	@echo "== dependencies: deptry"
	@$(PY) -m deptry src

BROWSER = for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do \
	command -v $$name >/dev/null && exit 0; done; exit 1

# Debian's own browser, where there is none and the user may install it.
browser:
	@($(BROWSER)) || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& echo "== browser: installing chromium" && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
		|| echo "No browser here, and none could be installed: the browser tests will not run."

tests: $(DEV) openmp browser
	@echo "== tests and doctests: pytest"
	@if ($(BROWSER)); then $(PY) -m pytest -n $(JOBS) --randomly-seed=$(ORDER); else \
		$(PY) -m pytest -n $(JOBS) --randomly-seed=$(ORDER) -m "not browser"; status=$$?; \
		echo "These tests need a browser (chromium or chrome) and did NOT run:"; \
		$(PY) -m pytest --collect-only -q -m browser tests/browser | grep '::'; \
		[ $$status = 0 ] && exit 1; exit $$status; fi

# The pictures are of the demo as build/demo has it, which is built where there is none.
build/demo/manifest.json: | openmp
	$(demo)

docs: $(CORE) build/demo/manifest.json
	$(PY) -m riskmodel.workflow.reference docs/reference
	$(PY) -m riskmodel.workflow.readme_pictures build/demo docs/pictures

coverage: $(DEV) openmp
	$(PY) -m coverage run -m pytest
	$(PY) -m coverage report

# Twenty minutes and 8 GB. What it compares with goes into environments of its own, for it changes nothing here.
# Accuracy is measured on Gloucestershire's published files; SECTIONS=accuracy measures that alone.
DATA ?= $(or $(RISKMODEL_DATA),../shared/data)
SECTIONS ?=
define beside
$(PY) -m venv .venv/$(1)
$(PY) -m uv pip install --python .venv/$(1) --require-hashes -r requirements/$(1).lock \
	|| .venv/$(1)/bin/python -m pip install --require-hashes --only-binary :all: -r requirements/$(1).lock
endef

bench: openmp
	$(call beside,bench)
	$(call beside,rivals)
	$(PY) -m pip --python .venv/bench install --quiet --require-hashes --only-binary :all: -r requirements/build.lock
	$(PY) -m pip --python .venv/bench install --quiet --no-deps --no-build-isolation -e .
	.venv/bench/bin/python benchmarks/all.py docs/benchmarks.md $(SECTIONS) --data "$(DATA)" --rivals .venv/rivals/bin/python

# Twenty minutes: false alarms and power of the fairness audit in invented regions, and how long England takes.
bench-audit: $(CORE)
	$(PY) benchmarks/all.py docs/benchmarks.md audit fairness_speed

# A minute, and the browser that the tests use.
bench-pages: $(DEV)
	$(PY) benchmarks/all.py docs/benchmarks.md pages

COMPILE = $(PY) -m uv pip compile --universal --fork-strategy fewest --only-binary :all: --generate-hashes \
	--no-emit-index-url --no-annotate --no-header --quiet $(UPGRADE)

lock: $(CORE)
	$(COMPILE) pyproject.toml -c requirements/constraints.txt -o requirements/core.lock
	$(COMPILE) pyproject.toml --all-extras --group dev -c requirements/core.lock -o requirements/dev.lock
	$(COMPILE) pyproject.toml --group bench -c requirements/core.lock -o requirements/bench.lock
	$(COMPILE) --group rivals -o requirements/rivals.lock
	$(COMPILE) --group build -o requirements/build.lock
	$(COMPILE) --group installer -o requirements/installer.lock
	@for lock in requirements/*.lock; do for platform in $(PLATFORMS); do for python in $(PYTHONS); do \
		$(PY) -m uv pip compile "$$lock" --no-deps --only-binary :all: --quiet --python-platform $$platform \
			--python-version $$python >/dev/null || { echo "$$lock lacks a wheel for $$platform, Python $$python"; exit 1; }; \
	done; done; done
	@echo "every locked package has a wheel for: $(PLATFORMS); Python $(PYTHONS)"

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
