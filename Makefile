# Every target does its own set-up: python3, make and a package registry are all it needs,
# and npm and PostgreSQL's programs for the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# What stands in for Azure's Blob service and Service Bus in the tests.
STAND_INS := dev/azurite/node_modules/.ready dev/service_bus/node_modules/.ready
SOURCES := services dev tests benchmarks docs/examples
# The modules that run inside an orchestration: no clock, no randomness (see pyproject.toml).
DETERMINISTIC := $(addprefix services/shared/monitor_core/,channels contract kinds notices.py pace.py schedule.py) \
	$(addprefix services/worker/monitor_worker/,commands.py delivering.py events.py explaining.py notices.py orchestrator.py policy.py reports.py versions.py views.py)

.DEFAULT_GOAL := help
.PHONY: help bench demo test lint types imports security unit holes faults soak up-smoke histories reference screenshots lock format clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Durable Monitor needs Python 3.11 or newer: make PYTHON=python3.13 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# Node.js comes with the machine, as Python does; what it runs is locked.
$(STAND_INS): %/node_modules/.ready: %/package.json %/package-lock.json
	@command -v node >/dev/null && command -v npm >/dev/null \
		|| { echo "The tests need Node.js 20 or newer with npm: they run against $*" >&2; exit 1; }
	@echo "Installing the locked packages into $*/node_modules ..."
	@npm ci --prefix $* --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

demo: $(READY) ## Monitor a real HTTP job with the scheduler, the worker and the job on this machine
	@$(BIN)/python dev/demo.py

test: lint types imports security unit ## Lint, types, import rules, security and all tests

lint: $(READY)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff check --select TID251 $(DETERMINISTIC)
	$(BIN)/ruff format --check $(SOURCES)

types: $(READY)
	$(BIN)/mypy $(SOURCES)

imports: $(READY)
	PYTHONPATH=services/shared:services/worker:services/client-scheduler $(BIN)/lint-imports

# References to secrets, and the forms that documents show, are none.
NO_SECRET := ^(env:MONITOR_SECRET_\w+|MONITOR_SECRET_\w+|password|whsec_.*|env:MONITOR_SECRET_.*|https://(hooks\.slack\.com/services/T000/B000/XXXX|prod-00\.westeurope\.logic\.azure\.com/.*))$$
# Tests and lock files are full of what looks like one: secrets that are planted, and hashes.
SCANNED := $(shell git ls-files 2>/dev/null | grep -vE '^(tests/|dev/.*-lock\.json|.*requirements.*\.txt)')

security: $(READY) ## bandit, secrets, workflows, licences; the images' SBOMs go to dist/
	$(BIN)/bandit --quiet --recursive --severity-level medium services
	$(BIN)/detect-secrets-hook --exclude-secrets '$(NO_SECRET)' $(SCANNED)
	$(BIN)/zizmor --offline --no-progress --quiet .github
	PYTHONPATH=dev $(BIN)/python -m licences
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements services/worker/requirements.txt --output-file dist/worker.cdx.json
	$(BIN)/cyclonedx-py requirements services/client-scheduler/requirements.txt --output-file dist/client-scheduler.cdx.json

unit: $(READY) $(STAND_INS)
	$(BIN)/pytest -n 3 --dist worksteal

holes: $(READY) ## Plant every hole of tests/security/planted.yaml, and see that it is found
	HOLES=all $(BIN)/pytest -n 2 tests/security/test_security_holes.py

faults: $(READY) ## The tests of what may go wrong, the long ones too: outages, restarts, kills (about 5 minutes)
	$(BIN)/pytest tests/faults -m "" -n 4 --dist worksteal

up-smoke: ## Rehearse docker-compose.yml with a killed worker and a paused scheduler (needs Docker)
	@cd dev && $(PYTHON) -m up_smoke

format: $(READY) ## Format and mend what can be mended
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

bench: $(READY) ## Measure what is claimed of costs, and write docs/benchmarks.md
	@$(BIN)/python -m benchmarks

soak: $(READY) ## Thousands of monitors while workers die: SOAK_MINUTES (30); writes docs/reliability.md
	@$(BIN)/python -m benchmarks.soak

histories: $(READY) ## Record the histories that a new version of the orchestrator lacks
	PYTHONPATH=tests:services/shared:services/worker $(BIN)/python -m support.record

reference: $(READY) ## Write the pages of docs/ that are generated from the code
	PYTHONPATH=dev:services/shared:services/client-scheduler $(BIN)/python -m reference

screenshots: $(READY) ## Make the pictures of the web page in docs/ anew (needs Chromium)
	PYTHONPATH=tests:dev:services/shared:services/worker:services/client-scheduler \
		$(BIN)/python -m browser.screenshots docs/screenshots

LOCK := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --upgrade
# The image has every driver.
WORKER := $(addprefix --extra ,worker blob event-grid grpc key-vault service-bus sql telemetry)
# The images of dev/ need a part of what is developed with, in the same versions.
LOCK_DEV := $(LOCK) --constraints requirements-dev.txt
lock: ## Renew the locked dependencies (installs uv first where there is none)
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/pip install --quiet uv; }
	$(LOCK) pyproject.toml $(WORKER) --output-file services/worker/requirements.txt
	$(LOCK) pyproject.toml --extra client --extra telemetry --output-file services/client-scheduler/requirements.txt
	$(LOCK) pyproject.toml $(WORKER) --extra client --group dev --output-file requirements-dev.txt
	$(LOCK_DEV) --group pyproject.toml:simulator --output-file dev/job_simulator/requirements.txt
	$(LOCK_DEV) --group pyproject.toml:local-scheduler --output-file dev/local_scheduler/requirements.txt
	npm update --prefix dev/azurite --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
	npm update --prefix dev/service_bus --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean: ## Remove what was installed, and every cache
	rm -rf $(VENV) dev/azurite/node_modules dev/service_bus/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
