"""What a lens report shows of one task: numbers and tables, each under the name by which the templates call it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from deepradiomics.lens.readings import EXPLAINED, IMPORTANCE, Reading
from deepradiomics.lens.result import LensResult, Row
from deepradiomics.reports.lens.agreement import agreement, share_words
from deepradiomics.reports.lens.case import LensCase, case_figure
from deepradiomics.reports.lens.encoders import encoder_facts, encoder_remarks
from deepradiomics.reports.lens.figures import GROUPS, figure3, group_title, overview_figure
from deepradiomics.reports.lens.words import (
    NULL_LEVEL,
    SHOWN_ORDER,
    VARIANTS,
    differs,
    family_name,
    feature_name,
    interval,
    modality_name,
    words_of,
)
from deepradiomics.reports.page import Cell, Cells, Table
from deepradiomics.reports.pictures import png_of
from deepradiomics.words import DASH, number, p_value, signed

LISTED = 50  # rows of what was left out; all of them stand in dropped.csv
_SHORT = {
    "delta_explained": "ΔE",
    "delta_i": "ΔI",
    "delta_i_standardised": "ΔI standardised",
    "delta_i_fit_ft": "ΔI fit on fine-tuned",
    "delta_i_fit_both": "ΔI fit on both",
}


class ReadingShown:
    """One reading of a task: how many features gained and lost, how many beyond noise, and the features picked."""

    def __init__(self, result: LensResult, by: Reading) -> None:
        rows = result.shift
        moved = np.array([row[by.delta] for row in rows])
        apart = np.array([bool(differs(row, by)) for row in rows])
        self.words, self.shift, self.symbol = by.words, by.shift, by.symbol
        self.n_gained, self.n_lost = int((moved > 0).sum()), int((moved < 0).sum())
        self.n_gained_apart, self.n_lost_apart = int((apart & (moved > 0)).sum()), int((apart & (moved < 0)).sum())
        self.n_clear = sum(row[f"{by.delta}_low"] > 0 or row[f"{by.delta}_high"] < 0 for row in rows)
        self.n_small_q = int(apart.sum())
        self.n_small_p = sum(row[by.p] < NULL_LEVEL for row in rows)
        self.n_small_p_family = sum(row[by.p_family] < NULL_LEVEL for row in rows)
        picked = {group: result.picked(group, by) for group in GROUPS}
        self.groups = [
            (group_title(group, features, by), _feature_table(features, by))
            for group, features in picked.items()
            if features
        ]
        # The list alone: beside the images it would be too small to read on a page.
        self.figure3 = png_of(figure3(result, by=by))


@dataclass(frozen=True, eq=False)
class TaskShown:
    """One task.

    Args:
        label: what it is called among several.
        result: its lens.
        shown_cases: cases to be shown with their images.
    """

    label: str
    result: LensResult
    shown_cases: Sequence[LensCase] = ()

    @property
    def remarks(self) -> list[str]:
        """What speaks against the encoders, then every warning of the fit."""
        return [*encoder_remarks(self.result), *as_lines(self.result.about.get("warnings"))]

    @property
    def has_intervals(self) -> bool:
        return any(np.isfinite(row["delta_i_low"]) for row in self.result.shift)

    @cached_property
    def readings(self) -> list[ReadingShown]:
        return [ReadingShown(self.result, by) for by in SHOWN_ORDER]

    @property
    def groups(self) -> list[tuple[str, float]]:
        """Mean ΔE of each modality and family, the largest first."""
        shifts: dict[str, list[float]] = {}
        for row in self.result.shift:
            name = f"{modality_name(row['modality'])} {family_name(row['family'])}"
            shifts.setdefault(name, []).append(row[EXPLAINED.delta])
        means = [(name, float(np.mean(values))) for name, values in shifts.items()]
        return sorted(means, key=lambda group: -group[1])

    @property
    def cases(self) -> list[dict[str, Any]]:
        return [
            {"title": case.title, "has_map": case.map is not None, "png": png_of(case_figure(case))}
            for case in self.shown_cases
        ]

    @property
    def overview(self) -> str:
        return png_of(overview_figure(self.result))

    def mean_r2(self, stage: str) -> float:
        """Mean R² over all features before ("pre") or after ("ft") fine-tuning."""
        return float(np.nanmean([row[f"r2_{stage}"] for row in self.result.shift]))

    @property
    def permutations(self) -> int:
        return int((self.result.about.get("config") or {}).get("permutations") or 0)

    @property
    def n_needed(self) -> int:
        """Features that must have the smallest p there is, for a q below the level: q is p × features / place."""
        return int(len(self.result.shift) / (NULL_LEVEL * (self.permutations + 1))) + 1 if self.permutations else 0

    @property
    def agreements(self) -> Table:
        """How far the other ways to compute ΔI agree with it, over all features."""
        rows = []
        for column, title in VARIANTS.items():
            agreed = agreement(self.result.shift, column)
            if agreed is not None:
                shared = (f"{n} of {agreed.extremes}" for n in (agreed.shared_top, agreed.shared_bottom))
                rows.append([title, number(agreed.rank_correlation), share_words(agreed), *shared])
        head = [
            "Instead of ΔI",
            "Rank correlation with ΔI",
            "Same sign",
            "Largest ΔI in common",
            "Smallest ΔI in common",
        ]
        return Table(head, rows, numbers=(1, 2, 3, 4))

    @property
    def turned(self) -> tuple[float, float, float] | None:
        """A typical ΔI, the same fitted on the fine-tuned encoder, their rank correlation; None where not fitted."""
        agreed = agreement(self.result.shift, "delta_i_fit_ft")
        if agreed is None:
            return None
        shifts = np.array([[row["delta_i"], row["delta_i_fit_ft"]] for row in self.result.shift])
        typical, other = np.median(shifts, axis=0).tolist()
        return typical, other, agreed.rank_correlation

    @property
    def each_way(self) -> Table:
        """The features picked by ΔE, with every variant of ΔI that was computed."""
        computed = [name for name in list(VARIANTS)[1:] if any(np.isfinite(row[name]) for row in self.result.shift)]
        columns = [EXPLAINED.delta, "delta_i", *computed]
        rows = [
            [f"{modality_name(row['modality'])}: {feature_name(row['feature'])}", *(signed(row[c]) for c in columns)]
            for group in GROUPS
            for row in self.result.picked(group, EXPLAINED)
        ]
        return Table(["Feature", *(_SHORT[c] for c in columns)], rows, numbers=range(1, len(columns) + 1))

    @property
    def cases_left_out(self) -> Table:
        cases = self.result.about.get("dropped_cases") or ()
        rows = [[str(case.get("id")), str(case.get("reason", ""))] for case in cases[:LISTED]]
        return Table(["Case", "Reason"], rows)

    @property
    def features_left_out(self) -> Table:
        rows = self.result.dropped[:LISTED]
        columns = list(rows[0]) if rows else []
        return Table([name.capitalize() for name in columns], [[str(row[name]) for name in columns] for row in rows])

    @property
    def facts(self) -> list[tuple[str, Any]]:
        """Command, seed, versions and encoders."""
        about = self.result.about
        software = ", ".join(f"{name} {version}" for name, version in (about.get("software") or {}).items())
        facts = [
            *((name.capitalize(), about.get(name)) for name in ("command", "seed", "created")),
            ("Software", software),
        ]
        for stage, name in (("pre", "Encoder before"), ("ft", "Encoder after")):
            encoder = (about.get("encoders") or {}).get(stage) or {}
            # Plain facts only: an encoder trained here also carries a mark of every case that it learned from.
            plain = {key: fact for key, fact in encoder.items() if isinstance(fact, str | int | float) and fact != ""}
            plain |= encoder_facts(encoder)
            facts.append((name, ", ".join(f"{key}: {fact}" for key, fact in plain.items())))
        return facts


def compared_table(results: Sequence[LensResult], labels: Sequence[str]) -> Table:
    """Encoders, modalities, region, patients and features, one row per task."""
    rows: list[Cells] = []
    for result, label in zip(results, labels, strict=True):
        about, counts = result.about, result.about.get("counts") or {}
        encoders, roi = about.get("encoders") or {}, str(about.get("roi") or DASH)
        rows.append(
            [
                label,
                *(_encoder(encoders.get(stage) or {}) for stage in ("pre", "ft")),
                ", ".join(map(modality_name, result.modalities)),
                f"{roi} (not a reader's contour)" if roi == "ellipsoid" else roi,
                ", ".join(f"{counts[part]} {part}" for part in ("train", "validation", "test") if part in counts),
                str(len(result.shift)),
            ]
        )
    head = ["Task", "Encoder before", "Encoder after", "Modalities", "Region", "Patients or scans", "Features"]
    return Table(head, rows, numbers=(6,))


def as_lines(value: Any) -> list[str]:
    """Sentences of a JSON value: one text, a list of texts, or texts by name."""
    if not value:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [f"{name}: {text}" for name, text in value.items()]
    return [str(text) for text in value]


def _feature_table(rows: Sequence[Row], by: Reading) -> Table:
    """Picked features with their numbers and what they measure."""
    other = EXPLAINED if by == IMPORTANCE else IMPORTANCE
    lines: list[Cells] = []
    for row in rows:
        explained = words_of(row["feature"])
        lines.append(
            [
                modality_name(row["modality"]),
                Cell(feature_name(row["feature"]), explained.text if explained else "", row["feature"]),
                f"{number(row[by.before])} → {number(row[by.after])}",
                Cell(signed(row[by.delta]), interval(row, by.delta)),
                Cell({True: "yes", False: "no", None: DASH}[differs(row, by)], f"q {p_value(row[by.q])}"),
                Cell(signed(row[other.delta]), interval(row, other.delta)),
                f"{number(row['r2_pre'], 2)} → {number(row['r2_ft'], 2)}",
            ]
        )
    head = ["Modality", "Feature", f"{by.symbol} before → after", f"{by.shift} [95 % interval]",
            "Differs between the encoders", other.shift, "R² before → after"]  # fmt: skip
    return Table(head, lines, numbers=(2, 3, 4, 5, 6))


def _encoder(encoder: Mapping[str, Any]) -> Cell:
    architecture = encoder.get("architecture") or ""
    if isinstance(architecture, dict):
        architecture = " ".join(str(architecture[key]) for key in ("name", "size") if key in architecture)
    hashes = [f"{str(encoder[key])[:12]}…" for key in ("hash", "sha256") if encoder.get(key)]
    facts = (f"{key} {value}" for key, value in encoder_facts(encoder).items())
    return Cell(str(encoder.get("name") or DASH), ", ".join(filter(None, [str(architecture), *hashes[:1], *facts])))
