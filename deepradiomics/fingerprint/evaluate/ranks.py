"""Ranks of planted patches: one row per lesion, their summary by task, method and score, and their files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.files.atomic import read_json, write_json
from deepradiomics.files.reading import reads
from deepradiomics.files.tables import read_csv, write_csv
from deepradiomics.fingerprint.evaluate.result import nan_to_none
from deepradiomics.stats import bootstrap_ci


@dataclass(frozen=True)
class RankRow:
    """Where one case's planted patch stands.

    Attributes:
        planted: number of the lesion's patch, from 1.
        patches: J.
        rank: shared rank from 1.
        ties: patches with exactly the planted patch's value, itself included.
        ahead: share of the task's other lesion patches (those of other patients) that it stands above, ties counting
            one half; NaN where there is none.
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
    ahead: float = math.nan

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
    ahead: float
    ahead_low: float
    ahead_high: float
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
        low, high = _mean_interval(rank, n_bootstrap)
        known = [row for row in rows if not math.isnan(row.ahead)]
        beside = [[row.ahead for row in known if row.case == case] for case in cases]
        ahead = np.array([np.mean(values) for values in beside if values])
        ahead_low, ahead_high = _mean_interval(ahead, n_bootstrap)
        j = rows[0].patches
        return RankSummary(
            task, method, score, len(cases), j, float(rank.mean()), low, high, float(first), (j + 1) / 2, 1 / j,
            float(ahead.mean()) if len(ahead) else math.nan, ahead_low, ahead_high,
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
        write_csv(path, names, (asdict(row) for row in self.rows))
        described = {
            "summaries": [nan_to_none(asdict(row)) for row in self.summaries()],
            "provenance": dict(self.provenance),
        }
        write_json(folder / "localisation.json", described)
        return path, folder / "localisation.json"

    @classmethod
    @reads("localisation.json")
    def load(cls, folder: Path | str) -> Localisation:
        """Read what :meth:`save` wrote."""
        folder = Path(folder)
        provenance = read_json(folder / "localisation.json")["provenance"]
        table = read_csv(folder / "localisation.csv", needed=tuple(RankRow.__dataclass_fields__))
        return cls(table.parsed(_rank_row), provenance)


def _rank_row(row: Mapping[str, str]) -> RankRow:
    return RankRow(
        row["method"], row["score"], int(row["seed"]), int(row["fold"]), row["task"], row["case"],
        int(row["planted"]), int(row["patches"]), float(row["rank"]), int(row["ties"]), float(row["ahead"]),
    )  # fmt: skip


def _mean_interval(values: NDArray[np.float64], n_bootstrap: int) -> tuple[float, float]:
    if n_bootstrap < 1 or not len(values):
        return math.nan, math.nan
    interval = bootstrap_ci(lambda drawn: float(np.mean(drawn)), values, n=n_bootstrap)
    return interval.low, interval.high
