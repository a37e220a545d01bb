"""The patient report's tables: risks, volumes, components, measured features, follow-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.ich.cohort.manifest import title_of
from deepradiomics.ich.patient.result import CaseFolder
from deepradiomics.radiomics.catalogue.explain import describe, label_of
from deepradiomics.reports.column_titles import FEATURES, SHAP, value_with_unit
from deepradiomics.reports.ich.words import abc2_title, group_name, readable
from deepradiomics.reports.page import Cell, Cells, Table
from deepradiomics.words import DASH, OUTSIDE, is_number, number, percent, signed

_LESIONS = {
    "all": "All were taken together as one region.",
    "largest": "Features and risks are those of the largest.",
    "each": "Each was measured by itself.",
}
_SHOWN = ("shape", "firstorder")
_COMPONENTS = 10


def risk_table(case: CaseFolder) -> Table:
    """The risk, the threshold, the base rate, and what became of training patients like this one; one row per outcome.

    Outside the training cohort there is no side of the threshold, no red, and no patient like this one.
    """
    rows: list[Cells] = []
    for name, outcome in case.outcomes.items():
        side, colour = ("above", "positive") if outcome.get("positive") else ("below", "negative")
        if case.outside:
            side, colour = OUTSIDE, "outside"
        rows.append(
            [
                case.title(name),
                Cell(percent(outcome["probability"], 1), css="outside" if case.outside else "strong"),
                Cell(side, percent(outcome["threshold"], 1), css=colour),
                Cell(percent(outcome["base_rate"], 1), f"of {outcome['n_training']} patients"),
                DASH if case.outside else _similar(outcome),
            ]
        )
    head = ["Outcome", "Risk", "Threshold", "Base rate", "Training patients with a risk like this"]
    return Table(head, rows, numbers=(1, 2, 3))


def _similar(outcome: Mapping[str, Any]) -> str:
    """The calibration bin that the risk falls into, in words."""
    calibration = outcome.get("calibration") or {}
    bins, place = calibration.get("bins") or (), calibration.get("bin")
    if place is None or not 0 <= place < len(bins):
        return DASH
    nearest = bins[place]
    means = [group["mean_predicted"] for group in bins]
    beyond = not min(means) - 0.05 <= outcome["probability"] <= max(means) + 0.05
    return (
        f"of {nearest['n']} with a risk of about {percent(nearest['mean_predicted'])}, {percent(nearest['observed'])} "
        f"[{percent(nearest['low'])}, {percent(nearest['high'])}] had it"
    ) + ("; the risk lies beyond those of the training cohort's groups" if beyond else "")


def volume_table(case: CaseFolder) -> Table:
    """Haematoma, ABC/2 with its axes, ring, and each separate piece."""
    volumes = case.record.get("volumes") or {}
    axes = volumes.get("abc") or {}
    sides = " × ".join(f"{number(axes.get(f'{side}_mm'), 1)}" for side in "abc")
    rows = [
        ["Haematoma", _ml(volumes.get("haematoma_ml")), "counted in voxels"],
        [
            abc2_title(case.record),
            _ml(volumes.get("abc2_ml")),
            f"{sides} mm; the bedside estimate, beside it for comparison",
        ],
    ]
    if is_number(volumes.get("ring_ml")):
        rows.append(["Ring", _ml(volumes["ring_ml"]), "between the haematoma and its dilation"])
    lesions = volumes.get("lesions") or ()
    if len(lesions) > 1:
        policy = _LESIONS.get(str(case.record.get("lesions_policy")), "")
        rows += [
            [f"Haematoma {i}", _ml(lesion.get("ml")), policy if i == 1 else ""]
            for i, lesion in enumerate(lesions, start=1)
        ]
    return Table(["", "Volume", ""], rows, numbers=(1,))


def _ml(volume: Any) -> str:
    return f"{number(volume, 2)} mL"


def map_weights(case: CaseFolder) -> Table:
    """How much of each outcome's map comes from which network."""
    groups = list(dict.fromkeys(group for outcome in case.outcomes.values() for group in outcome.get("gradcam") or {}))
    rows = [
        [case.title(name), *(percent((outcome.get("gradcam") or {}).get(group)) for group in groups)]
        for name, outcome in case.outcomes.items()
    ]
    head = ["Weight in the map", *map(group_name, groups)]
    return Table(head, rows, numbers=range(1, len(head)))


def followup_table(case: CaseFolder) -> Table:
    """What the follow-up shows."""
    followup = case.record.get("followup") or {}
    relative: Any = followup.get("relative")
    share = f"{signed(100 * relative, 2)} %" if is_number(relative) else DASH
    rows = [
        ["Follow-up", _ml(followup.get("followup_ml"))],
        ["Expansion", f"{signed(followup.get('expansion_ml'))} mL ({share})"],
        *([title_of(name), "yes" if value else "no"] for name, value in (followup.get("labels") or {}).items()),
    ]
    return Table(["Measured", ""], rows, numbers=(1,))


def component_table(case: CaseFolder, outcome: str) -> Table:
    """The components with the largest shares in an outcome's risk."""
    rows = sorted((row for row in case.shap if row["outcome"] == outcome), key=lambda row: -abs(row["shap"]))
    cells = [
        [group_name(row["group"]), readable(row["label"]), number(row["value"]), signed(row["shap"])]
        for row in rows[:_COMPONENTS]
    ]
    return Table([SHAP[name] for name in ("group", "label", "value", "shap")], cells, numbers=(2, 3))


def feature_table(case: CaseFolder) -> Table:
    """Shape and first-order features of the unfiltered CT."""
    rows: list[Cells] = []
    for row in case.features:
        feature, value = str(row["feature"]), row["value"]
        if row["family"] not in _SHOWN or not feature.startswith("original_"):
            continue
        try:
            name, sentence = label_of(feature), describe(feature)
        except InputError:
            name, sentence = feature, ""
        printed = value_with_unit(feature, f"{value:.5g}".replace("-", "−")) if is_number(value) else "not defined"
        rows.append([Cell(name, sentence), printed])
    return Table([FEATURES["feature"], FEATURES["value"]], rows, numbers=(1,))
