# Everything here starts from a machine with git, make and Python 3.11 or newer: the environment is
# made by the first target that needs it, and made again when pyproject.toml or constraints.txt change.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.made-for-mqchaos
LIVE_WORKERS ?= 3
CONSTRAINTS ?= constraints.txt
ARGS ?=
# Common in containers; every one of the many processes that are started here would compile us anew.
unexport PYTHONDONTWRITEBYTECODE
N ?= 100
PYTHONS ?= 3.11 3.12 3.13
CLIENTS := tests/conformance tests/fixtures tests/kafka_cluster tests/chaos tests/brokers
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')

.PHONY: help venv demo test cover lint format live conformance clients reactions languages bench honesty mutants fuzz record orphans clean versions oldest differential

help:
	@echo 'make demo    broken consumers caught under named faults, corrected ones passing'
	@echo 'make test    all tests that need nothing but Python (ARGS="-k name" is handed to pytest)'
	@echo 'make cover   the same with branch coverage'
	@echo 'make lint    format, lint, types, import contracts'
	@echo 'make format  let ruff rewrite what it can'
	@echo 'make live    the tests that need real brokers and tools (Java, haproxy)'
	@echo 'make conformance what each fault does to each client, on real Kafka'
	@echo 'make clients every client with every feature, embedded and real; writes the page of them'
	@echo 'make reactions what each client does under each rule; writes the page of it'
	@echo 'make languages services in Go, Java and Node under faults; writes the page of them'
	@echo 'make fuzz    coverage-guided fuzzing of every parser (ARGS="--seconds 300 scanner"; Linux)'
	@echo 'make differential the same conversations with the embedded cluster and with Apache Kafka (Java)'
	@echo 'make record  the conversations of three clients with a real Kafka, recorded anew'
	@echo 'make bench   the performance targets, measured'
	@echo 'make honesty correct services never failed, planted bugs never passed: the table, by running'
	@echo 'make mutants which changes of checkers, relay and plan no test would notice (ROOM=checkers for one)'
	@echo 'make orphans test runs killed at random moments (N=100), and what they left behind'
	@echo 'make versions  the tests on Python 3.11, 3.12 and 3.13 (each on PATH)'
	@echo 'make oldest  the tests with the oldest clients of the last two years'
	@echo 'make venv    only make the environment'

venv: $(STAMP)

$(STAMP): pyproject.toml $(CONSTRAINTS)
	@test -n "$(PYTHON)" || { echo 'No Python 3.11 or newer on PATH; give one: make PYTHON=/path/to/python3.12'; exit 1; }
	$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=$(CONSTRAINTS) $(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: venv
	$(PY) -m fixtures.demo $(ARGS)

# Two pytest workers a core, because many tests wait for clients; the order is random, its seed is in
# the first lines of the output.
test: venv
	$(PY) -m pytest -q -n $(WORKERS) $(ARGS)

# `coverage run`, not pytest-cov: our plugin is loaded before any other plugin could start measuring.
cover: venv
	$(PY) -m coverage erase
	$(PY) -m coverage run -m pytest -q -n $(WORKERS) $(ARGS)
	$(PY) -m coverage combine --quiet
	$(PY) -m coverage report

lint: venv
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pyright
	$(VENV)/bin/lint-imports

format: venv
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# Each pytest worker starts a Java broker of its own; most of the time is real clients' time-outs.
live: venv
	$(PY) -m pytest -q -n $(LIVE_WORKERS) -m "live or wide" $(ARGS)

# What holds on the embedded cluster holds on real Kafka: the same tests, unchanged. The matrix has
# both in its own rows.
conformance: venv
	$(PY) -m pytest -q -n $(LIVE_WORKERS) --mqchaos-broker=process -m "not live" tests/conformance \
		--ignore tests/conformance/matrix $(ARGS)

# Correct services and planted twins under every profile, and 150 drawn variants: some ten minutes.
honesty: venv
	$(PY) -m tests.shapes.honesty --wide 150 --processes $(WORKERS) --write $(ARGS)

clients: venv
	$(PY) -m tests.conformance.matrix $(ARGS)

# What each client does under each rule, on the embedded cluster and on real Kafka, as a page.
reactions: venv
	$(PY) -m tests.live.reactions $(ARGS)

# Services in other languages, on the embedded cluster and on real Kafka, as a page (Go, a JDK, Maven,
# Node and npm; some ten minutes).
languages: venv
	$(PY) -m tests.live.languages $(ARGS)

# Campaigns go on from what earlier ones learned (.mqchaos/fuzz).
fuzz: venv
	$(PY) -m fuzz $(ARGS)

# 1,200 conversations drawn anew with ARGS="--chance 7"; --nodes 3 for a cluster.
differential: venv
	$(PY) -m differential $(ARGS)

record: venv
	$(PY) -m fixtures.recording $(ARGS)

bench: venv
	$(PY) -m benchmarks $(ARGS)

mutants: venv
	$(PY) -m benchmarks.mutants $(ROOM) $(ARGS)

orphans: venv
	$(PY) -m orphans $(N) $(ARGS)

# The default tests on every Python that we promise (each has to be on PATH).
versions:
	@for one in $(PYTHONS); do \
		echo "== Python $$one"; \
		$(MAKE) test PYTHON=python$$one VENV=.venv-$$one || exit 1; done

# The oldest clients of the last two years. kafka-python before 2.2 lacks half of what our tests ask
# it for, so the old one runs the services of tests/shapes, and the rest has the new one. Left out:
# the matrix, which is of the versions on its page; and aiokafka 0.12 cut off at its first question,
# which then takes the broker for one of 2015 and stalls (not in 0.14).
oldest: build/oldest.txt
	$(MAKE) venv VENV=.venv-oldest CONSTRAINTS=build/oldest.txt
	.venv-oldest/bin/python -m pip install -q kafka-python==2.0.3
	.venv-oldest/bin/python -m tests.shapes.honesty --processes $(WORKERS) --only kafka-python
	.venv-oldest/bin/python -m pip install -q -c build/oldest.txt -U kafka-python
	.venv-oldest/bin/python -m pytest -q -n $(WORKERS) $(CLIENTS) --ignore tests/conformance/matrix \
		--deselect "tests/conformance/test_control.py::test_a_consumer_asks_again_when_cut_off[ApiVersions-aiokafka]" $(ARGS)

build/oldest.txt: constraints.txt constraints-oldest.txt
	@mkdir -p build
	awk -F== 'NR == FNR { old[$$1] = $$0; next } { print $$1 in old ? old[$$1] : $$0 }' constraints-oldest.txt constraints.txt > $@

clean:
	rm -rf $(VENV) .venv-* build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage .coverage.* .mqchaos
