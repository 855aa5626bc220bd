# AMM-500.  `make help` lists the verbs; each sets up what it needs on a machine that has Python with venv, make and a C compiler.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
MARKET ?= us500
PORT_BASE ?= 0
GRAFANA ?= on
.DEFAULT_GOAL := help
.PHONY: help setup demo up down logs test test-all test-containers bench backtest edge planted fetch fit lint lock sessions kill arm pause resume drain status cores pin-check clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(VENV)/demo.done: requirements/demo.txt
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.txt
	@touch $@

$(VENV)/dev.done: requirements/dev.txt requirements/oracle.txt
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt -r requirements/oracle.txt
	@touch $@ $(VENV)/demo.done $(VENV)/backtest.done $(VENV)/fetch.done

LIVE_SOURCES := $(wildcard common/*.py quoter/*.py executor/*.py riskd/*.py simvenue/*.py simvenue/*/*.py)

run/kernels.done: $(VENV)/demo.done $(LIVE_SOURCES)
	@$(PY) -m common.kernel common quoter executor riskd simvenue
	@touch $@

run/all-kernels.done: $(LIVE_SOURCES) $(wildcard backtest/*.py backtest/*/*.py) | $(VENV)/demo.done
	@$(PY) -m common.kernel
	@touch $@

setup: run/kernels.done ## install what `make demo` needs and compile the kernels

demo: setup ## the whole system, no Docker, keys or network [DATA= SPEED= MINUTES= MARKET=us500|btc|standx PORT_BASE=]
	@AMM_KERNELS=plain $(PY) -m scripts.demo --market $(MARKET) --port-base $(PORT_BASE) \
		$(if $(SPEED),--speed $(SPEED)) $(if $(DATA),--data $(DATA)) $(if $(MINUTES),--minutes $(MINUTES))

up: $(if $(NATIVE_QUOTER),setup,$(VENV)/demo.done) ## the system in containers, healthy or an error [MARKET= DATA= SPEED= FLOW= PORT_BASE= GRAFANA=off NATIVE_QUOTER=1 COMPOSE_UP_ARGS=]
	@AMM_KERNELS=plain GRAFANA=$(GRAFANA) NATIVE_QUOTER=$(NATIVE_QUOTER) COMPOSE_UP_ARGS="$(COMPOSE_UP_ARGS)" $(PY) -m scripts.containers up --market $(MARKET) \
		--port-base $(PORT_BASE) $(if $(SPEED),--speed $(SPEED)) $(if $(DATA),--data $(DATA)) $(if $(FLOW),--flow $(FLOW)) $(if $(SEED),--seed $(SEED)) \
		$(if $(LATENCY),--latency $(LATENCY))

down: $(VENV)/demo.done ## cancel all orders, then stop the containers
	@AMM_KERNELS=plain $(PY) -m scripts.containers down

logs: $(VENV)/demo.done ## follow what the services say, in containers or in the demonstration [SERVICE=]
	@AMM_KERNELS=plain $(PY) -m scripts.containers logs $(SERVICE)

test: $(VENV)/dev.done run/all-kernels.done ## unit, property and end-to-end tests on real Redis, sockets and processes, with coverage
	@$(PY) -m scripts.test

test-all: $(VENV)/dev.done run/all-kernels.done ## everything, whole recorded days and 10^5 cases a kernel too
	@AMM_CASES=100000 AMM_FAULT_TRIALS=5 $(PY) -m scripts.test --all

test-containers: $(VENV)/dev.done ## tests that need a container engine
	@$(PY) -m pytest -m container -rs tests/containers

bench: $(VENV)/dev.done run/all-kernels.done ## measure, as ratios in one run; writes reports/bench.json
	@$(PY) -m bench

$(VENV)/backtest.done: requirements/backtest.txt
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/backtest.txt
	@touch $@

$(VENV)/fetch.done: requirements/fetch.txt
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fetch.txt
	@touch $@

fetch: $(VENV)/fetch.done ## history into data/: candles, funding, the index [MARKET= DAYS= ARCHIVE=1 (requester pays)]
	@$(PY) -m backtest fetch --market $(MARKET) $(if $(DAYS),--days $(DAYS)) $(if $(ARCHIVE),--archive)

