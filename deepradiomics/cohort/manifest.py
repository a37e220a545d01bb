"""The manifest: one row a case, naming its image files, its masks, labels and numbers, and, if given, its split.

A CSV with the columns `id`, one for each view (`axial`, `coronal`, `sagittal`, `view_<name>`, or `image` where a case
is a single image), and, where wanted, `patient` (whose scan this is; the id where it is empty), `mask`, `mask_<roi>`
(a region by name), `split` (train, validation, test), `label_<task>` (class 0, 1, …) and `value_<name>` (a number to
regress on). Paths are absolute or relative to the manifest's folder. A cell of a view, mask or value may be empty (the
case lacks it), but a file that is named must exist.
"""

from __future__ import annotations

import csv
import difflib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from deepradiomics.errors import ManifestError
from deepradiomics.files import atomic_file
from deepradiomics.images import VIEWS

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
IMAGE = "image"  # the view's name where a case is one image
_EXAMPLES = {"view_": "view_t2", "label_": "label_grade", "mask_": "mask_gland", "value_": "value_volume_ml"}
_PREFIXES = tuple(_EXAMPLES)
DRAWN_ROIS = ("mask", "ellipsoid")  # ROI names that mean the column `mask` and a region we draw ourselves
_FORBIDDEN_IN_ID = set('/\\:*?"<>|')
_SHOWN = 5  # problems listed in one message


