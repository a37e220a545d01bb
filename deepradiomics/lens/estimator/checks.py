"""What goes into the lens, checked once at its border: shapes, order of patients, finiteness, options, splits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.cohort.manifest import SPLITS
from deepradiomics.cohort.splits import group_splits
from deepradiomics.errors import InputError
from deepradiomics.lens.estimator.heads import REAL_RIDGE
from deepradiomics.words import count

Array = NDArray[np.float64]

_SAME = 1e-6  # range of a column over its largest value
_LEAST = {"train": 3, "validation": 1, "test": 2}  # test: R² needs two patients


def checked_ids(ids: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """One name per row; positions from 0 where none are given."""
    if ids is None:
        return tuple(str(i) for i in range(count))
    names = tuple(str(name) for name in ids)
    if len(names) != count:
        raise InputError(f"ids: expected one name for each of the {count} rows of X_pre, got {len(names)}.")
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise InputError(
            f"ids: {twice[0]!r} is there more than once ({len(twice)} such names); keep one row per scan. Scans of one "
            "patient have names of their own and share a group (groups)."
        )
    return names


def checked_embeddings(X: ArrayLike, name: str, ids: Sequence[str] | None = None, d: int | None = None) -> Array:
    """Finite embeddings (n, d) in float64.

    Raises:
        InputError: not a matrix, another d, or a case whose embedding is not finite.
    """
    values = _numbers(X, name)
    if values.ndim != 2 or not values.size:
        raise InputError(f"{name}: expected embeddings of shape (patients, d), got {values.shape}.")
    if d is not None and values.shape[1] != d:
        raise InputError(
            f"{name}: the lens was fitted on embeddings of dimension {d}, got {values.shape[1]}. "
            "Use the encoder and layer of the fit."
        )
    bad = np.flatnonzero(~np.isfinite(values).all(1))
    if bad.size:
        case = f"case {ids[bad[0]]}" if ids is not None else f"row {bad[0]} (from 0)"
        raise InputError(
            f"{name}: the embedding of {case} is NaN or infinite in {int((~np.isfinite(values[bad[0]])).sum())} of "
            f"{values.shape[1]} numbers ({bad.size} such cases in all). Look at the encoder and the image, or leave "
            "the case out."
        )
    return values


def check_varies(values: Array, stage: str) -> None:
    """Raise InputError where all cases have the same embedding (n, d), but for the last digits of single precision."""
    if bool((np.ptp(values, axis=0) <= _SAME * np.abs(values).max(0)).all()):
        raise InputError(
            f"{stage}: all {len(values)} cases have the same embedding, so nothing can be read from it. Was the "
            "network's output cut off, or did its training collapse? Look at the table, or take another layer."
        )


def checked_pair(
    X_pre: ArrayLike, X_ft: ArrayLike, ids: Sequence[str] | None, ids_ft: Sequence[str] | None
) -> tuple[Array, Array, tuple[str, ...]]:
    """Both stages of the same patients in the same order, and the patients' names.

    Raises:
        InputError: different dimension, number or order of patients; not finite.
    """
    pre, ft = _numbers(X_pre, "X_pre"), _numbers(X_ft, "X_ft")
    names = checked_ids(ids, len(pre) if pre.ndim else 0)
    if ids_ft is not None:
        check_order(names, [str(name) for name in ids_ft])
    pre = checked_embeddings(pre, "X_pre", names)
    if ft.ndim == 2 and len(ft) != len(pre):
        raise InputError(
            f"X_ft: expected the {len(pre)} patients of X_pre in the same order, got {len(ft)} rows. "
            "Encode the same cohort with both encoders."
        )
    ft = checked_embeddings(ft, "X_ft", names)
    if ft.shape[1] != pre.shape[1]:
        raise InputError(
            f"X_ft: embeddings before fine-tuning have dimension {pre.shape[1]}, after it {ft.shape[1]}. "
            "The lens compares one architecture before and after: use the same layer of both encoders."
        )
    return pre, ft, names


def check_order(ids: Sequence[str], ids_ft: Sequence[str]) -> None:
    """Raise InputError naming the first patient at which the two stages differ."""
    for i, (before, after) in enumerate(zip(ids, ids_ft, strict=False)):
        if before != after:
            lacking = "" if before in set(ids_ft) else f" ({before} is not among the ids after fine-tuning)"
            raise InputError(
                f"Row {i} (from 0) is case {before} before fine-tuning and case {after} after it{lacking}. "
                "Bring both embeddings into the same order."
            )
    if len(ids) != len(ids_ft):
        more, where = (ids, "before") if len(ids) > len(ids_ft) else (ids_ft, "after")
        first = more[min(len(ids), len(ids_ft))]
        raise InputError(f"Case {first} has an embedding only {where} fine-tuning. Encode the same cohort twice.")


def checked_targets(R: ArrayLike, patients: int) -> tuple[Array, int]:
    """R (n, K), (n,) or (n, M, features) → (n, K) modality by modality, and M."""
    values = _numbers(R, "R")
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim not in (2, 3) or len(values) != patients or not values.size:
        raise InputError(
            f"R: expected shape ({patients}, targets) or ({patients}, modalities, features), one row per patient in "
            f"the order of X_pre, got {values.shape}."
        )
    return values.reshape(patients, -1), values.shape[1] if values.ndim == 3 else 1


def checked_names(names: Sequence[Any] | None, K: int, modalities: int) -> tuple[tuple[str, str], ...]:
    """(modality, feature) of each target; a plain name has an empty modality."""
    if names is None:
        each = K // modalities
        return tuple((f"m{k // each}" if modalities > 1 else "", f"feature_{k % each}") for k in range(K))
    given = list(names)
    if len(given) != K:
        raise InputError(f"feature_names: expected {K} names or (modality, feature) pairs, got {len(given)}.")
    pairs = tuple(("", name) if isinstance(name, str) else (str(name[0]), str(name[1])) for name in given)
    if len(set(pairs)) < K:
        twice = next(pair for i, pair in enumerate(pairs) if pair in pairs[:i])
        raise InputError(f"feature_names: {label(twice)!r} is there twice; every target needs its own name.")
    return pairs


def label(pair: tuple[str, str]) -> str:
    """A target's name in one word: ``t2:original_glcm_Contrast``."""
    return f"{pair[0]}:{pair[1]}" if pair[0] else pair[1]


