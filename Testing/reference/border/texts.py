"""Mutants of texts: parameter files, manifests of extractions and of trainings, tables, lens results."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from Testing.reference.border.bytes import cut, flipped, line_mutated
from Testing.reference.border.mutant import Mutant

ROOT = Path(__file__).resolve().parents[3]
PARAMETERS = """\
imageType:
  Original: {}
  LoG:
    sigma: [1.0, 2.5]
  Wavelet: {binWidth: 10}
featureClass:
  firstorder:
    - Mean
    - Entropy
  glcm:
setting:
  binWidth: 25
  label: 1
  normalize: true
  normalizeScale: 100
  resampledPixelSpacing: [1, 1, 2]
  interpolator: sitkBSpline
  minimumROISize: 5
"""
JOKES = (
    "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nsetting: {binWidth: *b}\n",
    "setting: {<<: *nothing}\n",
    "!!python/object:os.system {}\n",
    "setting: [1, 2\n",
    "- a\n- b\n",
    "setting: {binWidth: 25, binWidth: 5}\n",
    "\x00",
    "setting: " + "{a: " * 300 + "1" + "}" * 300,
    "setting: {binWidth: 1" + "0" * 5000 + "}\n",
    "%YAML 9.9\n---\nsetting: {}\n",
    "setting: {binWidth: .nan}\n",
    "setting:\n\tbinWidth: 5\n",
    "setting: {binWidth: 2026-11-30}\n",
    "setting: {label: yes}\n",
    "? [a]\n: b\n",
)
CELLS = (
    "",
    "=1+1",
    "../../x",
    "CON",
    "a" * 300,
    '"',
    "1,5",
    "nan",
    "x\ny",
    " b ",
    "trail.",
    "nul.txt",
    "..",
    "/etc/passwd",
    "\t",
    "A",
    "1e999",
    "-1",
    "0",
    "é",
    "\ufeff",
    "a;b",
)


def mutant(rng: np.random.Generator, folder: Path) -> Mutant:
    """A text that the product reads, broken."""
    return (parameters, extraction, training, table, lens)[int(rng.integers(0, 5))](rng, folder)


def parameters(rng: np.random.Generator, folder: Path) -> Mutant:
    """A PyRadiomics parameter file. The independent reading: what PyYAML makes of it, given as a dictionary."""
    path = folder / "params.yaml"
    path.write_text(PARAMETERS, encoding="utf-8")
    intact = settings(path)[0]
    way = rng.random()
    if way < 0.2:
        field = JOKES[int(rng.integers(0, len(JOKES)))]
        path.write_text(field, encoding="utf-8")
    elif way < 0.4:
        path.write_bytes((cut if rng.random() < 0.5 else lambda d, r: flipped(d, r, 0, len(d)))(path.read_bytes(), rng))
        field = "bytes"
    else:
        text, field = line_mutated(PARAMETERS, rng)
        path.write_text(text, encoding="utf-8")

    def independent() -> Any:
        import yaml

        return settings(yaml.safe_load(path.read_text(encoding="utf-8")))[0]

    return Mutant("parameter file", f"{field!r}", lambda: settings(path), intact, _equal, independent)


def settings(source: Any) -> tuple[Any, tuple[str, ...]]:
    """The settings as a dictionary."""
    from deepradiomics.radiomics import Settings

    return Settings.from_params(source if isinstance(source, dict) else str(source)).to_dict(), ()


def _cohort(folder: Path, header: str, row: Callable[[int], str]) -> Path:
    for number in range(6):
        for name in ("t2", "m"):
            (folder / f"{name}{number}.nrrd").write_bytes(b"")
    path = folder / "manifest.csv"
    path.write_text("\n".join([header, *(row(number) for number in range(6))]) + "\n", encoding="utf-8")
    return path


def extraction(rng: np.random.Generator, folder: Path) -> Mutant:
    """A manifest for `extract`. The independent reading: Python's csv module, cell by cell."""
    path = _cohort(folder, "id,image,mask,label,site", lambda n: f"case{n},t2{n}.nrrd,m{n}.nrrd,{n % 2 + 1},site {n}")

    def read() -> tuple[Any, tuple[str, ...]]:
        from deepradiomics.cohort import read_region_manifest

        rows = read_region_manifest(path).rows
        return [
            (
                row.id,
                *(_name(file) for file in row.views.values()),
                _name(row.mask),
                str(row.region or ""),
                _more(row.more),
            )
            for row in rows
        ], ()

    return _text_mutant("extraction manifest", path, read, ("id", "image", "mask", "label", "site"), rng)


