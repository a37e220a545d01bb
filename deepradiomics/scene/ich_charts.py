"""One patient's charts: what raises and lowers each risk, by group and by component, and where the risk lies on the
calibration curve of the training patients.

Slicer draws no error bars: the 95 % intervals of the curve are a line that breaks between two bins (NaN).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepradiomics.scene.ich_folder import IchCaseFolder
from deepradiomics.scene.ich_tables import number, own_bin
from deepradiomics.scene.plots import COLOURS, LEGEND_LETTERS, add_line, named_bars, new_chart
from deepradiomics.scene.tables import add_table

TOP = 10
GREY = (0.55, 0.55, 0.55)
PATIENT = (0.80, 0.10, 0.10)
GROUPS = {  # name in charts, colour; the same in every chart
    "shape": ("Shape", COLOURS[3]),
    "radiomics": ("Radiomics", COLOURS[0]),
    "encoder": ("Encoder latents", COLOURS[2]),
    "vaegan": ("VAE-GAN latents", COLOURS[4]),
    "clinical": ("Clinical", COLOURS[1]),
}
SHARE = "Share in the probability"
LABEL_LETTERS = 46
LEGEND_ROOM = 0.5  # right of probability 1: the legend lies there, and would hide the curve's end


def group_chart(scene: Any, case: IchCaseFolder, outcome: str) -> tuple[Any, Any]:
    """A bar a feature group: the sum of its components' shares in the risk; the chart node and its table node."""
    about = case.about["outcomes"][outcome]
    bars = [
        (f"{group_title(group)} {number(share):+.3f}", number(share), group_colour(group))
        for group, share in about["groups"].items()
    ]
    name = f"SHAP by group: {title_of(case, outcome)}"
    return named_bars(scene, name, bars, x=_from_base(about), y=SHARE)


def component_chart(scene: Any, case: IchCaseFolder, outcome: str) -> tuple[Any, Any]:
    """The ten components of largest share, each with the features that stand for it, in its group's colour."""
    rows = [index for index, each in enumerate(case.shap["outcome"]) if each == outcome]
    rows = sorted(rows, key=lambda row: -abs(case.shap["shap"][row]))[:TOP]
    places = {row: place for place, row in enumerate(rows)}
    bars = [
        (_component(case.shap, row), case.shap["shap"][row], _tint(case.shap["group"][row], places[row] / TOP))
        for row in rows
    ]
    name = f"SHAP by component: {title_of(case, outcome)}"
    return named_bars(scene, name, bars, x=f"the {len(bars)} largest shares, in the order of the list", y=SHARE)


def calibration_chart(scene: Any, case: IchCaseFolder, outcome: str) -> tuple[Any, Any]:
    """The calibration curve of the training patients, with the patient's probability as an upright line on it."""
    about = case.about["outcomes"][outcome]
    bins = (about.get("calibration") or {}).get("bins") or []
    risk, none = number(about["probability"]), float("nan")
    observed = number(own_bin(about).get("observed"))
    columns: dict[str, list[float]] = {
        "predicted": [number(each["mean_predicted"]) for each in bins],
        "observed": [number(each["observed"]) for each in bins],
        "interval_x": [x for each in bins for x in (number(each["mean_predicted"]),) * 2 + (none,)],
        "interval": [y for each in bins for y in (number(each["low"]), number(each["high"]), none)],
        "ideal_x": [0.0, 1.0],
        "ideal": [0.0, 1.0],
        "patient_x": [risk, risk],
        "patient": [0.0, 1.0],
        "patient_point_x": [risk],
        "patient_point": [observed],
    }
    longest = max(map(len, columns.values()))
    padded = {name: values + [none] * (longest - len(values)) for name, values in columns.items()}
    help_ = {
        "predicted": "Mean predicted probability of the bin", "observed": "Share of its patients with the outcome",
        "interval": "Lower and upper end of the 95 % interval of that share",
        "patient_x": "Probability that the model gives this patient",
    }  # fmt: skip
    name = f"Calibration: {title_of(case, outcome)}"
    table = add_table(scene, f"{name} data", padded, dict.fromkeys(padded, float), help_)
    count = int(about.get("n_training") or 0)
    chart = new_chart(scene, name, x="Predicted probability", y=f"Observed share of {count} training patients")
    add_line(scene, chart, table, "ideal", "ideal_x", "ideal", GREY, dashed=True)
    add_line(scene, chart, table, "95 % interval", "interval_x", "interval", COLOURS[0])
    add_line(scene, chart, table, "training patients", "predicted", "observed", COLOURS[0], marker=True)
    add_line(scene, chart, table, f"this patient: {risk:.2f}", "patient_x", "patient", PATIENT)
    if observed == observed:
        label = f"observed in the like: {observed:.2f}"
        add_line(scene, chart, table, label, "patient_point_x", "patient_point", PATIENT, marker=True, line=False,
                 size=13.0)  # fmt: skip
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0.0, 1.0 + LEGEND_ROOM)
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 1.0)
    chart.SetLegendFontSize(LEGEND_LETTERS)
    return chart, table


def title_of(case: IchCaseFolder, outcome: str) -> str:
    """What a person calls an outcome."""
    return str(case.about["outcomes"][outcome].get("title", outcome))


def group_title(group: str) -> str:
    """What a person calls a feature group."""
    return GROUPS[group][0] if group in GROUPS else group


def group_colour(group: str) -> tuple[float, float, float]:
    """The colour of a feature group, the same in every chart."""
    return GROUPS[group][1] if group in GROUPS else GREY


def _from_base(outcome: Mapping[str, Any]) -> str:
    if outcome.get("base_value") is None:
        return "feature groups, in the order of the list"
    return (
        f"from the mean prediction {number(outcome['base_value']):.2f} to this patient's {outcome['probability']:.2f}"
    )


def _component(shap: Mapping[str, Sequence[Any]], row: int) -> str:
    """``Radiomics component 3: GLCM Contrast, … +0.021`` cut to what a legend can hold; the colour says the group."""
    words = str(shap["label"][row] or shap["component"][row])
    if len(words) > LABEL_LETTERS:
        words = words[: LABEL_LETTERS - 1].rstrip(" ,") + "…"
    return f"{words} {shap['shap'][row]:+.3f}"


def _tint(group: str, share: float) -> tuple[float, float, float]:
    """Lighter towards the end of the list, so that neighbours of one group can be told apart."""
    return tuple(each + 0.6 * share * (1.0 - each) for each in group_colour(group))  # type: ignore[return-value]
