"""One patient's charts: what raises and lowers each risk by feature group, and where the risk lies on the calibration
curve of the training patients. The values of the bars, and the shares of the components, stand in the panel's table.

Slicer draws no error bars: the 95 % intervals of the curve are a line that breaks between two bins (NaN).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepradiomics.ich.patient.result import CaseFolder
from deepradiomics.reports.ich.words import GROUP_COLOURS, GROUPS, OTHER_COLOUR
from deepradiomics.scene.nodes.plots import COLOURS, LEGEND_LETTERS, Series, add_line, named_bars, new_chart
from deepradiomics.scene.nodes.tables import add_table
from deepradiomics.scene.show.ich.tables import number, own_bin
from deepradiomics.scene.tree.outside import is_outside

GREY = (0.55, 0.55, 0.55)
PATIENT = COLOURS[1]
SHORT_NAMES = {"encoder": "Encoder", "autoencoder": "VAE-GAN"}  # in legends, of groups whose titles are long
SHARE = "Share in the probability"
LEGEND_ROOM = 0.5  # right of probability 1: the legend lies there, and would hide the curve's end


def group_chart(scene: Any, case: CaseFolder, outcome: str) -> tuple[Any, Any]:
    """A bar per feature group: the sum of its components' shares in the risk; the chart node and its table node."""
    about = case.outcomes[outcome]
    bars = [
        (SHORT_NAMES.get(group, group_title(group)), number(share), group_colour(group))
        for group, share in about["groups"].items()
    ]
    name = f"SHAP by group: {case.title(outcome)}"
    return named_bars(scene, name, bars, x=_from_base(about), y=SHARE)


def calibration_chart(scene: Any, case: CaseFolder, outcome: str) -> tuple[Any, Any]:
    """The calibration curve of the training patients, with the patient's probability as an upright line on it.

    Outside the training cohort that line is grey, and no training patients are said to be similar.
    """
    about = case.outcomes[outcome]
    bins = (about.get("calibration") or {}).get("bins") or []
    risk, none = number(about["probability"]), float("nan")
    outside = is_outside(case.record)
    observed = none if outside else number(own_bin(about).get("observed"))
    colour = GREY if outside else PATIENT
    columns: dict[str, list[float]] = {
        "predicted": [number(group["mean_predicted"]) for group in bins],
        "observed": [number(group["observed"]) for group in bins],
        "interval_x": [x for group in bins for x in (number(group["mean_predicted"]),) * 2 + (none,)],
        "interval": [y for group in bins for y in (number(group["low"]), number(group["high"]), none)],
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
        "predicted": "Mean predicted probability of the bin",
        "observed": "Share of its patients with the outcome",
        "interval": "Lower and upper end of the 95 % interval of that share",
        "patient_x": "Probability that the model gives this patient",
    }
    name = f"Calibration: {case.title(outcome)}"
    table = add_table(scene, f"{name} data", padded, dict.fromkeys(padded, float), help_)
    count = int(about.get("n_training") or 0)
    chart = new_chart(scene, name, x=f"Predicted probability ({count} training patients)", y="Observed share")
    add_line(scene, chart, Series(table, "ideal", "ideal", GREY, "ideal_x"), dashed=True)
    add_line(scene, chart, Series(table, "95 % interval", "interval", COLOURS[0], "interval_x"))
    add_line(scene, chart, Series(table, "training", "observed", COLOURS[0], "predicted"), marker=True)
    add_line(scene, chart, Series(table, f"patient: {risk:.2f}", "patient", colour, "patient_x"))
    if observed == observed:
        point = Series(table, f"similar: {observed:.2f}", "patient_point", colour, "patient_point_x")
        add_line(scene, chart, point, marker=True, line=False, size=13.0)
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0.0, 1.0 + LEGEND_ROOM)
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 1.0)
    chart.SetLegendFontSize(LEGEND_LETTERS)
    return chart, table


def group_title(group: str) -> str:
    """What a person calls a feature group."""
    return GROUPS.get(group, group)


def group_colour(group: str) -> tuple[float, float, float]:
    """The colour of a feature group (0 to 1): the same in every chart, list and report."""
    code = GROUP_COLOURS.get(group, OTHER_COLOUR)
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _from_base(outcome: Mapping[str, Any]) -> str:
    if outcome.get("base_value") is None:
        return "feature groups, in the order of the list"
    return (
        f"from the mean prediction {number(outcome['base_value']):.2f} to this patient's {outcome['probability']:.2f}"
    )
