"""The instances behind an image are found by where they lie; what was straightened or is foreign is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from deepradiomics.dicom_out import read_source
from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import Geometry, Volume, read_volume
from Testing.unit.dicom_out.series import MR, phantom, position, write_series

VOXELS = phantom((6, 20, 24))


@pytest.fixture
def ct(tmp_path: Path) -> tuple[Path, Volume]:
    write_series(tmp_path / "ct", VOXELS, order=[3, 0, 5, 1, 4, 2])
    return tmp_path / "ct", read_volume(tmp_path / "ct")


def heights(source_images: tuple) -> list[float]:
    return [float(image.ImagePositionPatient[2]) for image in source_images]


def test_slices_are_in_the_volumes_order_whatever_the_files_say(ct: tuple[Path, Volume]) -> None:
    folder, volume = ct
    source = read_source(folder, volume)
    assert heights(source.images) == [30 + 2.5 * k for k in range(6)]
    assert source.frames == ()
    assert source.modality == "CT"
    by_file = read_source(next(folder.iterdir()), volume)
    listed = read_source(sorted(folder.iterdir()), volume)
    for other in (by_file, listed):
        assert [image.SOPInstanceUID for image in other.images] == [image.SOPInstanceUID for image in source.images]


def test_a_volume_that_counts_its_slices_downwards_is_matched(ct: tuple[Path, Volume]) -> None:
    folder, volume = ct
    grid = volume.geometry
    direction = grid.axes * (1, 1, -1)
    down = Geometry(grid.size, grid.spacing_mm, tuple(grid.index_to_physical((0, 0, 5))), tuple(direction.ravel()))
    source = read_source(folder, Volume(volume.voxels[::-1], down))
    assert heights(source.images) == [30 + 2.5 * k for k in range(5, -1, -1)]


def test_other_files_and_series_in_the_folder_are_passed_by(ct: tuple[Path, Volume]) -> None:
    folder, volume = ct
    uids = {str(image.SOPInstanceUID) for image in read_source(folder, volume).images}
    (folder / "notes.txt").write_text("not DICOM")
    aside = write_series(folder / "aside", VOXELS, ImagePositionPatient=lambda k: ["0", "0", str(500 + k)])
    for path in aside:
        path.rename(folder / f"aside-{path.name}")
    report = dcmread(folder / "aside-000.dcm")
    del report.Rows
    report.save_as(folder / "report.dcm")
    assert {str(image.SOPInstanceUID) for image in read_source(folder, volume).images} == uids


def test_of_two_images_at_each_place_the_one_that_was_read_is_meant(tmp_path: Path) -> None:
    second = phantom((6, 20, 24), seed=5)
    write_series(tmp_path / "a", VOXELS, sop=MR)
    series = dcmread(next((tmp_path / "a").iterdir()))
    echoes = write_series(
        tmp_path / "b", second, sop=MR, SeriesInstanceUID=series.SeriesInstanceUID,
        StudyInstanceUID=series.StudyInstanceUID, FrameOfReferenceUID=series.FrameOfReferenceUID, EchoTime="80",
    )  # fmt: skip
    volume = read_volume(tmp_path / "a")
    for path in echoes:
        path.rename(tmp_path / "a" / f"echo-{path.name}")
    source = read_source(tmp_path / "a", replace(volume, voxels=second))
    assert {str(image.EchoTime) for image in source.images} == {"80"}
    with pytest.raises(GeometryError, match="2 stored images lie at slice 0, and 0 of them have its voxels"):
        read_source(tmp_path / "a", replace(volume, voxels=second + 1))


def test_a_resampled_or_straightened_image_is_refused(ct: tuple[Path, Volume]) -> None:
    folder, volume = ct
    grid = volume.geometry
    thinner = grid.resized((*grid.size[:2], 12))
    with pytest.raises(GeometryError, match="12 of its 12 slices do not lie"):
        read_source(folder, Volume(np.repeat(volume.voxels, 2, axis=0), thinner))
    moved = Geometry(grid.size, grid.spacing_mm, tuple(grid.index_to_physical((0.3, 0, 0))), grid.direction)
    with pytest.raises(GeometryError, match="do not lie where a slice of the DICOM series"):
        read_source(folder, Volume(volume.voxels, moved))


def test_a_tilted_gantry_is_refused_by_its_cause(tmp_path: Path) -> None:
    def slipping(k: int) -> list[str]:
        x, y, z = (float(value) for value in position(k))
        return [f"{x:g}", f"{y + 0.6 * k:g}", f"{z:g}"]

    write_series(tmp_path / "tilt", VOXELS, ImageOrientationPatient=["1", "0", "0", "0", "1", "0"],
                 ImagePositionPatient=slipping)  # fmt: skip
    volume = read_volume(tmp_path / "tilt")
    assert any("tilted" in note for note in volume.notes)
    with pytest.raises(GeometryError, match="tilted gantry"):
        read_source(tmp_path / "tilt", volume)


def test_an_image_that_is_not_dicom_is_refused(tmp_path: Path, ct: tuple[Path, Volume]) -> None:
    (tmp_path / "image.nii").write_bytes(b"\0" * 500)
    with pytest.raises(InputError, match="no DICOM image is here"):
        read_source(tmp_path / "image.nii", ct[1])


@pytest.mark.parametrize("missing", ["FrameOfReferenceUID", "StudyInstanceUID"])
def test_a_series_that_nothing_can_refer_to_is_refused(tmp_path: Path, missing: str) -> None:
    write_series(tmp_path / "ct", VOXELS, **{missing: None})
    volume = read_volume(tmp_path / "ct")
    with pytest.raises(InputError, match=missing):
        read_source(tmp_path / "ct", volume)
