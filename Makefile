# Every target sets up what it needs; a fresh clone and one command are enough.
.PHONY: setup image test lint certify certify-all selftest replay mutants fuzz clean

setup:
	@setup/install

image: setup
	@.venv/bin/python -m harness.standin image

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

test: lint image
	.venv/bin/pytest tests

certify: setup image
	.venv/bin/hvcert run -n 2

certify-all: setup image
	.venv/bin/hvcert run --long -n 2

# Takes hours; goes on where it stopped, on the same commit.
selftest: setup image
	@.venv/bin/hvcert selftest -n 2

# The last run again, from its recording: no host, the same verdicts.
replay: setup
	.venv/bin/hvcert replay results/latest

# Changes judges and parsers in thousands of small ways; a change that no test notices survives.
mutants: setup
	.venv/bin/python -m pip install --quiet mutmut==3.8.1
	.venv/bin/mutmut run --max-children 2

# Broken text for the readers, for an hour unless told: make fuzz FOR=600
FOR ?= 3600
fuzz: setup
	.venv/bin/python -m pip install --quiet atheris==3.0.0
	.venv/bin/python -m benchmarks.read_fuzz $(FOR)

# Results stay: they are somebody's evidence.
clean:
	-[ ! -x .venv/bin/python ] || .venv/bin/python -m harness.standin down
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
