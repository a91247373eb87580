# Every target sets up what it needs; quick when nothing has changed.
SHELL := /bin/bash
BIN := .venv/bin
RUN := $(BIN)/hvcert run --results results -n 2

.PHONY: setup image lint test certify certify-all clean
setup:
	@setup/install

image: setup
	@$(BIN)/python -m harness.standin image --name debian-12

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -q

certify: image
	$(RUN)

certify-all: image
	$(RUN) --long

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
