# demo and test do all set-up themselves; every target can be the first one you type.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
OUT ?= runs/demo

.PHONY: demo test check bench serve clean

demo: $(READY)  ## make a small dataset from examples/seeds on the embedded model
	$(BIN)/agentinstruct fetch 1.5b minilm
	$(BIN)/agentinstruct run $(shell cat examples/demo.args) --out $(OUT)

test: $(READY)  ## run all tests
	$(BIN)/agentinstruct fetch 135m minilm
	@# some tests measure time: what fails beside another is tried again by itself
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS) || $(BIN)/python -m pytest --last-failed --last-failed-no-failures none $(ARGS)

check: $(READY)  ## lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf build && $(BIN)/python -m pip install --quiet --no-deps --upgrade --target build/typed .
	cd build && MYPYPATH=typed ../$(BIN)/mypy --config-file ../pyproject.toml --no-error-summary -p agentinstruct
	cd build && PYTHONPATH=typed ../$(BIN)/lint-imports --config ../pyproject.toml

bench: $(READY)  ## CPU, throughput and memory beside the bare calls and LangGraph + ChatOpenAI: docs/benchmarks.md
	$(BIN)/python benchmarks/throughput $(ARGS)

serve: $(READY)  ## the graphs for LangGraph Studio, on this machine
	LANGSMITH_TRACING=false LANGGRAPH_STRICT_MSGPACK=true $(BIN)/langgraph dev --no-browser --no-reload --port 8123 --n-jobs-per-worker 10

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11 to 3.13 is needed; set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $(READY)

clean:
	rm -rf .venv build *.egg-info
