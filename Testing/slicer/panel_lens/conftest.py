"""The lens's panel in the simulated Slicer that the fingerprint's panel tests use, with what it can be set up on."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepradiomics.networks.bundle import FORMAT, FORMAT_VERSION
from Testing.slicer.panel.conftest import errors, simulated, slicer_sources  # noqa: F401 - fixtures
from Testing.unit.reports.fake_lens import write_fake_lens


@pytest.fixture
def widget(simulated: Any, errors: list[str]) -> Iterator[Any]:  # noqa: F811
    """The panel, set up as Slicer does it."""
    import qt

    module = importlib.import_module("RadiomicLens")
    parent = simulated.qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    made = module.RadiomicLensWidget(parent)
    made.setup()
    yield made
    made.cleanup()


@pytest.fixture(scope="session")
def lens_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SYNTHETIC: a result folder of `lens fit`, of invented numbers."""
    return write_fake_lens(tmp_path_factory.mktemp("lens") / "PIRADS")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Three cases, two modalities, a gland and a lesion; the files are empty."""
    names = ("t2", "adc", "gland", "lesion")
    rows = ["id,view_t2,view_adc,mask_gland,mask_lesion"]
    for case in ("a", "b", "c"):
        for name in names:
            (tmp_path / f"{case}_{name}.nrrd").touch()
        rows.append(",".join([case, *(f"{case}_{name}.nrrd" for name in names)]))
    path = tmp_path / "manifest.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def finetuning(tmp_path: Path) -> Path:
    """A fine-tuning's folder with the descriptions of its encoders only: what the panel reads before a run."""
    folder = tmp_path / "tuning"
    for stage in ("frozen", "tuned"):
        write_encoder(folder / stage / "encoder")
    return folder


def write_encoder(folder: Path, kind: str = "encoder") -> Path:
    """A bundle's description."""
    folder.mkdir(parents=True)
    info = {
        "format": FORMAT, "format_version": FORMAT_VERSION, "kind": kind, "name": "tiny",
        "weights": {"file": "model.safetensors", "sha256": "0", "tensors": {}},
    }  # fmt: skip
    (folder / "bundle.json").write_text(json.dumps(info), encoding="utf-8")
    (folder / "model.safetensors").touch()
    return folder
