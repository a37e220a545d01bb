"""What lies in a folder: images by series, other DICOM objects, files of other kinds, damaged ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepradiomics.errors import InputError
from deepradiomics.images.dicom.elements import text
from deepradiomics.images.dicom.headers import SUFFIXES, Header, read_header

# Objects that hold pixels and yet are no images of their own: what was drawn or planned on images.
SEG, LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"
RTSTRUCT, RTDOSE = "1.2.840.10008.5.1.4.1.1.481.3", "1.2.840.10008.5.1.4.1.1.481.2"
_DRAWN = {SEG: "a DICOM SEG", LABEL_MAP: "a DICOM SEG (label map)", RTSTRUCT: "an RTSTRUCT"}


@dataclass(frozen=True)
class FolderContent:
    """The files of a folder, each in one of these.

    Args:
        series: the images of each series, by its UID.
        objects: DICOM without images: SEG, RTSTRUCT, SR, presentation states.
        damaged: names of the files that should be DICOM and cannot be read, with the reason.
        foreign: how many files are something else.
        folders: how many folders lie in it; they are not looked into.
    """

    series: dict[str, list[Header]]
    objects: tuple[Header, ...]
    damaged: tuple[tuple[str, str], ...]
    foreign: int
    folders: int


def look_into(folder: Path) -> FolderContent:
    """Read the headers of all DICOM files that lie in a folder itself."""
    series: dict[str, list[Header]] = {}
    objects, damaged, unknown, folders = [], [], [], 0
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            folders += 1
            continue
        try:
            header = read_header(path) if path.is_file() else None
        except InputError as error:
            damaged.append((path.name, str(error)))
            continue
        if header is None:
            unknown.append(path)
        elif header.pixels is None or header.sop_class in (SEG, LABEL_MAP):
            objects.append(header)
        else:
            series.setdefault(text(header.dataset, "SeriesInstanceUID"), []).append(header)
    doses = [uid for uid, headers in series.items() if headers[0].sop_class == RTDOSE]
    if len(doses) < len(series):  # a dose beside images belongs to their plan
        for uid in doses:
            objects += series.pop(uid)
    suffixes = {header.path.suffix.lower() for headers in series.values() for header in headers}
    for path in unknown:
        if path.is_file() and _should_be_dicom(path, suffixes):
            damaged.append((path.name, "no DICOM file, though it is called like one"))
    foreign = sum(not _is_furniture(path) for path in unknown) - _count_named(unknown, damaged)
    return FolderContent(series, tuple(objects), tuple(damaged), foreign, folders)


def _is_furniture(path: Path) -> bool:
    """What lies in folders without a word: a DICOMDIR, hidden files, what Windows leaves behind."""
    return path.name.startswith(".") or path.name.upper() in ("DICOMDIR", "THUMBS.DB", "DESKTOP.INI")


def _count_named(unknown: Sequence[Path], damaged: Sequence[tuple[str, str]]) -> int:
    names = {name for name, _ in damaged}
    return sum(path.name in names for path in unknown)


def _should_be_dicom(path: Path, suffixes: set[str]) -> bool:
    """A file with a name like the images', empty or of binary content."""
    if _is_furniture(path):
        return False
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES and suffix not in suffixes:
        return False
    with open(path, "rb") as stream:
        head = stream.read(512)
    return not head or b"\0" in head or suffix in SUFFIXES


def one_series(path: Path) -> tuple[list[Header], tuple[str, ...]]:
    """Return the images of the one series in a folder, or of the series that a file belongs to, and notes.

    Raises:
        InputError: no series, several, a file that cannot be read, or an object that is no image.
    """
    folder = path if path.is_dir() else path.parent
    try:
        content = look_into(folder)
    except OSError as error:
        raise InputError(f"{folder}: this folder could not be read ({error.strerror}).") from error
    if content.damaged:
        raise InputError(f"{path}: {_damaged_text(content.damaged)}")
    if path.is_dir():
        series = content.series
    else:
        series = {uid: h for uid, h in content.series.items() if any(_same(header.path, path) for header in h)}
        if not series:
            doses = [h for h in content.objects if h.sop_class == RTDOSE and _same(h.path, path)]
            series = {"dose": doses} if doses else {}
    if not series:
        raise InputError(f"{path}: {_empty_text(path, content)}")
    if len(series) > 1:
        lines = "; ".join(
            f"{text(headers[0].dataset, 'Modality') or 'unknown modality'}, {len(headers)} files"
            for headers in series.values()
        )
        raise InputError(
            f"{path}: this folder holds {len(series)} DICOM series ({lines}). "
            "Name a file of the series wanted, or put each series into its own folder."
        )
    return next(iter(series.values())), _notes(content, path.is_dir())


def _same(first: Path, second: Path) -> bool:
    return first.name == second.name or first.samefile(second)


def _damaged_text(damaged: Sequence[tuple[str, str]]) -> str:
    lines = ", ".join(f"{name} ({reason})" for name, reason in damaged[:5])
    more = f" and {len(damaged) - 5} more" if len(damaged) > 5 else ""
    count = "1 DICOM file" if len(damaged) == 1 else f"{len(damaged)} DICOM files"
    return (
        f"{count} here could not be read: {lines}{more}. A series may not be whole without; "
        "copy or export again, or move away what does not belong to it."
    )


def _empty_text(path: Path, content: FolderContent) -> str:
    for header in content.objects:
        if path.is_dir() or _same(header.path, path):
            kind = _DRAWN.get(header.sop_class, f"a DICOM object of modality {text(header.dataset, 'Modality') or '?'}")
            return f"this is {kind}, not an image. Name the image series; a mask is given as the mask."
    deeper = " The folder holds folders, which are not looked into: name one of them." if content.folders else ""
    return f"no readable DICOM series was found here. Name a folder with one image series.{deeper}"


def _notes(content: FolderContent, folder: bool) -> tuple[str, ...]:
    if not folder:
        return ()
    notes = []
    if content.objects:
        kinds = sorted({text(header.dataset, "Modality") or "unknown" for header in content.objects})
        notes.append(f"{_files(len(content.objects), 'DICOM object')} without images left out ({', '.join(kinds)}).")
    if content.foreign:
        notes.append(f"{_files(content.foreign, 'file')} in the folder that DICOM does not know left out.")
    if content.folders:
        notes.append(f"{_files(content.folders, 'folder')} inside the folder not looked into.")
    return tuple(notes)


def _files(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
