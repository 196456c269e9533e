# Everything a fresh clone needs: `make serve` to run it, `make check` and `make test` before a commit.

VENV    := .venv
BIN     := $(VENV)/bin
LOCKED  := $(BIN)/python -m pip install --quiet --no-input --require-hashes --only-binary=:all:
# The system's certificates, as pip: a company's proxy may sign its own.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version=3.11 --fork-strategy=fewest --generate-hashes \
           --no-emit-index-url --annotation-style=line --system-certs --custom-compile-command='make lock' $(ARGS)
CHECKS  := 'ruff format --check .' 'ruff check .' mypy 'lint-imports --no-logo'

# A stamp is newer than its locks once they are installed, so a second run starts without asking pip anything.
CREATED := $(VENV)/.created
RUNTIME := $(VENV)/.runtime
DEV     := $(VENV)/.dev
JS      := tests/clients/js
NPM     := $(JS)/node_modules/.package-lock.json

# Only from the command line: some shells and platforms export a HOST or PORT that means something else.
ifeq ($(origin HOST),command line)
SERVE_ARGS += --host $(HOST)
endif
ifeq ($(origin PORT),command line)
SERVE_ARGS += --port $(PORT)
endif

.DEFAULT_GOAL := help
.PHONY: help serve test test-clients check bench lock clean

help: ## Show what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

serve: $(RUNTIME) ## Serve the demo shop on http://127.0.0.1:8000 (HOST=, PORT=, ARGS=)
	@exec $(BIN)/authsrv serve --demo $(SERVE_ARGS) $(ARGS)

test: $(DEV) ## Run all tests (PYTEST_ARGS=)
	@.ci/system-packages postgresql pgbouncer redis-server chromium
	@exec $(BIN)/python -m pytest $(PYTEST_ARGS)

test-clients: $(DEV) $(NPM) ## Run other people's client libraries, and the pages in Chromium (PYTEST_ARGS=)
	@.ci/system-packages chromium
	@exec $(BIN)/python -m pytest tests/clients $(PYTEST_ARGS)

check: $(DEV) ## Check formatting, lint, types and floors
	@failed=0; for check in $(CHECKS); do echo "== $$check"; $(BIN)/$$check || failed=1; done; exit $$failed

bench: $(DEV) ## Measure what a request costs (ARGS=)
	@.ci/system-packages wrk
	@exec $(BIN)/python -m bench $(ARGS)

# Each lock obeys the one before it, so they can stand in one environment together.
lock: $(DEV) ## Lock the dependencies again (ARGS=--upgrade for newer versions)
	$(COMPILE) --output-file=requirements.lock pyproject.toml
	$(COMPILE) --output-file=requirements-build.lock --constraints=requirements.lock --group=build
	$(COMPILE) --output-file=requirements-dev.lock --constraints=requirements.lock \
	    --constraints=requirements-build.lock --group=dev pyproject.toml

# var/ stays: it holds the database and the keys that opened it.
clean: ## Remove what make made, but no data
	rm -rf $(VENV) $(JS)/node_modules build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find authsrv bench tests -name __pycache__ -prune -exec rm -rf {} +

# A lock that changed asks for a new environment: pip adds what it gained, but leaves what it lost.
$(CREATED): requirements.lock requirements-build.lock requirements-dev.lock
	@.ci/make-venv $(VENV)
	@touch $@

$(RUNTIME): $(CREATED) pyproject.toml
	@echo 'Installing the locked dependencies into $(VENV) ...'
	@$(LOCKED) -r requirements.lock -r requirements-build.lock
	@$(BIN)/python -m pip --isolated install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUNTIME)
	@echo 'Installing the locked development tools into $(VENV) ...'
	@$(LOCKED) -r requirements-dev.lock
	@touch $@

# npm writes this file last.
$(NPM): $(JS)/package.json $(JS)/package-lock.json
	@.ci/system-packages nodejs npm
	@echo 'Installing the locked npm packages into $(JS)/node_modules ...'
	@npm ci --prefix $(JS) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
