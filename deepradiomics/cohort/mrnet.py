"""MRNet's own folder as a manifest: `train/<plane>/0000.npy`, `valid/<plane>/1130.npy` and `train-acl.csv`, ….

Its `train` cases get no split (with_splits() divides them), its `valid` cases are the test split, as in the papers.
Source: Bien et al., PLoS Med 2018;15:e1002699.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from deepradiomics.cohort.manifest import Manifest, ManifestRow, Split
from deepradiomics.errors import ManifestError
from deepradiomics.files.csv_text import rows_of_text
from deepradiomics.files.tables import table_text
from deepradiomics.images import VIEWS

_TASK_FILES = {"abnormality": "abnormal", "acl": "acl", "meniscus": "meniscus"}
_PARTS: dict[str, Split | None] = {"train": None, "valid": "test"}


def mrnet_manifest(folder: str | Path) -> Manifest:
    """Read MRNet's layout. A part or a label file that is not there is left out; one of each is needed.

    Raises:
        ManifestError: no part or label file, labels of the parts that differ, a plane's file or a label missing.
    """
    folder = Path(folder)
    parts = [part for part in _PARTS if (folder / part / VIEWS[0]).is_dir()]
    if not parts:
        raise ManifestError(f"{folder} is no MRNet folder: expected {folder / 'train' / VIEWS[0] / '0000.npy'} there.")
    tasks = tuple(
        task for task, name in _TASK_FILES.items() if all((folder / f"{p}-{name}.csv").exists() for p in parts)
    )
    if not tasks:
        raise ManifestError(
            f"{folder} has no label files; expected {parts[0]}-acl.csv and the like beside {parts[0]}/."
        )
    rows = [row for part in parts for row in _part(folder, part, tasks)]
    return Manifest(tuple(rows), VIEWS, tasks)


def _part(folder: Path, part: str, tasks: tuple[str, ...]) -> list[ManifestRow]:
    labels = {task: _labels(folder / f"{part}-{_TASK_FILES[task]}.csv") for task in tasks}
    rows = []
    for first in sorted((folder / part / VIEWS[0]).glob("*.npy")):
        files = {view: folder / part / view / first.name for view in VIEWS}
        for view, file in files.items():
            if not file.exists():
                raise ManifestError(f"Case {first.stem}, view {view}: {file} does not exist.")
        for task, known in labels.items():
            if first.stem not in known:
                raise ManifestError(f"Case {first.stem}: no label in {part}-{_TASK_FILES[task]}.csv.")
        rows.append(ManifestRow(first.stem, files, None, {t: labels[t][first.stem] for t in tasks}, _PARTS[part]))
    return rows


def _labels(path: Path) -> dict[str, int]:
    """Lines `0000,1` without a header."""
    text = table_text(path, "table of labels", ManifestError)
    lines = [[cell.strip() for cell in row] for _, row in rows_of_text(text, path, ManifestError)]
    bad = [line for line in lines if len(line) != 2 or line[1] not in ("0", "1")]
    if bad:
        raise ManifestError(f"{path}: expected lines such as '0000,1', got {','.join(bad[0])!r}.")
    labels = {case: int(label) for case, label in lines}
    if len(labels) < len(lines):
        twice = next(case for case, count in Counter(case for case, _ in lines).items() if count > 1)
        raise ManifestError(f"{path}: case {twice!r} is there twice; keep one line per case.")
    return labels
