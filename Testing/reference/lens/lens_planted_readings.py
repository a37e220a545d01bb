"""Ways to read a fitted lens: the importance of each attribute before and after fine-tuning, by five definitions.

    raw           I = ‖θ_k‖₂, θ by least squares (the paper, equation 6)
    standardised  I = ‖θ_k ⊙ sd(Z)‖₂, each hidden unit on its own scale
    ridge10       I = ‖θ_k‖₂, θ by ridge regression with a penalty of 10 mean squared singular values of Z
    explained     E = sd(R̂_k) / sd(R_k) on the training patients, ‖θ_k Σ_Z^½‖₂, with what noise adds to it taken out
    r2            R²_k on the test patients, which is no weight at all

A least-squares weight is not monotonic in how strongly an attribute is encoded. With one noisy unit z = a·r + σ·e it is
θ = a / (a² + σ²): it grows with a while a < σ, and shrinks as 1/a beyond. sd(θz) = a / √(a² + σ²) grows throughout.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deepradiomics.lens.estimator.heads import fit_head, standardised_importance
from deepradiomics.lens.estimator.lens import RadiomicLens
from Testing.reference.lens.lens_planted import Planted

Array = NDArray[np.float64]

READINGS = ("raw", "standardised", "ridge10", "explained", "r2")
FIT_ON = ("pre", "ft", "both")
STRONG_RIDGE = 10.0


def fitted(data: Planted, *, X_ft: Array | None = None, **options: object) -> RadiomicLens:
    """The lens without intervals and variants on an experiment (or on another X_ft)."""
    lens = RadiomicLens(**{"bootstraps": 0, "variants": False, "device": "cpu", **options})  # type: ignore[arg-type]
    return lens.fit(data.X_pre, data.X_ft if X_ft is None else X_ft, data.R, feature_names=data.names)


def readings(lens: RadiomicLens, data: Planted, X_ft: Array | None = None) -> dict[str, tuple[Array, Array]]:
    """(I_pre, I_ft), (K,) each, by reading."""
    train = lens.split_ == "train"
    Y = (data.R - data.R[train].mean(0)) / data.R[train].std(0)
    after = data.X_ft if X_ft is None else X_ft
    Z = (lens.transform(data.X_pre, "pre")[train], lens.transform(after, "ft")[train])
    plain = [fit_head(z, Y[train]) for z in Z]
    strong = [fit_head(z, Y[train], STRONG_RIDGE) for z in Z]
    found: dict[str, Sequence[Array]] = {
        "raw": (lens.importance_pre_, lens.importance_ft_),
        "standardised": [standardised_importance(head, z) for head, z in zip(plain, Z, strict=True)],
        "ridge10": [head.importance for head in strong],
        "explained": [head.explained for head in plain],
        "r2": (lens.r2_pre_, lens.r2_ft_),
    }
    return {name: (np.asarray(pre), np.asarray(ft)) for name, (pre, ft) in found.items()}


def deltas(lens: RadiomicLens, data: Planted) -> dict[str, Array]:
    """ΔI (K,) by reading."""
    return {name: ft - pre for name, (pre, ft) in readings(lens, data).items()}
