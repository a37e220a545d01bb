"""Does the fingerprint look where the lesion was planted? Rank of the planted patch on a synthetic cohort.

For each lesion of a test case the patches are ranked, the highest first, by (a) their mean relevance q and (b) the sum
of the absolute contributions of their features to the logit. Equal patches share their rank, so that a method that
says nothing about patches (NoFS has q ≡ 1) lands exactly on chance: mean rank (J + 1) / 2, first in 1 / J of the cases.
A case with two lesions is ranked for each: one of them must stand second at best.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.files import atomic_file, read_json, write_json
from deepradiomics.fingerprint.eval_result import Evaluation
from deepradiomics.fingerprint.eval_selection import SelectionRecord
from deepradiomics.stats import bootstrap_ci

SCORES: tuple[Literal["relevance", "contribution"], ...] = ("relevance", "contribution")
TRUTH_GRID = (2, 2, 2)  # the phantom's truth counts patches over this grid


@dataclass(frozen=True)
class RankRow:
    """Where one case's planted patch stands.

    Attributes:
        planted: number of the lesion's patch, from 1.
        patches: J.
        rank: shared rank from 1.
        ties: patches with exactly the planted patch's value, itself included.
    """

    method: str
    score: str
    seed: int
    fold: int
    task: str
    case: str
    planted: int
    patches: int
    rank: float
    ties: int

    @property
    def top1(self) -> float:
        """Chance of being drawn as the first: 1, or a share where patches tie, or 0."""
        return 1.0 / self.ties if self.rank - (self.ties - 1) / 2 == 1 else 0.0

    def shares(self) -> NDArray[np.float64]:
        """Weight of each rank 1 … J, (J,): a tie is spread evenly over the ranks it covers."""
        first = round(self.rank - (self.ties - 1) / 2)
        weight = np.zeros(self.patches)
        weight[first - 1 : first - 1 + self.ties] = 1.0 / self.ties
        return weight


@dataclass(frozen=True)
class RankSummary:
    """Mean rank with a 95 % bootstrap interval over cases, share of first places, and what chance would give."""

    task: str
    method: str
    score: str
    cases: int
    patches: int
    mean_rank: float
    mean_rank_low: float
    mean_rank_high: float
    top1: float
    chance_rank: float
    chance_top1: float
    share_at_rank: tuple[float, ...]


@dataclass(frozen=True)
class Localisation:
    """All ranks and where they came from."""

    rows: tuple[RankRow, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def groups(self) -> tuple[tuple[str, str], ...]:
        """(method, score) in the order of first appearance."""
        return tuple(dict.fromkeys((row.method, row.score) for row in self.rows))

    def summary(self, task: str, method: str, score: str, *, n_bootstrap: int = 2000) -> RankSummary | None:
        """Summary of one group, or None where it has no case. A case that several seeds ranked counts once."""
        rows = [row for row in self.rows if (row.task, row.method, row.score) == (task, method, score)]
        if not rows:
            return None
        cases = sorted({row.case for row in rows})
        rank = np.array([np.mean([row.rank for row in rows if row.case == case]) for case in cases])
        first = np.mean([np.mean([row.top1 for row in rows if row.case == case]) for case in cases])
        share = np.mean([np.mean([row.shares() for row in rows if row.case == case], axis=0) for case in cases], axis=0)
        low = high = float("nan")
        if n_bootstrap > 0:
            interval = bootstrap_ci(lambda drawn: float(np.mean(drawn)), rank, n=n_bootstrap)
            low, high = interval.low, interval.high
        j = rows[0].patches
        return RankSummary(
            task, method, score, len(cases), j, float(rank.mean()), low, high, float(first), (j + 1) / 2, 1 / j,
            tuple(float(value) for value in share),
        )  # fmt: skip

    def summaries(self) -> tuple[RankSummary, ...]:
        """Every group, task by task."""
        tasks = dict.fromkeys(row.task for row in self.rows)
        found = [self.summary(task, method, score) for task in tasks for method, score in self.groups()]
        return tuple(row for row in found if row is not None)

    def save(self, folder: Path | str) -> tuple[Path, Path]:
        """Write ``localisation.csv`` (every case) and ``localisation.json`` (summaries, provenance)."""
        folder = Path(folder)
        path = folder / "localisation.csv"
        names = list(RankRow.__dataclass_fields__)
        with atomic_file(path) as part, open(part, "w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, names, lineterminator="\n")
            table.writeheader()
            table.writerows(asdict(row) for row in self.rows)
        described = {"summaries": [asdict(row) for row in self.summaries()], "provenance": dict(self.provenance)}
        write_json(folder / "localisation.json", described)
        return path, folder / "localisation.json"

    @classmethod
    def load(cls, folder: Path | str) -> Localisation:
        """Read what :meth:`save` wrote."""
        folder = Path(folder)
        provenance = read_json(folder / "localisation.json")["provenance"]
        with open(folder / "localisation.csv", encoding="utf-8", newline="") as stream:
            rows = tuple(
                RankRow(
                    row["method"], row["score"], int(row["seed"]), int(row["fold"]), row["task"], row["case"],
                    int(row["planted"]), int(row["patches"]), float(row["rank"]), int(row["ties"]),
                )
                for row in csv.DictReader(stream)
            )  # fmt: skip
        return cls(rows, provenance)


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
    for score in SCORES:
        values = record.by_patch(score)  # (n, T, J)
        for i, case in enumerate(record.cases):
            for t, task in enumerate(record.tasks):
                if (task, case) not in positive:
                    continue
                lesions = planted.get(case, ())
                own = [patch for name, patch in lesions if name == task] or [patch for _, patch in lesions]
                for patch in own:
                    rank, ties = rank_of(values[i, t], patch)
                    rows.append(
                        RankRow(method, score, record.seed, record.fold, task, case, patch, values.shape[2], rank, ties)
                    )
    return rows


def read_truth(path: Path | str) -> dict[str, list[tuple[str, int]]]:
    """(task, patch) of each planted lesion by case, from the phantom's ``truth.csv``.

    Raises:
        InputError: the file is absent or lacks a column.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: this truth table does not exist; it lies beside a phantom cohort's manifest.csv.")
    with open(path, encoding="utf-8", newline="") as stream:
        table = csv.DictReader(stream)
        absent = [name for name in ("id", "task", "patch") if name not in (table.fieldnames or ())]
        if absent:
            raise InputError(f"{path}: expected the columns id, task and patch; {', '.join(absent)} missing.")
        found: dict[str, list[tuple[str, int]]] = {}
        for row in table:
            found.setdefault(row["id"], []).append((row["task"], int(row["patch"])))
    return found


def rank_of(values: Sequence[float] | NDArray[np.float64], planted: int) -> tuple[float, int]:
    """(shared rank, ties) of a patch, the highest value having rank 1.

    Args:
        values: one value a patch, (J,).
        planted: patch number from 1.

    Raises:
        InputError: the patch lies outside 1 … J, or a value is not finite.

    Example:
        >>> rank_of([0.2, 0.9, 0.5, 0.5], 3)
        (2.5, 2)
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise InputError(f"values: expected one finite value a patch, got shape {array.shape}.")
    if not 1 <= planted <= array.size:
        raise InputError(f"planted: expected a patch number from 1 to {array.size}, got {planted}.")
    mine = array[planted - 1]
    above, ties = int((array > mine).sum()), int((array == mine).sum())
    return above + (ties + 1) / 2, ties
