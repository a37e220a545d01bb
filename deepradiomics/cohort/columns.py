"""The columns of a manifest: one schema for extraction, fingerprint, lens and haemorrhage.

id                                   the case; unique, and a possible file name
patient                              whose scan it is; the id where it is empty
image, axial, coronal, sagittal,     an image by view; view_<name> for any other
mask, mask_<roi>                     a region; where a view is called <roi>, the region belongs to that view alone
split                                train, validation or test
label_<task>, value_<name>           a class 0, 1, …; a number
sex, site, encoder, autoencoder      of haemorrhage patients; every other reader passes them over
label, segment                       which label, or which segment by name, of the row's masks is the region

A name that stands in a column (a view, a region, a task) becomes part of files' names, so it must be one.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepradiomics.errors import ManifestError
from deepradiomics.files.names import distinct_parts, path_part, same_file_key
from deepradiomics.images import VIEWS

IMAGE = "image"  # the view's name where a case is one image
MASK = "mask"
LABEL, SEGMENT = "label", "segment"
DRAWN_ROIS = (MASK, "ellipsoid")  # ROI names that mean the column `mask` and a region we draw ourselves
PATIENT_COLUMNS = ("sex", "site", "encoder", "autoencoder")
"""F or M, where the scan was made, bundles that give a patient's latents: of haemorrhage patients."""
_EXAMPLES = {"view_": "view_t2", "label_": "label_grade", "mask_": "mask_gland", "value_": "value_volume_ml"}
PREFIXES = tuple(_EXAMPLES)
KNOWN = ("id", "patient", IMAGE, MASK, LABEL, SEGMENT, "split", *VIEWS)


@dataclass(frozen=True)
class Columns:
    """What the columns of a manifest are, by name without prefix.

    Args:
        views: column by view.
        rois, tasks, values: names of ``mask_<roi>``, ``label_<task>`` and ``value_<name>``.
        mask: whether there is a column ``mask``.
        more: columns that are none of these.
    """

    views: Mapping[str, str]
    rois: tuple[str, ...]
    tasks: tuple[str, ...]
    values: tuple[str, ...]
    mask: bool
    more: tuple[str, ...]


def columns_of(path: Path, names: Sequence[str], more: Sequence[str]) -> Columns:
    """The columns of a method's manifest, all of which must be known.

    Args:
        path: the manifest, for messages.
        names: its columns, none twice.
        more: columns that the caller knows beside the schema's.

    Raises:
        ManifestError: an unknown or misspelt column, a name that cannot be a file's, no id, or no image.
    """
    known = (*KNOWN, *PATIENT_COLUMNS, *more)
    for name in names:
        if name in known or _prefix(name):
            continue
        _refuse_prefix(path, name)
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.75)
        hint = f"did you mean {near[0]!r}?" if near else f"a label is called 'label_{name}', a view 'view_{name}'."
        raise ManifestError(
            f"{path}: unknown column {name!r}; {hint} Known are {', '.join((*KNOWN, *PATIENT_COLUMNS))}, view_<name>, "
            "mask_<roi>, label_<task> and value_<name>."
        )
    columns = _sorted(path, names, known)
    if not columns.mask and not columns.rois and (part := next((n for n in names if n in (LABEL, SEGMENT)), None)):
        raise ManifestError(
            f"{path}: the column {part!r} says which part of a mask is the region, but there is no column {MASK} or "
            "mask_<roi>. A class to learn is called label_<task>."
        )
    return columns


