"""Names of labels from a file beside the mask: what label 5 of a plain label map is.

Read are JSON (``{"1": "spleen"}``, ``{"spleen": 1}``, also under ``labels`` as nnU-Net has it, or under the task as
TotalSegmentator has it), tables (CSV, TSV: label and name, with Slicer's colour columns), and colour tables of Slicer,
FreeSurfer (``label name red green blue alpha``) and ITK-SNAP (``label red green blue … "name"``).
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.files.reading import require_an_end
from deepradiomics.images.masks.segment_terms import segment_name
from deepradiomics.images.segment import Segment
from deepradiomics.images.volume import Mask

_LARGEST_BYTES = 1 << 24  # a list of names is a small file
_LABEL_COLUMNS = ("label", "labelvalue", "index", "id", "value", "number", "idx", "no")
_NAME_COLUMNS = ("name", "labelname", "structure", "segment", "segmentname", "class", "totalsegmentatorname")
_COLOUR_COLUMNS = (("colorr", "colorg", "colorb"), ("r", "g", "b"), ("red", "green", "blue"))
_SLICER = re.compile(r"(\d+)\s+(\S.*?)\s+(\d+)\s+(\d+)\s+(\d+)(?:\s+(\d+))?\Z")
_ITK_SNAP = re.compile(r"(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+[\d.]+\s+\d+\s+\d+\s+\"(.*)\"\Z")
_PLAIN = re.compile(r"(\d+)(?:\s*[:=]\s*|\s+)(\S.*)\Z")

_Entry = tuple[Any, Any, tuple[float, ...] | None]  # label, name, colour


def read_label_names(path: str | os.PathLike[str]) -> dict[int, Segment]:
    """Read what each label is called; the background, 0, is passed over.

    Raises:
        InputError: the file is missing, of no known form, or names a label twice.
    """
    path = Path(path)
    text = _text(path)
    suffix = path.suffix.lower()
    if suffix == ".json" or (suffix not in (".csv", ".tsv") and text.lstrip().startswith("{")):
        entries = _of_json(text, path)
    elif suffix in (".csv", ".tsv"):
        entries = _of_table(text, "\t" if suffix == ".tsv" else None, path)
    else:
        entries = _of_lines(text, path)
    segments: dict[int, Segment] = {}
    for label, name, colour in entries:
        number, name = _label(label, path), segment_name(name)
        if number in segments:
            raise InputError(f"{path}: label {number} has two names, {segments[number].name!r} and {name!r}.")
        if number and name:
            segments[number] = Segment(name, colour)  # type: ignore[arg-type]
    if not segments:
        raise InputError(f'{path}: no label has a name there. Expected lines such as "1,spleen", or JSON.')
    return segments


def with_label_names(mask: Mask, names: Mapping[int, Segment | str]) -> Mask:
    """Return the mask with these names; what its own file says beside names, colours and terms, stays.

    A note tells which of the mask's labels have no name.
    """
    segments = dict(mask.segments)
    for label, entry in names.items():
        named = Segment(entry) if isinstance(entry, str) else entry
        known = segments.get(label, named)
        segments[label] = replace(known, name=named.name, colour=named.colour or known.colour)
    nameless = [label for label in mask.labels_present() if label not in names]
    notes = mask.notes
    if nameless:
        listed = ", ".join(map(str, nameless[:20])) + (f" and {len(nameless) - 20} more" if len(nameless) > 20 else "")
        notes += (f"{mask.called}: the list of names has none for labels {listed}.",)
    return replace(mask, segments=segments, notes=notes)


def _text(path: Path) -> str:
    require_an_end(path, "this list of label names")
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError(f"{path}: expected a list of label names, got a file of {path.stat().st_size} bytes.")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: this list of label names could not be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: this list of label names is not UTF-8. Save it as UTF-8.") from error


def _label(value: Any, path: Path) -> int:
    try:
        number = int(str(value).strip())
    except ValueError:
        number = -1
    if number < 0 or isinstance(value, bool):
        raise InputError(f"{path}: expected a label as a whole number from 0 on, got {str(value)[:40]!r}.")
    return number


def _of_json(text: str, path: Path) -> list[_Entry]:
    try:
        content = json.loads(text, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: this is no list of label names in JSON ({str(error)[:200]}).") from error
    for _ in range(2):  # nnU-Net's dataset.json holds them as "labels", TotalSegmentator's map by task
        if isinstance(content, dict) and isinstance(content.get("labels"), dict):
            content = content["labels"]
        elif isinstance(content, dict) and content and all(isinstance(inner, dict) for inner in content.values()):
            if len(content) > 1:
                listed = ", ".join(map(str, list(content)[:10]))
                raise InputError(f"{path}: it holds several lists of names ({listed}). Keep the one that is meant.")
            content = next(iter(content.values()))
    if not isinstance(content, dict):
        raise InputError(f'{path}: expected {{"1": "spleen"}} or {{"spleen": 1}}, got {type(content).__name__}.')
    entries: list[_Entry] = []
    for key, value in content.items():
        a_number = isinstance(value, int) and not isinstance(value, bool)
        if isinstance(value, str) and key.strip().isdecimal():
            entries.append((key, value, None))
        elif a_number or (isinstance(value, str) and value.strip().isdecimal()):
            entries.append((value, key, None))
        else:
            raise InputError(
                f'{path}: expected {{"1": "spleen"}} or {{"spleen": 1}}, got {key[:40]!r}: {str(value)[:40]!r}. '
                "A name stands for one label."
            )
    return entries


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} stands there twice")
    return content


def _of_table(text: str, separator: str | None, path: Path) -> list[_Entry]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return []
    separator = separator or max(",;\t", key=lines[0].count)
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator, strict=True)]
    except csv.Error as error:
        raise InputError(f"{path}: this table of label names could not be read ({error}).") from error
    header = [re.sub(r"[\s_]", "", cell.lower()) for cell in rows[0]]
    if rows[0][0].isdecimal():
        label, name, colours = 0, 1, None
    elif len(rows[0]) > 1 and rows[0][1].isdecimal():
        label, name, colours = 1, 0, None
    else:
        label = _column(header, _LABEL_COLUMNS, "label", path)
        name = _column(header, _NAME_COLUMNS, "name", path)
        colours = next(([header.index(c) for c in names] for names in _COLOUR_COLUMNS if set(names) <= {*header}), None)
        rows = rows[1:]
    entries: list[_Entry] = []
    for row in rows:
        if len(row) <= max(label, name):
            raise InputError(f"{path}: expected a label and a name in each row, got {separator.join(row)[:60]!r}.")
        colour = _bytes([row[n] if n < len(row) else "" for n in colours]) if colours else None
        entries.append((row[label], row[name], colour))
    return entries


def _column(header: list[str], names: tuple[str, ...], what: str, path: Path) -> int:
    places = [header.index(name) for name in names if name in header]
    if not places:
        raise InputError(f"{path}: no column of the table is the {what}: {', '.join(header)[:100]}. Call one {what!r}.")
    return places[0]


def _of_lines(text: str, path: Path) -> list[_Entry]:
    entries: list[_Entry] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if match := _ITK_SNAP.match(line):
            entries.append((match[1], match[5], _bytes(match.group(2, 3, 4))))
        elif match := _SLICER.match(line):
            entries.append((match[1], match[2], _bytes(match.group(3, 4, 5))))
        elif match := _PLAIN.match(line):
            entries.append((match[1], match[2], None))
        else:
            raise InputError(
                f"{path}, line {number}: expected a label and its name, as in a colour table of Slicer or ITK-SNAP, "
                f"got {line[:60]!r}."
            )
    return entries


def _bytes(texts: Iterable[str]) -> tuple[float, ...] | None:
    """A colour of three numbers 0 to 255; None where they are no such numbers."""
    try:
        colour = tuple(round(int(text) / 255, 4) for text in texts)
    except ValueError:
        return None
    return colour if all(0 <= value <= 1 for value in colour) else None
