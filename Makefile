# DeepRadiomics: each target sets up what it needs in .venv on a fresh machine, then runs.
PYTHON ?= python3
VENV ?= .venv
# What pip installs as PyTorch; empty: the build that suits this machine (Testing/packaging/install_torch.py).
TORCH ?=
DEMO_OUTPUT ?= demo-output
SLICER ?= 5.12
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
RUN = $(VENV)/bin/python

.PHONY: demo test slow slicer-python slicer-versions lint bench package sample-bundles sample-fingerprint sample-lens sample-ich frozen clean help

help:
	@echo "make demo     run RadiomicFingerprint on a knee MR: report, table, heat map, scene"
	@echo "make test     run the test suite (make slow: the long tests)"
	@echo "make slicer-python SLICER=5.10|5.12   Testing/slicer and the engine's parity with the versions that Slicer bundles"
	@echo "make lint     ruff, mypy and the import contract"
	@echo "make bench    speed and accuracy tables, against peers in the same run"
	@echo "make package  build the installable extension archive (SLICER_SOURCE_DIR=<Slicer checkout>)"

demo: $(VENV)/.run
	$(RUN) -m deepradiomics demo -o $(DEMO_OUTPUT)

# Files of tests run beside each other, one process per core, four at most (each takes up to 2 GB). Waiting threads of
# OpenMP sleep: spinning, they would take the cores from the other process. Python keeps its bytecode, whatever the shell
# says: hundreds of child processes would compile the package anew.
test: $(VENV)/.test
	PYTHONDONTWRITEBYTECODE= OMP_WAIT_POLICY=PASSIVE $(RUN) -m pytest -n auto --maxprocesses=4 --dist loadfile

slow: $(VENV)/.test
	$(RUN) -m pytest -m slow

# With the numpy, scipy, SimpleITK and pydicom that a Slicer bundles (Testing/slicer/bare/bundled.json), in an environment
# of its own. Python is that of PYTHON (Slicer's is 3.12), slicer-core is 5.12.4 for both. Give SLICER_SOURCE_DIR a Slicer
# checkout for the simulated panels. SLICER_TESTS: what to run; the self-tests with a real child take some minutes.
SLICER_TESTS ?= Testing/slicer Testing/reference/parity/test_pyradiomics_parity.py Testing/reference/parity/test_filter_parity.py \
	Testing/reference/parity/test_force2d_parity.py Testing/reference/parity/test_maps_parity.py \
	Testing/reference/parity/test_deprecated_features.py Testing/reference/test_digital_phantom_matrices.py Testing/unit/radiomics
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

# The engine's table takes about 20 minutes. PEERS_PYTHON: a Python that has the peers (see Testing/benchmarks/engine/peers.py).
bench: $(VENV)/.test
	$(RUN) Testing/benchmarks/bench_engine.py --out docs/results $(if $(PEERS_PYTHON),--peers-python $(PEERS_PYTHON))
	$(RUN) Testing/benchmarks/bench_registration.py --out docs/results
	$(RUN) Testing/benchmarks/bench_dicom.py --out docs/results
	$(RUN) Testing/benchmarks/bench_lens.py --out docs/results
	$(RUN) Testing/benchmarks/bench_ich.py --out docs/results

package: $(VENV)/.dev
	$(RUN) Testing/packaging/package_extension.py

# The models that ship with the panels: small, trained on synthetic cohorts, mean nothing clinically.
sample-bundles: sample-fingerprint sample-lens sample-ich

SAMPLE_FINGERPRINT = RadiomicFingerprint/Resources/Bundles/knee-synthetic-tiny
sample-fingerprint: $(VENV)/.run
	$(RUN) -m deepradiomics phantom knee --cases 240 --seed 1 -o build/sample-cohort
	$(RUN) -m deepradiomics fingerprint train build/sample-cohort/manifest.csv -o build/knee-synthetic-tiny --preset tiny --seed 0
	mkdir -p $(SAMPLE_FINGERPRINT) && cp build/knee-synthetic-tiny/bundle/* $(SAMPLE_FINGERPRINT)

sample-lens: $(VENV)/.run
	$(RUN) -m deepradiomics phantom prostate --cases 60 --seed 2 -o build/sample-prostates-pretrain
	$(RUN) -m deepradiomics phantom prostate --cases 100 --seed 1 -o build/sample-prostates
	$(RUN) -m deepradiomics pretrain build/sample-prostates-pretrain/manifest.csv -o build/sample-pretrained --config Testing/samples/encoder.json --seed 0
	$(RUN) -m deepradiomics finetune build/sample-prostates/manifest.csv build/sample-pretrained --task class -o build/sample-finetuned --config Testing/samples/encoder.json --seed 0
	$(RUN) -m deepradiomics lens fit build/sample-prostates/manifest.csv --finetune build/sample-finetuned -o build/sample-lens --preset tiny --hidden 8 --permutations 200 --task-name "Synthetic grade CLS" --seed 0
	$(RUN) Testing/samples/ship.py sample-lens build RadiomicLens/Resources/Bundles/prostate-synthetic-tiny

sample-ich: $(VENV)/.run
	$(RUN) -m deepradiomics phantom ich --cases 60 --seed 3 --without-followup -o build/sample-heads-networks
	$(RUN) -m deepradiomics phantom ich --cases 60 --seed 1 --without-followup -o build/sample-heads
	$(RUN) -m deepradiomics phantom ich --cases 40 --seed 2 --without-followup -o build/sample-heads-held-out
	$(RUN) -m deepradiomics ich train-segmenter build/sample-heads-networks/manifest.csv -o build/sample-segmenter --config Testing/samples/segmenter.json --epochs 5 --seed 0
	$(RUN) -m deepradiomics ich train-autoencoder build/sample-heads-networks/manifest.csv -o build/sample-autoencoder --config Testing/samples/autoencoder.json --epochs 6 --seed 0
	$(RUN) -m deepradiomics ich experiment build/sample-heads/manifest.csv --external build/sample-heads-held-out/manifest.csv --encoder build/sample-segmenter/bundle --autoencoder build/sample-autoencoder/bundle -o build/sample-experiment --config Testing/samples/experiment.json --seed 0
	$(RUN) Testing/samples/ship.py sample-ich build ICHLatentFeatures/Resources/Bundles/head-synthetic-tiny

# PyRadiomics' values for machines without a compiler.
frozen: $(VENV)/.test
	$(RUN) Testing/reference/parity/freeze_oracle.py

clean:
	rm -rf $(VENV) build dist $(DEMO_OUTPUT)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "DeepRadiomics needs Python 3.11 or later: make PYTHON=python3.12"'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip

# torch first: the demo and the tests need no GPU build, which is gigabytes on Linux.
$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	$(RUN) Testing/packaging/install_torch.py "$(TORCH)"
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
	PIP_CONSTRAINT=$(VENV)/constraints.txt $(RUN) Testing/packaging/install_torch.py "$(TORCH)"
	PIP_CONSTRAINT=$(VENV)/constraints.txt $(PIP) --editable ".[test,slicer]"
	PIP_CONSTRAINT=$(VENV)/constraints.txt $(PIP) setuptools wheel versioneer cython
	@PIP_CONSTRAINT=$(VENV)/constraints.txt $(PIP) --no-build-isolation pyradiomics==3.0.1 >$(VENV)/pyradiomics.log 2>&1 \
		|| echo "PyRadiomics could not be built here (no C compiler?): its frozen values stand in. See $(VENV)/pyradiomics.log"
	touch $@
