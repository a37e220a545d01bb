"""SimpleITK and files: one at a time, with decimal points whatever the locale, and under any file name.

ITK writes and reads the numbers of NRRD headers with the locale's decimal comma, and ends the process at a file name
that is no UTF-8. So every file that ITK itself opens is opened through this module.
"""

import contextlib
import locale
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import SimpleITK as sitk

from deepradiomics.errors import InputError
from deepradiomics.headers.regular import printable, require_regular
from deepradiomics.headers.voxel_bytes import LIMIT_VARIABLE, limit_bytes

# ITK asks one reader after the other whether a file is its own, and the HDF5 library behind some is not made for
# threads: those that prepare cases read one at a time. The locale belongs to the whole process, too.
_ONE_AT_A_TIME = threading.RLock()
_BYTES = {"8-bit": 1, "16-bit": 2, "32-bit": 4, "64-bit": 8}


@contextlib.contextmanager
def itk_turn() -> Iterator[None]:
    """Have ITK's files to oneself, with decimal points."""
    with _ONE_AT_A_TIME:
        before = locale.setlocale(locale.LC_NUMERIC)
        if before in ("C", "POSIX"):
            yield
            return
        locale.setlocale(locale.LC_NUMERIC, "C")
        try:
            yield
        finally:
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_NUMERIC, before)


@contextlib.contextmanager
def readable_name(path: Path) -> Iterator[str]:
    """A name under which ITK can read the file: its own, or that of a copy where its own is no UTF-8.

    Raises:
        InputError: no plain file.
    """
    require_regular(path)
    if _takes(path):
        yield str(path)
        return
    with _plain_folder(path) as folder:
        copy = folder / f"image{_endings(path)}"
        shutil.copyfile(path, copy)
        yield str(copy)


@contextlib.contextmanager
def writable_name(path: Path) -> Iterator[str]:
    """A name under which ITK can write the file; it is moved to ``path`` where that is another."""
    if _takes(path):
        yield str(path)
        return
    with _plain_folder(path) as folder:
        copy = folder / f"image{_endings(path)}"
        yield str(copy)
        if copy.exists():
            shutil.move(copy, path)


def read_itk(path: Path) -> sitk.Image:
    """Read an image by whichever of ITK's readers takes it.

    Raises:
        InputError: none does, or it is larger than the limit.
    """
    try:
        with itk_turn(), readable_name(path) as name:
            reader = sitk.ImageFileReader()
            reader.SetFileName(name)
            reader.ReadImageInformation()
            _require_room(reader, path)
            return reader.Execute()
    except RuntimeError as error:
        reason = " ".join(str(error).split("ERROR:")[-1].split())[-300:] or "unknown reason"
        raise InputError(
            f"{printable(path)}: this file could not be read as an image ({printable(reason)}). "
            "Expected .nii, .nii.gz, .nrrd, .nhdr, .mha, .mhd or a DICOM series."
        ) from error


def itk_texts(path: Path) -> dict[str, str]:
    """The texts of a file's header as ITK reads them; none of a file that it cannot read."""
    try:
        with itk_turn(), readable_name(path) as name:
            reader = sitk.ImageFileReader()
            reader.SetFileName(name)
            reader.ReadImageInformation()
            return {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
    except (RuntimeError, InputError):  # reading the image itself tells what is wrong
        return {}


def _require_room(reader: sitk.ImageFileReader, path: Path) -> None:
    kind = sitk.GetPixelIDValueAsString(reader.GetPixelID())
    voxel = next((width for text, width in _BYTES.items() if text in kind), 8) * reader.GetNumberOfComponents()
    promised = voxel
    for length in reader.GetSize():
        promised *= length
    if promised > limit_bytes():
        raise InputError(
            f"{printable(path)}: its header promises {promised / 1e9:.3g} GB of voxels; at most "
            f"{limit_bytes() / 1e9:.3g} GB are read. If the file is right, set {LIMIT_VARIABLE} higher, or crop it."
        )


def _takes(path: Path) -> bool:
    """Whether ITK, which is given UTF-8, finds the file by that name."""
    try:
        return os.fsencode(path) == str(path).encode("utf-8") or os.name == "nt"
    except UnicodeError:
        return False


@contextlib.contextmanager
def _plain_folder(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="deepradiomics-") as folder:
        if not _takes(Path(folder)):
            raise InputError(f"{printable(path)}: this name is no UTF-8, which ITK cannot take. Rename the file.")
        yield Path(folder)


def _endings(path: Path) -> str:
    return "".join(path.suffixes[-2:]) if path.name.lower().endswith(".gz") else path.suffix
