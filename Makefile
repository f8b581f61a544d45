# `make demo` and `make test` are the two ways in; both make .venv first. Another Python: make PYTHON=python3.12 demo
PYTHON ?= python3
# Test processes at a time: two more than there are cores, at most eight; many tests wait for programs they started. One that
# has nothing left takes tests from another.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(min((os.cpu_count() or 1) + 2, 8))')
# What is installed beside the product; CI adds the libraries that read exports: make EXTRAS=dev,consumers test
EXTRAS ?= dev
BIN := .venv/bin
INSTALLED := .venv/installed-$(EXTRAS).stamp

.PHONY: demo test check lint bench screenshots format clean

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("vqa-tui needs Python 3.11 or newer. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

# Opens the terminal app; without a terminal (in a pipe, in CI) the same run goes by in plain lines.
demo: $(INSTALLED)
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/vqa-tui demo; else $(BIN)/vqa-tui demo --headless; fi

test: $(INSTALLED)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

# Every file in bench/ is a program, except those whose names begin with an underscore.
bench: $(INSTALLED)
	@for program in bench/[!_]*.py; do echo "== $$program"; $(BIN)/python "$$program" || exit 1; done

# The pictures of docs/, from a real run of a minute; look at them before you commit them.
screenshots: $(INSTALLED)
	$(BIN)/python -m docs.make_screenshots

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv demo dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
