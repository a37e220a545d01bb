"""Does the fingerprint look where the lesion was planted? Rank of the planted patch on a synthetic cohort.

For each lesion of a test case the patches are ranked, the highest first, by (a) their mean relevance q and (b) the sum
of the absolute contributions of their features to the logit. Equal patches share their rank, so that a method that
says nothing about patches (NoFS has q ≡ 1) lands exactly on chance: mean rank (J + 1) / 2, first in 1 / J of the cases.
A case with two lesions is ranked for each: one of them must stand second at best.

A model can rank the planted patch high without looking at the patient, because a task's lesions lie in few patches. So
the planted patch is also set against the task's other lesion patches, where this case has nothing: ``ahead`` is the
share of them that it stands above (½ by chance, also for a model that ranks all patients' patches alike).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.files.tables import read_csv
from deepradiomics.fingerprint.evaluate.ranks import Localisation, RankRow
from deepradiomics.fingerprint.evaluate.result import Evaluation
from deepradiomics.fingerprint.evaluate.selection import SelectionRecord

SCORES: tuple[Literal["relevance", "contribution"], ...] = ("relevance", "contribution")
TRUTH_GRID = (2, 2, 2)  # the phantom's truth counts patches over this grid


def localise(
    folder: Path | str, truth: Path | str, *, methods: Sequence[str] = ("fingerprint", "nofs"), save: bool = True
) -> Localisation:
    """Rank the planted patches with the models of a finished evaluation.

    Args:
        folder: where ``evaluate`` wrote.
        truth: the phantom cohort's ``truth.csv``.
        methods: groups that were trained there; one that was not is left out.
        save: write ``localisation.csv`` and ``localisation.json`` into the folder.

    Raises:
        InputError: no evaluation is there, its patch grid is not the truth's, or no test case has a lesion.
    """
    folder = Path(folder)
    evaluation, planted = Evaluation.load(folder), read_truth(truth)
    records = [
        (method, SelectionRecord.load(run / method))
        for run in sorted((folder / "runs").iterdir())
        for method in methods
        if (run / method / "done.json").is_file() and (run / method / "selection.json").is_file()
    ]
    units = {row.unit for row in evaluation.predictions}
    positive = {(row.task, row.case) for row in evaluation.predictions if row.label > 0}
    rows = [
        row
        for method, record in records
        if (record.seed, record.fold) in units
        for row in rank_record(method, record, planted, positive)
    ]
    if not rows:
        raise InputError(
            f"{truth}: none of its lesions lies in a test case of {folder}; is it the same cohort's truth?"
        )
    rows.sort(key=lambda row: methods.index(row.method))
    localisation = Localisation(tuple(rows), {**evaluation.provenance, "truth": Path(truth).name})
    if save:
        localisation.save(folder)
    return localisation


def rank_record(
    method: str,
    record: SelectionRecord,
    planted: Mapping[str, Sequence[tuple[str, int]]],
    positive: set[tuple[str, str]],
) -> list[RankRow]:
    """Ranks of every lesion of a record's test cases.

    Args:
        planted: (task, patch) of each lesion, by case.
        positive: (task, case) with a label above 0. A positive case's lesions are those of the task; where it has none
            of its own (any lesion makes a knee abnormal) all of its lesions count.

    Raises:
        InputError: the record's patch grid is not the truth's.
    """
    if record.layout.patch_grid != TRUTH_GRID:
        raise InputError(
            f"localisation: the truth counts patches over the grid {TRUTH_GRID}, the model uses "
            f"{record.layout.patch_grid}; evaluate with patch_grid {list(TRUTH_GRID)}."
        )
    rows = []
    everywhere = {patch for lesions in planted.values() for _, patch in lesions}
    for score in SCORES:
        values = record.by_patch(score)  # (n, T, J)
        for i, case in enumerate(record.cases):
            for t, task in enumerate(record.tasks):
                if (task, case) not in positive:
                    continue
                lesions = planted.get(case, ())
                own = [patch for name, patch in lesions if name == task]
                usual = {patch for those in planted.values() for name, patch in those if name == task}
                if not own:
                    own, usual = [patch for _, patch in lesions], everywhere
                rivals = sorted(usual - {patch for _, patch in lesions})
                for patch in own:
                    rank, ties = rank_of(values[i, t], patch)
                    rows.append(
                        RankRow(
                            method, score, record.seed, record.fold, task, case, patch, values.shape[2], rank, ties,
                            share_behind(values[i, t], patch, rivals),
                        )
                    )  # fmt: skip
    return rows


def share_behind(values: NDArray[np.float64], planted: int, rivals: Sequence[int]) -> float:
    """Share of the rival patches with a lower value than the planted one, ties counting ½; NaN without rivals."""
    if not rivals:
        return math.nan
    mine, others = values[planted - 1], values[np.array(rivals) - 1]
    return float(np.mean((others < mine) + 0.5 * (others == mine)))


def read_truth(path: Path | str) -> dict[str, list[tuple[str, int]]]:
    """(task, patch) of each planted lesion by case, from the phantom's ``truth.csv``.

    Raises:
        InputError: the file is absent or lacks a column.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: this truth table does not exist; it lies beside a phantom cohort's manifest.csv.")
    found: dict[str, list[tuple[str, int]]] = {}
    table = read_csv(path, needed=("id", "task", "patch"))
    for case, task, patch in table.parsed(lambda row: (row["id"], row["task"], int(row["patch"]))):
        found.setdefault(case, []).append((task, patch))
    return found


def rank_of(values: Sequence[float] | NDArray[np.float64], planted: int) -> tuple[float, int]:
    """(shared rank, ties) of a patch, the highest value having rank 1.

    Args:
        values: one value per patch, (J,).
        planted: patch number from 1.

    Raises:
        InputError: the patch lies outside 1 … J, or a value is not finite.

    Example:
        >>> rank_of([0.2, 0.9, 0.5, 0.5], 3)
        (2.5, 2)
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise InputError(f"values: expected one finite value per patch, got shape {array.shape}.")
    if not 1 <= planted <= array.size:
        raise InputError(f"planted: expected a patch number from 1 to {array.size}, got {planted}.")
    mine = array[planted - 1]
    above, ties = int((array > mine).sum()), int((array == mine).sum())
    return above + (ties + 1) / 2, ties
