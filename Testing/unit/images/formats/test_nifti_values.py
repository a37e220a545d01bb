"""NIfTI files are read as nibabel and the standard read them: every type, order, scaling and affine."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.images import read_mask, read_volume
from Testing.unit.images.formats.stored_files import ORIGIN, SPACING, VOXELS, nifti_bytes, nifti_file

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.mark.parametrize("seed", range(4))
def test_random_files_have_nibabels_values_and_affine(tmp_path: Path, seed: int) -> None:
    nibabel = pytest.importorskip("nibabel")
    rng = np.random.default_rng(seed)
    for number in range(40):
        kind = rng.choice(["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
        dtype = np.dtype(rng.choice(["<", ">"]) + kind)
        shape = tuple(rng.integers(1, 8, 3).tolist())
        if dtype.kind == "f":
            stored = rng.normal(0, 1e3, shape).astype(dtype)
        else:
            info = np.iinfo(dtype)
            stored = rng.integers(max(info.min, -(2**50)), min(info.max, 2**50), shape, endpoint=True).astype(dtype)
        image_class = nibabel.Nifti1Image if rng.random() < 0.7 else nibabel.Nifti2Image
        header = image_class.header_class(endianness=dtype.str[0].replace("|", "<"))
        header.set_data_dtype(dtype)
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        affine = np.eye(4)
        affine[:3, :3], affine[:3, 3] = turn * rng.uniform(0.2, 5, 3), rng.uniform(-300, 300, 3)
        image = image_class(stored, affine, header)
        codes = [(0, 2), (1, 0), (1, 1), (1, 2)][rng.integers(4)]
        image.set_qform(affine if codes[0] else None, codes[0])
        image.set_sform(affine if codes[1] else None, codes[1])
        scaling = [(1.0, 0.0), (2.0, -1024.0), (0.5, 3.0), (-1.25, 0.0)][rng.integers(4)]
        image.header.set_slope_inter(*scaling)
        image.update_header()
        image.header["vox_offset"] = 352 if image_class is nibabel.Nifti1Image else 544
        image.header["magic"] = image.header.single_magic
        buffer = io.BytesIO()
        image.header.write_to(buffer)
        buffer.write(bytes(int(image.header["vox_offset"]) - buffer.tell()))
        data = buffer.getvalue() + stored.tobytes(order="F")
        path = tmp_path / f"a{number}.nii{'.gz' if rng.random() < 0.5 else ''}"
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)

        volume = read_volume(path)
        truth = stored if scaling == (1.0, 0.0) else stored.astype(float) * scaling[0] + scaling[1]
        assert np.array_equal(volume.voxels, truth.T)
        assert np.allclose(volume.voxels, np.asarray(nibabel.load(path).dataobj, float).T, rtol=1e-6)
        assert np.allclose(volume.geometry.affine, TO_LPS @ nibabel.load(path).affine, atol=2e-4)
        assert len(volume.notes) == (scaling != (1.0, 0.0))


def test_both_byte_orders_are_read(tmp_path: Path) -> None:
    for order in "<>":
        volume = read_volume(nifti_file(tmp_path / "a.nii", order=order))
        assert np.array_equal(volume.voxels, VOXELS)
        assert volume.voxels.dtype == np.int16
        assert volume.geometry.spacing_mm == pytest.approx(SPACING)
        assert volume.geometry.origin_mm == ORIGIN
        assert volume.notes == ()


@pytest.mark.parametrize(
    ("slope", "intercept", "expected", "note"),
    [
        (0.0, 0.0, VOXELS, ""),
        (float("nan"), float("nan"), VOXELS, ""),
        (0.0, 5.0, VOXELS, "scl_inter (5) is not added"),
        (2.0, -3.0, VOXELS * 2 - 3, "multiplied by 2 (scl_slope) and -3 (scl_inter) was added"),
        (0.1, 0.0, VOXELS * float(np.float32(0.1)), "scl_slope"),
    ],
)
def test_scaling_is_applied_and_noted_and_slope_0_means_none(
    tmp_path: Path, slope: float, intercept: float, expected: np.ndarray, note: str
) -> None:
    volume = read_volume(nifti_file(tmp_path / "a.nii.gz", scl_slope=slope, scl_inter=intercept))
    assert np.array_equal(volume.voxels, expected)
    assert (note in volume.notes[0]) if note else volume.notes == ()


@pytest.mark.parametrize(("unit", "factor"), [(1, 1000.0), (3, 0.001)])
def test_metres_and_micrometres_become_millimetres_with_a_note(tmp_path: Path, unit: int, factor: float) -> None:
    volume = read_volume(nifti_file(tmp_path / "a.nii", xyzt_units=unit))
    assert volume.geometry.spacing_mm == pytest.approx([length * factor for length in SPACING])
    assert volume.geometry.origin_mm == pytest.approx([place * factor for place in ORIGIN])
    assert "xyzt_units" in volume.notes[0]
    assert read_volume(nifti_file(tmp_path / "b.nii", xyzt_units=0)).notes == ()


def test_without_sform_and_qform_the_grid_is_laid_along_the_axes_and_a_note_says_that_sides_are_not_known(
    tmp_path: Path,
) -> None:
    volume = read_volume(nifti_file(tmp_path / "a.nii", sform_code=0))
    assert volume.geometry.axes.tolist() == np.eye(3).tolist()
    assert volume.geometry.origin_mm == (0, 0, 0)
    assert volume.geometry.spacing_mm == pytest.approx(SPACING)
    assert "which side is left is not known" in volume.notes[0]


def test_a_fourth_axis_of_one_volume_is_read_and_bytes_before_the_voxels_are_skipped(tmp_path: Path) -> None:
    data = nifti_bytes(dim=(4, 2, 3, 4, 1, 1, 1, 1), vox_offset=368.0)
    (tmp_path / "a.nii").write_bytes(data[:352] + bytes(16) + data[352:])
    assert np.array_equal(read_volume(tmp_path / "a.nii").voxels, VOXELS)


def test_a_pair_of_header_and_voxels_is_read_by_either_name(tmp_path: Path) -> None:
    data = nifti_bytes(magic=b"ni1\0", vox_offset=0.0)
    (tmp_path / "a.hdr").write_bytes(data[:348])
    (tmp_path / "a.img").write_bytes(data[352:])
    for ending in (".hdr", ".img"):
        assert np.array_equal(read_volume(tmp_path / f"a{ending}").voxels, VOXELS)


def test_labels_are_read_with_the_notes_of_their_header(tmp_path: Path) -> None:
    labels = (VOXELS > 20).astype(np.uint8)
    mask = read_mask(nifti_file(tmp_path / "m.nii.gz", labels, sform_code=0))
    assert mask.labels_present() == (1,)
    assert "sform_code" in mask.notes[0]
