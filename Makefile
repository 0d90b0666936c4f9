# What can be done here: make help. Everything runs in .venv, which make install makes.
PYTHON ?= python3
BIN := .venv/bin
COMPILE = uv pip compile pyproject.toml --no-config --quiet --universal --python-version 3.11 --generate-hashes --no-header
TORCH := ^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==

.PHONY: help install demo test bench faults collection screenshots lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

install:  ## Make the environment in .venv (locked versions; nothing to do when nothing changed)
	@command -v $(PYTHON) > /dev/null || { echo "make install: no $(PYTHON) here: install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) install.py

demo: install  ## Load The Complete Journey into a managed Neo4j, train, recommend, explain
	@$(BIN)/twohop demo

test: install  ## Everything that CI checks: lint, format, types, import rules, tests on a real Neo4j
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not long"

faults: install  ## The tests that break things on purpose, and long runs of those that draw requests by chance
	TWOHOP_KILLS=5 $(BIN)/python -m pytest -m "faults or long"
	TWOHOP_MUTATIONS=100000 TWOHOP_EXAMPLES=100 $(BIN)/python -m pytest --timeout 3600 \
	  tests/api/web/test_fuzz.py tests/api/web/test_schema.py tests/cypher/test_filters.py tests/cypher/test_scores.py

bench: install  ## Run every benchmark small, on a generated store; writes benchmarks/results/small/
	@$(BIN)/python -m benchmarks.small

collection: install  ## Write the queries of cypher/ into Neo4j Browser's saved scripts and guide (docs/browser/)
	@$(BIN)/python -m docs.collection

screenshots: install  ## Take the pictures of docs/images of the running stores with the system's Chromium
	@$(BIN)/python -m docs.screenshots
	@$(BIN)/python -m docs.screenshots_window

lock:  ## Resolve all versions anew within pyproject.toml and write locks/
	@command -v uv > /dev/null || { echo "make lock: uv is needed: pip install uv" >&2; exit 1; }
	@$(COMPILE) --upgrade --all-extras --output-file locks/all.tmp > /dev/null || { rm -f locks/all.tmp; exit 1; }
	@awk -v torch='$(TORCH)' ' \
	  BEGIN { \
	    split("main torch", names, " "); \
	    for (i in names) print "# Made by make lock from pyproject.toml; do not edit." > ("locks/" names[i] ".txt")} \
	  /^[^ #]/ {name = $$0 ~ torch ? "torch" : "main"} \
	  {print > ("locks/" name ".txt")}' locks/all.tmp
	@rm locks/all.tmp

clean:  ## Delete the environment and caches; the stores in .twohop stay
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
