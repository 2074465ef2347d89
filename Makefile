# `make run` and `make test` are all that a newcomer needs; `make help` lists the rest.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8080
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help run generate check conform kit test faults fuzz bench bench-security eval-routing lock audit sbom release

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

# Each stamp is newer than what it was made from, or is made again.
.venv/runtime: requirements/runtime.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "botcore needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1). Set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "› installing the locked packages into .venv (once, about half a minute)"
	@$(PYTHON) -m venv .venv || \
	  { echo "python3 -m venv failed. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/runtime.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: .venv/runtime requirements/dev.txt
	@echo "› installing the locked development packages"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

.venv/bench: .venv/dev requirements/bench.txt
	@echo "› installing the locked packages of the bench's peers"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/bench.txt
	@touch $@

run: .venv/runtime  ## start everything on this machine: PostgreSQL, Valkey, API, worker, plugins
	@exec $(BIN)/botcore up --port $(PORT)

# Editable once more: a `pip install .` leaves a copy behind, which would then run and age.
kit: .venv/dev  ## the locked packages of `botcore plugin check`, into .venv
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@echo "✓ now: $(CURDIR)/$(BIN)/botcore plugin check http://127.0.0.1:9000"

lock: .venv/dev  ## bring requirements/ up to date with pyproject.toml
	$(BIN)/uv pip compile -q --upgrade pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile -q --upgrade pyproject.toml --extra dev -c requirements/runtime.txt -o requirements/dev.txt
	$(BIN)/uv pip compile -q --upgrade pyproject.toml --extra bench -c requirements/runtime.txt -c requirements/dev.txt -o requirements/bench.txt

generate: .venv/dev  ## write generated/ from contracts/
	@$(BIN)/python -m tools.generate

check: .venv/dev  ## lint, types, contract, and whether generated/ is up to date
	@$(BIN)/python -m tools.check

# make conform URL=http://127.0.0.1:8080 ARGS='--only addDialogMessage'
conform: .venv/dev  ## try the contract on a running deployment: URL=http://host:port
	@test -n "$(URL)" || { echo "name the deployment: make conform URL=http://127.0.0.1:8080" >&2; exit 2; }
	@$(BIN)/python -m tools.conform "$(URL)" $(ARGS)

# make test ARGS='tests/unit -k json'
test: .venv/dev  ## the tests, on a PostgreSQL and a Valkey of their own; ARGS go to pytest
	@$(BIN)/pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder --failed-first --durations=5 $(ARGS)

# make faults ONLY=plugins SHORT=1 ARGS='--row kill --seed 2'
faults: .venv/dev  ## break the running system on purpose, and see what is lost: ONLY=instances|stores|plugins, SHORT=1
	@$(BIN)/python -m tests.faults $(addprefix --only ,$(ONLY)) $(if $(SHORT),--short) $(ARGS)

# make bench SHORT=1 ONLY=messages ARGS=--document
bench: .venv/bench  ## the core beside the least and the usual that does the same: build/bench.json, ONLY=<part>, SHORT=1
	@$(BIN)/python -m tests.load.bench $(addprefix --only ,$(ONLY)) $(if $(SHORT),--short) $(ARGS)

# make bench-security SHORT=1
bench-security: .venv/dev  ## what tokens cost, and what bad ones do to the others: build/security.json
	@$(BIN)/python -m tests.load.auth $(if $(SHORT),--short) $(ARGS)

# make fuzz SHORT=1 ARGS='--only url.text --seed 2'
fuzz: .venv/dev  ## the body reader and the URL guard against whatever comes, for ten minutes: SHORT=1
	@$(BIN)/python -m tests.fuzz $(if $(SHORT),--short) $(ARGS)

# make eval-routing DATA=../shared/data/clinc150
eval-routing: .venv/dev  ## how well messages are routed by their meaning: DATA=<folder with data.json>
	@test -n "$(DATA)" || { echo "name the data: make eval-routing DATA=<folder with a data.json>" >&2; exit 2; }
	@$(BIN)/python -m tests.evaluation "$(DATA)" $(if $(SHORT),--short) $(ARGS)

audit: .venv/dev  ## ask what is known against the locked packages; 2: it could not look
	@$(BIN)/python -m tools.supply.audit $(ARGS)

sbom: .venv/dev  ## write what an installation consists of into build/sbom.json (CycloneDX)
	@$(BIN)/python -m tools.supply.sbom

release: .venv/dev  ## check everything, then keep this contract as the released one
	@$(BIN)/python -m tools.release
