"""One scan under two names: what is learned from it in training is known of it in the test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import sha256_image

_SHOWN = 3


def check_files(cohort: Manifest, modalities: tuple[str, ...]) -> list[str]:
    """As :func:`check_marks`, by the files themselves before all else; only files of equal size are read."""
    sizes: dict[int, list[tuple[str, str, Path]]] = defaultdict(list)
    for row in cohort.rows:
        for name in modalities:
            if name in row.views:
                sizes[_size(row.views[name])].append((row.id, name, row.views[name]))
    marks: dict[str, dict[str, str]] = defaultdict(dict)
    for alike in sizes.values():
        if len({case for case, _, _ in alike}) > 1:
            known: dict[Path, str] = {}
            for case, name, path in alike:
                if path not in known:
                    known[path] = _hash(path)
                marks[case][name] = known[path]
    return check_marks(cohort, marks)


def check_marks(cohort: Manifest, marks: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Warn of images that two cases of one split share.

    Args:
        cohort: with splits.
        marks: by case, by modality: hash of the image. Only images of one modality are compared.

    Raises:
        InputError: two cases of different splits share an image; the message names both.
    """
    split = {row.id: str(row.split) for row in cohort.rows}
    first: dict[tuple[str, str], str] = {}
    shared: dict[tuple[str, str], str] = {}
    for row in cohort.rows:
        for name, mark in marks.get(row.id, {}).items():
            other = first.setdefault((name, mark), row.id)
            if other != row.id:
                shared.setdefault((other, row.id), name)
    for (a, b), name in shared.items():
        if split[a] != split[b]:
            raise InputError(
                f"Cases {a} ({split[a]}) and {b} ({split[b]}) have the same image of {name} and are in different "
                "splits: the lens would be tested on what it was fitted to. Leave one of them out, or give both the "
                "same name in the column patient."
            )
    if not shared:
        return []
    some = [f"{a} and {b} ({name})" for (a, b), name in shared.items()]
    more = f" and {len(some) - _SHOWN} more pairs" if len(some) > _SHOWN else ""
    return [
        f"The same image under two ids: {', '.join(some[:_SHOWN])}{more}. Unless their regions differ it counts twice."
    ]


def _size(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return path.stat().st_size
    except OSError:
        return -1


def _hash(path: Path) -> str:
    """Of an image with all its files; what cannot be read equals nothing, and is told when it is used."""
    try:
        return sha256_image(path)
    except InputError:
        return str(path)