def training(rng: np.random.Generator, folder: Path) -> Mutant:
    """A manifest for trainings."""
    path = _cohort(
        folder,
        "id,axial,mask,split,label_acl",
        lambda n: f"case{n},t2{n}.nrrd,m{n}.nrrd,{'test' if n > 3 else 'train'},{n % 2}",
    )

    def read() -> tuple[Any, tuple[str, ...]]:
        from deepradiomics.cohort import read_manifest

        rows = read_manifest(path).rows
        return [
            (row.id, *map(_name, row.views.values()), _name(row.mask), row.split or "", str(row.labels.get("acl", "")))
            for row in rows
        ], ()

    return _text_mutant("training manifest", path, read, ("id", "axial", "mask", "split", "label_acl"), rng)


def _more(cells: Any) -> str:
    return next((text for name, text in cells.items() if name.lower() == "site"), "")


def _name(file: Path | None) -> str:
    return file.name if file is not None else ""


def _text_mutant(
    kind: str,
    path: Path,
    read: Callable[[], tuple[Any, tuple[str, ...]]],
    columns: tuple[str, ...],
    rng: np.random.Generator,
) -> Mutant:
    intact = read()[0]
    field = _table_broken(path, rng)

    def independent() -> Any:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            rows = [[cell.strip() for cell in row] for row in csv.reader(stream)]
        header, *records = [row for row in rows if any(row)]
        place = {name.lower() if kind.startswith("extraction") else name: at for at, name in enumerate(header)}
        cells = [[row[place[column]] if column in place else "" for column in columns] for row in records]
        return [tuple(_unescaped(cell) for cell in row) for row in cells]

    return Mutant(kind, field, read, intact, lambda one, other: _plain(one) == _plain(other), independent)


def _unescaped(cell: str) -> str:
    """A text that was written with an apostrophe before what a spreadsheet takes for a formula."""
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@\t\r'" else cell


def _plain(rows: Any) -> Any:
    """Numbers that spreadsheets write otherwise are equal: 1 and 1.0; files count by their names."""
    return [tuple(Path(str(cell)).name.removesuffix(".0") for cell in row) for row in rows]


def _table_broken(path: Path, rng: np.random.Generator) -> str:
    """Break a CSV table in one way; says which."""
    text = path.read_text(encoding="utf-8")
    way = int(rng.integers(0, 6))
    if way == 0:
        path.write_bytes(cut(text.encode(), rng))
        return "cut"
    if way == 1:
        path.write_bytes(flipped(text.encode(), rng, 0, len(text.encode())))
        return "a byte"
    if way == 2:
        changed = (
            text.replace(",", ";"),
            text.replace(",", "\t"),
            text.replace("\n", "\r\n"),
            "\ufeff" + text,
            text.replace("\n", "\r"),
            text + '"',
            text.replace("case", '"case', 1),
            text.upper(),
            text + "\n\n",
            text.replace(",", ", "),
            text + text,
        )
        which = int(rng.integers(0, len(changed)))
        path.write_text(changed[which], encoding="utf-8", newline="")
        return f"separators, quotes or ends, way {which}"
    if way == 3:
        path.write_bytes(text.encode(("utf-16", "utf-8-sig", "cp1252", "utf-32")[int(rng.integers(0, 4))]))
        return "encoding"
    rows = [line.split(",") for line in text.rstrip("\n").split("\n")]
    at, place = int(rng.integers(0, len(rows))), int(rng.integers(0, len(rows[0])))
    old, rows[at][place] = rows[at][place], CELLS[int(rng.integers(0, len(CELLS)))]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    path.write_text(stream.getvalue(), encoding="utf-8", newline="")
    return f"cell {old!r} = {rows[at][place][:20]!r} in line {at + 1}"


