# Everything a newcomer types. Needs make, Python 3.11 or newer with venv, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
unexport PYTHONDONTWRITEBYTECODE  # many images set it: then each process compiles every file that it loads

.PHONY: sandbox test check coverage chaos races fuzz bench bench-scale pictures format lock clean

sandbox: .venv  ## a stand-in Discord, a stand-in Patreon and the bot between them
	$(BIN)/python run.py sandbox

test: .venv  ## the whole suite; the journeys wait more than they work, so more of them than cores run at once
	$(BIN)/python -m pytest --numprocesses=4 --dist=worksteal

check: .venv  ## formatting, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

coverage: .venv  ## every branch of the pure files and of the texts is tested
	$(BIN)/coverage run -m pytest --quiet tests/bot/domain tests/bot/patreon/protocol tests/bot/texts
	$(BIN)/coverage report

chaos: .venv  ## a busy town under every fault of its processes and its database, ten times each (an hour)
	PLEDGEKEEPER_CHAOS_RUNS=10 $(BIN)/python -m pytest -v --numprocesses=3 --dist=worksteal tests/journeys/test_chaos.py

races: .venv  ## the journeys with late answers: what is ordered by luck fails
	PLEDGEKEEPER_LATE_MS=400 $(BIN)/python -m pytest --numprocesses=4 --dist=worksteal tests/journeys

fuzz: .venv  ## ten thousand commands, buttons and menus with values that hurt (some minutes)
	PLEDGEKEEPER_FUZZ=10000 $(BIN)/python -m pytest -s tests/journeys/test_fuzz.py

bench: .venv  ## the promises about speed, as ratios measured in one run (bench/README.md)
	$(BIN)/python -m bench

bench-scale: .venv  ## what several processes and a thousand servers cost (bench/README.md; needs PostgreSQL)
	$(BIN)/python -m bench.scale

pictures: .venv  ## all pictures in docs/pictures, taken anew (needs Chromium; some ten minutes)
	$(BIN)/python -m scripts.pictures

format: .venv
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

lock: .venv  ## resolve requirements.lock anew, and what of it the image has (needs uv)
	$(LOCK) --extra dev pyproject.toml -o requirements.lock
	$(LOCK) --constraint requirements.lock --no-annotate pyproject.toml -o deploy/requirements.lock
	$(BIN)/python -m scripts.wheels

.venv: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch .venv

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
