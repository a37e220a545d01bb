"""Head CTs, masks, manifests and bundles for the haemorrhage's bad inputs: good ones, once, and copies that are wrong.

Everything good lies in one folder that this process makes when it is first asked and removes at its end; a case of the
list makes in its own folder only what is wrong.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume
from Testing.unit.ich import head_balls, ich_heads

CASES = 18
Rows = list[dict[str, str]]


@cache
def place() -> Path:
    """The folder of what is good: ``a``, ``b`` (cohorts), ``few.yaml``, ``ct.nii.gz``, ``mask.nii.gz``, ``later…``."""
    folder = Path(tempfile.mkdtemp(prefix="deepradiomics-ich-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ich_heads.write_cohort(folder / "a", CASES, seed=0)
    ich_heads.write_cohort(folder / "b", 4, seed=1)
    ich_heads.few_features(folder)
    ct, mask = head()
    write_volume(ct, folder / "ct.nii.gz")
    write_mask(mask, folder / "mask.nii.gz")
    later, later_mask = head(radius_mm=18.0, seed=7)
    write_volume(later, folder / "later.nii.gz")
    write_mask(later_mask, folder / "later_mask.nii.gz")
    return folder


def head(radius_mm: float = 12.0, seed: int = 3, **changes: object) -> tuple[Volume, Mask]:
    """A head of 4 mm with a haematoma."""
    given = {"spacing_mm": (4.0, 4.0, 4.0), "size": 40, "centre_mm": (20.0, -8.0, 4.0), **changes}
    return head_balls.head(radius_mm=radius_mm, seed=seed, **given)  # type: ignore[arg-type]


@cache
def network(kind: str, seed: int = 0) -> Path:
    """Bundle of an untrained ``segmenter`` or ``autoencoder`` that has seen nobody."""
    make = ich_heads.segmenter if kind == "segmenter" else ich_heads.autoencoder
    given = {"seed": seed} if kind == "segmenter" else {}
    return make(place() / f"{kind}-{seed}", **given)  # type: ignore[operator]


@cache
def knowing(kind: str) -> Path:
    """Bundle of a network that has seen the patients of cohort ``a``."""
    make = ich_heads.segmenter if kind == "segmenter" else ich_heads.autoencoder
    return make(place() / f"knowing-{kind}", seen=rows("a"))


@cache
def bundle() -> Path:
    """Outcome models with both networks, and the covariates age and sex."""
    from Testing.unit.ich.tiny_predictor import tiny_bundle

    return tiny_bundle(place() / "bundle", covariates=("age", "sex"))


@cache
def bundle_without_networks() -> Path:
    """Outcome models on shape alone."""
    from deepradiomics.ich.predictor import save_predictor
    from Testing.unit.ich.tiny_predictor import random_predictor

    return save_predictor(place() / "shape", random_predictor(input="shape", info={"synthetic": True}))


@cache
def bundle_with_covariates() -> Path:
    """Outcome models on shape, age and sex."""
    from deepradiomics.ich.predictor import save_predictor
    from Testing.unit.ich.tiny_predictor import random_predictor

    made = random_predictor(input="shape", covariates=("age", "sex"), info={"synthetic": True})
    return save_predictor(place() / "covariates", made)


def nnunet(folder: Path) -> Path:
    """What looks like a model folder of nnU-Net."""
    (folder / "fold_0").mkdir(parents=True)
    (folder / "fold_0" / "checkpoint_final.pth").write_bytes(b"")
    (folder / "plans.json").write_text("{}", encoding="utf-8")
    (folder / "dataset.json").write_text('{"channel_names": {"0": "CT"}}', encoding="utf-8")
    return folder


def rows(cohort: str = "a", *, count: int | None = None) -> Rows:
    """The rows of a cohort with absolute paths, to be changed."""
    folder = place() / cohort
    found = ich_heads.read_rows(folder / "manifest.csv")[:count]
    return [row | {name: str(folder / row[name]) for name in ("image", "mask")} for row in found]


def manifest(folder: Path, change: Callable[[Rows], None] | None = None, cohort: str = "a", count: int | None = None,
             name: str = "manifest.csv") -> Path:  # fmt: skip
    """A manifest of good images, with a change in its rows."""
    found = rows(cohort, count=count)
    if change is not None:
        change(found)
    return ich_heads.write_rows(folder / name, found)


def each(**cells: str) -> Callable[[Rows], None]:
    """Every row gets these cells; None takes the column away."""
    return lambda found: [row.update(cells) for row in found] and None


def one(number: int, **cells: str) -> Callable[[Rows], None]:
    """One row gets these cells."""
    return lambda found: found[number].update(cells)


def without(*columns: str) -> Callable[[Rows], None]:
    """No row has these columns."""
    return lambda found: [row.pop(column) for row in found for column in columns] and None


def ct(folder: Path, kind: str) -> Path:
    """A CT that is wrong in one way, ``<kind>.nii.gz``."""
    volume, _ = head()
    hu, grid = volume.voxels, volume.geometry
    wrong: Mapping[str, Callable[[], np.ndarray]] = {
        "picture": lambda: np.clip(255 * (hu + 20) / 140, 0, 255).astype(np.uint8),
        "normalised": lambda: np.clip((hu + 20) / 140, 0, 1).astype(np.float32),
        "stored": lambda: hu + 1024 + 20,
        "windowed": lambda: np.clip(hu, -20, 120),
        "dark": lambda: np.minimum(hu, 20),
        "constant": lambda: np.full_like(hu, 40),
        "nan": lambda: np.where(np.arange(hu.size).reshape(hu.shape) % 97 == 0, np.nan, hu),
        "bones": lambda: np.where(hu > -500, 900, -1000).astype(np.float32),
    }
    if kind == "contrast":
        voxels = hu.copy()
        voxels[head_balls.ball_mask(grid, (-25.0, 10.0, 4.0), 12.0).labels > 0] = 220
    elif kind == "tilted":
        voxels, grid = hu, _turned(grid, 12.0)
    elif kind == "thick":
        volume, _ = head(spacing_mm=(4.0, 4.0, 8.0))
        voxels, grid = volume.voxels, volume.geometry
    elif kind == "shifted":  # another place in space, far away
        voxels, grid = hu, Geometry(grid.size, grid.spacing_mm, (500.0, 0.0, 0.0))
    else:
        voxels = wrong[kind]()
    return write_volume(Volume(voxels, grid), folder / f"{kind}.nii.gz")


def mask(folder: Path, kind: str, like: Path | None = None) -> Path:
    """A mask that is wrong in one way, ``mask-<kind>.nii.gz``."""
    from deepradiomics.images import read_volume

    grid = head()[1].geometry if like is None else read_volume(like).geometry
    labels = head_balls.ball_mask(grid, (20.0, -8.0, 4.0), 12.0).labels.copy()
    if kind == "empty":
        labels[:] = 0
    elif kind == "tiny":
        labels = head_balls.ball_mask(grid, (18.0, -10.0, 2.0), 4.5).labels  # 7 voxels, 0.45 mL
    elif kind == "label-7":
        labels = labels * 7
    elif kind == "labels":
        labels[:, :, labels.shape[2] // 2 + 6 :] *= 2
    elif kind == "two":
        labels |= head_balls.ball_mask(grid, (-25.0, 10.0, 4.0), 8.0).labels
    elif kind in ("huge", "huge-and-one"):
        labels = head_balls.ball_mask(grid, (0.0, 0.0, 0.0), 40.0).labels.copy()
        if kind == "huge-and-one":
            labels |= head_balls.ball_mask(grid, (0.0, 0.0, 56.0), 6.0).labels
    elif kind == "shifted":
        grid = Geometry(grid.size, grid.spacing_mm, (500.0, 0.0, 0.0))
    elif kind == "grains":  # one voxel of 0.2 mm, between the voxels of the CT
        grid = Geometry((3, 3, 3), (0.2, 0.2, 0.2), (18.0, -10.0, 2.0))
        labels = np.zeros((3, 3, 3), np.uint8)
        labels[1, 1, 1] = 1
    return write_mask(Mask(labels, grid), folder / f"mask-{kind}.nii.gz")


def _turned(grid: Geometry, degrees: float) -> Geometry:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = (1.0, 0.0, 0.0, 0.0, c, -s, 0.0, s, c)
    return Geometry(grid.size, grid.spacing_mm, grid.origin_mm, turn)  # type: ignore[arg-type]
