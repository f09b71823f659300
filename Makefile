# One verb a task. Everything is installed into .venv from constraints/, whose hashes pip checks.
# Only Python 3.11 or newer and make are expected of the machine.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PYTEST_ARGS ?=
SIDE_BY_SIDE := tests/unit tests/wire
ARGS ?= --python 3.12 --arch x86_64
PACKAGES := logger_extension deploy lambda_sandbox otlp_viewer cost_report web_view logger_extension_cli
BUILDER := go.opentelemetry.io/collector/cmd/builder@v0.159.0
COMPILE = uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header \
  --upgrade -c constraints/limits.in

.DEFAULT_GOAL := help
.PHONY: help demo web demo-web view pictures layer check test otelcol bench bench-full bench-guard \
  bench-profile bench-memory bench-worker reliability constraints clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.stamp: constraints/demo.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r constraints/demo.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/web.stamp: constraints/web.txt $(VENV)/demo.stamp
	$(PIP) install --require-hashes -r constraints/web.txt
	@touch $@

$(VENV)/layer.stamp: constraints/layer-builder.txt $(VENV)/demo.stamp
	$(PIP) install --require-hashes -r constraints/layer-builder.txt
	@touch $@

# Two of CDK's packages hold the same file, so it is installed in the order of dependencies. All of dev
# cannot be: with hashes, pip does not find its way through boto3's extras.
$(VENV)/dev.stamp: constraints/dev.txt constraints/deploy.txt $(VENV)/demo.stamp
	$(PIP) install --require-hashes -r constraints/deploy.txt
	$(PIP) install --require-hashes --no-deps -r constraints/dev.txt
	@touch $@

demo: $(VENV)/demo.stamp ## a local Lambda, the extension and a collector: see a trace
	@$(BIN)/logger-extension demo

web: $(VENV)/web.stamp ## install what the web view and the cost report need

demo-web: $(VENV)/web.stamp ## the same, to look at in a browser
	@$(BIN)/logger-extension demo --web

view: $(VENV)/web.stamp ## a page at 127.0.0.1:4319 for whatever sends OTLP there
	@$(BIN)/logger-extension view

layer: $(VENV)/layer.stamp ## the zip of the layer: make layer ARGS="--python 3.13 --arch arm64"
	$(BIN)/logger-extension layer build $(ARGS)

pictures: $(VENV)/dev.stamp ## the pictures in docs/ (those of the pages need chromium)
	$(BIN)/logger-extension demo --svg docs/pictures/demo.svg > /dev/null
	$(BIN)/python -m docs.take_screenshots

check: $(VENV)/dev.stamp ## format, lint, types, import rules, shell, spelling, security
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/shellcheck launcher/logger-extension .ci/run tests/support/namespace.sh \
	  benchmarks/noop/noop-extension tests/support/runtimes/runtime.bash \
	  benchmarks/runtimes/waiting-runtime benchmarks/profiled/python3
	$(BIN)/codespell
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(PACKAGES)
	$(BIN)/python .ci/audit.py $(BIN)/pip-audit constraints/demo.txt constraints/dev.txt

otelcol: $(BIN)/python ## the collector that deploy/collector is tried with (needs Go, 4 minutes)
	cd deploy/collector && go run $(BUILDER) --config=builder.yaml
	mkdir -p $(VENV)/share/otelcol && cp deploy/collector/build/otelcol $(VENV)/share/otelcol/

# What starts no Lambda runs on all cores; what does would disturb itself.
test: $(VENV)/dev.stamp ## everything, with the real emulator, runtime and collector
	$(BIN)/pytest $(or $(PYTEST_ARGS),-n auto --dist loadfile $(SIDE_BY_SIDE))
	$(if $(PYTEST_ARGS),,$(BIN)/pytest tests $(SIDE_BY_SIDE:%=--ignore=%))

bench: $(VENV)/dev.stamp ## what a user pays: docs/benchmarks.md, in 3 minutes (PEERS="name=DIR …")
	$(BIN)/python -m benchmarks --page --output build/benchmarks.jsonl $(foreach p,$(PEERS),--peer $(p))

bench-full: $(VENV)/dev.stamp ## the same over all sizes, policies, distances and protocols
	$(BIN)/python -m benchmarks --full --page --output build/benchmarks-full.jsonl \
	  $(foreach p,$(PEERS),--peer $(p))

bench-guard: $(VENV)/dev.stamp ## the ratios that must not get worse, in a minute
	$(BIN)/python -m benchmarks --guard

bench-profile: $(VENV)/dev.stamp ## flame graphs and the tree of imports, into build/profiles
	$(BIN)/python -m benchmarks --profile build/profiles

bench-memory: $(VENV)/dev.stamp ## resident memory: steady, in a flood, by import and library
	$(BIN)/python benchmarks/memory.py

bench-worker: $(VENV)/dev.stamp ## encoding in the loop, a thread or a process of its own
	$(BIN)/python benchmarks/encoding_worker.py

reliability: $(VENV)/dev.stamp ## every fault played once: docs/reliability.md
	$(BIN)/python -m benchmarks.reliability

constraints: ## resolve the newest versions into constraints/ (needs uv)
	$(COMPILE) --extra dev -o constraints/dev.txt pyproject.toml constraints/build.in
	$(COMPILE) --extra viewer -c constraints/dev.txt -o constraints/demo.txt \
	  pyproject.toml constraints/build.in
	$(COMPILE) --extra web --extra clickhouse -c constraints/dev.txt -o constraints/web.txt \
	  pyproject.toml constraints/build.in
	$(COMPILE) --extra deploy -c constraints/dev.txt -o constraints/deploy.txt pyproject.toml
	$(COMPILE) --extra layer -c constraints/dev.txt -o constraints/layer-builder.txt pyproject.toml
	$(COMPILE) -c constraints/dev.txt -o constraints/layer.txt pyproject.toml
	$(COMPILE) -c constraints/dev.txt --extra aws -o constraints/layer-aws.txt pyproject.toml
	$(COMPILE) -c constraints/dev.txt --extra grpc -o constraints/layer-grpc.txt pyproject.toml

clean: ## remove what make made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
