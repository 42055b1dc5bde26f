# Everything here sets itself up first. `make help` lists the targets.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAGE ?= localstack
ARGS ?=
DATA ?= data/mnist

.DEFAULT_GOAL := help
.PHONY: client help setup demo test simulate soak check spec format package deploy localstack bench experiments screenshots lighthouse docs docs-serve lock clean web

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.stamp web/dist/index.html ## Make .venv (with the webnn command) and build the web client

$(VENV)/.stamp: pyproject.toml constraints.txt
	@echo "Setting up $(VENV) …" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip<26.3'  # Chalice takes none newer
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e '.[local,dev,docs]' >&2
	@touch $@

web: web/dist/index.html ## Build the web client into web/dist

web/node_modules/.stamp: web/package.json web/package-lock.json
	@echo "Installing the web client's dependencies …" >&2
	@cd web && npm ci --no-audit --no-fund --loglevel=error >&2
	@touch $@

web/dist/index.html: web/node_modules/.stamp $(shell find web/src web/public web/*.html web/*.ts -type f 2>/dev/null)
	@echo "Building the web client …" >&2
	@cd web && npm run --silent build >&2
	@touch $@

client: web/node_modules/.stamp ## Build the npm package @webnn/client into web/client/dist
	@cd web && npm run --silent package

demo: setup ## Train the digits on this machine, in the browsers it has (ARGS="--clients 2"; webnn demo --help)
	@$(BIN)/webnn demo $(ARGS)

test: setup build/experiments/.stamp ## Run all tests, two parts at a time (ARGS="tests/core -x": only these of Python's)
	@$(PYTHON) localstack/install.py || echo "LocalStack cannot be set up here: its tests are skipped, by name"
ifeq ($(strip $(ARGS)),)
	@echo "Testing: $(PARTS). Each part is told of when it is over …"
	@$(MAKE) --no-print-directory --keep-going --jobs=2 $(SYNC) $(PARTS) || \
	  { echo 'Failed: which parts did, lines above say that begin with "make[1]: ***"'; exit 1; }
else
	@$(BIN)/python -m pytest $(ARGS)
endif

# Tests mostly wait, so two parts beside each other take little more than half the time. The longest begin first. Tests that
# share what is dear to start are of one part: LocalStack and the stages deployed there, or the stage that browsers look at.
PARTS := test-localstack test-browsers test-computing test-others test-web
BROWSERS := tests/browser tests/tutorials
COMPUTING := tests/fitting tests/keras tests/races tests/simulate tests/simulation
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
.PHONY: $(PARTS)

test-localstack:
	@$(BIN)/python -m pytest -m localstack

test-browsers:
	@$(BIN)/python -m pytest -m "not localstack" $(BROWSERS)

test-computing:
	@$(BIN)/python -m pytest -m "not localstack" $(COMPUTING)

test-others:
	@$(BIN)/python -m pytest -m "not localstack" $(addprefix --ignore=,$(BROWSERS) $(COMPUTING))

test-web:
	@cd web && npm run --silent test

# mkdocs-material tells at each build of what will take its place some day.
docs: export NO_MKDOCS_2_WARNING = 1
docs: setup build/typedoc/reference.md ## Build the docs site into build/docs (WEBNN_REPOSITORY=https://… links to the sources)
	@$(BIN)/mkdocs build --quiet
	@echo "Open build/docs/index.html; to search in it, too: python3 -m http.server --bind 127.0.0.1 -d build/docs 8000"

docs-serve: export NO_MKDOCS_2_WARNING = 1
docs-serve: setup build/typedoc/reference.md ## Show the docs site on this machine, and each change to it
	@$(BIN)/mkdocs serve --dev-addr 127.0.0.1:8000

build/typedoc/reference.md: web/node_modules/.stamp web/typedoc.json $(shell find web/src -name '*.ts' 2>/dev/null)
	@cd web && npx --no-install typedoc --logLevel Warn
	@touch $@

SEEDS ?= 0-9999
simulate: setup ## Live lives of a run in virtual time, amid faults (SEEDS=0-9999, or one seed to see what happens)
	@PYTHONPATH=tests:tests/simulation $(BIN)/python tests/simulation/lives.py $(SEEDS)

SOAK ?= 1800
soak: setup ## Let a merger run for half an hour and watch its memory (SOAK=1800)
	@WEBNN_SOAK_SECONDS=$(SOAK) $(BIN)/python -m pytest tests/races/test_soak.py -s

check: setup ## Lint, types, layers: all that needs no engine
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@cd web && npm run --silent check && npm run --silent lint

spec: setup ## Check the protocol's model with spin (and gcc): spec/README.md
	@$(BIN)/python -m pytest tests/spec $(ARGS)

format: setup ## Format the Python code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

package: setup ## Build the functions' deployment zip into build/package
	@AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} $(BIN)/chalice package --stage $(STAGE) build/package
	@ls -l build/package/deployment.zip

deploy: setup ## Create or update a stage: infrastructure, functions, site (STAGE=localstack|dev|prod)
	@$(BIN)/webnn deploy --stage $(STAGE) $(ARGS)

localstack: ## Set up LocalStack without Docker, for tests
	@$(PYTHON) localstack/install.py

bench: setup build/experiments/.stamp ## Take the figures of bench/README.md
	@cd web && npm run --silent bench > /dev/null
	@build/experiments/bin/python bench/run.py $(ARGS)

experiments: setup build/experiments/.stamp ## Run the experiments and write docs/experiments.md (DATA=folder with MNIST; hours)
	@build/experiments/bin/python experiments/run.py --data $(DATA) $(ARGS)
	@build/experiments/bin/python experiments/reality.py --data $(DATA)
	@build/experiments/bin/python experiments/page.py

screenshots: setup ## Write docs/images anew: every page, light, dark and on a phone
	@WEBNN_SCREENSHOTS=docs/images $(BIN)/python -m pytest -q tests/browser/test_screenshots.py

lighthouse: setup build/lighthouse/.stamp ## What Lighthouse says of every page, in Chromium (5 minutes)
	@$(BIN)/python bench/pages.py $(ARGS)

# Beside the client's own dependencies: it brings a hundred of its own, for one figure.
build/lighthouse/.stamp: Makefile
	@npm install --silent --no-audit --no-fund --prefix build/lighthouse lighthouse@13.5.0
	@touch $@

# An environment of its own, for experiments, benchmarks and tests against others' work: Flower wants other versions, and
# TensorFlow takes gigabytes.
build/experiments/.stamp: pyproject.toml
	@echo "Setting up build/experiments, with TensorFlow and Flower (2.5 GB) …" >&2
	@$(PYTHON) -m venv build/experiments
	@build/experiments/bin/pip install --quiet --disable-pip-version-check -e '.[local,simulate,tf,bench,notebook]'
	@touch $@

lock: setup ## Write the versions in .venv to constraints.txt
	@(echo "# Tested versions of everything that .venv holds, made by 'make lock'. pip reads it as constraints."; \
	  $(BIN)/pip freeze --exclude-editable | grep -v '^webnn') > constraints.txt

clean: ## Remove what was built and installed
	rm -rf $(VENV) .localstack build web/node_modules web/dist .webnn
