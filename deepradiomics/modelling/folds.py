"""Who trains, who chooses the threshold, who is tested: folds that all outcomes share, stratified over them together.

    fold 1      ███ test ███│── holds out ──│───────── fits ─────────      the training part is both of the right
    fold 2      …
    all         everybody trains; the test patients are another cohort, or none

One set of folds serves every outcome, so that one factorisation per fold does too. Patients are split by
their combination of outcomes (missing counts as a value of its own); the scans of a patient stay together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.cohort.splits import folds
from deepradiomics.errors import InputError, ManifestError
from deepradiomics.public import one_line
from deepradiomics.words import count

HELD_OUT = 0.25  # share of the training part that chooses the threshold
ALL = "all"


@one_line
@dataclass(frozen=True, eq=False)
class Fold:
    """One split.

    Args:
        name: ``1`` … ``k``, or ``all``.
        train: rows of the training part.
        held_out: those of the training part that choose the threshold; empty for ``all``.
        test: rows tested; empty for ``all``, whose test patients are another cohort.
    """

    name: str
    train: NDArray[np.intp]
    held_out: NDArray[np.intp]
    test: NDArray[np.intp]


def experiment_folds(
    ids: Sequence[str], patients: Sequence[str], outcomes: Mapping[str, NDArray[np.float64]], k: int, seed: int
) -> tuple[Fold, ...]:
    """Deal the patients into k folds.

    Args:
        ids: of the rows.
        patients: whose scan each row is.
        outcomes: 0, 1 or NaN by name, (n,) each.
        k: number of folds.
        seed: equal seeds give equal folds.

    Raises:
        InputError: fewer than two folds or more than patients; an outcome with one class, or with so few patients of
            a class that a fold's training, held-out or test part would lack it. The message names the outcome.
    """
    for name, y in outcomes.items():
        check_outcome(name, y, k)
    labels = [{name: int(y[i]) for name, y in outcomes.items() if not np.isnan(y[i])} for i in range(len(ids))]
    rows = tuple(
        ManifestRow(case, {}, labels=own, patient=patient)
        for case, own, patient in zip(ids, labels, patients, strict=True)
    )
    manifest = Manifest(rows, ("image",), tuple(outcomes), partial=True)
    try:
        made = folds(manifest, k, seed, HELD_OUT)
    except ManifestError as error:
        text = str(error).replace("Column label_", "Outcome ").replace("validation split", "held-out part")
        raise InputError(
            f"{text.split('Add cases')[0]}A fold would have one class only: take fewer folds (--folds), add patients, "
            "or leave the outcome out (--outcomes)."
        ) from error
    return tuple(
        Fold(
            str(number),
            np.array([i for i, row in enumerate(one.rows) if row.split != "test"], np.intp),
            np.array(one.indices("validation"), np.intp),
            np.array(one.indices("test"), np.intp),
        )
        for number, one in enumerate(made, start=1)
    )


def everybody(n: int) -> Fold:
    """The last fit: all patients train."""
    none = np.array([], np.intp)
    return Fold(ALL, np.arange(n, dtype=np.intp), none, none)


def check_outcome(name: str, y: NDArray[np.float64], k: int) -> None:
    """Check that k folds can each train, hold out and test patients of both classes.

    Raises:
        InputError: they cannot; the message names the outcome.
    """
    known = y[~np.isnan(y)]
    positives, negatives = int((known == 1).sum()), int((known == 0).sum())
    if not known.size:
        raise InputError(f"Outcome {name}: no patient has it. Leave it out (--outcomes) or fill its column.")
    if not positives or not negatives:
        raise InputError(
            f"Outcome {name}: {count(int(known.size), 'patient')}, of class {int(known[0])} only, so there is nothing "
            "to predict. Leave it out (--outcomes)."
        )
    if min(positives, negatives) < k + 1:
        few, what = (positives, "with") if positives <= negatives else (negatives, "without")
        many = f"{few} patients {what} it are" if few > 1 else f"1 patient {what} it is"
        raise InputError(
            f"Outcome {name}: {many} too few for {k} folds, for each fold tests at least one and holds out another; it "
            f"takes {k + 1}. Take fewer folds (--folds), add patients, or leave the outcome out (--outcomes)."
        )
