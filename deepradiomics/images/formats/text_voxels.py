"""Voxels that a file holds as text: numbers apart by white space, or pairs of hexadecimal digits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.headers.regular import printable
from deepradiomics.headers.voxel_bytes import limit_bytes


def text_voxels(
    files: Sequence[Path], dtype: np.dtype, count: int, *, offset: int = 0, lines: int = 0, hexadecimal: bool = False
) -> np.ndarray:
    """Read numbers written as text.

    Args:
        files: where they stand, in order.
        dtype: their type.
        count: how many the header promises.
        offset: where they begin in each file.
        lines: lines to skip from there.
        hexadecimal: two digits per byte instead of numbers.

    Raises:
        InputError: another count, text that is no number, numbers that the type cannot hold, or above the limit.
    """
    name = printable(files[0])
    if sum(file.stat().st_size for file in files) > limit_bytes() or count * dtype.itemsize > limit_bytes():
        raise InputError(f"{name}: its voxels are text of more bytes than are read. Write the file again, compressed.")
    texts = []
    for file in files:
        with open(file, "rb") as stream:
            stream.seek(offset)
            for _ in range(lines):
                stream.readline(1 << 20)
            texts.append(stream.read())
    text = b" ".join(texts)
    try:
        if hexadecimal:
            values = np.frombuffer(bytes.fromhex(text.decode("ascii")), np.uint8)
            values = values[: len(values) // dtype.itemsize * dtype.itemsize].view(dtype)
        else:
            numbers = text.replace(b",", b" ").split() if dtype.kind in "iu" else text.split()
            plain = [int(word) if dtype.kind in "iu" else float(word) for word in numbers]
            values = np.array(plain, dtype)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{name}: its voxels are text that is no numbers of type {dtype} ({error}).") from error
    if len(values) != count:
        raise InputError(
            f"{name}: this file is damaged or cut short: its header promises {count} numbers, it holds {len(values)}. "
            "Copy or export it again."
        )
    return values