@dataclass(frozen=True)
class ManifestRow:
    """One case: image path by view, optional mask, class by task, and the split if it is given.

    ``patient`` is whose scan it is (None: the case is its own patient), ``masks`` a file by region name, ``values``
    a number by name. An extraction's manifest may give the region's label in the mask (``region``) and further columns
    (``more``).
    """

    id: str
    views: Mapping[str, Path]
    mask: Path | None = None
    labels: Mapping[str, int] = field(default_factory=dict)
    split: Split | None = None
    region: int | None = None
    more: Mapping[str, str] = field(default_factory=dict)
    patient: str | None = None
    masks: Mapping[str, Path] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """The rows of a cohort, the views and tasks they share, and the file they came from (None: made in memory).

    ``partial`` says that a row may lack its image or mask, or name files that do not exist. ``rois`` and
    ``value_names`` are the regions and numbers that rows may have.

    Raises:
        ManifestError: no rows, an unusable or repeated id, a row without any view, a row's region or number that is not
            among ``rois`` or ``value_names``, patients that differ by capitals only.
    """

    rows: tuple[ManifestRow, ...]
    views: tuple[str, ...]
    tasks: tuple[str, ...]
    path: Path | None = None
    partial: bool = False
    rois: tuple[str, ...] = ()
    value_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.rows:
            raise ManifestError(f"{self.path or 'The manifest'} holds no cases; write one row a case.")
        _check_ids(self.rows)
        for row in self.rows:
            if not row.views and not self.partial:
                raise ManifestError(f"Case {row.id} names no image; fill at least one of: {', '.join(self.views)}.")
            for what, names, known in (("mask", row.masks, self.rois), ("value", row.values, self.value_names)):
                if strange := sorted(set(names) - set(known)):
                    raise ManifestError(
                        f"Case {row.id}: the manifest has no column {what}_{strange[0]}; name it there."
                    )
        _check_patients(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(row.id for row in self.rows)

    @property
    def groups(self) -> tuple[str, ...]:
        """Whose scan each row is: its patient, or its id where no patient is named."""
        return tuple(row.patient or row.id for row in self.rows)

    @property
    def where(self) -> str:
        """How messages call this manifest."""
        return str(self.path) if self.path else "the manifest"

    def subset(self, split: Split) -> Manifest:
        """The cases of one split, in their order. Raises ManifestError where there are none."""
        rows = tuple(row for row in self.rows if row.split == split)
        if not rows:
            raise ManifestError(f"No case of {self.where} is in the split {split!r}; see the column split.")
        return replace(self, rows=rows)

    def indices(self, split: Split) -> list[int]:
        """Positions of the cases of one split among the rows."""
        return [i for i, row in enumerate(self.rows) if row.split == split]

    def labels(self, task: str) -> list[int]:
        """The class of every case for a task. Raises ManifestError naming the cases without one."""
        if task not in self.tasks:
            raise ManifestError(f"{self.where} has no task {task!r}; it has: {', '.join(self.tasks) or 'none'}.")
        missing = [row.id for row in self.rows if task not in row.labels]
        if missing:
            raise ManifestError(f"Column label_{task}: no label for {_some(missing, 'case')}.")
        return [row.labels[task] for row in self.rows]

    def values(self, name: str) -> list[float]:
        """The number of every case. Raises ManifestError naming the cases without one."""
        if name not in self.value_names:
            raise ManifestError(
                f"{self.where} has no column value_{name}; its values are: {', '.join(self.value_names) or 'none'}."
            )
        missing = [row.id for row in self.rows if name not in row.values]
        if missing:
            raise ManifestError(f"Column value_{name}: no value for {_some(missing, 'case')}.")
        return [row.values[name] for row in self.rows]

    def class_counts(self, task: str) -> dict[int, int]:
        """Number of cases of each class of a task, by class."""
        return dict(sorted(Counter(self.labels(task)).items()))

    def n_classes(self, task: str) -> int:
        """Number of classes that occur in a task."""
        return len(self.class_counts(task))


def read_manifest(
    path: str | Path, *, tasks: Sequence[str] | None = None, need_labels: bool = True, more: Sequence[str] = ()
) -> Manifest:
    """Read and check a manifest.

    Args:
        path: the CSV file (UTF-8).
        tasks: the tasks wanted, in this order; all label columns when None.
        need_labels: True for training and evaluation: every case needs every label, every class two cases at least.
        more: further columns that the caller knows; their cells are kept as text in ``ManifestRow.more``.

    Raises:
        ManifestError: a missing, unknown or repeated column, a repeated id, a missing or unreadable label, an
            unreadable value, an absent file, or a class with one case; the message names column and cases.
    """
    path = Path(path)
    columns, records = read_table(path)
    views = _check_columns(path, columns, more)
    found = tuple(name.removeprefix("label_") for name in columns if name.startswith("label_"))
    if tasks is not None:
        absent = [task for task in tasks if task not in found]
        if absent and need_labels:
            raise ManifestError(
                f"{path} has no column {' or '.join('label_' + task for task in absent)}; "
                f"its tasks are: {', '.join(found) or 'none'}."
            )
        found = tuple(task for task in tasks if task in found)
    if need_labels and not found:
        raise ManifestError(f"{path} has no label columns; add one column label_<task> with classes 0, 1, … a task.")
    rois = tuple(name.removeprefix("mask_") for name in columns if name.startswith("mask_"))
    names = tuple(name.removeprefix("value_") for name in columns if name.startswith("value_"))
    rows = tuple(_row(record, line, path.parent, views, found, more) for line, record in records)
    manifest = Manifest(rows, tuple(views), found, path, rois=rois, value_names=names)
    _check_files(manifest, views)
    if need_labels:
        check_classes(manifest)
    return manifest


def write_manifest(manifest: Manifest, path: str | Path) -> Path:
    """Write a manifest; paths below the manifest's folder become relative, so that the folder can be moved.

    Raises:
        ManifestError: two views would share a column.
    """
    path = Path(path)
    columns = [_view_column(view) for view in manifest.views]
    with_mask = any(row.mask for row in manifest.rows)
    with_split = any(row.split for row in manifest.rows)
    with_patient = any(row.patient for row in manifest.rows)
    header = ["id", *(["patient"] if with_patient else []), *columns, *(["mask"] if with_mask else [])]
    header += [*(f"mask_{roi}" for roi in manifest.rois), *(["split"] if with_split else [])]
    header += [*(f"label_{task}" for task in manifest.tasks), *(f"value_{name}" for name in manifest.value_names)]
    folder = path.parent.resolve()
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, header, restval="", lineterminator="\n")
        writer.writeheader()
        for row in manifest.rows:
            cells = {"id": row.id}
            cells |= {_view_column(view): _portable(file, folder) for view, file in row.views.items()}
            if row.mask:
                cells["mask"] = _portable(row.mask, folder)
            if row.patient:
                cells["patient"] = row.patient
            if row.split:
                cells["split"] = row.split
            cells |= {f"mask_{roi}": _portable(file, folder) for roi, file in row.masks.items()}
            cells |= {f"value_{name}": repr(float(value)) for name, value in row.values.items()}
            cells |= {f"label_{task}": str(row.labels[task]) for task in manifest.tasks if task in row.labels}
            writer.writerow(cells)
    return path


