"""One patient's folder of ``ich apply`` as its report reads it: the record, the maps on the CT's grid, the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.files import read_json
from deepradiomics.ich.cohort import title_of
from deepradiomics.images import Geometry, Mask, Volume, read_mask, read_volume
from deepradiomics.results.ich_folder import Row, read_rows
from deepradiomics.results.ich_words import SYNTHETIC_CT, SYNTHETIC_IN_REAL, SYNTHETIC_MODEL, red_lines

KIND = "ich-case"
HAEMATOMA, RING = 1, 2


@dataclass(frozen=True, eq=False)
class CaseFolder:
    """A patient's results.

    Args:
        folder: where they lie.
        record: ``ich.json``.
        segmentation: 1 haematoma, 2 ring.
        gradcam: by outcome, on the segmentation's grid; empty where the model takes no latents.
        shap: rows of shap.csv, the largest of each outcome first.
        features: rows of features.csv.
        ct: the baseline CT; None when it was not given, for the folder does not hold it.
        change: 1 stable, 2 grown, 3 shrunk, with a follow-up.
        followup: the registered follow-up on the segmentation's grid.
    """

    folder: Path
    record: Mapping[str, Any]
    segmentation: Mask
    gradcam: Mapping[str, Volume] = field(default_factory=dict)
    shap: Sequence[Row] = ()
    features: Sequence[Row] = ()
    ct: Volume | None = None
    change: Mask | None = None
    followup: Volume | None = None

    @classmethod
    def read(cls, folder: Path | str, ct: Volume | None = None, followup: Volume | None = None) -> CaseFolder:
        """Read a folder of ``ich apply``.

        Args:
            folder: where it lies.
            ct: the baseline CT.
            followup: the registered follow-up, instead of the folder's own.

        Raises:
            InputError: it is none, or a file is missing.
            GeometryError: the CT or a map is not on the segmentation's grid.
        """
        folder = Path(folder)
        record = read_json(folder / "ich.json")
        if not isinstance(record, dict) or record.get("kind") != KIND:
            found = record.get("kind") if isinstance(record, dict) else type(record).__name__
            raise InputError(f"{folder / 'ich.json'}: expected a case of 'ich apply' (kind {KIND!r}), got {found!r}.")
        segmentation = read_mask(folder / "segmentation.nii.gz")
        grid = segmentation.geometry
        if ct is not None:
            _check(ct.geometry, grid, "the CT")
        heat = folder / "gradcam.nii.gz"
        expansion, registered = folder / "expansion.nii.gz", folder / "followup_registered.nii.gz"
        change = read_mask(expansion) if expansion.is_file() else None
        if followup is None and registered.is_file():
            followup = read_volume(registered)
        for one, name in ((change, "expansion.nii.gz"), (followup, "the registered follow-up")):
            if one is not None:
                _check(one.geometry, grid, name)
        return cls(
            folder, record, segmentation,
            _read_maps(heat, list(record.get("outcomes") or ()), grid) if heat.is_file() else {},
            read_rows(folder / "shap.csv"), read_rows(folder / "features.csv"), ct, change, followup,
        )  # fmt: skip

    @property
    def outcomes(self) -> Mapping[str, Mapping[str, Any]]:
        """What is told of each outcome, by name."""
        return self.record.get("outcomes") or {}

    def title(self, outcome: str) -> str:
        """An outcome's title."""
        return str(self.outcomes[outcome].get("title") or title_of(outcome))

    @property
    def outside(self) -> bool:
        """Whether the case lies outside the training cohort, so that no class is shown."""
        return bool(self.record.get("outside_training_cohort"))

    @property
    def haematoma(self) -> np.ndarray:
        """Where the haematoma is, bool (z, y, x)."""
        return self.segmentation.labels == HAEMATOMA

    @property
    def dilated(self) -> np.ndarray:
        """The haematoma with its ring, bool (z, y, x)."""
        return self.segmentation.labels > 0

    @property
    def synthetic(self) -> bool:
        return bool(self.record.get("synthetic_model"))

    @property
    def red(self) -> list[str]:
        """What stands in red on every picture."""
        model, image = (bool(self.record.get(f"synthetic_{what}")) for what in ("model", "image"))
        shown = SYNTHETIC_IN_REAL if self.record.get("real_head") else SYNTHETIC_CT
        return red_lines(self.leaking, SYNTHETIC_MODEL if model else "", shown if image else "")

    @property
    def leaking(self) -> bool:
        return bool(self.record.get("leaking"))


def _read_maps(path: Path, names: Sequence[str], grid: Geometry) -> dict[str, Volume]:
    """The maps of a 4-D image by outcome; a 3-D image is one map."""
    import SimpleITK as sitk

    try:
        voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    except RuntimeError as error:
        raise InputError(f"{path}: this image cannot be read ({str(error).strip().splitlines()[-1]}).") from error
    maps = voxels if voxels.ndim == 4 else voxels[None]  # (outcomes, z, y, x)
    if len(maps) != len(names):
        raise InputError(f"{path}: expected a map for each of {len(names)} outcomes, got {len(maps)}. Apply again.")
    if maps.shape[1:] != grid.shape:
        raise GeometryError(
            f"{path}: expected the segmentation's grid {grid.shape}, got {maps.shape[1:]}. Apply again."
        )
    return {name: Volume(one.astype(np.float32), grid, name) for name, one in zip(names, maps, strict=True)}


def _check(found: Geometry, grid: Geometry, what: str) -> None:
    # Not as strict as elsewhere: a header in single precision may move a corner of a large image by a hundredth.
    if not found.is_close(grid, tolerance_mm=0.05):
        raise GeometryError(
            f"{what} is not on the grid of segmentation.nii.gz (size {found.size}, expected {grid.size}, or another "
            "place). Give the CT that 'ich apply' was given."
        )
