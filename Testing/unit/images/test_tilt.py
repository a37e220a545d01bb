"""A tilted gantry: the head comes out straight, with its volume and place; slice gaps are told."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import GeometryError
from deepradiomics.images import Geometry, Volume, read_volume
from deepradiomics.images.tilt import straighten

DEGREES, SPACING, STEP = 20.0, 2.0, 5.0  # the table moves by STEP along the body
ROW = np.array([1.0, 0.0, 0.0])
COLUMN = np.array([0.0, np.cos(np.radians(DEGREES)), np.sin(np.radians(DEGREES))])
NORMAL = np.cross(ROW, COLUMN)
CENTRE, RADIUS = np.array([3.0, -5.0, 40.0]), 28.0  # a ball, LPS


def tilted(slices: int = 18, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (z, y, x) of a ball, scanned in tilted slices, and the slices' positions (z, 3)."""
    first = CENTRE - ROW * size - COLUMN * size - np.array([0, 0, STEP * (slices - 1) / 2])
    positions = first + np.arange(slices)[:, None] * np.array([0.0, 0.0, STEP])
    y, x = np.mgrid[:size, :size] * SPACING
    points = positions[:, None, None] + x[..., None] * ROW + y[..., None] * COLUMN
    return np.where(np.linalg.norm(points - CENTRE, axis=-1) < RADIUS, 60, -1000).astype(np.int16), positions


def write(folder: Path, voxels: np.ndarray, positions: np.ndarray, thickness: float) -> Path:
    folder.mkdir()
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for k, (plane, position) in enumerate(zip(voxels, positions, strict=True)):
        image = sitk.GetImageFromArray(plane[None])
        image.SetSpacing((SPACING, SPACING, thickness))
        tags = {
            "0008|0060": "CT", "0020|000e": "1.2.826.0.1.3680043.2.1125.77",
            "0020|000d": "1.2.826.0.1.3680043.2.1125.7",
            "0008|0018": f"1.2.826.0.1.3680043.2.1125.77.{k + 1}", "0020|0013": str(k + 1),
            "0020|0032": "\\".join(f"{value:.6f}" for value in position),
            "0020|0037": "\\".join(f"{value:.8f}" for value in (*ROW, *COLUMN)), "0018|0050": f"{thickness:g}",
        }  # fmt: skip
        for key, value in tags.items():
            image.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"{k:03d}.dcm"))
        writer.Execute(image)
    return folder


def measured(volume: Volume) -> tuple[float, np.ndarray]:
    """Volume of the ball in mm³ and its middle, LPS."""
    where = np.argwhere(volume.voxels > -470)[:, ::-1]
    return len(where) * float(np.prod(volume.geometry.spacing_mm)), volume.geometry.index_to_physical(where).mean(
        axis=0
    )


def test_a_ball_scanned_with_a_tilted_gantry_has_its_volume_place_and_roundness(tmp_path: Path) -> None:
    volume = read_volume(write(tmp_path / "series", *tilted(), 5.0))
    mm3, middle = measured(volume)
    assert mm3 == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.02)
    assert np.allclose(middle, CENTRE, atol=0.5)
    where = volume.geometry.index_to_physical(np.argwhere(volume.voxels > -470)[:, ::-1]) - CENTRE
    assert np.linalg.norm(where, axis=1).max() < RADIUS + 3
    assert np.allclose(volume.geometry.axes[:, 2], NORMAL, atol=1e-5)
    assert volume.geometry.spacing_mm[2] == pytest.approx(STEP * np.cos(np.radians(DEGREES)))
    assert [note for note in volume.notes if "tilted by 20.0°" in note]
    assert volume.voxels.dtype == np.int16


def test_straight_slices_stay_as_they_are() -> None:
    voxels, _ = tilted()
    grid = Geometry((64, 64, 18), (SPACING, SPACING, STEP))
    volume = Volume(voxels, grid)
    straight = np.arange(18)[:, None] * np.array([0.0, 0.0, STEP])
    assert straighten(volume, straight) is volume
    assert straighten(volume, straight[:1]) is volume


def test_slices_that_slip_unevenly_are_refused() -> None:
    voxels, positions = tilted()
    axes = np.stack([ROW, COLUMN, NORMAL], 1)
    volume = Volume(voxels, Geometry((64, 64, 18), (SPACING, SPACING, STEP), tuple(positions[0]), tuple(axes.ravel())))
    moved = positions.copy()
    moved[9] += 3 * COLUMN
    with pytest.raises(GeometryError, match="slip sideways by uneven amounts"):
        straighten(volume, moved)


def test_a_gap_between_slices_is_told(tmp_path: Path) -> None:
    assert [
        n for n in read_volume(write(tmp_path / "gap", *tilted(), 2.0)).notes if n.startswith("Slice gap: slices of 2")
    ]
    assert not [n for n in read_volume(write(tmp_path / "none", *tilted(), 5.0)).notes if "gap" in n]
