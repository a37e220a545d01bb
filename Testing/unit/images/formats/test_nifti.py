"""A NIfTI file that is not whole is refused, and its NaN stay NaN: ITK alone would read both as zeros."""

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Mask, Volume, read_mask, read_volume, write_mask, write_volume

GRID = Geometry((7, 6, 5), (1.0, 2.0, 3.0))


def _volume(dtype: type = np.float32) -> Volume:
    values = np.random.default_rng(0).normal(100, 20, GRID.shape)
    return Volume(values.astype(dtype), GRID)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_a_whole_file_is_read_as_written(tmp_path: Path, suffix: str, dtype: type) -> None:
    path = write_volume(_volume(dtype), tmp_path / f"a{suffix}")
    assert np.array_equal(read_volume(path).voxels, _volume(dtype).voxels)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_and_infinity_come_back_where_they_were(tmp_path: Path, suffix: str, dtype: type) -> None:
    values = _volume(dtype).voxels.copy()
    values[1, 2, 3], values[4, 0, 6], values[0, 5, 0] = np.nan, np.inf, -np.inf
    path = write_volume(Volume(values, GRID), tmp_path / f"a{suffix}")
    found = read_volume(path)
    assert sorted(map(tuple, np.argwhere(~np.isfinite(found.voxels)).tolist())) == [(0, 5, 0), (1, 2, 3), (4, 0, 6)]
    with pytest.raises(InputError, match="3 of 210 voxels are NaN or infinite"):
        found.require_finite()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_file_cut_short_is_refused(tmp_path: Path, suffix: str) -> None:
    labels = np.random.default_rng(0).integers(0, 250, GRID.shape, dtype=np.uint8)
    for path in (
        write_volume(_volume(), tmp_path / f"image{suffix}"),
        write_mask(Mask(labels, GRID), tmp_path / f"mask{suffix}"),
    ):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 7 // 10])
        with pytest.raises(InputError, match="cut short"):
            (read_mask if "mask" in path.name else read_volume)(path)


def test_a_changed_byte_in_the_compression_is_noticed(tmp_path: Path) -> None:
    path = write_volume(_volume(), tmp_path / "a.nii.gz")
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF  # in the checksum
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="damaged"):
        read_volume(path)


def test_a_file_that_a_full_disk_cut_is_not_moved_to_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import SimpleITK as sitk

    whole = sitk.WriteImage

    def on_a_full_disk(image: sitk.Image, name: str, **options: object) -> None:
        whole(image, name, **options)  # ITK's NIfTI writer raises nothing when the disk is full
        Path(name).write_bytes(Path(name).read_bytes()[:500])

    monkeypatch.setattr(sitk, "WriteImage", on_a_full_disk)
    with pytest.raises(InputError, match="space on the disk"):
        write_volume(_volume(), tmp_path / "a.nii.gz")
    assert list(tmp_path.iterdir()) == []
