# DeepRadiomics: each target sets up what it needs in .venv on a fresh machine, then runs.
PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
DEMO_OUTPUT ?= demo-output
SLICER ?= 5.12
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
RUN = $(VENV)/bin/python

.PHONY: demo test slow slicer-python slicer-versions lint bench package sample-bundle frozen clean help

help:
	@echo "make demo     run RadiomicFingerprint on a knee MR: report, table, heat map, scene"
	@echo "make test     run the test suite (make slow: the long tests)"
	@echo "make slicer-python SLICER=5.10|5.12   Testing/slicer and the engine's parity with the versions that Slicer bundles"
	@echo "make lint     ruff, mypy and the import contract"
	@echo "make bench    speed and accuracy tables, against peers in the same run"
	@echo "make package  build the installable extension archive (SLICER_SOURCE_DIR=<Slicer checkout>)"

demo: $(VENV)/.run
	$(RUN) -m deepradiomics demo -o $(DEMO_OUTPUT)

test: $(VENV)/.test
	$(RUN) -m pytest

slow: $(VENV)/.test
	$(RUN) -m pytest -m slow

# With the numpy, scipy, SimpleITK and pydicom that a Slicer bundles (Testing/slicer/bare/bundled.json), in an environment
# of its own. Python is that of PYTHON (Slicer's is 3.12), slicer-core is 5.12.4 for both. Give SLICER_SOURCE_DIR a Slicer
# checkout for the simulated panels. SLICER_TESTS: what to run; the self-tests with a real child take some minutes.
SLICER_TESTS ?= Testing/slicer Testing/reference/test_pyradiomics_parity.py Testing/reference/test_filter_parity.py \
	Testing/reference/test_force2d_parity.py Testing/reference/test_maps_parity.py \
	Testing/reference/test_deprecated_features.py Testing/reference/test_digital_phantom_matrices.py Testing/unit/radiomics
slicer-python:
	$(MAKE) VENV=.venv.slicer-$(SLICER) slicer-versions
	.venv.slicer-$(SLICER)/bin/python -m pytest $(SLICER_TESTS)

slicer-versions: $(VENV)/.slicer
	$(RUN) Testing/slicer/bare/versions.py check $(SLICER)

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# The engine's table takes about 20 minutes. PEERS_PYTHON: a Python that has the peers (see Testing/benchmarks/peers.py).
bench: $(VENV)/.test
	$(RUN) Testing/benchmarks/bench_engine.py --out docs/results $(if $(PEERS_PYTHON),--peers-python $(PEERS_PYTHON))
	$(RUN) Testing/benchmarks/bench_registration.py --out docs/results
	$(RUN) Testing/benchmarks/bench_lens.py --out docs/results
	$(RUN) Testing/benchmarks/bench_ich.py --out docs/results

package: $(VENV)/.dev
	$(RUN) Testing/packaging/package_extension.py

# The model that ships with the panel: small, trained on a synthetic cohort, means nothing clinically.
SAMPLE = RadiomicFingerprint/Resources/Bundles/knee-synthetic-tiny
sample-bundle: $(VENV)/.run
	$(RUN) -m deepradiomics phantom knee --cases 240 --seed 1 -o build/sample-cohort
	$(RUN) -m deepradiomics fingerprint train build/sample-cohort/manifest.csv -o build/knee-synthetic-tiny --preset tiny --seed 0
	mkdir -p $(SAMPLE) && cp build/knee-synthetic-tiny/bundle/* $(SAMPLE)

# PyRadiomics' values for machines without a compiler.
frozen: $(VENV)/.test
	$(RUN) Testing/reference/freeze_oracle.py

clean:
	rm -rf $(VENV) build dist $(DEMO_OUTPUT)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "DeepRadiomics needs Python 3.11 or later: make PYTHON=python3.12"'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip

# torch first and by version: the demo and the tests need no GPU build.
$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	$(PIP) "$(TORCH)"
	$(PIP) --editable ".[train,slicer]"
	touch $@

$(VENV)/.test: $(VENV)/.run
	$(PIP) --editable ".[test,slicer]"
	$(PIP) setuptools wheel versioneer cython
	@$(PIP) --no-build-isolation pyradiomics==3.0.1 >$(VENV)/pyradiomics.log 2>&1 \
		|| echo "PyRadiomics could not be built here (no C compiler?): its frozen values stand in. See $(VENV)/pyradiomics.log"
	touch $@

$(VENV)/.dev: $(VENV)/.test
	$(PIP) --editable ".[dev,slicer]"
	touch $@

# What the release bundles first, as Slicer's installer lays it; then what a run installs, which may replace no constraint.
$(VENV)/.slicer: pyproject.toml Testing/slicer/bare/bundled.json | $(VENV)/bin/python
	$(RUN) Testing/slicer/bare/versions.py requirements $(SLICER) >$(VENV)/bundled.txt
	$(RUN) Testing/slicer/bare/versions.py constraints $(SLICER) >$(VENV)/constraints.txt
	$(PIP) --requirement $(VENV)/bundled.txt
	PIP_CONSTRAINT=$(VENV)/constraints.txt $(PIP) "$(TORCH)"
	PIP_CONSTRAINT=$(VENV)/constraints.txt $(PIP) --editable ".[test,slicer]"
	PIP_CONSTRAINT=$(VENV)/constraints.txt $(PIP) setuptools wheel versioneer cython
	@PIP_CONSTRAINT=$(VENV)/constraints.txt $(PIP) --no-build-isolation pyradiomics==3.0.1 >$(VENV)/pyradiomics.log 2>&1 \
		|| echo "PyRadiomics could not be built here (no C compiler?): its frozen values stand in. See $(VENV)/pyradiomics.log"
	touch $@