def checked_groups(groups: Sequence[Any] | None, count: int) -> NDArray[np.intp]:
    """Number of each row's patient, (n,); every row its own where no groups are given."""
    if groups is None:
        return np.arange(count)
    values = [str(group) for group in groups]
    if len(values) != count:
        raise InputError(f"groups: expected one patient for each of the {count} rows, got {len(values)}.")
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def checked_split(
    split: Sequence[str] | None, groups: NDArray[np.intp], ids: Sequence[str], seed: int, validation_needed: bool
) -> NDArray[np.str_]:
    """``train``, ``validation`` or ``test`` of each row; split 7:1:2 by patient where none is given.

    Raises:
        InputError: another word, a patient in two splits, or a split with too few patients.
    """
    names = group_splits(groups, seed) if split is None else np.array([str(part) for part in split])
    if len(names) != len(ids):
        raise InputError(f"split: expected one of {', '.join(SPLITS)} for each of {len(ids)} rows, got {len(names)}.")
    for i, name in enumerate(names):
        if name not in SPLITS:
            raise InputError(f"split: case {ids[i]} is in {str(name)!r}; expected one of {', '.join(SPLITS)}.")
    of: dict[int, dict[str, str]] = defaultdict(dict)
    for i, group in enumerate(groups):
        of[int(group)].setdefault(str(names[i]), ids[i])
    for parts in of.values():
        if len(parts) > 1:
            scans = ", ".join(f"{case} in {part}" for part, case in parts.items())
            raise InputError(
                f"split separates the scans of one patient: {scans}. What is learned from one scan is known of the "
                "others: put all of them into one split."
            )
    for part in SPLITS:
        least = _LEAST[part] if part != "validation" or validation_needed else 0
        there = len(set(groups[names == part].tolist()))
        if there < least:
            why = " (the sweep chooses its penalties there)" if part == "validation" else ""
            patients, sizes = len(set(groups.tolist())), [int(np.sum(names == name)) for name in SPLITS]
            raise InputError(
                f"split: {part} has {there} patient{'' if there == 1 else 's'}, but needs at least {least}{why}. The "
                f"{patients} patient{'' if patients == 1 else 's'} gave {sizes[0]} training, {sizes[1]} validation and "
                f"{sizes[2]} test cases. Add patients, or give other splits (by default 7:1:2 by patient)."
            )
    return names


def check_enough(rows: int, hidden: int, ridge: float) -> None:
    """Raise InputError where least squares would have more unknowns than patients, unless a real ridge is set."""
    if rows <= hidden + 1 and ridge < REAL_RIDGE:
        raise InputError(
            f"{count(rows, 'training case')} for hidden={hidden}: the heads would fit any radiomics without error, and "
            f"importances would mean nothing. {_narrower(rows)}keep this width with ridge={REAL_RIDGE:g} or more "
            '("ridge" in a --config file).'
        )


def _narrower(rows: int) -> str:
    """What width the patients allow, as the beginning of a sentence of choices."""
    most = rows // 3
    if most > 1:
        return f"Set hidden to {most} or fewer (--hidden {most}), add patients, or "
    if most == 1 and rows > 2:
        return "Set hidden to 1 (--hidden 1), add patients, or "
    return "That is too few for any width: add patients, or "


def _numbers(values: ArrayLike, name: str) -> Array:
    if np.iscomplexobj(values):
        raise InputError(f"{name}: expected real numbers, got complex ones. Take their size (np.abs) or both parts.")
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: expected an array of numbers: {error}.") from None
