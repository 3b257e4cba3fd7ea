# What can be done here; each needs Python 3.11 and nothing else (project/runtime/bootstrap.py).
PYTHON ?= $(shell command -v python3.11 || command -v python3)
MAKE_IT := @"$(PYTHON)" project/runtime/bootstrap.py

.PHONY: help run demo test manage lock lint format

help: ## Say what can be done
	@grep -E '^[a-z]+: ## ' Makefile | sed -E 's/^([a-z]+): ## /make \1\t/' | expand -t 16

run: ## Run the product (PORT=8000 HOST=127.0.0.1 DATA_DIR=./var)
	$(MAKE_IT) run

demo: ## Run it with the sandbox world, on DATA_DIR/demo
	$(MAKE_IT) demo

test: ## Check everything and run all tests (ARGS="types sqlite -- -k broker")
	$(MAKE_IT) test $(ARGS)

manage: ## Run a management command: make -s manage ARGS="create_api_key me@example.com"
	$(MAKE_IT) manage $(ARGS)

lint: ## Check format, rules, types and imports alone
	$(MAKE_IT) lint

format: ## Format the code, and mend what can be mended by itself
	$(MAKE_IT) format

lock: ## Pin everything that the requirements pull in: deploy/constraints.txt, package-lock.json
	$(MAKE_IT) lock