def check_classes(manifest: Manifest) -> None:
    """Raise ManifestError unless each task has two classes or more, of two cases or more each."""
    for task in manifest.tasks:
        counts = manifest.class_counts(task)
        if len(counts) < 2:
            raise ManifestError(
                f"Column label_{task}: all {len(manifest)} cases are of class {next(iter(counts))}; there is nothing "
                "to tell apart. Add cases of another class, or learn another column."
            )
        for number, count in counts.items():
            if count < 2:
                only = next(row.id for row in manifest.rows if row.labels[task] == number)
                raise ManifestError(
                    f"Column label_{task}: class {number} has one case only (case {only}); "
                    "a class needs two at least, and three to be in training, validation and test."
                )


def read_table(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Column names, and (line number, cells by column) of each row that is not blank."""
    if path.is_dir():
        inside = path / "manifest.csv"
        hint = f"did you mean {inside}?" if inside.is_file() else "name the CSV file that lists the cases."
        raise ManifestError(f"{path}: a manifest is a CSV file, this is a folder; {hint}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except FileNotFoundError as error:
        raise ManifestError(f"{path}: this manifest does not exist.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{path}: this manifest is not a readable UTF-8 CSV file ({error}).") from error
    lines = [(number, row) for number, row in lines if any(row)]
    if not lines:
        raise ManifestError(f"{path}: this manifest is empty; its first line must name the columns.")
    columns = lines[0][1]
    for number, row in lines[1:]:
        if len(row) != len(columns):
            raise ManifestError(f"{path}, line {number}: expected {len(columns)} cells, got {len(row)}.")
    return columns, [(number, dict(zip(columns, row, strict=True))) for number, row in lines[1:]]


def _check_columns(path: Path, columns: Sequence[str], more: Sequence[str] = ()) -> dict[str, str]:
    """Refuse what no one would read; return the column of each view."""
    found = [name for name in columns if name in (*VIEWS, IMAGE) or name.startswith("view_")]
    views = {name.removeprefix("view_"): name for name in found}
    known = ["id", "patient", IMAGE, "mask", "split", *VIEWS, *more]
    if len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
        raise ManifestError(f"{path}: the columns must be separated by commas, not semicolons or tabs; save it again.")
    for name in columns:
        if columns.count(name) > 1:
            raise ManifestError(f"{path}: the column {name!r} is there {columns.count(name)} times.")
        if name.removeprefix("mask_") in DRAWN_ROIS and name != "mask":
            raise ManifestError(f"{path}: the column {name!r} cannot be used, for the ROI {name[5:]!r} means another.")
        if name in known or (name.startswith(_PREFIXES) and not name.endswith("_")):
            continue
        if name.lower() in _PREFIXES:
            raise ManifestError(
                f"{path}: the column {name!r} lacks a name after its '_', such as {_EXAMPLES[name.lower()]}."
            )
        if name.lower().startswith(_PREFIXES) and not name.endswith("_"):
            raise ManifestError(f"{path}: unknown column {name!r}; did you mean {name.lower()!r}? Capitals count.")
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.75)
        hint = f"did you mean {near[0]!r}?" if near else f"a label is called 'label_{name}', a view 'view_{name}'."
        raise ManifestError(
            f"{path}: unknown column {name!r}; {hint} Known are id, patient, {IMAGE}, {', '.join(VIEWS)}, "
            "view_<name>, mask, mask_<roi>, split, label_<task> and value_<name>."
        )
    if "id" not in columns:
        raise ManifestError(f"{path} has no column 'id', which names each case.")
    if not views:
        raise ManifestError(f"{path} has no image column; name them {IMAGE}, {', '.join(VIEWS)} or view_<name>.")
    if len(views) < len(found):
        raise ManifestError(f"{path}: a view has two columns (such as 'axial' and 'view_axial'); keep one of them.")
    return views


def _row(
    record: Mapping[str, str],
    line: int,
    folder: Path,
    views: Mapping[str, str],
    tasks: Iterable[str],
    more: Sequence[str] = (),
) -> ManifestRow:
    case = record["id"]
    if not case:
        raise ManifestError(f"Line {line} of the manifest has no id.")
    split = record.get("split", "")
    if split not in (*SPLITS, ""):
        raise ManifestError(f"Case {case}, column split: expected train, validation, test or nothing, got {split!r}.")
    labels = {task: _label(case, task, record[f"label_{task}"]) for task in tasks}
    filled = {name: text for name, text in record.items() if text}
    return ManifestRow(
        case,
        {view: folder / record[column] for view, column in views.items() if record[column]},
        folder / record["mask"] if record.get("mask") else None,
        {task: label for task, label in labels.items() if label is not None},
        split or None,  # type: ignore[arg-type]  # checked above
        more={name: filled[name] for name in more if name in filled},
        patient=record.get("patient") or None,
        masks={name[5:]: folder / text for name, text in filled.items() if name.startswith("mask_")},
        values={name[6:]: _value(case, name, text) for name, text in filled.items() if name.startswith("value_")},
    )


def _value(case: str, column: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ManifestError(f"Case {case}, column {column}: expected a number (with a point) or nothing, got {text!r}.")
    return number


def _label(case: str, task: str, text: str) -> int | None:
    """The class number in a cell; '1.0' is read as 1, since spreadsheets write it; empty is None."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (number >= 0 and number.is_integer()):
        raise ManifestError(f"Case {case}, column label_{task}: expected a class number 0, 1, 2, …, got {text!r}.")
    return int(number)


def _check_ids(rows: Sequence[ManifestRow]) -> None:
    for row in rows:
        if not row.id.isprintable() or _FORBIDDEN_IN_ID & set(row.id) or row.id in ("", ".", ".."):
            raise ManifestError(f"Case id {row.id!r} cannot be a file name; use letters, digits, '-', '_' and '.'.")
    counts = Counter(row.id.casefold() for row in rows)
    repeated = sorted({row.id for row in rows if counts[row.id.casefold()] > 1})
    if repeated:
        raise ManifestError(f"Column id: {_some(repeated, 'id')} more than once (capitals do not count as different).")


def _check_patients(rows: Sequence[ManifestRow]) -> None:
    """Capitals typed differently would make two patients of one."""
    spelt: dict[str, str] = {}
    for name in (row.patient or row.id for row in rows):
        if spelt.setdefault(name.casefold(), name) != name:
            raise ManifestError(f"Column patient: {spelt[name.casefold()]!r} and {name!r} differ by capitals only.")


def _check_files(manifest: Manifest, views: Mapping[str, str]) -> None:
    absent = [
        f"case {row.id}, column {views.get(view, view)}: {file}"
        for row in manifest.rows
        for view, file in [
            *row.views.items(),
            *([("mask", row.mask)] if row.mask else []),
            *((f"mask_{roi}", mask) for roi, mask in row.masks.items()),
        ]
        if not file.exists()
    ]
    if absent:
        more = f"\n  … and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
        shown = "\n  ".join(absent[:_SHOWN])
        number = "1 file does" if len(absent) == 1 else f"{len(absent)} files do"
        raise ManifestError(f"{manifest.where}: {number} not exist:\n  {shown}{more}")


def _some(names: Sequence[str], noun: str) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{noun}{'s' if len(names) > 1 else ''} {', '.join(names[:_SHOWN])}{more}"


def _view_column(view: str) -> str:
    return view if view in (*VIEWS, IMAGE) else f"view_{view}"


def _portable(file: Path, folder: Path) -> str:
    """Relative to the manifest's folder where the file lies below it, else absolute; always with forward slashes."""
    absolute = file.resolve()
    return (absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute).as_posix()
