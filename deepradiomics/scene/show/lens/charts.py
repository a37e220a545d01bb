"""The lens's charts as plot nodes: R² per modality before and after, and the features that moved most and least.

Slicer writes no names below bars, only numbers. So the modalities stand in the axis title behind their numbers, and
every bar of a shift chart is a series of its own: its name, in its colour, stands in the legend. That must leave room
for the bars in a view 550 pixels wide: so there are few bars with short names, and all numbers are in the shift table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from deepradiomics.lens.readings import IMPORTANCE, Reading
from deepradiomics.scene.lens_folder import LensFolder
from deepradiomics.scene.lens_tables import UNITS, explained
from deepradiomics.scene.plots import COLOURS, LEGEND_LETTERS, add_bars, named_bars, new_chart
from deepradiomics.scene.tables import add_table

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


def r2_chart(scene: Any, name: str, result: LensFolder) -> tuple[Any, Any]:
    """R² of the best family by modality, a bar before and one after fine-tuning; the chart node and its table node."""
    rows = result.modality_r2
    best = [index for index, each in enumerate(rows["best"]) if each]
    modalities = list(dict.fromkeys(rows["modality"][index] for index in best))
    values = {(rows["modality"][index], rows["stage"][index]): rows["r2"][index] for index in best}
    family = rows["group"][best[0]] if best else ""
    columns: dict[str, Sequence[Any]] = {
        "number": list(range(1, len(modalities) + 1)),
        "modality": modalities,
        **{stage: [values.get((each, stage), float("nan")) for each in modalities] for stage in STAGES},
    }
    help_ = {
        "number": "The modality's place on the axis",
        "modality": "Image modality",
        "pre": f"R² of the {family} features before fine-tuning, test patients, mean over the features",
        "ft": f"R² of the {family} features after fine-tuning, test patients, mean over the features",
    }
    table = add_table(
        scene, f"{name} data", columns, {"number": int, "modality": str, "pre": float, "ft": float}, help_
    )
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
        add_bars(scene, chart, table, label, stage, colour, names="modality", x="number")
    return chart, table


def shift_chart(scene: Any, name: str, result: LensFolder, by: Reading = IMPORTANCE) -> tuple[Any, Any]:
    """ΔI (or ΔE) of the two features that gained most, lost most, and are most stable; the chart node and its table.

    The table has one row and a column a bar, which is described by the feature's whole name.
    """
    pairs = list(zip(result.shift["modality"], result.shift["feature"], strict=True))
    chosen = [(group, step, pair) for group, each in result.picked(by).items() for step, pair in enumerate(each[:BARS])]
    count = Counter(bar_label(*pair) for _, _, pair in chosen)
    bars = [
        (
            bar_label(*pair, family=count[bar_label(*pair)] > 1),
            result.shift[by.delta][pairs.index(pair)],
            _tint(group, step, BARS),
        )
        for group, step, pair in chosen
    ]
    chart, table = named_bars(scene, name, bars, x="gained, lost, stable: in the order of the legend", y=by.shift)
    chart.SetXAxisRange(-0.5, 0.5 + LEGEND_ROOM)
    _fit_titles(chart)
    for index, (_, _, (modality, feature)) in enumerate(chosen):
        column = table.GetTable().GetColumnName(index)
        table.SetColumnTitle(column, bars[index][0])
        table.SetColumnUnitLabel(column, UNITS.get(by.delta, ""))
        table.SetColumnDescription(column, f"{by.shift} of {explained(feature).label or feature}, {modality}")
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


def _tint(group: str, step: int, count: int) -> tuple[float, float, float]:
    dark, light = TINTS[group]
    share = step / max(count - 1, 1)
    return tuple(a + share * (b - a) for a, b in zip(dark, light, strict=True))  # type: ignore[return-value]
