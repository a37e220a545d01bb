"""From the command line's words to a Case and a region: ``--view``, ``--mask``, ``--roi-box``, ``--folder``."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json
from deepradiomics.files.names import distinct_parts, path_part

if TYPE_CHECKING:
    from deepradiomics.images import Case
    from deepradiomics.images.reading import Reading
    from deepradiomics.prepare import Box

_SAFE_ID = re.compile(r"[^A-Za-z0-9._-]+")


def view_paths(options: Sequence[str]) -> dict[str, Path]:
    """Turn ``["sagittal=a.nii.gz", …]`` into ``{"sagittal": Path}``.

    Raises:
        InputError: an option is not NAME=PATH, a name comes twice or cannot be a file's, or a path does not exist.
    """
    paths: dict[str, Path] = {}
    for option in options:
        name, equals, path = option.partition("=")
        if not (name and equals and path):
            raise InputError(f"--view {option}: expected NAME=PATH, for example --view sagittal=knee.nii.gz.")
        if name in paths:
            raise InputError(f"--view {name}: this view is given twice ({paths[name]} and {path}).")
        path_part(name, "--view: the name")
        if not Path(path).exists():
            raise InputError(f"--view {name}: {path} does not exist.")
        paths[name] = Path(path)
    distinct_parts(paths, "--view")
    return paths


def case_name(path: Path, what: str = "") -> str:
    """Name of a case that was given none: its file's name without suffixes, or the name of its DICOM folder.

    A file that is named by what it shows, as in ``knee7/sagittal.nii.gz``, takes the name of its folder.

    Args:
        path: of the first image.
        what: the image's own name: a view, a modality, ``ct``.

    >>> case_name(Path("exams/knee 7.nii.gz")), case_name(Path("exams/knee7/sagittal.nrrd"), "sagittal")
    ('knee 7', 'knee7')
    """
    from deepradiomics.images.read import SUFFIXES

    path = path.absolute()
    suffix = max((end for end in (*SUFFIXES, ".npy") if path.name.lower().endswith(end)), key=len, default="")
    name = path.name if path.is_dir() else path.name[: len(path.name) - len(suffix)]
    if name.casefold() == what.casefold() and path.parent.name:
        return path.parent.name
    return name or "case"


def load(case_id: str, views: Mapping[str, Path], mask: Path | None, reading: "Reading") -> "Case":
    """Read the images of one case, and of its mask the labels that are the region, as label 1.

    Raises:
        InputError: a file cannot be read; its subclass MaskError: the mask has several labels and none is named.
    """
    from deepradiomics.images import VIEWS, Case

    volumes = {name: reading.read_volume(path, plane=name if name in VIEWS else None) for name, path in views.items()}
    region = None
    if mask is not None:
        first, *others = volumes.values()
        drawn = reading.read_drawn(mask, first, others)
        region = reading.region(drawn, f"the mask {mask.name}")
    return Case(case_id, volumes, region)


def roi_box(text: str | None) -> "Box | None":
    """Read ``--roi-box``: a JSON file of centre_mm, size_mm and axes, or ``cx,cy,cz,sx,sy,sz`` (LPS millimetres).

    Raises:
        InputError: the file or the numbers do not describe a box.
    """
    if text is None:
        return None
    from deepradiomics.prepare import Box

    how = "expected a JSON file (centre_mm, size_mm, axes) or six numbers cx,cy,cz,sx,sy,sz in LPS millimetres"
    if Path(text).suffix.lower() == ".json" or Path(text).is_file():
        values = read_json(text)
        try:
            return Box.from_dict(values)
        except (KeyError, TypeError) as error:
            raise InputError(f"--roi-box {text}: {how}; this file lacks or misspells {error}.") from error
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"--roi-box {text}: {how}.") from error
    if len(numbers) != 6:
        raise InputError(f"--roi-box {text}: {how}; got {len(numbers)} numbers.")
    if min(numbers[3:]) <= 0:
        raise InputError(f"--roi-box {text}: the sizes must be positive, got {numbers[3:]}.")
    return Box(tuple(numbers[:3]), tuple(numbers[3:]))  # type: ignore[arg-type]


def folder_cases(folder: Path) -> dict[str, dict[str, Path]]:
    """Find the cases in a folder of folders: ``folder/<case>/<view>.nii.gz`` or ``folder/<case>/<view>/`` (DICOM).

    Raises:
        InputError: there is no such folder, or no case in it.
    """
    from deepradiomics.images import VIEWS
    from deepradiomics.images.read import SUFFIXES

    if not folder.is_dir():
        raise InputError(f"--folder {folder}: this folder does not exist.")
    endings = (*SUFFIXES, ".npy")
    cases: dict[str, dict[str, Path]] = {}
    for sub in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        views = {
            view: path
            for view in VIEWS
            for path in (sub / view, *(sub / f"{view}{ending}" for ending in endings))
            if path.exists()
        }
        if views:
            cases[sub.name] = views
    if not cases:
        raise InputError(
            f"--folder {folder}: no case was found. Expected a folder per case with files named by view: "
            f"<case>/sagittal.nii.gz (or .nrrd, .mha, .npy), or <case>/sagittal/ with DICOM files."
        )
    return cases


def folder_name(case_id: str) -> str:
    """Return a name for the case's folder that is safe on every system."""
    name = _SAFE_ID.sub("_", case_id).strip("._")
    if not name:
        raise InputError(f"case id {case_id!r}: it has no letter or digit to name a folder by.")
    return path_part(name, "case id")
