"""Ridge probes: how well each target can be read out of an embedding, on patients that the probe has not seen.

    embedding (n, d) ─► standardise ─► ridge, penalty per target ─► prediction of the held-out fold ─► R² per target
                        └────── by the training part of each fold ──────┘

Two embeddings of the same patients are compared by ΔR², with the same folds; the interval resamples patients, and the
permutation test exchanges the two squared errors of a patient (Golland & Fischl 2003 describe such paired tests).

Sources: Hoerl & Kennard, Technometrics 1970;12:55-67 (ridge regression); Golub, Heath & Wahba, Technometrics
1979;21:215-223 (generalised cross-validation); Stone, J R Stat Soc B 1974;36:111-147 (cross-validated predictions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError
from deepradiomics.public import one_line

Array = NDArray[np.float64]

PENALTIES = tuple(float(value) for value in np.logspace(-3, 4, 22))
"""Ridge penalties tried, as multiples of the mean squared singular value of the standardised embedding."""
FOLDS, REPEATS = 5, 4
_FLAT = 1e-12  # a standard deviation below this share of the values' size is rounding noise


@one_line
@dataclass(frozen=True, eq=False)
class ProbeResult:
    """Held-out predictions of every target from one embedding.

    Args:
        predictions: (repeats, n, targets) predicted values, in the targets' units; each by the fold that tests it.
        baseline: (repeats, n, targets) the mean of the training part of that fold: what is predicted without embedding.
        targets: (n, targets) the true values.
    """

    predictions: Array
    baseline: Array
    targets: Array

    @property
    def squared_errors(self) -> Array:
        """(n, targets) squared error of each patient, mean over repeats."""
        errors: Array = ((self.predictions - self.targets) ** 2).mean(axis=0)
        return errors

    @property
    def squared_distances(self) -> Array:
        """(n, targets) squared distance of each patient from the training mean, mean over repeats."""
        distances: Array = ((self.baseline - self.targets) ** 2).mean(axis=0)
        return distances

    @property
    def r2(self) -> Array:
        """(targets,) 1 − Σ error² / Σ distance² over all held-out patients; NaN for a target that does not vary.

        Zero means no better than the training mean; it is negative where the probe does harm.
        """
        return _r2(self.squared_errors.sum(axis=0), self.squared_distances.sum(axis=0))


def probe(
    embedding: ArrayLike,
    targets: ArrayLike,
    *,
    patients: Sequence[str] | None = None,
    folds: int = FOLDS,
    repeats: int = REPEATS,
    seed: int = 0,
) -> ProbeResult:
    """Predict each target from the embedding by ridge regression, cross-fitted.

    Embedding and targets are standardised by the training part of each fold; the penalty of each target is the one of
    least generalised cross-validation error there. Equal seeds give equal folds, whatever the embedding.

    Args:
        embedding: (n, d) one row per scan.
        targets: (n, targets) or (n,).
        patients: whose scan each row is; the scans of a patient are in one fold. None: every row is a patient.
        folds: number of parts; each is predicted by a probe fitted on the others.
        repeats: times the patients are split anew.
        seed: of the splits.

    Raises:
        InputError: shapes that do not fit, values that are not finite, or fewer patients than folds.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> embedding = rng.standard_normal((60, 5))
        >>> target = embedding @ [1.0, -1.0, 0.5, 0.0, 0.0]
        >>> bool(probe(embedding, target).r2[0] > 0.99)
        True
    """
    X, Y = _table(embedding, "embedding"), _table(targets, "targets")
    if len(X) != len(Y):
        raise InputError(f"embedding has {len(X)} rows and targets {len(Y)}; give one row per scan to both.")
    parts = patient_folds(len(X), patients, folds, repeats, seed)
    predictions, baseline = np.empty((repeats, *Y.shape)), np.empty((repeats, *Y.shape))
    for repeat in range(repeats):
        for part in range(folds):
            test = parts[repeat] == part
            baseline[repeat, test] = Y[~test].mean(axis=0)
            predictions[repeat, test] = ridge_predictions(X[~test], Y[~test], X[test])
    return ProbeResult(predictions, baseline, Y)


def patient_folds(
    rows: int, patients: Sequence[str] | None, folds: int = FOLDS, repeats: int = REPEATS, seed: int = 0
) -> NDArray[np.intp]:
    """(repeats, rows) the fold that tests each row; sizes differ by one patient at most.

    Raises:
        InputError: fewer than two folds, a number of names that is not that of the rows, or fewer patients than folds.
    """
    names = np.arange(rows) if patients is None else np.asarray(patients)
    if len(names) != rows:
        raise InputError(f"patients: expected {rows} names, one per row, got {len(names)}.")
    unique, number = np.unique(names, return_inverse=True)
    if not 2 <= folds <= len(unique):
        raise InputError(f"folds: expected 2 to {len(unique)} (the number of patients), got {folds}.")
    if repeats < 1:
        raise InputError(f"repeats: expected at least 1, got {repeats}.")
    generator = np.random.default_rng([seed, 2970])
    deck = np.arange(len(unique)) % folds
    return np.stack([generator.permutation(deck)[number] for _ in range(repeats)])


def ridge_predictions(X: Array, Y: Array, X_new: Array) -> Array:
    """(m, targets) predictions for new rows by ridge regression, a penalty per target by generalised cross-validation.

    Args:
        X: (n, d) training embedding; columns that do not vary are left out.
        Y: (n, targets) training targets.
        X_new: (m, d).
    """
    mean, spread = X.mean(axis=0), X.std(axis=0)
    varies = spread > _FLAT * np.maximum(1.0, np.abs(mean))
    if not varies.any():
        return np.tile(Y.mean(axis=0), (len(X_new), 1))
    Z, Z_new = ((rows[:, varies] - mean[varies]) / spread[varies] for rows in (X, X_new))
    U, s, Vt = np.linalg.svd(Z, full_matrices=False)
    centred = Y - Y.mean(axis=0)
    coefficients = U.T @ centred  # (r, targets)
    outside = (centred**2).sum(axis=0) - (coefficients**2).sum(axis=0)  # of Y, what no combination of columns reaches
    penalties = np.array(PENALTIES) * (s**2).mean()
    kept = s**2 / (s**2 + penalties[:, None])  # (penalties, r) share of each direction
    residual = np.maximum(outside, 0.0) + ((1.0 - kept) ** 2) @ coefficients**2  # (penalties, targets)
    freedom = len(Z) - 1.0 - kept.sum(axis=1)  # one for the mean
    score = np.where(freedom[:, None] > 0, residual / np.maximum(freedom, _FLAT)[:, None] ** 2, np.inf)
    penalty = penalties[np.argmin(score, axis=0)]  # (targets,)
    predictions: Array = Y.mean(axis=0) + (Z_new @ Vt.T) @ (s[:, None] / (s[:, None] ** 2 + penalty) * coefficients)
    return predictions


@one_line
@dataclass(frozen=True, eq=False)
class ProbeChange:
    """How much better each target can be read out after than before; arrays are (targets,).

    Args:
        r2_before, r2_after: held-out R².
        delta: their difference.
        low, high: interval of the difference at ``level``, by resampling patients.
        p: two-sided, of the paired permutation test that both read a target equally well.
        level: of the interval.
    """

    r2_before: Array
    r2_after: Array
    delta: Array
    low: Array
    high: Array
    p: Array
    level: float = 0.95


def compare_probes(
    before: ProbeResult,
    after: ProbeResult,
    *,
    patients: Sequence[str] | None = None,
    bootstraps: int = 2000,
    permutations: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> ProbeChange:
    """ΔR² of two embeddings of the same scans, with the same targets and folds.

    Args:
        before, after: of :func:`probe`, with equal ``patients`` and ``seed``.
        patients: whose scan each row is; patients are resampled, and exchanged, with all their scans.
        bootstraps, permutations: number of each.
        level: of the interval.
        seed: of both.

    Raises:
        InputError: results of other targets, or a number of names that is not that of the rows.
    """
    if before.targets.shape != after.targets.shape or not np.array_equal(before.targets, after.targets):
        raise InputError("before and after: expected probes of the same targets of the same scans.")
    names = np.arange(len(before.targets)) if patients is None else np.asarray(patients)
    if len(names) != len(before.targets):
        raise InputError(f"patients: expected {len(before.targets)} names, one per row, got {len(names)}.")
    _, number = np.unique(names, return_inverse=True)
    pre, ft, total = (
        _by_patient(values, number)
        for values in (before.squared_errors, after.squared_errors, before.squared_distances)
    )
    generator = np.random.default_rng([seed, 2971])
    n = len(total)
    drawn = generator.multinomial(n, np.full(n, 1.0 / n), size=bootstraps).astype(np.float64)  # how often each is drawn
    sums = drawn @ total
    with np.errstate(divide="ignore", invalid="ignore"):
        deltas = np.where(sums > 0, (drawn @ pre - drawn @ ft) / sums, np.nan)
    low, high = np.nanquantile(deltas, [(1 - level) / 2, (1 + level) / 2], axis=0)
    r2_before, r2_after = before.r2, after.r2
    delta = r2_after - r2_before
    signs = generator.choice([-1.0, 1.0], size=(permutations, n))
    observed = (pre - ft).sum(axis=0)
    as_far = (np.abs(signs @ (pre - ft)) >= np.abs(observed) * (1 - 1e-12)).sum(axis=0)
    p = np.where(np.isfinite(delta), (as_far + 1.0) / (permutations + 1.0), np.nan)
    return ProbeChange(r2_before, r2_after, delta, low, high, p, level)


def _by_patient(values: Array, number: NDArray[np.intp]) -> Array:
    sums = np.zeros((int(number.max()) + 1, values.shape[1]))
    np.add.at(sums, number, values)
    return sums


def _r2(error: Array, distance: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        values: Array = np.where(distance > 0, 1.0 - error / distance, np.nan)
    return values


def _table(values: ArrayLike, name: str) -> Array:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim != 2 or not table.size:
        raise InputError(f"{name}: expected numbers of shape (rows, columns), got shape {table.shape}.")
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0].tolist()
        raise InputError(f"{name}: row {row}, column {column} is not a finite number. Leave it out or complete it.")
    return table
