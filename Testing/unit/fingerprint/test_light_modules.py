"""What the panel and the reports import loads nothing heavy, and the estimate behaves sensibly."""

import subprocess
import sys

import pytest

from deepradiomics.fingerprint.evaluate.estimate import estimate_run
from deepradiomics.fingerprint.model.config import config

HEAVY = ("torch", "monai", "lightning", "pandas", "sklearn", "matplotlib", "pyarrow", "dask", "numba", "safetensors")
MODULES = (
    "fingerprint", "fingerprint.model.pool", "fingerprint.model.config", "fingerprint.model.tasks",
    "fingerprint.model.scaling", "fingerprint.model.thresholds", "fingerprint.model.bundle", "fingerprint.apply.result",
    "fingerprint.apply.explain", "fingerprint.apply.prediction", "fingerprint.apply.methods_text",
    "fingerprint.apply.run", "fingerprint.evaluate.estimate", "fingerprint.train.data", "fingerprint.train.fit",
    "fingerprint.train.run", "networks", "networks.bundle", "training", "training.run", "training.run_folder",
    "training.fit", "training.seeds", "training.schedule",
)  # fmt: skip


def test_importing_loads_nothing_heavy() -> None:
    imports = "; ".join(f"import deepradiomics.{name}" for name in MODULES)
    code = f"import sys; {imports}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


def test_registration_more_views_and_a_larger_network_cost_more() -> None:
    tiny, paper = config("tiny").to_dict(), config("paper").to_dict()
    knee = 512 * 512 * 30
    one, three = (estimate_run(tiny, [knee] * n) for n in (1, 3))
    off = estimate_run(tiny, [knee] * 3, registration="off")
    large, gpu = (estimate_run(paper, [knee] * 3, gpu=on) for on in (False, True))
    assert 5 < one.seconds < three.seconds < 120
    assert off.seconds < three.seconds
    assert three.memory_mb < large.memory_mb < 4000
    assert gpu.seconds < large.seconds


@pytest.mark.parametrize("preset", ["tiny", "paper"])
def test_the_first_run_on_a_machine_takes_longer(preset: str) -> None:
    settings = config(preset).to_dict()  # type: ignore[arg-type]
    assert estimate_run(settings, [1], first_run=True).seconds > estimate_run(settings, [1]).seconds
