"""The files that make up an image: its own, and those that its header names, which must lie in the header's folder.

A header is somebody's text. One that names ``/etc/passwd``, climbs out of its folder or points at a device would make
the software read, show and pass on what the user never chose.
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from deepradiomics.errors import InputError
from deepradiomics.headers.metaimage import read_metaimage_header
from deepradiomics.headers.nrrd import read_nrrd_header
from deepradiomics.headers.regular import file_kind, kind_of, printable, require_regular, unpacked

_MOST_FILES = 20_000


def image_files(path: str | Path) -> tuple[Path, ...]:
    """Every file whose bytes make up the image, its header first.

    Raises:
        InputError: a file is missing or no plain file, or the header names one outside its folder.
    """
    path = Path(path)
    kind = file_kind(path)
    if kind == "nrrd":
        header = read_nrrd_header(path)
        return (path, *named_files(path, header.fields.get("data file", ""), header.listed))
    if kind == "metaimage":
        meta = read_metaimage_header(path)
        return (path, *named_files(path, "" if meta.data_file.upper() == "LOCAL" else meta.data_file, meta.listed))
    if path.suffix.lower() in (".hdr", ".img"):
        return nifti_pair(path)
    return (path,)


def is_one_file(head: bytes, path: Path) -> bool:
    """Whether an image that begins with these bytes is made up of no other file, whatever its header says."""
    if path.suffix.lower() in (".hdr", ".img"):
        return False
    return kind_of(unpacked(head[:4096]), path.name) not in ("nrrd", "metaimage")


def named_files(header: Path, named: str, listed: Sequence[str]) -> tuple[Path, ...]:
    """The data files that a header names: none (attached), one, a list, or a numbered pattern, in their order.

    Args:
        header: the header's own file.
        named: what its field says: empty, a name, ``LIST``, or ``pattern%03d.raw first last step``.
        listed: the names below ``LIST``.

    Raises:
        InputError: as :func:`image_files`.
    """
    if not named:
        return ()
    if named.split(" ")[0] == "LIST":
        names = list(listed)
        if not names:
            raise InputError(f"{printable(header)}: its list of data files is empty.")
    else:
        names = _numbered(header, named)
    if len(names) > _MOST_FILES:
        raise InputError(f"{printable(header)}: it names {len(names)} data files, more than {_MOST_FILES}.")
    return tuple(beside(header, name) for name in names)


def beside(header: Path, name: str) -> Path:
    """The file of that name in the header's folder or below it.

    Raises:
        InputError: the name is absolute, climbs or leads out through a link, or no plain file has it.
    """
    where = f"{printable(header)}: its data file {printable(name)!r}"
    plain = PurePosixPath(name), PureWindowsPath(name)
    if "\0" in name or any(path.is_absolute() or path.drive or path.root or ".." in path.parts for path in plain):
        raise InputError(
            f"{where} lies outside the header's folder; only files beside the header are read. "
            "Put both into one folder and name the file alone."
        )
    file = header.parent / name
    if not file.resolve().is_relative_to(header.parent.resolve()):
        raise InputError(f"{where} is a link that leads out of the header's folder. Copy the file itself beside it.")
    try:
        require_regular(file)
    except InputError as error:
        raise InputError(f"{printable(header)}: its data file cannot be used. {error}") from error
    return file


def nifti_pair(path: Path) -> tuple[Path, Path]:
    """Header and voxels of a pair ``.hdr`` and ``.img``, whichever of both is named.

    Raises:
        InputError: one of them is missing.
    """
    upper = path.suffix.isupper()
    header, voxels = (path.with_suffix(ending.upper() if upper else ending) for ending in (".hdr", ".img"))
    require_regular(header)
    return header, beside(header, voxels.name)


def _numbered(header: Path, named: str) -> list[str]:
    """``slice%03d.raw 1 20 1`` is twenty names; every other text is a name itself."""
    pattern = re.fullmatch(r"(\S*%0?\d{0,2}d\S*)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)(?:\s+\d+)?", named)
    if pattern is None or pattern[1].count("%") != 1:
        return [named]
    first, last, step = (int(pattern[group]) for group in (2, 3, 4))
    if step == 0 or (last - first) // step + 1 > _MOST_FILES:
        raise InputError(f"{printable(header)}: its numbering of data files {named!r} has no end or too many files.")
    return [pattern[1] % number for number in range(first, last + (1 if step > 0 else -1), step)]
