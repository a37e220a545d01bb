"""The manifest of an extraction: who has a region where; less strict than a model's, for no case depends on another.

id,image,mask                 as in every manifest (or view_<name> instead of image); capitals do not matter
label                         optional: the region's label in the mask, where it differs from case to case
anything else                 kept as text and carried into the table (site, age, split, label_<task>, …)

A file that is missing, or an empty cell, is a matter of its case: whoever reads the case tells it.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from deepradiomics.cohort.manifest import IMAGE, Manifest, ManifestRow, read_table
from deepradiomics.errors import ManifestError
from deepradiomics.images import VIEWS

_LABEL = "label"
_KNOWN = ("id", IMAGE, "mask", _LABEL, *VIEWS)


def read_region_manifest(path: str | Path) -> Manifest:
    """Read the manifest of an extraction; its rows may lack files, and hold ``region`` and ``more``.

    Raises:
        ManifestError: no column id, image or mask (a near miss is named), a repeated column, an unusable or repeated
            id, a label that is no whole number above 0.
    """
    path = Path(path)
    given, records = read_table(path)
    columns = [_known(name) for name in given]
    _check(path, columns)
    views = {name.removeprefix("view_"): name for name in columns if name in (*VIEWS, IMAGE) or _is_view(name)}
    rest = [name for name in columns if name and name not in {"id", "mask", _LABEL, *views.values()}]
    rows = []
    for line, record in records:
        cells = dict(zip(columns, record.values(), strict=True))
        if not cells["id"]:
            raise ManifestError(f"Line {line} of the manifest has no id.")
        rows.append(
            ManifestRow(
                cells["id"],
                {view: path.parent / cells[column] for view, column in views.items() if cells[column]},
                path.parent / cells["mask"] if cells["mask"] else None,
                region=_region(cells["id"], cells.get(_LABEL, "")),
                more={name: cells[name] for name in rest},
            )
        )
    return Manifest(tuple(rows), tuple(views), (), path, partial=True)


def _known(name: str) -> str:
    """A column as we call it: ``Image`` -> ``image``, ``View_T2`` -> ``view_T2``; others stay."""
    if name.lower() in _KNOWN:
        return name.lower()
    return f"view_{name[5:]}" if _is_view(name.lower()) else name


def _is_view(name: str) -> bool:
    return name.startswith("view_") and len(name) > len("view_")


def _check(path: Path, columns: Sequence[str]) -> None:
    if len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
        raise ManifestError(f"{path}: the columns must be separated by commas, not semicolons or tabs; save it again.")
    for name in columns:
        if columns.count(name) > 1:
            raise ManifestError(f"{path}: the column {name!r} is there {columns.count(name)} times.")
        near = difflib.get_close_matches(name.lower(), [one for one in _KNOWN if one not in columns], n=1, cutoff=0.8)
        if near and name not in _KNOWN:  # a spare column is fine, a misspelt one would be lost
            raise ManifestError(f"{path}: unknown column {name!r}; did you mean {near[0]!r}? If not, rename it.")
    has = f"it has: {', '.join(columns)}."
    if "id" not in columns:
        raise ManifestError(f"{path} has no column 'id', which names each case; {has}")
    if not any(name in (*VIEWS, IMAGE) or _is_view(name) for name in columns):
        raise ManifestError(f"{path} has no image column; name it {IMAGE}, or view_<name> where a case has many; {has}")
    if "mask" not in columns:
        raise ManifestError(f"{path} has no column 'mask', which names each case's label map; {has}")


def _region(case: str, text: str) -> int | None:
    """The label in a cell; '1.0' is read as 1, since spreadsheets write it; empty is None."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not (number >= 1 and number.is_integer()):
        raise ManifestError(f"Case {case}, column {_LABEL}: expected a whole number above 0 or nothing, got {text!r}.")
    return int(number)
