"""Controls: pairs of encoders of which the answer is known, put through the lens.

identical   the same embeddings twice: ΔI must be exactly 0
scaled      after = factor × before: the content is the same; ΔI must vanish when each stage has its own scale
rotated     after = before turned about its mean: the content is the same on other axes
reseeded    embeddings of an encoder trained alike from another seed: nothing was fine-tuned

For the last two no ΔI is right or wrong in itself. A shared layer trained on one stage reads the other stage worse, and
says so with the opposite sign when trained on the other: the mean of both ΔI ("fit_mean") must lie much nearer to 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.lens.estimator.checks import checked_embeddings
from deepradiomics.lens.estimator.lens import RadiomicLens
from deepradiomics.progress import Progress, silent

Array = NDArray[np.float64]

SCALE = 3.0


@dataclass(frozen=True)
class ControlRow:
    """One control and one way of computing ΔI.

    Args:
        control: identical, scaled, rotated or reseeded.
        delta: ``fit_pre`` (the shared layer trained on before), ``standardised``, ``explained``, ``fit_ft``,
            ``fit_both``, ``fit_mean`` (mean of fit_pre and fit_ft), ``own_scale`` (fit_pre, each stage scaled alone).
        mean_absolute, maximum: of |ΔI| over the features.
        mean: of ΔI: the direction in which the lens leans.
        importance: mean I before, to judge the others by.
        r2_pre, r2_ft: mean R² of this fit on test.
    """

    control: str
    delta: str
    mean_absolute: float
    maximum: float
    mean: float
    importance: float
    r2_pre: float
    r2_ft: float


def controls(
    X_pre: ArrayLike,
    R: ArrayLike,
    lens: RadiomicLens | None = None,
    *,
    X_reseeded: ArrayLike | None = None,
    seed: int = 0,
    progress: Progress = silent,
    **fit: Any,
) -> list[ControlRow]:
    """Rows of each control × each ΔI.

    Args:
        X_pre: embeddings before fine-tuning, (n, d).
        R: radiomics, as for :meth:`RadiomicLens.fit`.
        lens: options to use; its bootstraps and permutations are left out.
        X_reseeded: embeddings of the same patients by an encoder trained alike from another seed.
        seed: of the rotation.
        fit: split, groups, ids and feature_names, as for :meth:`RadiomicLens.fit`.
    """
    before = checked_embeddings(X_pre, "X_pre", fit.get("ids"))
    pairs = {"identical": before, "scaled": SCALE * before, "rotated": rotated(before, seed)}
    if X_reseeded is not None:
        pairs["reseeded"] = checked_embeddings(X_reseeded, "X_reseeded", fit.get("ids"))
    options = (lens or RadiomicLens()).get_params() | {
        "bootstraps": 0,
        "permutations": 0,
        "variants": True,
        "fit_on": "pre",
    }
    rows = []
    for number, (control, after) in enumerate(pairs.items()):
        progress(number / len(pairs), f"control: {control}")
        found = RadiomicLens(**options).fit(before, after, R, **fit)
        own = RadiomicLens(**{**options, "embedding_scaling": "own", "variants": False}).fit(before, after, R, **fit)
        raw, variants = found.delta_importance_, found.variants_
        deltas = {
            "fit_pre": raw,
            **variants,
            "explained": found.delta_explained_,
            "fit_mean": (raw + variants["fit_ft"]) / 2.0,
        }
        rows += [_row(control, name, delta, found) for name, delta in deltas.items()]
        rows.append(_row(control, "own_scale", own.delta_importance_, own))
    progress(1.0, "controls: done")
    return rows


def rotated(X: Array, seed: int) -> Array:
    """Embeddings turned about their mean by a random orthogonal matrix."""
    Q, triangle = np.linalg.qr(np.random.default_rng([seed, 3]).normal(size=(X.shape[1], X.shape[1])))
    mean = X.mean(0)
    return (X - mean) @ (Q * np.sign(np.diag(triangle))) + mean


def _row(control: str, name: str, delta: Array, lens: RadiomicLens) -> ControlRow:
    used = delta[lens.kept_]
    return ControlRow(
        control,
        name,
        float(np.abs(used).mean()),
        float(np.abs(used).max()),
        float(used.mean()),
        float(lens.importance_pre_[lens.kept_].mean()),
        lens.r2_mean_pre_,
        lens.r2_mean_ft_,
    )
