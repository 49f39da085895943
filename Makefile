# make demo     the main job on Fashion-MNIST at 14x14: tables, pictures and a study, in about a minute
# make gallery  every plot, drawn from that study, in studies/quickstart/figures/gallery
# make test     the tests that a developer waits for, some minutes
# make test-all every test: documents, notebooks, benchmarks, a browser, whole trainings; coverage
# make check    what is checked before a commit: lint, format, import contracts, types
# make docs     the documentation, in site/
# make notebooks  the notebooks anew from their scripts, with what they show: after a change of one
# make example  the study that open_example() opens, anew: after a change of what a study holds

PYTHON ?= python3
BIN := .venv/bin
EXAMPLE := prune_fair/store/example

.PHONY: demo gallery test test-all check docs notebooks example clean

demo: .venv/demo-ready
	$(BIN)/python experiments/quickstart.py

gallery: demo
	$(BIN)/python experiments/gallery.py

test: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pytest --numprocesses 2 --dist worksteal -m "not whole"

test-all: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/coverage erase
	$(BIN)/pytest --numprocesses 2 --dist worksteal --cov --cov-report=
	$(BIN)/pytest --numprocesses 2 --nbmake notebooks/*.ipynb
	$(BIN)/coverage report

check: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/pyright

docs: .venv/docs-ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	! grep -rE '<(script|img|iframe)[^>]* src="?https?:|<link[^>]* href="?https?:[^>]*stylesheet' site

notebooks: .venv/test-ready
	$(BIN)/python notebooks/execute.py

example: .venv/demo-ready
	rm -rf studies/example $(EXAMPLE)
	$(BIN)/python experiments/digits.py --out studies/example --seeds 16 \
	  --schedule.rate 0.45 --schedule.levels 6 --techniques \
	  magnitude-global-rewind magnitude-layerwise-finetune random-global-rewind
	mkdir $(EXAMPLE)
	cd studies/example && cp -r study.json zarr.json runs digits $(CURDIR)/$(EXAMPLE)

clean:
	rm -rf .venv .venv-next build site *.egg-info .coverage* .pytest_cache .ruff_cache .hypothesis

.venv/demo-ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

.venv/test-ready: .venv/demo-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $@

.venv/docs-ready: .venv/demo-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[docs]"
	touch $@
