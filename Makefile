# Two commands on a fresh machine: `make demo` and `make test`. Everything else is listed by `make help`.

.DEFAULT_GOAL := help
.PHONY: help demo test long differential soak backfill-check scoreboard lint types baselines bench bench-quick engines audit lock clean
.NOTPARALLEL:

# The first interpreter that is new enough: a machine's plain python3 may be older than its python3.13.
ifndef PYTHON
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
endif
venv := .venv
python := $(venv)/bin/python

# pyright comes from PyPI with its JavaScript inside, and runs on the node that npm came with.
export PYRIGHT_PYTHON_GLOBAL_NODE := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

# Each is empty, or the name of what is missing; only the targets that need it look for it.
comma := ,
space := $(comma:,= )
missing = $(if $(shell { $(1); } >/dev/null 2>&1 && echo found),,$(2))
no_python = $(if $(PYTHON),$(call missing,$(PYTHON) -c 'import venv$(comma) ensurepip',python3-venv),python3(3.11-or-newer))
no_npm = $(call missing,npm --version && node --version,npm)
no_java = $(call missing,java -version,java(a-JRE))

# One line that names everything missing, before anything is done.
complain = $(error make $@ needs what is missing here: $(subst $(space),$(comma) ,$(1)). Install it, then run it again)
require = $(if $(strip $(1)),$(call complain,$(strip $(1))))

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: ## set up and run the quickstart on the embedded engine
	$(call require,$(no_python))@$(MAKE) -s $(venv)/testing.stamp
	@$(python) examples/quickstart.py

test: ## set up, fetch the engines, check style and types, run every test
	$(call require,$(no_python) $(no_npm) $(no_java))@$(MAKE) -s engines lint types
	@$(python) -m pytest --numprocesses 2 --dist loadgroup

long: ## run the property tests with ten times the examples, drawn anew, and kill migrations after each request
	$(call require,$(no_python) $(no_npm) $(no_java))@$(MAKE) -s engines $(venv)/dev.stamp
	@$(python) -m pytest --numprocesses 2 --hypothesis-profile long --timeout 7200 tests/property tests/contract/test_migrations_killed.py

differential: ## run generated programs on two engines and a dict model, which have to agree
	$(call require,$(no_python) $(no_npm) $(no_java))@$(MAKE) -s engines $(venv)/dev.stamp
	@$(python) -m tests.differential $(if $(PROGRAMS),--programs $(PROGRAMS)) $(if $(SEED),--seed $(SEED))

soak: ## run mixed traffic with random faults for MINUTES=10 and watch memory, descriptors and tasks
	$(call require,$(no_python) $(no_npm) $(no_java))@$(MAKE) -s engines $(venv)/dev.stamp
	@$(python) -m tests.faults.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(TASKS),--tasks $(TASKS)) $(if $(SEED),--seed $(SEED))

backfill-check: ## share a backfill of ITEMS=50000 between three processes on ENGINE=dynoxide, and kill one of them
	$(call require,$(no_python) $(no_npm))@$(MAKE) -s engines $(venv)/dev.stamp
	@$(python) -m tests.contract.backfill_check $(if $(ITEMS),--items $(ITEMS)) $(if $(ENGINE),--engine $(ENGINE))

scoreboard: ## measure the figures of reliability, each beside raw aiobotocore
	$(call require,$(no_python) $(no_npm) $(no_java))@$(MAKE) -s engines $(venv)/dev.stamp
	@$(python) -m tests.faults.scoreboard $(if $(QUICK),--quick) $(if $(SEED),--seed $(SEED))

lint: ## check style and format with ruff
	$(call require,$(no_python))@$(MAKE) -s $(venv)/dev.stamp
	@$(python) -m ruff check
	@$(python) -m ruff format --check

# The two run at the same time; both are heard, and either fails the target.
types: ## check types with mypy and pyright, both strict
	$(call require,$(no_python) $(no_npm))@$(MAKE) -s $(venv)/dev.stamp
	@$(python) -m mypy & mypy=$$!; $(python) -m pyright --pythonpath $(python); pyright=$$?; wait $$mypy && exit $$pyright

baselines: ## count the calls of the hot paths and write them down for this version of Python
	$(call require,$(no_python))@$(MAKE) -s $(venv)/dev.stamp
	@$(python) -m tests.speed --update

bench: ## measure against every rival and write docs/performance.md, in under 15 minutes
	$(call require,$(no_python))@$(MAKE) -s $(venv)/bench.stamp
	@$(python) bench/run.py

bench-quick: ## measure the same with few rounds and print the tables, in under 2 minutes
	$(call require,$(no_python))@$(MAKE) -s $(venv)/bench.stamp
	@$(python) bench/run.py --quick

engines: ## fetch the DynamoDB engines that the tests run against
	$(call require,$(no_python) $(no_npm) $(no_java))@$(PYTHON) scripts/fetch_engines.py

audit: ## look every locked package up among known vulnerabilities
	$(call require,$(no_python))@$(MAKE) -s $(venv)/tools.stamp
	@$(venv)/tools/bin/python scripts/audit.py

lock: ## pin what development installs, after a change of pyproject.toml; upgrade=1 takes the newest versions
	$(call require,$(no_python))@$(MAKE) -s $(venv)/tools.stamp
	@$(venv)/tools/bin/python scripts/lock.py $(if $(upgrade),--upgrade)

clean: ## remove the environment, the engines and every cache
	rm -rf $(venv) .engines .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist

# What development installs is pinned with hashes, the build backend too; `make lock` writes it down.
locked := -m pip install -qq --disable-pip-version-check --require-hashes --no-deps --requirement

$(venv)/dev.stamp: pyproject.toml requirements/dev.txt
	@echo "setting up $(venv) with what requirements/dev.txt pins"
	@$(PYTHON) -m venv $(venv)
	@$(python) $(locked) requirements/dev.txt
	@$(python) -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(venv)/tools.stamp: requirements/tools.txt
	@echo "setting up $(venv)/tools with what requirements/tools.txt pins"
	@$(PYTHON) -m venv $(venv)/tools
	@$(venv)/tools/bin/python $(locked) requirements/tools.txt
	@touch $@

# One stamp for each extra: an install that was interrupted leaves none, and is done again.
$(venv)/%.stamp: pyproject.toml
	@echo "setting up $(venv) with the extra [$*]"
	@$(PYTHON) -m venv $(venv)
	@$(python) -m pip install -qq --disable-pip-version-check --editable ".[$*]"
	@touch $@
