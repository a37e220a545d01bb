"""What ``evaluate`` and ``ablate`` return: predictions, how much was selected, what counted most, and how it was made.

An :class:`Evaluation` is a folder: ``predictions.csv`` (every case) and ``evaluation.json`` (the rest); an ablation
calls them ``ablation_predictions.csv`` and ``ablation.json``. Tables and figures are made by ``deepradiomics.reports``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json, write_json
from deepradiomics.files.reading import reads
from deepradiomics.fingerprint.evaluate.records import Prediction, read_predictions, write_predictions
from deepradiomics.public import one_line

Kind = Literal["evaluation", "ablation"]
FORMAT = 1
PREDICTIONS = {"evaluation": "predictions.csv", "ablation": "ablation_predictions.csv"}


@dataclass(frozen=True)
class MethodInfo:
    """How a row of a table is named and described: the columns N, RF, FS, View and Reg of the paper's tables."""

    method: str
    inference: str
    label: str
    patches: str = "-"  # "2×2×2", "-" for methods without patches
    features: str = "-"  # "All", "2nd", "1st+shape", "-" for methods without radiomics
    selection: str = "-"  # "per patient", "none", "fixed", "cohort mean", "another patient's"
    views: int = 3
    registration: str = "off"
    note: str = ""


@dataclass(frozen=True)
class Selection:
    """Is the fingerprint per patient, and does it come back with another seed? One row per task.

    Attributes:
        pool: features that could be selected.
        size_mean, size_sd: selected features per test patient, over all patients and seeds.
        relevance_sd_between: mean over features of the SD of q between test patients (0: everybody alike).
        relevance_variance_between: the same as variance.
        jaccard_between_patients: mean overlap of the fingerprints of two patients within a seed.
        jaccard_between_seeds: mean overlap of one patient's fingerprints from two seeds; NaN where no patient was
            tested by two seeds.
    """

    task: str
    pool: int
    size_mean: float
    size_sd: float
    relevance_sd_between: float
    relevance_variance_between: float
    jaccard_between_patients: float
    jaccard_between_seeds: float


@dataclass(frozen=True)
class TopFeature:
    """A feature among the first of one task, by mean relevance or by mean absolute contribution over test patients."""

    task: str
    by: Literal["relevance", "contribution"]
    rank: int
    feature: str
    view: str
    patch: int
    family: str
    relevance: float
    contribution: float
    selected: float  # share of test patients in whose fingerprint it is


@one_line
@dataclass(frozen=True)
class Evaluation:
    """All that tables T1 or T2 and their figures are made of."""

    kind: Kind
    predictions: tuple[Prediction, ...]
    methods: tuple[MethodInfo, ...]
    selections: tuple[Selection, ...] = ()
    top: tuple[TopFeature, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def info(self, method: str, inference: str) -> MethodInfo:
        for found in self.methods:
            if (found.method, found.inference) == (method, inference):
                return found
        return MethodInfo(method, inference, method)

    def save(self, folder: Path | str) -> Path:
        """Write predictions and description into ``folder``; returns the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_predictions(self.predictions, folder / PREDICTIONS[self.kind])
        described = {
            "format": FORMAT,
            "kind": self.kind,
            "methods": [asdict(row) for row in self.methods],
            "selections": [nan_to_none(asdict(row)) for row in self.selections],
            "top": [asdict(row) for row in self.top],
            "notes": list(self.notes),
            "provenance": dict(self.provenance),
        }
        write_json(folder / f"{self.kind}.json", described)
        return folder

    @classmethod
    @reads("evaluation.json")
    def load(cls, folder: Path | str, kind: Kind = "evaluation") -> Evaluation:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: a file is absent or of another format.
        """
        folder = Path(folder)
        stored = read_json(folder / f"{kind}.json")
        if not isinstance(stored, dict) or stored.get("format") != FORMAT:
            raise InputError(f"{folder / f'{kind}.json'}: expected an {kind} of format {FORMAT}; run it again.")
        return cls(
            kind,
            read_predictions(folder / PREDICTIONS[kind]),
            tuple(MethodInfo(**row) for row in stored["methods"]),
            tuple(Selection(**none_to_nan(row)) for row in stored["selections"]),
            tuple(TopFeature(**row) for row in stored["top"]),
            tuple(stored["notes"]),
            stored["provenance"],
        )


def nan_to_none(row: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: numbers that are not defined become null."""
    return {name: None if isinstance(value, float) and value != value else value for name, value in row.items()}


def none_to_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: float("nan") if value is None else value for name, value in row.items()}
