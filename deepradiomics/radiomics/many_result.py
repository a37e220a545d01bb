"""The features of many images: a list that also makes a data frame, and that does not keep quiet about failures."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.radiomics.result import Features
from deepradiomics.words import count

Errors = Literal["warn", "raise", "keep"]


class LabelFeatures(dict[int, Features]):
    """Features by label, in ascending order of the labels.

    Attributes:
        skipped: for each label that could not be used, the reason.
        error: why the whole image could not be used; empty where it could.
        notes: what was assumed, chosen or done while image and mask were read.
    """

    def __init__(
        self,
        features: Mapping[int, Features],
        skipped: Mapping[int, str] | None = None,
        error: str = "",
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__(features)
        self.notes = tuple(notes)
        self.skipped: dict[int, str] = dict(skipped or {})
        self.error = error


class ManyFeatures(list[LabelFeatures]):
    """One :class:`LabelFeatures` a pair, in the pairs' order."""

    @property
    def failures(self) -> tuple[str, ...]:
        """Why a pair, or a label of a pair, gave nothing; one sentence each."""
        reasons = []
        for number, features in enumerate(self, start=1):
            if features.error:
                reasons.append(features.error)
            reasons += [f"pair {number}, label {label}: {why}" for label, why in features.skipped.items()]
        return tuple(reasons)

    def to_frame(self) -> Any:
        """A pandas data frame: a row per region, with ``pair`` (from 1), ``label``, ``error`` and a column per feature.

        A pair or label that gave nothing is a row too, whose ``error`` says why and whose features are NaN.

        Raises:
            MissingDependencyError: pandas is not installed.

        >>> from deepradiomics import extract_many
        >>> frame = extract_many([("image.nii.gz", "mask.nii.gz")]).to_frame()
        >>> frame[["pair", "label", "original_shape_VoxelVolume"]].values.tolist()
        [[1, 1, 240.0]]
        """
        try:
            import pandas
        except ImportError as error:
            raise MissingDependencyError(
                "to_frame() needs pandas, which is not installed: pip install pandas. Without it, the result is a list "
                "of dictionaries."
            ) from error
        rows: list[dict[str, Any]] = []
        for number, features_of_pair in enumerate(self, start=1):
            if features_of_pair.error:
                rows.append({"pair": number, "label": None, "error": features_of_pair.error})
            rows += [
                {"pair": number, "label": label, "error": "", **features}
                for label, features in features_of_pair.items()
            ]
            rows += [{"pair": number, "label": label, "error": why} for label, why in features_of_pair.skipped.items()]
        columns = list(dict.fromkeys(["pair", "label", "error", *(name for row in rows for name in row)]))
        return pandas.DataFrame(rows, columns=columns).astype({"label": "Int64"})


def check_errors(errors: str) -> None:
    """Raise InputError where ``errors`` is none of warn, raise and keep."""
    if errors not in get_args(Errors):
        raise InputError(f"errors: expected 'warn', 'raise' or 'keep', got {errors!r}.")


def report_failures(results: ManyFeatures, stacklevel: int = 3) -> None:
    """Warn once where something gave no features: how much, and the first reason."""
    if not (failures := results.failures):
        return
    pairs = sum(bool(features.error) for features in results)
    what = [f"{pairs} of {count(len(results), 'pair')}"] if pairs else []
    labels = len(failures) - pairs
    what += [count(labels, "label")] if labels else []
    warnings.warn(
        f"extract_many: {' and '.join(what)} gave no features; the first: {failures[0]} "
        "(.failures lists them all; errors='raise' stops at the first, errors='keep' says nothing.)",
        UserWarning,
        stacklevel=stacklevel,
    )
