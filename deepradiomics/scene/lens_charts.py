"""The lens's charts as plot nodes: R² per modality before and after, and the features that moved most and least.

Slicer writes no names below bars, only numbers. So the modalities stand in the axis title behind their numbers, and
every bar of the shift chart is a series of its own: its name, in its colour, stands in the legend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepradiomics.lens.readings import IMPORTANCE, Reading
from deepradiomics.scene.lens_folder import LensFolder
from deepradiomics.scene.lens_tables import explained
from deepradiomics.scene.plots import COLOURS, LEGEND_LETTERS, add_bars, named_bars, new_chart
from deepradiomics.scene.tables import add_table

STAGES = {"pre": ("before fine-tuning", COLOURS[0]), "ft": ("after fine-tuning", COLOURS[1])}
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
    axis = "    ".join(f"{number}: {modality}" for number, modality in enumerate(modalities, start=1))
    chart = new_chart(scene, name, x=axis, y=f"R², {family} features" if family else "R²")
    chart.SetXAxisRangeAuto(False)  # by itself it ends in the middle of the outer bars
    chart.SetXAxisRange(0.4, 0.6 + 1.4 * len(modalities))  # and on the right lies the legend
    chart.SetLegendFontSize(LEGEND_LETTERS)
    for stage, (label, colour) in STAGES.items():
        add_bars(scene, chart, table, label, stage, colour, names="modality", x="number")
    return chart, table


def shift_chart(scene: Any, name: str, result: LensFolder, by: Reading = IMPORTANCE) -> tuple[Any, Any]:
    """ΔI (or ΔE) of the features that gained most, lost most, and are most stable; the chart node and its table node.

    The table has one row and a column a bar.
    """
    pairs = list(zip(result.shift["modality"], result.shift["feature"], strict=True))
    picked = result.picked(by)
    chosen = [(group, step, pair) for group, each in picked.items() for step, pair in enumerate(each)]
    bars = [
        (bar_label(*pair), result.shift[by.delta][pairs.index(pair)], _tint(group, step, len(picked[group])))
        for group, step, pair in chosen
    ]
    return named_bars(scene, name, bars, x="strengthened, weakened, stable: in the order of the list", y=by.shift)


def bar_label(modality: str, feature: str) -> str:
    """How a feature is named in a legend: ``GLCM Contrast, wavelet LLH · adc``."""
    return f"{explained(feature).label or feature} · {modality}"


def _tint(group: str, step: int, count: int) -> tuple[float, float, float]:
    dark, light = TINTS[group]
    share = step / max(count - 1, 1)
    return tuple(a + share * (b - a) for a, b in zip(dark, light, strict=True))  # type: ignore[return-value]
