"""Components: the columns that one family of features gives to the classifiers, fitted on training patients only.

``radiomics``, ``encoder``, ``autoencoder``
    constant columns dropped, undefined values replaced by the training median, min-max to [0, 1] by the training rows
    (new rows are clipped), then non-negative matrix factorisation; a patient's columns are their weights (components
    fixed), for training patients and new ones alike.
``shape``, ``clinical``
    the features themselves, standardised by the training rows' mean and standard deviation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from deepradiomics.errors import BundleError, InputError
from deepradiomics.files.reading import UNUSABLE, reason
from deepradiomics.modelling.components.columns import Column, factor_columns, raw_columns
from deepradiomics.modelling.components.hals import weights
from deepradiomics.modelling.labelled import column_names, in_columns, plain
from deepradiomics.progress import Progress
from deepradiomics.public import one_line
from deepradiomics.stats.outside import beyond_share
from deepradiomics.words import count

__all__ = ["FACTORED", "FAMILIES", "Column", "Components", "Family"]

Family = Literal["shape", "radiomics", "encoder", "autoencoder", "clinical"]
FAMILIES: tuple[Family, ...] = ("shape", "radiomics", "encoder", "autoencoder", "clinical")
FACTORED: tuple[Family, ...] = ("radiomics", "encoder", "autoencoder")
"""The families that go through NMF."""
_CHUNK = 4096  # columns looked at together


@one_line
@dataclass(frozen=True, eq=False)
class Components:
    """What was learned of one family from the training rows.

    Args:
        family: one of :data:`FAMILIES`.
        n_features: columns of the family's table, d.
        names: their names; None for latents, whose columns are known by their place.
        kept: columns in use, ascending (m,): those that vary.
        middle: median of the training rows, taken for undefined values (m,).
        low, high: minimum and maximum (factored families), or mean and mean + SD: z = (x - low) / (high - low).
        mean, sd: of the training rows (m,), of the radiomic features only: they tell whether a case is outside the
            training cohort. None in other families and in bundles made before they were kept.
        H: components (k, m), the largest loading of each 1; None for families that keep their columns.
        fit_: how the factorisation went: rows, columns, components, relative_error, iterations, converged, seed.
        notes: what the user should know, such as a capped number of components.
    """

    family: Family
    n_features: int
    names: tuple[str, ...] | None
    kept: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray
    H: np.ndarray | None = None
    fit_: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    mean: np.ndarray | None = None
    sd: np.ndarray | None = None

    @classmethod
    def fit(
        cls,
        values: np.ndarray,
        names: Sequence[str] | None = None,
        *,
        family: Family,
        n_components: int = 128,
        seed: int = 0,
        device: str = "cpu",
        max_iter: int = 200,
        tol: float = 1e-4,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Components:
        """Learn from the training rows (n, d); NaN marks an undefined value.

        Args:
            values: the family's table, training rows only.
            names: of its columns; a data frame's own where None; may be None for latents.
            family: what it is.
            n_components: of the factorisation; capped at min(rows, varying columns), with a note.
            seed: of a random start (not used by NNDSVD).
            device: for the factorisation.
            max_iter, tol: of the factorisation.
            threads: of the factorisation on the CPU.

        Raises:
            InputError: fewer than two rows, every column constant, an infinite value, or names that do not fit.
        """
        names = column_names(values) if names is None else names
        table = _table(plain(values), names, family)
        kept, middle = _varying(table, family)
        rows = _rows(table, kept, middle)
        described = tuple(map(str, names)) if names is not None else None
        left_out = table.shape[1] - len(kept)
        notes = (
            [f"{family}: {count(left_out, 'column')} left out: constant or mostly undefined in training"]
            if left_out
            else []
        )
        if family not in FACTORED:
            low, sd = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
            return cls(family, table.shape[1], described, kept, middle, low, low + sd, notes=tuple(notes))
        low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
        k = min(n_components, *rows.shape)
        if k < n_components:
            notes.append(
                f"{family}: {count(k, 'component')} instead of {n_components}: {count(len(rows), 'training row')} and "
                f"{count(rows.shape[1], 'varying column')} allow no more"
            )
        from deepradiomics.modelling.components.nmf import NMF  # scikit-learn, which a fitted family does without

        unit = _scaled(rows, low, high)
        model = NMF(k, max_iter=max_iter, tol=tol, random_state=seed, device=device, threads=threads)
        model.fit(unit, progress=progress)
        H = model.components_
        peak = H.max(axis=1, keepdims=True)
        fitted = {
            "rows": len(rows),
            "columns": rows.shape[1],
            "components": k,
            "relative_error": model.reconstruction_err_ / float(np.sqrt(sum(float(row @ row) for row in unit))),
            "iterations": model.n_iter_,
            "converged": model.converged_,
            "seed": seed,
        }
        H = H / np.where(peak > 0, peak, 1)
        known = table[:, kept].astype(np.float64) if family == "radiomics" else None
        mean, sd = (None, None) if known is None else (np.nanmean(known, axis=0), np.nanstd(known, axis=0))
        return cls(family, table.shape[1], described, kept, middle, low, high, H, fitted, tuple(notes), mean, sd)

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Turn rows (n, d) into the classifiers' columns (n, k), float64; a row's result never depends on the others.

        Raises:
            InputError: another number of columns, or an infinite value.
        """
        own = column_names(values)
        names = None if own is None or self.names is None else list(self.names)
        table = _table(in_columns(plain(values), own, names, self.family), None, self.family, least=1)
        if table.shape[1] != self.n_features:
            raise InputError(
                f"{self.family}: expected {self.n_features} feature columns, as in the fit, got {table.shape[1]}."
            )
        rows = _rows(table, self.kept, self.middle)
        if self.H is None:
            return (rows - self.low) / (self.high - self.low)
        return weights(self.H, _scaled(rows, self.low, self.high))

    def beyond(self, values: np.ndarray) -> float | None:
        """Share of one case's features (d,) far from the training mean; None where mean and SD are not known."""
        if self.mean is not None and self.sd is not None:
            mean, sd = self.mean, self.sd
        elif self.H is None:
            mean, sd = self.low, self.high - self.low
        else:
            return None
        return beyond_share(np.asarray(values, np.float64)[self.kept], mean, sd)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The classifiers' columns, named: component 5 of radiomics, with the features that it weighs most."""
        if self.H is None:
            return raw_columns(self.family, [self._name(j) for j in self.kept])
        return factor_columns(self.family, self.H, lambda j: self._name(int(self.kept[j])))

    def direction(self, slopes: np.ndarray) -> np.ndarray:
        """Return the direction (d,) in feature space along which ∑ slopes·columns rises: its gradient.

        The weights of a row are taken as least squares without the sign constraint, w = (H Hᵀ)⁺ H z, so that
        ∂(s·w)/∂z = Hᵀ (H Hᵀ)⁺ s; the scaling divides it by each column's range. Columns left out get 0.

        Args:
            slopes: s, one number per component (k,): how the risk rises with it; or (n, k) for n risks at once, which
                gives (n, d).
        """
        s = np.asarray(slopes, np.float64)
        if s.shape[-1:] != (len(self.columns) if self.H is None else len(self.H),) or s.ndim > 2:
            raise InputError(f"slopes: expected one number for each column of {self.family}, got shape {s.shape}.")
        found = np.zeros((*s.shape[:-1], self.n_features))
        if self.H is not None:
            H = self.H.astype(np.float64)
            s = s @ np.linalg.pinv(H @ H.T, rcond=1e-10, hermitian=True) @ H
        found[..., self.kept] = s / (self.high - self.low)
        return found

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return arrays for safetensors and a description for JSON."""
        arrays = {name: getattr(self, name) for name in ("kept", "middle", "low", "high")}
        if self.H is not None:
            arrays["H"] = self.H
        if self.mean is not None and self.sd is not None:
            arrays |= {"mean": self.mean, "sd": self.sd}
        return arrays, {
            "family": self.family,
            "n_features": self.n_features,
            "names": list(self.names) if self.names is not None else None,
            "fit": dict(self.fit_),
            "notes": list(self.notes),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> Components:
        """Inverse of :meth:`to_arrays`.

        Raises:
            BundleError: something is missing or does not fit.
        """
        try:
            names = info["names"]
            found = cls(
                family=info["family"],
                n_features=int(info["n_features"]),
                names=None if names is None else tuple(names),
                kept=arrays["kept"],
                middle=arrays["middle"],
                low=arrays["low"],
                high=arrays["high"],
                H=arrays.get("H"),
                fit_=info["fit"],
                notes=tuple(info["notes"]),
                mean=arrays.get("mean"),
                sd=arrays.get("sd"),
            )
        except UNUSABLE as error:
            raise BundleError(f"components: {reason(error)}. Copy the whole bundle again.") from error
        width = {len(found.kept), len(found.middle), len(found.low), len(found.high)}
        if found.H is not None:
            width.add(found.H.shape[1])
        width |= {len(one) for one in (found.mean, found.sd) if one is not None}
        if len(width) != 1 or found.family not in FAMILIES or (found.H is None) != (found.family not in FACTORED):
            raise BundleError("components: arrays and description do not belong together. Copy the bundle again.")
        _check_stored(found)
        return found

    def _name(self, column: int) -> str:
        return self.names[column] if self.names is not None else f"{self.family}[{column}]"


def _check_stored(stored: Components) -> None:
    """Refuse what no fit gives: columns that do not ascend within the table, ranges without width, negative weights."""
    kept, columns = stored.kept, stored.n_features
    spans = [stored.high - stored.low, *([stored.sd] if stored.sd is not None else [])]
    problems = {
        "the columns in use do not ascend within the table": kept.dtype.kind not in "iu"
        or not len(kept)
        or kept[0] < 0
        or kept[-1] >= columns
        or (np.diff(kept.astype(np.int64)) <= 0).any(),
        "the names are not one for each column": stored.names is not None and len(stored.names) != columns,
        "a range of the training rows has no width": any(not (span > 0).all() for span in spans[:1]),
        "a standard deviation is negative": any((span < 0).any() for span in spans[1:]),
        "a loading is negative": stored.H is not None and (stored.H.ndim != 2 or (stored.H < 0).any()),
        "numbers are no decimals": any(
            part is not None and part.dtype.kind != "f"
            for part in (stored.middle, stored.low, stored.high, stored.H, stored.mean, stored.sd)
        ),
    }
    for problem, is_so in problems.items():
        if is_so:
            raise BundleError(f"components of {stored.family}: {problem}. Copy the whole bundle again.")


def _table(values: np.ndarray, names: Sequence[str] | None, family: str, least: int = 2) -> np.ndarray:
    if family not in FAMILIES:
        raise InputError(f"family: expected one of {', '.join(FAMILIES)}, got {family!r}.")
    table = np.asarray(values)
    if table.dtype != np.float32:
        table = table.astype(np.float64)
    if table.ndim != 2 or len(table) < least or not table.shape[1]:
        raise InputError(f"{family}: expected a table of at least {least} rows (n, features), got {table.shape}.")
    if names is not None and len(names) != table.shape[1]:
        raise InputError(f"{family}: expected {table.shape[1]} names, one a column, got {len(names)}.")
    if np.isinf(table).any():
        i, j = np.argwhere(np.isinf(table))[0]
        raise InputError(f"{family}: row {i}, column {j} (from 0) is infinite; an undefined feature is NaN.")
    return table


def _varying(table: np.ndarray, family: str) -> tuple[np.ndarray, np.ndarray]:
    """Columns that vary by more than rounding, and their medians; a column undefined in most rows is left out."""
    rounding = max(1e-9, 4.0 * float(np.finfo(table.dtype).eps))
    kept, middle = [], []
    for start in range(0, table.shape[1], _CHUNK):
        part = np.ascontiguousarray(table[:, start : start + _CHUNK].T)  # (columns, rows): each column in one piece
        known = np.isfinite(part)
        usable = np.flatnonzero(known.sum(axis=1) * 2 > part.shape[1])
        part, known = part[usable], known[usable]
        low = np.min(part, axis=1, where=known, initial=np.inf)
        high = np.max(part, axis=1, where=known, initial=-np.inf)
        varies = high - low > rounding * np.maximum(np.abs(low), np.abs(high))
        part = part[varies]
        kept.append(start + usable[varies])
        middle.append((np.median if known[varies].all() else np.nanmedian)(part, axis=1).astype(np.float64))
    if not sum(map(len, kept)):
        raise InputError(f"{family}: every feature is the same in all {len(table)} training rows.")
    return np.concatenate(kept), np.concatenate(middle)


def _rows(table: np.ndarray, kept: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """The columns in use, undefined values filled; no copy where there is nothing to do."""
    rows = table if len(kept) == table.shape[1] else table[:, kept]
    return np.where(np.isnan(rows), middle.astype(rows.dtype), rows) if np.isnan(rows).any() else rows


def _scaled(rows: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """To [0, 1], clipped, float32 and C-ordered."""
    unit = rows - low.astype(rows.dtype)
    unit /= (high - low).astype(rows.dtype)
    return np.clip(np.ascontiguousarray(unit, np.float32), 0.0, 1.0)
