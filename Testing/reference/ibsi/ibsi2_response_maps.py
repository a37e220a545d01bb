"""The IBSI-2 response maps that are given, computed by our filters: one row of a table for each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from deepradiomics.radiomics.filters import laws_filter, log_filter, mean_filter, separable_wavelet

TOLERANCE = 0.01
"""IBSI's: the largest difference, as a part of the reference's range."""


@dataclass(frozen=True)
class ResponseMap:
    """One map: its IBSI name, what it is, the largest difference in parts of the reference's range."""

    name: str
    what: str
    difference: float

    @property
    def met(self) -> bool:
        return self.difference <= TOLERANCE


def _wavelet(name: str, band: str, level: int, boundary: str, pooled: bool = False) -> Callable[..., np.ndarray]:
    def run(voxels: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
        return separable_wavelet(voxels, name, band, level, boundary, rotation_invariance=pooled)

    return run


def _laws(pooled: bool, delta: int | None = None) -> Callable[..., np.ndarray]:
    def run(voxels: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
        return laws_filter(voxels, "E5L5S5", "zero", 3, rotation_invariance=pooled, energy_delta=delta)

    return run


def _mean(boundary: str) -> Callable[..., np.ndarray]:
    return lambda voxels, spacing: mean_filter(voxels, 15, boundary, 3)


MAPS: dict[str, tuple[str, str, Callable[..., np.ndarray]]] = {
    "1_a_1": ("checkerboard", "mean 15³, zero", _mean("zero")),
    "1_a_2": ("checkerboard", "mean 15³, nearest", _mean("nearest")),
    "1_a_3": ("checkerboard", "mean 15³, periodic", _mean("periodic")),
    "1_a_4": ("checkerboard", "mean 15³, mirror", _mean("mirror")),
    "2_a": ("impulse", "LoG 3 mm, zero", lambda voxels, spacing: log_filter(voxels, 3.0, spacing, "zero", 4.0, 3)),
    "3_a_1": ("impulse", "Laws E5L5S5, zero", _laws(False)),
    "3_a_2": ("impulse", "the same, rotations pooled by maximum", _laws(True)),
    "3_a_3": ("impulse", "the same, energy within 7 voxels", _laws(True, 7)),
    "5_a_1": ("impulse", "Daubechies 2, LHL, zero", _wavelet("db2", "LHL", 1, "zero")),
    "6_a_1": ("sphere", "Coiflet 1, HHL, periodic", _wavelet("coif1", "HHL", 1, "periodic")),
    "7_a_1": ("checkerboard", "Haar, LLL of level 2, mirror, rotations", _wavelet("haar", "LLL", 2, "mirror", True)),
}


def given_maps(data_dir: Path) -> list[str]:
    """Return the names of the maps in the data folder."""
    return sorted(
        path.name.removesuffix("-ValidCRM.nii.gz")
        for path in (data_dir / "ibsi2_response_maps").glob("*-ValidCRM.nii.gz")
    )


def response_map_rows(data_dir: Path) -> Iterator[ResponseMap]:
    """Compute each map that is given and compare it with the reference.

    Args:
        data_dir: the test data, with ``ibsi2_response_maps`` and ``ibsi2_digital_phantoms``.
    """
    for name in given_maps(data_dir):
        phantom, what, run = MAPS[name]
        image = sitk.ReadImage(str(data_dir / "ibsi2_digital_phantoms" / f"{phantom}.nii.gz"))
        reference = sitk.GetArrayFromImage(
            sitk.ReadImage(str(data_dir / "ibsi2_response_maps" / f"{name}-ValidCRM.nii.gz"))
        ).astype(np.float64)
        ours = run(sitk.GetArrayFromImage(image), image.GetSpacing()[::-1])
        worst = np.abs(ours - reference).max() / (reference.max() - reference.min())
        yield ResponseMap(name, f"{phantom}: {what}", float(worst))