planted: $(VENV)/backtest.done run/all-kernels.done ## what the engine earns of what there is, on markets whose truth was planted [HOURS= SEED= SETTING=]
	@$(PY) -m backtest planted $(if $(HOURS),--hours $(HOURS)) $(if $(SEED),--seed $(SEED)) $(if $(SETTING),--setting $(SETTING))

edge: $(VENV)/backtest.done run/all-kernels.done ## what each quoter earns on recorded days [DATA= MARKET= FIT= SCORE= TICK= FEE= LATENCY=100,300 STRICT=1 PROFILE=]
	@$(PY) -m backtest edge --market $(MARKET) --data $(DATA) $(if $(FIT),--fit $(FIT)) $(if $(SCORE),--score $(SCORE)) \
		$(if $(TICK),--tick $(TICK)) $(if $(FEE),--fee $(FEE)) $(if $(LATENCY),--latency $(LATENCY)) \
		$(if $(STRICT),--strict) $(if $(PROFILE),--profile $(PROFILE)) $(if $(QUEUE),--queue $(QUEUE))

backtest: $(VENV)/backtest.done run/all-kernels.done ## what a configuration would have earned [MARKET=a,b DATA=path | SOURCE=auto|recorded|hyperliquid|xyz100|btc|synthetic DAYS= MONTHS= PROFILE= LEVERAGE= LATENCY=good|table:typical|recorded|F,O QUEUE= FEE= TICK= STRICT=1 MODEL= SEED= EDGE_GATE=enforce|warn BUDGET=enforced|counted OUT=]
	@env -u LEVERAGE $(PY) -m backtest run --market $(MARKET) $(if $(DATA)$(SOURCE),--data $(if $(DATA),$(DATA),$(SOURCE))) \
		$(if $(DAYS),--days $(DAYS)) $(if $(MONTHS),--months $(MONTHS)) $(if $(PROFILE),--profile $(PROFILE)) \
		$(if $(LEVERAGE),--leverage $(LEVERAGE)) $(if $(LATENCY),--latency $(LATENCY)) $(if $(QUEUE),--queue $(QUEUE)) \
		$(if $(FEE),--fee $(FEE)) $(if $(TICK),--tick $(TICK)) $(if $(STRICT),--strict) $(if $(MODEL),--model $(MODEL)) \
		$(if $(SEED),--seed $(SEED)) $(if $(BUDGET),--budget $(BUDGET)) $(if $(OUT),--out $(OUT))

fit: $(VENV)/demo.done ## fit the forecast of one market on recordings [DATA= MARKET= SPAN=]; writes models/MARKET.json
	@$(PY) -m common.kernel common quoter
	@$(PY) -m quoter fit --market $(MARKET) --data $(DATA) $(if $(SPAN),--span $(SPAN))

lint: $(VENV)/dev.done ## ruff and mypy
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

lock: ## make requirements/*.txt anew from pyproject.toml
	@test -x .venv-lock/bin/uv || ($(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv)
	@PATH="$(CURDIR)/.venv-lock/bin:$$PATH" scripts/lock

sessions: ## make config/sessions.json anew: sessions of the underlying until the end of the third year after this one
	@test -x .venv-sessions/bin/python || $(PYTHON) -m venv .venv-sessions
	@.venv-sessions/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/sessions.txt
	@.venv-sessions/bin/python -m scripts.sessions --first 2025-01-01 --last $$(($$(date +%Y) + 3))-12-31

.PHONY: boards
boards: $(VENV)/dev.done ## make prometheus/ and grafana/ anew from boards/: alerts, their tests, dashboards
	@AMM_KERNELS=plain $(PY) -m boards

kill arm pause resume drain: ## control a running system [REASON="..."]
	@PORT_BASE=$(PORT_BASE) $(PY) -m scripts.control $@ $(if $(REASON),--reason "$(REASON)")

status: ## what the running system says of itself
	@PORT_BASE=$(PORT_BASE) $(PY) -m scripts.control status

CORES = $(if $(wildcard $(PY)),$(PY),$(PYTHON)) -m scripts.cores

cores: ## which CPUs the quoter and the other services get, and why [QUOTER_CPUSET= OTHERS_CPUSET=]
	@$(CORES) show

pin-check: ## measure whether the quoter runs on fast cores [NATIVE=1]
	@$(CORES) pin-check $(if $(NATIVE),--native)

clean: ## remove what was made (not the reports)
	rm -rf run .venv .venv-lock .venv-sessions .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
