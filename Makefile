# One command each for trying, testing and checking. Needs Python 3.11 or newer, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check
UV ?= uv
WORKERS ?= 2
MCPB := build/node/node_modules/.bin/mcpb
CHECKERS := build/checkers
QUICK := tests/rules $(addprefix tests/upstream/test_,signing.py answers.py clean.py outcome.py) \
	tests/orders/test_order_flow.py::test_an_approved_preview_becomes_exactly_one_order
CLIENTS := build/clients
RELEASE := build/release
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make requirements'

.DEFAULT_GOAL := help
.PHONY: help demo test quick torture lint check bench load docs screenshots bundle release checkers clients setup requirements

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-14s%s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.runtime ## set up, then watch an order from preview to look-up against the sandbox
	$(BIN)/xportcn-mcp demo

test: $(VENV)/.dev ## set up, then run all tests, in two processes
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

quick: $(VENV)/.dev ## set up, then run the pure rules and one whole order on SQLite: seconds
	$(BIN)/python -m pytest -q --hypothesis-profile=quick $(QUICK)

torture: $(VENV)/.dev ## set up, then put thousands of orders through crashes, faults and races
	PYTHONPATH=tests $(BIN)/python -m torture

lint: $(VENV)/.dev ## set up, then check format, style, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

check: lint test ## everything that must pass before a commit: lint and test

bench: $(VENV)/.dev ## set up, then run tests/benchmarks
	$(BIN)/python -m pytest tests/benchmarks

load: $(VENV)/.dev ## set up, then put one, two and three replicas under load (needs nginx and PostgreSQL)
	$(BIN)/python -m pytest tests/benchmarks/test_load.py

docs: $(VENV)/.dev ## rewrite what follows from the program: tables, .env.example, server.json, the manifest's texts, the skill
	PYTHONPATH=tests $(BIN)/python -m package.pages
	XPORTCN_TEST_WRITE_SNAPSHOTS=1 $(BIN)/python -m pytest -q -k 'tools_and_prompts or names_the_versions' \
		tests/package/test_bundle.py tests/conformance/test_conformance_page.py

bundle: $(MCPB) ## write dist/xportcn-mcp.mcpb for Claude Desktop, checked by the official packer (needs npm)
	$(PYTHON) bundle/stage.py
	$(MCPB) validate build/bundle/manifest.json
	$(MCPB) pack build/bundle dist/xportcn-mcp.mcpb

release: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
release: $(VENV)/.dev $(RELEASE)/.release ## write wheel, sdist, bundle, SBOM and checksums into dist/, and install each (needs npm)
	@test -z "$$(git status --porcelain)" || { echo "make release: commit first; a release is of a commit" >&2; exit 1; }
	rm -rf dist
	$(MAKE) bundle
	$(BIN)/python -m hatchling build
	$(RELEASE)/release/$(notdir $(BIN))/cyclonedx-py requirements requirements/runtime.txt --pyproject pyproject.toml \
		--output-reproducible --output-file dist/xportcn-mcp.cdx.json
	$(RELEASE)/release/$(notdir $(BIN))/twine check --strict dist/*.whl dist/*.tar.gz
	PYTHONPATH=tests $(BIN)/python -m package.release

screenshots: $(VENV)/.dev ## set up, then write docs/pictures: the demo, and the page for people (needs chromium, and a Chinese font)
	PYTHONPATH=tests $(BIN)/python -m people.demo_picture
	PYTHONPATH=tests $(BIN)/python -m page.screenshots

checkers: $(CHECKERS)/.node $(CHECKERS)/.python ## set up third-party checkers of MCP servers; `make test` uses them (needs npm)

clients: $(addprefix $(CLIENTS)/.,node clients clients-mcp1) ## set up clients that people use; `make test` orders through each (needs npm)

setup: $(VENV)/.dev ## make .venv with the pinned packages, the program and the tools

# What the files hold besides what pyproject.toml and dev.in name: the build, for `pip install -e`; injection
# texts that others published, for tests, without the dependencies of those packages; checkers of MCP servers;
# clients that people use, for tests/clients and examples/, in two environments: some need mcp 1, some mcp 2.
BUILD := editables 'hatchling>=1.27'
CORPORA := agent-injection-bench agentdojo
CLIENTS_MCP2 := fastmcp openai-agents 'pydantic-ai-slim[mcp]'
CLIENTS_MCP1 := langchain 'langchain-mcp-adapters>=0.3.2' 'mcp-use>=1.7.1'
RELEASE_TOOLS := 'twine>=6' 'cyclonedx-bom>=7'
CHECKER_PINS := mcp-toolproof==0.3.1 hypothesis==6.150.0 mcp-toolgauge==0.1.0 mcp-triage==0.5.0

requirements: ## rewrite the pinned requirement files with the newest versions allowed (needs uv)
	printf '%s\n' $(BUILD) | $(COMPILE) --upgrade pyproject.toml - -o requirements/runtime.txt
	printf '%s\n' $(BUILD) | $(COMPILE) --upgrade --extra postgres --extra otel \
		-c requirements/runtime.txt pyproject.toml - -o requirements/server.txt
	$(COMPILE) --upgrade requirements/dev.in -o requirements/dev.txt
	printf '%s\n' $(CORPORA) | $(COMPILE) --upgrade --no-header --no-deps - >> requirements/dev.txt
	printf '%s\n' $(CHECKER_PINS) | $(COMPILE) --upgrade - -o requirements/checkers.txt
	printf '%s\n' $(RELEASE_TOOLS) | $(COMPILE) --upgrade - -o requirements/release.txt
	printf '%s\n' $(CLIENTS_MCP2) | $(COMPILE) --upgrade - -o requirements/clients.txt
	printf '%s\n' $(CLIENTS_MCP1) | $(COMPILE) --upgrade - -o requirements/clients-mcp1.txt

# A stamp for each stage: done once, and again when what it depends on has changed. The program's metadata is in
# pyproject.toml, so a change there (a console script, say) installs the program again.
$(VENV)/.runtime: requirements/runtime.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "xportcn-mcp needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes -r requirements/runtime.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	$(PIP) install --quiet --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

$(MCPB):
	npm install --no-save --no-package-lock --ignore-scripts --prefix build/node @anthropic-ai/mcpb@2.1.2

# Node comes as the package for this platform: the package `node` would fetch it in an install script, and no
# install script runs here.
$(CHECKERS)/.node: requirements/node.txt
$(CLIENTS)/.node: requirements/clients-node.txt
$(CHECKERS)/.node $(CLIENTS)/.node:
	rm -rf $(@D)/node
	npm install --no-save --no-package-lock --no-audit --no-fund --loglevel=error --ignore-scripts \
		--prefix $(@D)/node $$(grep -v '^#' $< | \
		sed "s/^node@/node-$$(node -p 'process.platform.replace("32", "") + "-" + process.arch')@/")
	@touch $@

$(CHECKERS)/.python: requirements/checkers.txt | $(VENV)/.runtime
	$(PYTHON) -m venv --clear --without-pip $(CHECKERS)/python
	$(PIP) --python $(CHECKERS)/python/$(notdir $(BIN))/python install --quiet --no-compile --require-hashes -r $<
	@touch $@

$(CLIENTS)/.% $(RELEASE)/.%: requirements/%.txt | $(VENV)/.runtime
	$(PYTHON) -m venv --clear --without-pip $(@D)/$*
	$(PIP) --python $(@D)/$*/$(notdir $(BIN))/python install --quiet --no-compile --require-hashes -r $<
	@touch $@
