"""The manifest: one row per case, naming its image files, its masks, labels and numbers, and, if given, its split.

A CSV with the columns of :mod:`deepradiomics.cohort.columns`. Paths are absolute or relative to the manifest's folder.
A cell of a view, mask or value may be empty (the case lacks it), but a file that is named must exist.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from deepradiomics.cohort.columns import (
    DRAWN_ROIS,
    IMAGE,
    LABEL,
    PATIENT_COLUMNS,
    SEGMENT,
    check_names,
    columns_of,
    view_column,
)
from deepradiomics.errors import ManifestError
from deepradiomics.files.names import path_part, same_file_key
from deepradiomics.files.tables import decimal_comma, number_of, read_csv, write_csv
from deepradiomics.images import VIEWS
from deepradiomics.images.reading import Reading
from deepradiomics.public import one_line

__all__ = ["DRAWN_ROIS", "IMAGE", "SPLITS", "VIEWS", "Manifest", "ManifestRow", "Split"]

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
_SHOWN = 5  # problems listed in one message


@dataclass(frozen=True)
class ManifestRow:
    """One case: image path by view, optional mask, class by task, and the split if it is given.

    ``patient`` is whose scan it is (None: the case is its own patient), ``masks`` a file by region name, ``values``
    a number by name, ``more`` the text of further columns. ``region`` is the label of the region in the row's masks, or
    ``segment`` its segment's name, where the row says so; ``reading`` says how its files are read, and which labels of
    a mask make the region where the row does not. A row of an extraction is one region of a case: ``roi`` is the
    region's name (empty: the column ``mask``) and ``mask`` its file.
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
    segment: str | None = None
    roi: str = ""
    reading: Reading = field(default_factory=Reading)


@one_line
@dataclass(frozen=True)
class Manifest:
    """The rows of a cohort, the views and tasks they share, and the file they came from (None: made in memory).

    ``partial`` says that a row may lack its image or mask, or name files that do not exist. ``rois`` and
    ``value_names`` are the regions and numbers that rows may have.

    Raises:
        ManifestError: no rows; an unusable or repeated id (a partial manifest may repeat it for another ``roi``); a
            name of a view, region, task or value that cannot be a file's; a row without any view; a row's region or
            number that is not among ``rois`` or ``value_names``; patients that differ by capitals only.
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
            raise ManifestError(f"{self.path or 'The manifest'} holds no cases; write one row per case.")
        names = {"view_": self.views, "mask_": self.rois, "label_": self.tasks, "value_": self.value_names}
        check_names(self.where, names)
        _check_ids(self.rows)
        for row in self.rows:
            if not row.views and not self.partial:
                raise ManifestError(f"Case {row.id} names no image; fill at least one of: {', '.join(self.views)}.")
            for what, present, known in (("mask", row.masks, self.rois), ("value", row.values, self.value_names)):
                if strange := sorted(set(present) - set(known)):
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

    @property
    def reading(self) -> Reading:
        """How the files are read, as the run chose it; a row may still name a label of its own."""
        return self.rows[0].reading

    def read_as(self, reading: Reading) -> Manifest:
        """The same cases, whose files are read in another way."""
        return replace(self, rows=tuple(replace(row, reading=reading) for row in self.rows))

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
        need_labels: True for training and evaluation: every case needs every label, every class at least two cases.
        more: further columns that the caller knows; their cells are kept as text in ``ManifestRow.more``.

    Raises:
        ManifestError: a missing, unknown or repeated column, a repeated id, a missing or unreadable label, an
            unreadable value, an absent file, or a class with one case; the message names column and cases.
    """
    path = Path(path)
    names, records = read_table(path)
    columns = columns_of(path, names, more)
    found = columns.tasks
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
    further = (*more, *PATIENT_COLUMNS)
    rows = tuple(_row(record, line, path.parent, columns.views, found, further) for line, record in records)
    manifest = Manifest(rows, tuple(columns.views), found, path, rois=columns.rois, value_names=columns.values)
    _check_files(manifest, columns.views)
    if need_labels:
        check_classes(manifest)
    return manifest


