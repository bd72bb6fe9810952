# GuestAuth: `make run` and `make test` set up what they need and then run.
PYTHON ?= python3
PORT ?= 5000
VENV := .venv
BIN := $(VENV)/bin
DEMO := GUESTAUTH_DEMO=on PORT=$(PORT)
# uv installs faster; venv and pip do the same without it.
UV := $(shell command -v uv 2>/dev/null)
export UV_SYSTEM_CERTS := 1
unexport PYTHONDONTWRITEBYTECODE # what was compiled once is kept
# A day's files are short and have fixtures of their own; a soak's are long.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder
COVERAGE := --cov --cov-report=term-missing

.PHONY: run test cover check bench soak screenshots messages lock clean

run: $(VENV)/.installed
	@$(DEMO) $(BIN)/python -m flask db upgrade
	@$(DEMO) $(BIN)/python -m flask demo load
	@$(DEMO) $(BIN)/python -m gunicorn --bind 127.0.0.1:$(PORT) app:app

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(PARALLEL) $(if $(CI),$(COVERAGE))

cover: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest $(PARALLEL) $(COVERAGE)

check: $(VENV)/.installed-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench_console

soak: $(VENV)/.installed-dev
	@GUESTAUTH_SOAK=on timeout --signal=INT --kill-after=30 1200 $(BIN)/python -m pytest -n auto --dist worksteal

screenshots: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.screenshots

messages: $(VENV)/.installed-dev
	@$(BIN)/pybabel -q extract -F babel.cfg -k NN_:1,2 --no-location --sort-output --project GuestAuth --version 0 -o guestauth/translations/messages.pot .
	@$(BIN)/pybabel -q update -i guestauth/translations/messages.pot -d guestauth/translations --no-fuzzy-matching --ignore-obsolete --no-wrap
	@$(BIN)/pybabel -q compile -d guestauth/translations

lock: $(VENV)/.installed-dev
	@$(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --no-header --quiet --upgrade -o requirements.txt
	@$(BIN)/uv pip compile pyproject.toml --group dev -c requirements.txt --universal --generate-hashes --no-header --quiet -o requirements-dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*

# One recipe makes the environment from one hash-pinned file.
define install
	@test -x $(BIN)/python || $(if $(UV),$(UV) venv --quiet --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))
	@$(if $(UV),VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --compile-bytecode,$(BIN)/python -m pip install --quiet --disable-pip-version-check) --require-hashes -r $(1)
	@touch $@
endef

$(VENV)/.installed: requirements.txt
	$(call install,requirements.txt)

$(VENV)/.installed-dev: requirements-dev.txt
	$(call install,requirements-dev.txt)
	@touch $(VENV)/.installed
