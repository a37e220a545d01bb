"""Remarks of many regions or cases, shortened for a screen: those that differ in numbers only are told once."""

import re
from collections.abc import Iterable, Mapping, Sequence

from deepradiomics.words import count

_MASK = re.compile(r"\bMask [^:]{1,200}(?=:)")
_NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]?\d+)?")


def grouped(texts: Iterable[str]) -> list[str]:
    """One line for all texts that differ in their numbers only: the first, and how many more there are.

    >>> grouped(["label 1: 30 voxels", "label 2: 8 voxels", "flat"])
    ['label 1: 30 voxels (and 1 more like it)', 'flat']
    """
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(_NUMBER.sub("#", text), []).append(text)
    return [
        members[0] + (f" (and {len(members) - 1} more like it)" if len(members) > 1 else "")
        for members in groups.values()
    ]


def told_of_cases(notes: Mapping[str, Iterable[str]]) -> list[str]:
    """Notes by case, one line for all that differ in their numbers, or in the mask's name, only.

    >>> told_of_cases({"a": ["thick: 8 mm", "dark"], "b": ["Case b: thick: 6 mm"]})
    ['Case a: thick: 8 mm (and 1 other case)', 'Case a: dark']
    """
    first: dict[str, str] = {}
    cases: dict[str, set[str]] = {}
    for case, texts in notes.items():
        for text in texts:
            bare = text.removeprefix(f"Case {case}: ")
            key = _NUMBER.sub("#", _MASK.sub("Mask", bare))
            first.setdefault(key, f"Case {case}: {bare}")
            cases.setdefault(key, set()).add(case)
    others = {key: len(names) - 1 for key, names in cases.items()}
    return [
        text + (f" (and {others[key]} other case{'s' if others[key] > 1 else ''})" if others[key] else "")
        for key, text in first.items()
    ]


def told_labels(counts: Sequence[tuple[int, int]]) -> str:
    """(label, number of features) of each, in one line.

    >>> told_labels([(1, 107), (2, 107), (3, 107), (5, 107)])
    '4 labels (1-3, 5): 107 features each'
    """
    if len(counts) == 1:
        return f"label {counts[0][0]}: {count(counts[0][1], 'feature')}"
    numbers = sorted({number for _, number in counts})
    amount = f"{count(numbers[0], 'feature')} each" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]} features"
    return f"{len(counts)} labels ({_ranges([label for label, _ in counts])}): {amount}"


def _ranges(labels: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for label in labels:
        if runs and label == runs[-1][1] + 1:
            runs[-1][1] = label
        else:
            runs.append([label, label])
    return ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)
