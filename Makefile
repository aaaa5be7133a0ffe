# Every command a contributor needs; CONTRIBUTING.md says when.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PEERS := .venv-bench
PEERS_INSTALLED := $(PEERS)/.installed
CONTRACT := openapi/openapi.json
SCRATCH_DATABASE = scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	export YHDESSA_DATABASE_URL="sqlite:///$$scratch/scratch.db"

# Most tests ask what is in a database and not whether it is on the disk, so that theirs lie in memory where there is room.
IN_MEMORY = room=$$(df -Pm /dev/shm 2>/dev/null | awk 'NR == 2 { print $$4 }' || true); \
	[ "$${room:-0}" -lt 2000 ] || export TMPDIR=/dev/shm

# Half as many processes again as there are processors, since many tests wait for a server or a deadline.
TEST_PROCESSES = $$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 ))

# Options for what is run, as in `make demo ARGS=--once` or `make test ARGS="-k period"`.
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED) ## Make .venv with everything that is needed, as the lock files say
	@:

$(INSTALLED): requirements-dev.lock pyproject.toml
	@if ! $(BIN)/python -c '' 2>/dev/null; then \
		for python in python3 python3.14 python3.13 python3.12 python3.11 none; do \
			"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
		done; \
		if [ "$$python" = none ]; then \
			echo 'Python 3.11 or newer is needed, and no such python3 is on the PATH.' >&2; exit 1; \
		fi; \
		echo "Making $(VENV) with $$("$$python" --version) ..."; \
		"$$python" -m venv --clear $(VENV) || { \
			echo 'That needs the venv module of Python; on Debian and Ubuntu: apt-get install python3-venv' >&2; \
			exit 1; \
		}; \
	fi
	@echo "Installing what requirements-dev.lock lists (a minute or two the first time) ..."
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@# As pip does with all else, so that the first start is as fast as any, also where Python may write no bytecode.
	@$(BIN)/python -m compileall -q app migrations
	@touch $@
	@echo "Ready; \`make help\` lists what there is."

.PHONY: demo
demo: install ## See the main job on real input; ARGS=--once ends by itself
	@$(BIN)/yhdessa demo $(ARGS)

.PHONY: serve
serve: install ## Serve on the database of YHDESSA_DATABASE_URL; ARGS="--port 9000"
	@$(BIN)/yhdessa serve $(ARGS)

.PHONY: test
test: install ## Run the tests that need no system package, with full branch coverage; ARGS="-k period"
	@$(IN_MEMORY); $(BIN)/python -m pytest -q -n $(TEST_PROCESSES) --dist worksteal -m "not (browser or deploy or durability or exhaustive)" --cov $(ARGS)

.PHONY: test-browser
test-browser: install ## Run the tests in headless Chromium (Debian: chromium, curl, default-jre-headless)
	@$(BIN)/python -m pytest -q -n logical -m "browser and not exhaustive" tests/browser $(ARGS)

.PHONY: test-deploy
test-deploy: install ## Have Prometheus's own tool check what deploy/ says to it (Debian: prometheus)
	@$(BIN)/python -m pytest -q -m deploy tests/test_deploy.py $(ARGS)

.PHONY: test-durability
test-durability: install ## Kill, cut and fill what the server stands on, about 3 minutes (Debian: strace)
	@$(BIN)/python -m pytest -q -n $(TEST_PROCESSES) --dist loadfile -m durability tests/durability $(ARGS)

.PHONY: soak
soak: install ## The same and all that takes minutes for more than an hour, saying how it went
	@YHDESSA_TEST_SOAK=1 $(BIN)/python -m pytest -v -m "durability or exhaustive" --log-cli-level=INFO $(ARGS)

.PHONY: bench
bench: install $(PEERS_INSTALLED) ## Measure against the limit and the peers, half an hour (Debian: wrk); ARGS="--only live"
	@$(BIN)/python -m benchmarks $(ARGS)

# Apart from ours, so that what the peers need never meets what we need.
$(PEERS_INSTALLED): requirements-bench.lock
	@echo "Installing the peers that requirements-bench.lock lists ..."
	@$(BIN)/python -m venv --clear $(PEERS)
	@$(PEERS)/bin/python -m pip install -qq --require-hashes -r requirements-bench.lock
	@touch $@

.PHONY: check
check: install ## Lint, formatting, types, and whether openapi.json is up to date
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo 'Not formatted; `make format` does it.' >&2; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/yhdessa openapi | diff -u $(CONTRACT) - || { \
		echo '$(CONTRACT) is not what the code says; `make openapi` writes it.' >&2; exit 1; }

.PHONY: format
format: install ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

.PHONY: migration
migration: install ## Write a migration from what the models say; name="add the notes"
	@test -n "$(name)" || { echo 'Say what it does: make migration name="add the notes"' >&2; exit 1; }
	@$(SCRATCH_DATABASE); $(BIN)/alembic upgrade head; $(BIN)/alembic revision --autogenerate -m "$(name)"
	@$(BIN)/ruff check --quiet --fix-only migrations
	@$(BIN)/ruff format --quiet migrations

.PHONY: openapi
openapi: install ## Write the contract into openapi/openapi.json
	@$(BIN)/yhdessa openapi > $(CONTRACT).new && mv $(CONTRACT).new $(CONTRACT) || { rm -f $(CONTRACT).new; exit 1; }

COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url

.PHONY: lock
lock: install ## Refresh the lock files from pyproject.toml; ARGS=--upgrade also renews what is not pinned there
	@$(BIN)/$(COMPILE) $(ARGS) pyproject.toml --extra postgres --extra publish -o requirements.lock
	@$(BIN)/$(COMPILE) $(ARGS) pyproject.toml --extra postgres --extra publish --extra otel -c requirements.lock -o requirements-otel.lock
	@$(BIN)/$(COMPILE) $(ARGS) --group build -o requirements-build.lock
	@$(BIN)/$(COMPILE) $(ARGS) pyproject.toml --extra postgres --extra publish --extra otel --group build --group dev --group browser \
		-c requirements.lock -c requirements-otel.lock -o requirements-dev.lock
	@$(BIN)/$(COMPILE) $(ARGS) --group bench -o requirements-bench.lock
