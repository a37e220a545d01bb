"""SYNTHETIC cohorts of noisy balls, two modalities on grids of their own, for tests of training: nobody's images.

The gland is a ball whose radius gives the value; inside it lies a lesion whose brightness in T2 grows with the grade.
"""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume
from deepradiomics.lens.encoders.config import EncoderConfig, StageTraining
from deepradiomics.lens.encoders.finetune.run import FinetunedRun, FinetuneRequest, finetune
from deepradiomics.prepare.stack import StackRecipe

MODALITIES = ("t2", "adc")
RECIPE = StackRecipe(modalities=MODALITIES, size_zyx=(16, 32, 32), spacing_mm=(2.0, 2.0, 2.0))
TRAINING = StageTraining(epochs=3, batch_size=6, learning_rate=2e-3, shift_voxels=(0, 1, 1))
CONFIG = EncoderConfig(
    "tiny", "mini", RECIPE, decoder_width=16, head_width=16, pretraining=TRAINING, finetuning=TRAINING
)


def config(**changes: object) -> EncoderConfig:
    """The test's configuration with other settings of both trainings."""
    training = replace(TRAINING, **changes)  # type: ignore[arg-type]
    return replace(CONFIG, pretraining=training, finetuning=training)


def finetuned(
    manifest: Manifest, kind: str, encoder: Any, config: EncoderConfig, out: Path | str, **options: Any
) -> FinetunedRun:
    """A fine-tuning on the CPU; options of the request and of the run side by side."""
    of_run = {name: options.pop(name) for name in ("resume", "cache", "progress") if name in options}
    request = FinetuneRequest(manifest, kind, encoder, config, **options)  # type: ignore[arg-type]
    return finetune(request, out, device="cpu", **of_run)


def write_cohort(folder: Path, cases: int = 24, seed: int = 0) -> Path:
    """Write images, masks and manifest.csv; grades 0, 1, 2 in turn, every grade 0 without a lesion, no splits."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.txt").write_text("SYNTHETIC: noisy balls.\n", encoding="utf-8")
    rows = []
    for case in range(cases):
        grade, radius = case % 3, rng.uniform(8.0, 16.0)
        views, masks = _exam(grade, radius, rng)
        name = f"ball{case:02d}"
        row = {"id": name, "patient": f"p{case // 2 if case < 4 else case}"}  # the first four scans are of two patients
        for view, volume in views.items():
            write_volume(volume, folder / f"{name}_{view}.nii.gz")
            row[f"view_{view}"] = f"{name}_{view}.nii.gz"
        for roi, mask in masks.items():
            write_mask(mask, folder / f"{name}_{roi}.nii.gz")
        row["mask_gland"] = f"{name}_gland.nii.gz"
        row["mask_lesion"] = f"{name}_lesion.nii.gz" if "lesion" in masks else ""
        row |= {"label_grade": str(grade), "value_volume_ml": f"{4.19e-3 * radius**3:.6f}"}
        rows.append(row)
    return write_rows(folder / "manifest.csv", rows)


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write a manifest from its rows."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]), restval="")
        table.writeheader()
        table.writerows(rows)
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a manifest, to be changed."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _exam(grade: int, radius: float, rng: np.random.Generator) -> tuple[dict[str, Volume], dict[str, Mask]]:
    grids = {
        "t2": Geometry((40, 40, 20), (2.0, 2.0, 2.5), (-39.0, -39.0, -23.75), (1, 0, 0, 0, 1, 0, 0, 0, 1)),
        "adc": Geometry((30, 30, 16), (2.6, 2.6, 3.0), (-37.7, -37.7, -22.5), (1, 0, 0, 0, 1, 0, 0, 0, 1)),
    }
    views, masks = {}, {}
    for name, grid in grids.items():
        gland, lesion = _ball(grid, (0, 0, 0), radius), _ball(grid, (3, 0, 0), 5.0)
        scale = 100.0 if name == "t2" else 1000.0
        image = scale * (1.0 + 0.6 * gland + 0.5 * grade * lesion * (1 if name == "t2" else -0.3))
        noisy = image + 0.05 * scale * rng.normal(size=image.shape)
        views[name] = Volume(noisy.astype(np.float32), grid, name=f"SYNTHETIC {name}")
        if name == "t2":
            masks["gland"] = Mask(gland.astype(np.uint8), grid, "gland")
            if grade:
                masks["lesion"] = Mask(lesion.astype(np.uint8), grid, "lesion")
    return views, masks


def _ball(grid: Geometry, centre: tuple[float, float, float], radius: float) -> np.ndarray:
    places = grid.index_to_physical(np.argwhere(np.ones(grid.shape, bool))[:, ::-1])
    return (np.linalg.norm(places - np.array(centre), axis=1) <= radius).reshape(grid.shape)