def columns_of_regions(path: Path, names: Sequence[str]) -> tuple[list[str], Columns]:
    """The columns of an extraction's manifest: others than the schema's are carried along as text.

    Returns:
        the columns as we call them (``Image`` is ``image``, ``View_T2`` is ``view_T2``), and what they are.

    Raises:
        ManifestError: as for :func:`columns_of`; a column that looks like a misspelt one of ours; no mask.
    """
    known = KNOWN
    ours = [_as_we_write(name, known) for name in names]
    for name in ours:
        if ours.count(name) > 1:
            raise ManifestError(
                f"{path}: the column {name!r} is there {ours.count(name)} times (capitals do not count)."
            )
        if name in known or _prefix(name):
            continue
        _refuse_prefix(path, name)
        near = difflib.get_close_matches(name.lower(), [word for word in known if word not in ours], n=1, cutoff=0.8)
        if near:  # a spare column is fine, a misspelt one would be lost
            raise ManifestError(f"{path}: unknown column {name!r}; did you mean {near[0]!r}? If not, rename it.")
    columns = _sorted(path, ours, known)
    if not columns.mask and not columns.rois:
        raise ManifestError(
            f"{path} has no column 'mask', which names each case's label map; it has: {', '.join(ours)}. "
            "(Where a case has several regions they are called mask_<roi>.)"
        )
    return ours, columns


def masks_of_view(columns: Columns, view: str) -> tuple[str, ...]:
    """The regions of a view: its own (``mask_<view>``), else all that belong to no view; '' is the column ``mask``."""
    if view in columns.rois:
        return (view,)
    shared = tuple(roi for roi in columns.rois if roi not in columns.views)
    return (*([""] if columns.mask else []), *shared)


def view_column(view: str) -> str:
    """The column of a view."""
    return view if view in (*VIEWS, IMAGE) else f"view_{view}"


def check_names(where: str, kinds: Mapping[str, Sequence[str]]) -> None:
    """Refuse names of views, regions, tasks and values that cannot be part of a path, or that would share one.

    Args:
        where: the manifest, for messages.
        kinds: names by the prefix of their columns.

    Raises:
        ManifestError: such a name.
    """
    for prefix, names in kinds.items():
        for name in names:
            path_part(
                name,
                f"{where}, column {view_column(name) if prefix == 'view_' else prefix + name}: the name",
                error=ManifestError,
            )
            if prefix == "mask_" and same_file_key(name) in DRAWN_ROIS:
                raise ManifestError(
                    f"{where}: the column {prefix + name!r} cannot be used, for the ROI {name!r} means another."
                )
        distinct_parts(names, f"{where}, columns {prefix}<name>", error=ManifestError)


def _sorted(path: Path, names: Sequence[str], known: Sequence[str]) -> Columns:
    has = f"it has: {', '.join(names)}."
    if "id" not in names:
        raise ManifestError(f"{path} has no column 'id', which names each case; {has}")
    images = [name for name in names if name in (*VIEWS, IMAGE) or name.startswith("view_")]
    views = {name.removeprefix("view_"): name for name in images}
    if not views:
        raise ManifestError(f"{path} has no image column; name them {IMAGE}, {', '.join(VIEWS)} or view_<name>; {has}")
    if len(views) < len(images):
        raise ManifestError(f"{path}: a view has two columns (such as 'axial' and 'view_axial'); keep one of them.")
    rois, tasks, values = (
        tuple(name.removeprefix(prefix) for name in names if name.startswith(prefix))
        for prefix in ("mask_", "label_", "value_")
    )
    check_names(str(path), {"view_": tuple(views), "mask_": rois, "label_": tasks, "value_": values})
    schema = {"id", MASK, LABEL, SEGMENT, *images} | {name for name in names if name.startswith("mask_")}
    return Columns(views, rois, tasks, values, MASK in names, tuple(name for name in names if name not in schema))


def _prefix(name: str) -> bool:
    return name.startswith(PREFIXES) and name not in PREFIXES


def _refuse_prefix(path: Path, name: str) -> None:
    """A prefix without a name, or in capitals."""
    if name.lower() in PREFIXES:
        raise ManifestError(
            f"{path}: the column {name!r} lacks a name after its '_', such as {_EXAMPLES[name.lower()]}."
        )
    if name.lower().startswith(PREFIXES):
        raise ManifestError(f"{path}: unknown column {name!r}; did you mean {name.lower()!r}? Capitals count.")


def _as_we_write(name: str, known: Sequence[str]) -> str:
    """``Image`` -> ``image``, ``View_T2`` -> ``view_T2``; others stay."""
    if name.lower() in known:
        return name.lower()
    prefix = next((prefix for prefix in PREFIXES if name.lower().startswith(prefix)), "")
    return prefix + name[len(prefix) :]
