"""Random ways in which the bytes of a DICOM series are broken after it was written."""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from Testing.reference.dicom.dicom_series_generator import Series

FileDamage = Callable[[np.random.Generator, Series, Path], None]
_OTHERS = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70",
           "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.2", "1.2.3.4.5")  # fmt: skip
_PIXELS = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")


def _file(rng: np.random.Generator, folder: Path) -> Path:
    files = sorted(folder.iterdir())
    return files[int(rng.integers(len(files)))]


def cut_short(rng: np.random.Generator, series: Series, folder: Path) -> None:
    """A file ends too early: within its header or its pixels."""
    path = _file(rng, folder)
    content = path.read_bytes()
    path.write_bytes(content[: int(rng.integers(140, len(content) - 40))])


def emptied(rng: np.random.Generator, series: Series, folder: Path) -> None:
    """A file has no content."""
    _file(rng, folder).write_bytes(b"")


def noise(rng: np.random.Generator, series: Series, folder: Path) -> None:
    """A file is noise, with or without the mark of DICOM."""
    start = (bytes(128) + b"DICM") if rng.integers(2) else b""
    _file(rng, folder).write_bytes(start + rng.integers(0, 256, 600, dtype=np.uint8).tobytes())


def code_cut(rng: np.random.Generator, series: Series, folder: Path) -> None:
    """The last bytes of the pixels are gone, and the lengths still fit: compressed code ends too early."""
    path = _file(rng, folder)
    content = path.read_bytes()
    at = content.rfind(_PIXELS[0])
    if at < 0 or b"\xfe\xff\xdd\xe0" not in content[at:]:
        raise LookupError("not compressed")
    end = content.rfind(b"\xfe\xff\xdd\xe0")
    item = content.rfind(b"\xfe\xff\x00\xe0", at, end)
    length = int.from_bytes(content[item + 4 : item + 8], "little")
    kept = int(length * rng.uniform(0.3, 0.9)) // 2 * 2
    code = content[item + 8 : item + 8 + kept]
    path.write_bytes(content[: item + 4] + kept.to_bytes(4, "little") + code + content[end:])


def endless_length(rng: np.random.Generator, series: Series, folder: Path) -> None:
    """An element promises four gigabytes."""
    path = _file(rng, folder)
    content = bytearray(path.read_bytes())
    at = max(content.rfind(mark) for mark in _PIXELS)
    if at < 0 or series.syntax == "deflated":
        raise LookupError("the pixels lie deflated")
    explicit = bytes(content[at + 4 : at + 6]).isalpha()
    place = at + (8 if explicit else 4)
    content[place : place + 4] = b"\xf0\xff\xff\xff" if series.syntax != "big-endian" else b"\xff\xff\xff\xf0"
    path.write_bytes(bytes(content))


def nested_deep(rng: np.random.Generator, series: Series, folder: Path) -> None:
    """Thousands of sequences, each in another, of undefined length."""
    path = _file(rng, folder)
    content = path.read_bytes()
    if series.syntax not in ("explicit", *("RLE", "JPEG lossless", "JPEG-LS", "JPEG 2000")):
        raise LookupError("explicit little-endian only")
    at = content.rfind(_PIXELS[0])
    nest = (b"\x40\x00\x60\xa7SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * 5000
    path.write_bytes(content[:at] + nest + content[at:])


def other_syntax(rng: np.random.Generator, series: Series, folder: Path) -> None:
    """The file says that it is packed in another way."""
    path = _file(rng, folder)
    content = path.read_bytes()
    at = content.find(b"1.2.840.10008.1.2", 132 + 100)
    length = int.from_bytes(content[at - 2 : at], "little")
    now = content[at : at + length].strip(b"\0").decode()
    others = [uid for uid in _OTHERS if uid != now and _family(uid) != _family(now)]
    uid = others[int(rng.integers(len(others)))].encode()
    uid += b"\0" * (len(uid) % 2)
    group_length = content.find(b"\x02\x00\x00\x00UL\x04\x00") + 8
    total = int.from_bytes(content[group_length : group_length + 4], "little") - length + len(uid)
    changed = bytearray(content[: at - 2] + len(uid).to_bytes(2, "little") + uid + content[at + length :])
    changed[group_length : group_length + 4] = total.to_bytes(4, "little")
    path.write_bytes(bytes(changed))


def _family(uid: str) -> str:
    """JPEG's processes share their code, so that one name for another is still read right."""
    return "JPEG" if uid.startswith("1.2.840.10008.1.2.4.") and uid[20:] in ("50", "70") else uid


def deflated_junk(rng: np.random.Generator, series: Series, folder: Path) -> None:
    """A deflated file that inflates without end."""
    if series.syntax != "deflated":
        raise LookupError("not deflated")
    path = _file(rng, folder)
    content = path.read_bytes()
    start = 132 + 12 + int.from_bytes(content[140:144], "little")
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    path.write_bytes(content[:start] + packer.compress(bytes(1 << 27)) + packer.flush())


FILE_DAMAGES: tuple[FileDamage, ...] = (
    cut_short, cut_short, emptied, noise, code_cut, endless_length, nested_deep, other_syntax, deflated_junk,
)  # fmt: skip
