"""The lens's charts as plot nodes: R² per modality before and after, and the features that moved most and least.

Slicer writes no names below bars, only numbers. So the modalities stand in the axis title behind their numbers, and
every bar of a shift chart is a series of its own: its name, in its colour, stands in the legend. That must leave room
for the bars in a view 550 pixels wide: so there are few bars with short names, and all numbers are in the shift table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from deepradiomics.lens.readings import IMPORTANCE, Reading
from deepradiomics.lens.result import PICKS, LensResult, Pick
from deepradiomics.reports.column_titles import columns
from deepradiomics.scene.nodes.plots import COLOURS, LEGEND_LETTERS, Series, add_bars, named_bars, new_chart
from deepradiomics.scene.nodes.tables import add_table
from deepradiomics.scene.show.lens.tables import explained

STAGES = {"pre": ("before fine-tuning", COLOURS[0]), "ft": ("after fine-tuning", COLOURS[1])}
BARS = 2  # of each group
LEGEND_ROOM = 0.75  # of the bars' own width, kept free on the right
LONGEST_NAME = 18  # letters of a feature's own name in a legend
TITLE_LETTERS, AXIS_LETTERS = 14, 13
TINTS = {  # first and last bar of a group; each group has a hue of its own: vermilion, blue, grey
    "top": ((0.60, 0.16, 0.0), (0.98, 0.66, 0.45)),
    "bottom": ((0.0, 0.27, 0.50), (0.55, 0.78, 0.94)),
    "stable": ((0.35, 0.35, 0.35), (0.75, 0.75, 0.75)),
}


def r2_chart(scene: Any, name: str, result: LensResult) -> tuple[Any, Any]:
    """R² of the best family by modality, a bar before and one after fine-tuning; the chart node and its table node."""
    best = [row for row in result.modality_r2 if row["best"]]
    modalities = list(dict.fromkeys(row["modality"] for row in best))
    values = {(row["modality"], row["stage"]): row["r2"] for row in best}
    family = best[0]["group"] if best else ""
    shown: dict[str, Sequence[Any]] = {
        "number": list(range(1, len(modalities) + 1)),
        "modality": modalities,
        **{stage: [values.get((modality, stage), float("nan")) for modality in modalities] for stage in STAGES},
    }
    help_ = {
        "number": "The modality's place on the axis",
        "modality": "Image modality",
        "pre": f"R² of the {family} features before fine-tuning, test patients, mean over the features",
        "ft": f"R² of the {family} features after fine-tuning, test patients, mean over the features",
    }
    table = add_table(scene, f"{name} data", shown, {"number": int, "modality": str, "pre": float, "ft": float}, help_)
    titles = {"number": "Place on the axis", "modality": "Modality", "pre": "R² before", "ft": "R² after"}
    for column, title in titles.items():
        table.SetColumnTitle(column, title)
    axis = "    ".join(f"{number}: {modality}" for number, modality in enumerate(modalities, start=1))
    chart = new_chart(scene, name, x=axis, y=f"R², {family} features" if family else "R²")
    chart.SetXAxisRangeAuto(False)  # by itself it ends in the middle of the outer bars
    chart.SetXAxisRange(0.4, 0.6 + 1.4 * len(modalities))  # and on the right lies the legend
    chart.SetLegendFontSize(LEGEND_LETTERS)
    _fit_titles(chart)
    for stage, (label, colour) in STAGES.items():
        add_bars(scene, chart, Series(table, label, stage, colour, "number"), names="modality")
    return chart, table


def shift_chart(scene: Any, name: str, result: LensResult, by: Reading = IMPORTANCE) -> tuple[Any, Any]:
    """ΔI (or ΔE) of the two features that gained most, lost most, and are most stable; the chart node and its table.

    The table has one row and a column per bar, which is described by the feature's whole name.
    """
    chosen = [(pick, step, row) for pick in PICKS for step, row in enumerate(result.picked(pick, by)[:BARS])]
    labels = [bar_label(row["modality"], row["feature"]) for _, _, row in chosen]
    bars = [
        (
            bar_label(row["modality"], row["feature"], family=labels.count(label) > 1),
            row[by.delta],
            _tint(pick, step, BARS),
        )
        for label, (pick, step, row) in zip(labels, chosen, strict=True)
    ]
    chart, table = named_bars(scene, name, bars, x="gained, lost, stable: in the order of the legend", y=by.shift)
    chart.SetXAxisRange(-0.5, 0.5 + LEGEND_ROOM)
    _fit_titles(chart)
    for index, (_, _, row) in enumerate(chosen):
        column = table.GetTable().GetColumnName(index)
        table.SetColumnTitle(column, bars[index][0])
        table.SetColumnUnitLabel(column, columns("lens shift", "unit").get(by.delta, ""))
        label = explained(row["feature"]).label or row["feature"]
        table.SetColumnDescription(column, f"{by.shift} of {label}, {row['modality']}")
    return chart, table


def bar_label(modality: str, feature: str, *, family: bool = False) -> str:
    """How a feature is named in a legend, with its family where that is asked for: ``Contrast LLH adc``.

    A name too long for a legend becomes its initials, as in papers, behind its family: ``GLDM SDLGLE LLH adc``.
    """
    about = explained(feature)
    image = about.label.partition(", ")[2].removeprefix("wavelet ")
    name, long = about.name, bool(about.family) and len(about.name) > LONGEST_NAME
    group = about.label.removesuffix(f", {image}").partition(f" {name}")[0] if family or long else ""
    short = re.sub("[^A-Z0-9]", "", name) if long else name
    return " ".join(part for part in (group, short, image, modality) if part)


def _fit_titles(chart: Any) -> None:
    """Letters in which the titles fit a view 550 pixels wide."""
    chart.SetTitleFontSize(TITLE_LETTERS)
    chart.SetAxisTitleFontSize(AXIS_LETTERS)


def _tint(group: Pick, step: int, count: int) -> tuple[float, float, float]:
    dark, light = TINTS[group]
    share = step / max(count - 1, 1)
    return tuple(a + share * (b - a) for a, b in zip(dark, light, strict=True))  # type: ignore[return-value]