def write_manifest(manifest: Manifest, path: str | Path) -> Path:
    """Write a manifest; paths below the manifest's folder become relative, so that the folder can be moved.

    Raises:
        ManifestError: two views would share a column.
    """
    path = Path(path)
    columns = [view_column(view) for view in manifest.views]
    with_mask = any(row.mask for row in manifest.rows)
    with_split = any(row.split for row in manifest.rows)
    with_patient = any(row.patient for row in manifest.rows)
    header = ["id", *(["patient"] if with_patient else []), *columns, *(["mask"] if with_mask else [])]
    header += [f"mask_{roi}" for roi in manifest.rois]
    header += [LABEL] if any(row.region is not None for row in manifest.rows) else []
    header += [SEGMENT] if any(row.segment is not None for row in manifest.rows) else []
    header += ["split"] if with_split else []
    header += [*(f"label_{task}" for task in manifest.tasks), *(f"value_{name}" for name in manifest.value_names)]
    folder = path.parent.resolve()
    return write_csv(path, header, (_cells(row, manifest.tasks, folder) for row in manifest.rows))


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
                    "a class needs at least two, and three to be in training, validation and test."
                )


def read_table(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Column names, and (line number, cells by column) of each row that is not blank.

    Raises:
        ManifestError: no table that :func:`deepradiomics.files.tables.read_csv` reads; the message names the line.
    """
    if path.is_dir():
        inside = path / "manifest.csv"
        hint = f"did you mean {inside}?" if inside.is_file() else "name the CSV file that lists the cases."
        raise ManifestError(f"{path}: a manifest is a CSV file, this is a folder; {hint}")
    table = read_csv(path, strip=True, what="manifest", error=ManifestError)
    return list(table.columns), list(zip(table.lines, table.rows, strict=True))


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
    region, segment = region_in(case, record)
    return ManifestRow(
        case,
        {view: path_in(record[column], folder, case, column) for view, column in views.items() if record[column]},
        path_in(record["mask"], folder, case, "mask") if record.get("mask") else None,
        {task: label for task, label in labels.items() if label is not None},
        split or None,  # type: ignore[arg-type]  # checked above
        more={name: filled[name] for name in more if name in filled},
        patient=record.get("patient") or None,
        masks={n[5:]: path_in(text, folder, case, n) for n, text in filled.items() if n.startswith("mask_")},
        values={name[6:]: _value(case, name, text) for name, text in filled.items() if name.startswith("value_")},
        region=region,
        segment=segment,
    )


def _cells(row: ManifestRow, tasks: Iterable[str], folder: Path) -> dict[str, object]:
    """A row as it is written."""
    files = {view_column(view): file for view, file in row.views.items()}
    files |= {"mask": row.mask} if row.mask else {}
    files |= {f"mask_{roi}": file for roi, file in row.masks.items()}
    cells: dict[str, object] = {"id": row.id, "patient": row.patient, "split": row.split}
    cells |= {LABEL: row.region, SEGMENT: row.segment}
    cells |= {column: _portable(file, folder) for column, file in files.items()}
    cells |= {f"value_{name}": float(value) for name, value in row.values.items()}
    return cells | {f"label_{task}": row.labels[task] for task in tasks if task in row.labels}


def path_in(cell: str, folder: Path, case: str, column: str) -> Path:
    """The file that a cell names.

    Raises:
        ManifestError: the cell holds a line break or another control character.
    """
    if any(ord(letter) < 32 or letter == "\x7f" for letter in cell):
        raise ManifestError(
            f"Case {case}, column {column}: the cell {cell[:40]!r} holds a line break or control character, and names "
            "no file. Is a quotation mark in the wrong place?"
        )
    return folder / cell


def region_in(case: str, record: Mapping[str, str]) -> tuple[int | None, str | None]:
    """The label, or the segment's name, that a row names as its region; '1.0' is read as 1, as spreadsheets write it.

    Raises:
        ManifestError: the label is no whole number above 0, or both are named.
    """
    text, segment = record.get(LABEL, ""), record.get(SEGMENT) or None
    if text and segment:
        raise ManifestError(
            f"Case {case}, columns {LABEL} and {SEGMENT}: got {text!r} and {segment!r}; both say which region is "
            "meant. Fill in one of them."
        )
    if not text:
        return None, segment
    number = number_of(text)
    if number is None or not (number >= 1 and number.is_integer()):
        raise ManifestError(
            f"Case {case}, column {LABEL}: expected a whole number above 0 or nothing, got {text!r}. It is the label "
            "of the region in the mask; a class to learn is called label_<task>."
        )
    return int(number), None


def _value(case: str, column: str, text: str) -> float:
    number = number_of(text)
    if number is None or not math.isfinite(number):
        hint = f" Write the decimal comma as a point: {text.replace(',', '.')}." if decimal_comma(text) else ""
        raise ManifestError(
            f"Case {case}, column {column}: expected a number (with a point) or nothing, got {text!r}.{hint}"
        )
    return number


def _label(case: str, task: str, text: str) -> int | None:
    """The class number in a cell; '1.0' is read as 1, since spreadsheets write it; empty is None."""
    if not text:
        return None
    number = number_of(text)
    if number is None or not (number >= 0 and number.is_integer()):
        raise ManifestError(f"Case {case}, column label_{task}: expected a class number 0, 1, 2, …, got {text!r}.")
    return int(number)


def _check_ids(rows: Sequence[ManifestRow]) -> None:
    for name in dict.fromkeys(row.id for row in rows):
        path_part(name, "Case id", error=ManifestError)
    counts = Counter((same_file_key(row.id), row.roi) for row in rows)
    repeated = sorted({row.id for row in rows if counts[same_file_key(row.id), row.roi] > 1})
    if repeated:
        raise ManifestError(
            f"Column id: {_some(repeated, 'id')} more than once (capitals and the encoding of "
            "accents do not count as different); give each row an id of its own."
        )
    spelling: dict[str, str] = {}
    for row in rows:  # regions of one case share its id
        if spelling.setdefault(same_file_key(row.id), row.id) != row.id:
            raise ManifestError(f"Column id: {spelling[same_file_key(row.id)]!r} and {row.id!r} would share a file.")


def _check_patients(rows: Sequence[ManifestRow]) -> None:
    """Capitals typed differently would make two patients of one."""
    spelt: dict[str, str] = {}
    for name in (row.patient or row.id for row in rows):
        if spelt.setdefault(name.casefold(), name) != name:
            raise ManifestError(f"Column patient: {spelt[name.casefold()]!r} and {name!r} differ by capitals only.")


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:  # a name that is too long for the file system
        return False


def _check_files(manifest: Manifest, views: Mapping[str, str]) -> None:
    absent = [
        f"case {row.id}, column {views.get(view, view)}: {file}"
        for row in manifest.rows
        for view, file in [
            *row.views.items(),
            *([("mask", row.mask)] if row.mask else []),
            *((f"mask_{roi}", mask) for roi, mask in row.masks.items()),
        ]
        if not _exists(file)
    ]
    if absent:
        more = f"\n  … and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
        shown = "\n  ".join(absent[:_SHOWN])
        number = "1 file does" if len(absent) == 1 else f"{len(absent)} files do"
        raise ManifestError(f"{manifest.where}: {number} not exist:\n  {shown}{more}")


def _some(names: Sequence[str], noun: str) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{noun}{'s' if len(names) > 1 else ''} {', '.join(names[:_SHOWN])}{more}"


def _portable(file: Path, folder: Path) -> str:
    """Relative to the manifest's folder where the file lies below it, else absolute; always with forward slashes."""
    absolute = file.resolve()
    return (absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute).as_posix()
