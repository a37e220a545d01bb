"""Bare arrays: numbers of the length that their header promises; pickles and bombs are refused."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import read_mask, read_volume


def _bytes(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">i2", "<f4", "f8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_each_type_and_order_are_read(tmp_path: Path, dtype: str, order: str) -> None:
    array = np.asarray(np.arange(60).reshape(3, 4, 5) % 7, dtype=dtype, order=order)  # type: ignore[call-overload]
    np.save(tmp_path / "a.npy", array)
    volume = read_volume(tmp_path / "a.npy", plane="axial")
    assert np.array_equal(volume.voxels, array)
    assert volume.voxels.dtype.isnative


WHOLE = _bytes(np.zeros((3, 4, 5), np.float32))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (WHOLE[:-1], "cut short"),
        (WHOLE + b"\0", "longer than its header promises"),
        (WHOLE[:20], "not a readable NumPy array"),
        (b"\x93NUMPY\x07\x00rest", "not a readable NumPy array"),
        (b"no array at all", "not a readable NumPy array"),
        (_bytes(np.array([{"a": 1}] * 8, object).reshape(2, 2, 2)), "pickles"),
        (pickle.dumps([1, 2, 3]), "not a readable NumPy array"),
        (WHOLE.replace(b"(3, 4, 5)", b"(3, 4,-5)"), "of numbers|damaged|not a readable"),
        (_bytes(np.zeros((2, 2, 2), complex)), "its type is complex128"),
        (_bytes(np.zeros((2, 2))), r"expected an array \(slices, rows, columns\)"),
        (WHOLE.replace(b"(3, 4, 5), }           ", b"(30000, 30000, 30000), }"), "GB of voxels|cut short"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_volume(tmp_path / "a.npy", plane="axial")


def test_an_array_is_no_mask(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(WHOLE)
    with pytest.raises(InputError, match="carries no geometry"):
        read_mask(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["x" * 300 + ".nrrd", "a\0b.nrrd", "absent.nrrd"])
def test_names_that_no_file_can_have_are_refused_in_words(tmp_path: Path, name: str) -> None:
    for read in (read_volume, read_mask):
        with pytest.raises(InputError, match=r"cannot be read|does not exist"):
            read(tmp_path / name)
