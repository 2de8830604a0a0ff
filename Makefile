# Parts of what CI runs, by name. `make check` is what to run before a commit.
BIN = .venv/bin
PYTEST = $(BIN)/pytest -q

UNIT = tests/config tests/edi tests/http tests/plex tests/state tests/stedi tests/sync \
       tests/test_advice.py tests/test_count_functions.py tests/test_decimal_json.py tests/test_design_paper.py \
       tests/test_house.py tests/test_internal.py tests/test_make.py tests/test_manual.py tests/test_mutants.py \
       tests/test_papers.py \
       tests/test_plain_text.py tests/test_readme.py tests/test_words.py tests/test_words_in_code.py
COMMANDS = tests/benchmarks tests/cli tests/commands tests/crash tests/credentials tests/faults tests/install tests/sandbox \
           tests/test_ci.py tests/test_source_tour.py

.PHONY: check lint types unit commands browser long everything

check: lint types unit

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

# Decisions, tables and clients: under a minute.
unit:
	$(PYTEST) $(UNIT)

# Whole commands against the sandbox, crashes and faults: minutes.
commands:
	$(PYTEST) $(COMMANDS)

# The page in headless Chromium: needs the extra `browser` and the package chromium.
browser:
	$(PYTEST) -n0 -m browser

# Every crash point, every fault, scale, and all examples of the property tests.
long:
	$(PYTEST) -m long -o faulthandler_timeout=1800

everything:
	.ci/run
