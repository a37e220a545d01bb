"""NIfTI headers that cannot be, or that contradict themselves, are refused in words or noted."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import Geometry, read_volume
from Testing.unit.images.formats.stored_files import ORIGIN, SPACING, nifti_bytes, nifti_file

ROWS = np.column_stack([np.diag([-1, -1, 1]) * SPACING, np.array([-1, -1, 1]) * ORIGIN])
NAN, INF = float("nan"), float("inf")
BAD_FIELDS = {
    "vox_offset": [(v, r"vox_offset.*at least 352") for v in (0.0, 88.0, 351.0, -352.0, 360.5, 1e18, NAN, INF)],
    "bitpix": [(v, "bitpix says") for v in (0, 1, 8, 32, -16)],
    "datatype": [(0, "unknown"), (1, "single bits"), (128, "RGB colours"), (32, "complex"), (1536, "128-bit"),
                 (77, "none that NIfTI knows"), (2, "bitpix says 16")],
    "dim": [((0, 2, 3, 4, 1, 1, 1, 1), "0 axes"), ((8, 2, 3, 4, 1, 1, 1, 1), "8 axes"),
            ((3, 2, -3, 4, 1, 1, 1, 1), "each must be at least 1"), ((3, 0, 3, 4, 1, 1, 1, 1), "at least 1"),
            ((3, 2, 3, 5, 1, 1, 1, 1), "cut short"), ((3, 2, 3, 3, 1, 1, 1, 1), "longer than its header promises"),
            ((4, 2, 3, 2, 2, 1, 1, 1), r"4-D of size \(2, 3, 2, 2\): 2 volumes"), ((1, 24, 1, 1, 1, 1, 1, 1), "1-D"),
            ((3, 32000, 32000, 32000, 1, 1, 1, 1), "GB of voxels; at most")],
    "scl_slope": [(INF, "scaling cannot be"), (-INF, "scaling cannot be")],
    "scl_inter": [(NAN, "scaling cannot be"), (INF, "scaling cannot be")],
    "xyzt_units": [(5, "xyzt_units 5"), (7, "xyzt_units 7")],
    "sform_code": [(-1, "sform_code is -1"), (256, "sform_code is 256")],
    "qform_code": [(77, "qform_code is 77")],
    "srow": [((*ROWS.ravel()[:-1], NAN), "not finite"), ((*ROWS.ravel()[:-1], 1e30), "no image lies so"),
             ((0.0,) * 12, "no image lies so")],
    "magic": [(b"n+2\0", "damaged NIfTI"), (b"\0\0\0\0", "Analyze"), (b"ni1\0", "its name says otherwise")],
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    ("field", "value", "message"), [(field, *case) for field, cases in BAD_FIELDS.items() for case in cases]
)
def test_a_field_that_cannot_be_is_refused_by_name(
    tmp_path: Path, field: str, value: object, message: str, suffix: str
) -> None:
    path = nifti_file(tmp_path / f"broken{suffix}", **{field: value})
    with pytest.raises(InputError, match=message) as raised:
        read_volume(path)
    assert "broken.nii" in str(raised.value)


@pytest.mark.parametrize("length", [0.0, -1.0, NAN, INF])
def test_a_spacing_that_is_none_is_refused_where_it_is_used(tmp_path: Path, length: float) -> None:
    pixdim = (1.0, 0.5, length, 3.0, 0, 0, 0, 0)
    for codes in ({"sform_code": 0}, {"sform_code": 0, "qform_code": 1}):
        with pytest.raises(GeometryError, match="pixdim"):
            read_volume(nifti_file(tmp_path / "a.nii", pixdim=pixdim, **codes))


@pytest.mark.parametrize(("quaternion", "qfac"), [((0.9, 0.9, 0.9), 1.0), ((NAN, 0, 0), 1.0), ((0, 0, 1.0), 7.0)])
def test_a_qform_that_is_no_rotation_is_refused(tmp_path: Path, quaternion: tuple[float, ...], qfac: float) -> None:
    fields = {"quatern": quaternion, "pixdim": (qfac, *SPACING, 0, 0, 0, 0), "qform_code": 1, "sform_code": 0}
    with pytest.raises(GeometryError, match="its qform is no rotation"):
        read_volume(nifti_file(tmp_path / "a.nii", **fields))


def test_a_sheared_sform_is_refused_also_where_the_qform_is_straight(tmp_path: Path) -> None:
    rows = ROWS.copy()
    rows[0, 2] = 1.0
    for code in (0, 1, 2):
        with pytest.raises(GeometryError, match=r"sform .* are not orthonormal \(sheared grid\).*18\.43"):
            read_volume(nifti_file(tmp_path / "a.nii.gz", srow=tuple(rows.ravel()), qform_code=code))


def test_directions_off_by_rounding_become_the_nearest_rotation_with_a_note(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    exact = np.column_stack([turn * SPACING, ORIGIN])
    noisy = exact.copy()
    noisy[:, :3] += rng.uniform(-1e-4, 1e-4, (3, 3))
    volume = read_volume(nifti_file(tmp_path / "a.nii", srow=tuple(noisy.ravel())))
    axes = volume.geometry.axes
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert np.allclose(axes, np.diag([-1, -1, 1]) @ turn, atol=5e-4)
    assert "off right angles" in volume.notes[0]
    assert "nearest ones" in volume.notes[0]


def test_two_matrices_of_one_code_that_lie_apart_are_refused_and_of_two_codes_noted(tmp_path: Path) -> None:
    moved = (7.0, -8.0 + 5.0, 9.0)
    with pytest.raises(GeometryError, match=r"contradict each other: both claim code 1.*5 mm apart"):
        read_volume(nifti_file(tmp_path / "a.nii", qform_code=1, qoffset=moved))
    volume = read_volume(nifti_file(tmp_path / "a.nii", qform_code=2, qoffset=moved))
    assert volume.geometry.is_close(Geometry((2, 3, 4), SPACING, ORIGIN))
    assert "sform (code 1) and qform (code 2)" in volume.notes[0]
    assert "the sform is used" in volume.notes[0]
    assert read_volume(nifti_file(tmp_path / "a.nii", qform_code=1)).notes == ()


def test_a_spacing_that_contradicts_the_sform_is_noted(tmp_path: Path) -> None:
    volume = read_volume(nifti_file(tmp_path / "a.nii", pixdim=(1.0, 0.5, 0.75, 6.0, 0, 0, 0, 0)))
    assert volume.geometry.spacing_mm == pytest.approx(SPACING)
    assert "pixdim gives the distances [0.5, 0.75, 6.0]" in volume.notes[0]


@pytest.mark.parametrize("change", [-1, 1, 500])
def test_a_file_longer_or_shorter_than_promised_is_refused(tmp_path: Path, change: int) -> None:
    data = nifti_bytes()
    data = data + b"\1" * change if change > 0 else data[:change]
    (tmp_path / "a.nii").write_bytes(data)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(data))
    for name in ("a.nii", "a.nii.gz"):
        with pytest.raises(InputError, match="longer than its header promises" if change > 0 else "cut short"):
            read_volume(tmp_path / name)


@pytest.mark.parametrize(("place", "what"), [(-8, "checksum"), (-4, "length")])
def test_a_wrong_checksum_or_length_of_the_compression_is_refused(tmp_path: Path, place: int, what: str) -> None:
    data = bytearray(gzip.compress(nifti_bytes()))
    data[place] ^= 1
    (tmp_path / "a.nii.gz").write_bytes(bytes(data))
    with pytest.raises(InputError, match="damaged or cut short"):
        read_volume(tmp_path / "a.nii.gz")


def test_bytes_behind_the_compression_are_refused_padding_and_further_members_are_not(tmp_path: Path) -> None:
    whole = nifti_bytes()
    packed = gzip.compress(whole)
    (tmp_path / "a.nii.gz").write_bytes(packed + b"garbage")
    with pytest.raises(InputError, match="other bytes follow"):
        read_volume(tmp_path / "a.nii.gz")
    for data in (packed + bytes(100), gzip.compress(whole[:380]) + gzip.compress(whole[380:])):
        (tmp_path / "a.nii.gz").write_bytes(data)
        assert read_volume(tmp_path / "a.nii.gz").voxels.shape == (4, 3, 2)


def test_a_compressed_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = nifti_bytes(dim=(3, 500, 500, 500, 1, 1, 1, 1))[:352]
    (tmp_path / "short.nii.gz").write_bytes(gzip.compress(head + bytes(1000)))
    with pytest.raises(InputError, match="its compressed data cannot hold as many"):
        read_volume(tmp_path / "short.nii.gz")
    monkeypatch.setenv("DEEPRADIOMICS_IMAGE_LIMIT_GB", "0.0001")
    path = nifti_file(tmp_path / "large.nii.gz", np.zeros((40, 40, 40), np.int16))
    with pytest.raises(InputError, match=r"promises 0\.000128 GB.*set DEEPRADIOMICS_IMAGE_LIMIT_GB higher"):
        read_volume(path)
    monkeypatch.setenv("DEEPRADIOMICS_IMAGE_LIMIT_GB", "much")
    with pytest.raises(InputError, match="expected a number of gigabytes"):
        read_volume(path)
