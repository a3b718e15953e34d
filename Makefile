# MCPP: `make run` serves, `make demo` shows a session, `make test-fast` tests, `make check` is what CI runs.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
EXTRAS ?=

# EXTRAS=otlp,mqtt: what pyproject.toml has under optional-dependencies, pinned in requirements-NAME.txt.
COMMA := ,
KNOWN_EXTRAS := $(filter-out build dev,$(patsubst requirements-%.txt,%,$(wildcard requirements-*.txt)))
UNKNOWN_EXTRAS := $(filter-out $(KNOWN_EXTRAS),$(subst $(COMMA), ,$(EXTRAS)))
ifneq ($(UNKNOWN_EXTRAS),)
$(error EXTRAS has no $(UNKNOWN_EXTRAS); there are: $(KNOWN_EXTRAS))
endif
INSTALLED_EXTRAS = $(patsubst %,$(VENV)/.extra-%,$(subst $(COMMA), ,$(EXTRAS)))

# sqlc finds its plugin, and the tools find each other, on this path.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Processes start twice as fast where compiled modules are kept.
unexport PYTHONDONTWRITEBYTECODE

# Most tests wait, for processes or for moments: with more workers than processors nothing stands still meanwhile.
WORKERS := $(shell echo $$(( 2 * $$(getconf _NPROCESSORS_ONLN) )))

.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-fast bench walk walks hostile kills fuzz soak screenshots viewers generate check check-static format lint security types imports drift requirements clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.runtime $(INSTALLED_EXTRAS) ## Install MCPP into .venv; with EXTRAS=otlp,mqtt what these need, too

run: $(VENV)/.runtime $(INSTALLED_EXTRAS) ## Run the central system; settings as ARGS="--ocpp-port 9001" or MCPP_ variables
	@exec $(BIN)/mcpp serve $(ARGS)

demo: $(VENV)/.runtime ## Show a charging session of one virtual charger; VERSION=2.0.1 or 2.1 of OCPP instead of 1.6
	@exec $(BIN)/python -m tools.demo $(if $(VERSION),--version '$(VERSION)') $(ARGS)

test: $(VENV)/.dev ## Run all tests as CI does; one file or word as ARGS="tests/unit -k writer"
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --hypothesis-profile=ci $(ARGS)

test-fast: $(VENV)/.dev ## Run the unit and contract tests, in half a minute
	$(BIN)/pytest -n $(WORKERS) --dist worksteal tests/unit tests/contract $(ARGS)

bench: $(VENV)/.dev ## Compare MCPP with the ocpp package and a bare echo; writes docs/performance.md in six minutes
	$(BIN)/python -m tools.bench compare --write docs/performance.md $(ARGS)

walk: $(VENV)/.dev ## List the files that each kind of message runs through
	@$(BIN)/python -m tools.walk

walks: $(VENV)/.dev ## Let chargers walk at random through 20,000 sessions and judge the books, in ten minutes
	@$(BIN)/python -m tests.walks $(ARGS)

hostile: $(VENV)/.dev ## Let one bad client attack in every way there is, beside a healthy charger, in fifteen minutes
	@$(BIN)/python -m tests.campaigns.hostile $(ARGS)

kills: $(VENV)/.dev ## Kill the server 200 times under load and compare the books with the chargers' own, in fifteen minutes
	@$(BIN)/python -m tests.campaigns.kills $(ARGS)

fuzz: $(VENV)/.dev ## Take two million spoiled frames, then more of them over sockets, in twenty minutes
	@$(BIN)/python -m tests.campaigns.fuzz $(ARGS)

soak: $(VENV)/.dev ## Let 500 chargers come and go for an hour and say what grows
	@$(BIN)/python -m tests.campaigns.soak $(ARGS)

screenshots: $(VENV)/.dev ## Take pictures of each page into docs/screenshots, with Debian's chromium (and pngquant)
	@$(BIN)/python -m tools.screenshots $(ARGS)

viewers: $(VENV)/.dev ## Let twenty people watch fifty chargers, and say what it costs and what a charger waits
	@$(BIN)/python -m tests.campaigns.viewers $(ARGS)

generate: $(VENV)/.dev ## Regenerate generated/ from contracts/ and queries/, and the dashboards
	$(BIN)/python -m tools.contract generate
	$(BIN)/python -m tools.sqlc_plugin generate
	$(BIN)/python -m tools.dashboards

check: check-static test ## Format, lint, security, types, import contracts, generated-code drift and tests

check-static: format lint security types imports drift ## Everything in check but the tests

format: $(VENV)/.dev ## Check the format
	$(BIN)/ruff format --check .

lint: $(VENV)/.dev ## Check with the linter
	$(BIN)/ruff check .

security: $(VENV)/.dev ## Check with bandit what the linter doesn't
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive mcpp tools

types: $(VENV)/.dev ## Check the types
	$(BIN)/mypy

imports: $(VENV)/.dev ## Check the import contracts
	$(BIN)/lint-imports --no-cache

drift: generate ## Generate, and check that nothing differs from what is committed
	@git diff --exit-code --stat -- $(GENERATED) || { echo "generated files differ from their sources: commit what 'make generate' wrote"; exit 1; }
	@test -z "$$(git ls-files --others --exclude-standard -- $(GENERATED))" || { echo "'make generate' wrote files that git doesn't know"; exit 1; }

GENERATED := generated deploy/grafana/dashboards

requirements: $(VENV)/.dev ## Pin the dependencies anew, with hashes
	$(BIN)/pip-compile $(PIN) --output-file requirements-build.txt requirements-build.in
	$(BIN)/pip-compile $(PIN) --output-file requirements.txt pyproject.toml
	for extra in mqtt notify otlp otlp-grpc; do \
		$(BIN)/pip-compile $(PIN) --extra $$extra --constraint requirements.txt --output-file requirements-$$extra.txt pyproject.toml || exit; \
	done
	$(BIN)/pip-compile $(PIN) --extra dev --constraint requirements.txt --constraint requirements-build.txt --output-file requirements-dev.txt pyproject.toml

PIN := --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header \
       --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

clean: ## Remove the environment and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.runtime: requirements.txt requirements-build.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.extra-%: requirements-%.txt $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
