# `make demo` recovers the sample song; `make test` checks everything. Both make their own .venv first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test format clean

demo: $(STAMP)
	$(BIN)/mix2daw demo --out out/demo --force

# One process per core, each with one thread: two tests at once take less time than one after the other on both.
test: $(STAMP) build/typed/mix2daw/exporters
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[test]'
	touch $(STAMP)

# exporters/ is imported as mix2daw.exporters: the installer knows from pyproject.toml, mypy from this link.
build/typed/mix2daw/exporters:
	mkdir -p $(@D)
	ln -s ../../../exporters $@

clean:
	rm -rf .venv build out
