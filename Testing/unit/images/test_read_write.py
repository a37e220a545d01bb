"""What is written can be read again, and what cannot be read says why."""

import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import Geometry, Mask, Volume, read_mask, read_volume, write_mask, write_stack, write_volume

COS, SIN = np.cos(0.3), np.sin(0.3)
GRID = Geometry((6, 5, 4), (0.5, 0.75, 3.0), (-7.0, 8.0, 9.0), (COS, -SIN, 0, SIN, COS, 0, 0, 0, 1))


@pytest.fixture
def volume() -> Volume:
    return Volume(np.arange(120, dtype=np.int16).reshape(GRID.shape), GRID, "test")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd", ".mha"])
def test_every_format_keeps_voxels_and_oblique_geometry(volume: Volume, tmp_path: Path, suffix: str) -> None:
    path = write_volume(volume, tmp_path / f"image{suffix}")
    again = read_volume(path)
    assert np.array_equal(again.voxels, volume.voxels)
    assert again.geometry.is_close(GRID)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]  # no temporary file stays


def test_masks_keep_their_labels(tmp_path: Path) -> None:
    labels = np.zeros(GRID.shape, np.int64)
    labels[1:3, 1:3, 1:3] = 300
    path = write_mask(Mask(labels, GRID), tmp_path / "mask.nii.gz")
    assert read_mask(path).labels_present() == (300,)


def test_segment_names_of_a_slicer_segmentation_are_read(tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(np.full((2, 2, 2), 2, np.uint8))
    image.SetMetaData("Segment0_LabelValue", "2")
    image.SetMetaData("Segment0_Name", "Femur")
    sitk.WriteImage(image, str(tmp_path / "a.seg.nrrd"))
    assert read_mask(tmp_path / "a.seg.nrrd").segment_names == {2: "Femur"}


def test_a_stack_is_four_dimensional_and_a_single_map_is_not(volume: Volume, tmp_path: Path) -> None:
    two = sitk.ReadImage(str(write_stack([volume, volume], tmp_path / "two.nii.gz")))
    assert two.GetSize() == (*GRID.size, 2)
    assert read_volume(write_stack([volume], tmp_path / "one.nii.gz")).geometry.is_close(GRID)
    with pytest.raises(GeometryError, match="4-D"):
        read_volume(tmp_path / "two.nii.gz")


def write_series(folder: Path, volume: Volume, *, leave_out: int = -1, echoes: tuple[float, ...] = (5.0,)) -> None:
    """Write a DICOM series slice by slice with SimpleITK (GDCM)."""
    folder.mkdir(exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    axes, uid = volume.geometry.axes, f"1.2.826.0.1.3680043.2.1125.{zlib.crc32(folder.name.encode())}"
    for k in range(volume.geometry.size[2]):
        if k == leave_out:
            continue
        for e, echo in enumerate(echoes):
            image = sitk.GetImageFromArray((volume.voxels[k] + 1000 * e).astype(np.int16)[None])
            image.SetSpacing(volume.geometry.spacing_mm)
            position = volume.geometry.index_to_physical((0, 0, k))
            tags = {
                "0008|0060": "MR", "0020|000e": uid, "0020|000d": uid + ".1", "0010|0010": "Doe^Jane",
                "0020|0032": "\\".join(f"{v:.8f}" for v in position),
                "0020|0037": "\\".join(f"{v:.8f}" for v in (*axes[:, 0], *axes[:, 1])),
                "0008|0018": f"{uid}.{k}.{e}", "0020|0013": str(k * len(echoes) + e + 1), "0018|0081": str(echo),
                "0018|0050": str(volume.geometry.spacing_mm[2]),
            }  # fmt: skip
            for key, value in tags.items():
                image.SetMetaData(key, value)
            writer.SetFileName(str(folder / f"{k:03d}_{e}.dcm"))
            writer.Execute(image)


def test_a_dicom_series_keeps_its_geometry_and_no_name(volume: Volume, tmp_path: Path) -> None:
    write_series(tmp_path / "series", volume)
    for path in (tmp_path / "series", tmp_path / "series" / "002_0.dcm"):
        again = read_volume(path)
        assert np.array_equal(again.voxels, volume.voxels)
        assert again.geometry.is_close(GRID)
        assert "Jane" not in repr(vars(again))
        assert ".dcm" not in again.source


def test_several_echoes_give_the_shortest_and_say_so(volume: Volume, tmp_path: Path) -> None:
    write_series(tmp_path / "echoes", volume, echoes=(12.0, 6.0))
    again = read_volume(tmp_path / "echoes")
    assert np.array_equal(again.voxels, volume.voxels + 1000)
    assert "2 images at each position; the shortest echo (TE 6.0 ms)" in again.notes[0]


def test_a_missing_slice_is_refused(volume: Volume, tmp_path: Path) -> None:
    write_series(tmp_path / "gap", volume, leave_out=1)
    with pytest.raises(GeometryError, match=r"3\.000 to 6\.000 mm: slices are missing"):
        read_volume(tmp_path / "gap")


def test_two_series_in_a_folder_must_be_chosen_between(volume: Volume, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_series(tmp_path / name, volume)
        for file in (tmp_path / name).iterdir():
            file.rename(tmp_path / f"{name}{file.name}")
    with pytest.raises(InputError, match="holds 2 DICOM series"):
        read_volume(tmp_path)


def test_mrnet_arrays_share_one_centre_and_say_what_is_assumed(tmp_path: Path) -> None:
    np.save(tmp_path / "0000.npy", np.zeros((5, 8, 8), np.uint8))
    for plane in ("axial", "coronal", "sagittal"):
        volume = read_volume(tmp_path / "0000.npy", plane=plane)
        assert volume.geometry.centre_mm == pytest.approx((0, 0, 0), abs=1e-9)
        assert "assumed" in volume.notes[0]
    normal = read_volume(tmp_path / "0000.npy", plane="sagittal").geometry.axes[:, 2]
    assert normal.tolist() == [1, 0, 0]
    with pytest.raises(InputError, match="its plane must be given"):
        read_volume(tmp_path / "0000.npy")


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    bad = tmp_path / "broken.nii.gz"
    bad.write_bytes(b"not an image")
    with pytest.raises(InputError, match=r"broken\.nii\.gz: this file could not be read"):
        read_volume(bad)
    with pytest.raises(InputError, match="does not exist"):
        read_volume(tmp_path / "absent.nii.gz")
    with pytest.raises(InputError, match="no readable DICOM series"):
        read_volume(tmp_path)
    dicom = tmp_path / "broken.dcm"
    dicom.write_bytes(b"\0" * 128 + b"DICM" + b"garbage")
    with pytest.raises(InputError, match="DICOM"):
        read_volume(dicom)


def test_an_unknown_format_is_refused_before_anything_is_written(volume: Volume, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown image format"):
        write_volume(volume, tmp_path / "image.xyz")
    assert not list(tmp_path.iterdir())


def test_colour_images_are_refused(tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(np.zeros((2, 3, 4, 3), np.uint8), isVector=True)
    sitk.WriteImage(image, str(tmp_path / "rgb.nrrd"))
    with pytest.raises(InputError, match="3 components"):
        read_volume(tmp_path / "rgb.nrrd")