def table(rng: np.random.Generator, folder: Path) -> Mutant:
    """A table that was written by us: texts that are formulas, numbers, quotes."""
    from deepradiomics.files.tables import read_csv, write_csv

    path = folder / "table.csv"
    rows = [[f"=cmd{n}", n * 1.25, 'say "x", y', "-1" if n % 2 else "plain"] for n in range(8)]
    write_csv(path, ["id", "value", "text", "sign"], rows)

    def read() -> tuple[Any, tuple[str, ...]]:
        content = read_csv(path)
        return [content.columns, *(row for _, row in content.records)], ()

    intact = read()[0]
    field = _table_broken(path, rng)

    def independent() -> Any:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            lines = [row for row in csv.reader(stream, strict=True) if any(row)]
        return [tuple(_unescaped(cell) for cell in row) for row in lines]

    return Mutant(
        "table",
        field,
        read,
        intact,
        lambda one, other: [tuple(r) for r in one] == [tuple(r) for r in other],
        independent,
    )


def lens(rng: np.random.Generator, folder: Path) -> Mutant:
    """A folder of `lens fit` of which one file is broken."""
    source = ROOT / "RadiomicLens" / "Resources" / "Bundles" / "prostate-synthetic-tiny" / "lens"
    place = folder / "lens"
    shutil.copytree(source, place)
    shift = (place / "shift.csv").read_text(encoding="utf-8").split("\n")
    about = (place / "lens.json").read_text(encoding="utf-8")
    picked = [line for line in shift[40:] if line and f'"{line.split(",")[1]}"' in about]  # its picks are rows of it
    (place / "shift.csv").write_text("\n".join([*shift[:40], *picked]) + "\n", encoding="utf-8")

    def read() -> tuple[Any, tuple[str, ...]]:
        from deepradiomics.lens.result import LensResult

        result = LensResult.read(place)
        return [
            repr(result.task),
            repr(result.modalities),
            result.has_null,
            result.doubt,
            len(result.shift),
            repr(result.table1[:2]),
            repr(result.shift[:3]),
            repr(result.picked("top")),
        ], ()

    intact = read()[0]
    name = ("lens.json", "shift.csv", "table1.csv", "modality_r2.csv")[int(rng.integers(0, 4))]
    path = place / name
    data = path.read_bytes()
    way = int(rng.integers(0, 3))
    if way == 0:
        path.write_bytes(cut(data, rng))
        field = f"{name} cut"
    elif way == 1:
        path.unlink()
        field = f"{name} removed"
    elif name == "lens.json":
        path.write_bytes(("[" * 100_000).encode() if rng.random() < 0.3 else b'{"format": ' + b"9" * 5000 + b"}")
        field = f"{name} endless"
    else:
        lines = data.decode().split("\n")
        lines[0] = lines[0].replace(lines[0].split(",")[int(rng.integers(0, lines[0].count(",") + 1))], "other", 1)
        path.write_text("\n".join(lines), encoding="utf-8")
        field = f"{name}: a column renamed"
    # A table cut at the end of a line is a shorter table: its first rows are those of the file.
    return Mutant(
        "lens result", field, read, intact, lambda one, other: one == other or _shorter(one, other, field), None
    )


def _shorter(one: Any, other: Any, field: str) -> bool:
    return field.endswith("cut") and [v for k, v in enumerate(one) if k != 4] == [
        v for k, v in enumerate(other) if k != 4
    ]


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other)
