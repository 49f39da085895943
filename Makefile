# make demo     the main job on the embedded digits: a table, pictures and a study, in two minutes
# make gallery  every plot, drawn from that study, in studies/quickstart/figures/gallery
# make test     all tests, with coverage
# make check    what is checked before a commit: lint, format, import contracts, types

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo gallery test check clean

demo: .venv/demo-ready
	$(BIN)/python experiments/quickstart.py

gallery: demo
	$(BIN)/python experiments/gallery.py

test: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/coverage erase
	$(BIN)/pytest --numprocesses 2 --dist worksteal --cov --cov-report=
	$(BIN)/coverage report

check: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/pyright

clean:
	rm -rf .venv build *.egg-info .coverage* .pytest_cache .ruff_cache .hypothesis

.venv/demo-ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

.venv/test-ready: .venv/demo-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $@
