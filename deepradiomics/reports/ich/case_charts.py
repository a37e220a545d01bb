"""A patient's risks in charts: where each lies on the training cohort's calibration, and what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.ich.patient.result import CaseFolder
from deepradiomics.reports.canvas import COLOURS, GREY, new_figure, tidy, wrapped
from deepradiomics.reports.ich.figures_model import component_bars, group_handles, in_order
from deepradiomics.reports.ich.words import (
    GROUP_COLOURS,
    GROUP_HATCHES,
    OTHER_COLOUR,
    group_name,
    mark_red,
    red_of,
)
from deepradiomics.words import OUTSIDE, is_number, number, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COMPONENTS = 6
_CURVE, _PATIENT = COLOURS[0], COLOURS[1]
_OUTSIDE = GREY  # of a patient outside the training cohort: no class, no warm colour


def calibration_figure(case: CaseFolder) -> Figure | None:
    """The training cohort's calibration, an outcome per panel, with the patient's risk as an upright line."""
    shown = {name: outcome for name, outcome in case.outcomes.items() if (outcome.get("calibration") or {}).get("bins")}
    if not shown:
        return None
    figure = new_figure(max(5.2, 2.45 * len(shown) + 0.3), 3.7)
    axes = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
    for ax, (name, outcome) in zip(axes, shown.items(), strict=True):
        bins = outcome["calibration"]["bins"]
        x, y, low, high = (np.array([b[c] for b in bins]) for c in ("mean_predicted", "observed", "low", "high"))
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        ax.axhline(outcome["base_rate"], color=GREY, linewidth=1.0, linestyle="--", label="base rate")
        ax.errorbar(x, y, [np.maximum(0, y - low), np.maximum(0, high - y)], color=_CURVE, marker="o", markersize=4.5,
                    linewidth=1.4, elinewidth=1.0, capsize=2, label="training cohort, out of fold")  # fmt: skip
        ax.axvline(outcome["threshold"], color="black", linewidth=1.0, linestyle="-.", label="threshold")
        patient, name_of_line = (_OUTSIDE, f"this patient, {OUTSIDE}") if case.outside else (_PATIENT, "this patient")
        ax.axvline(outcome["probability"], color=patient, linewidth=2.2, label=name_of_line)
        # Outside the training cohort no group of patients is like this one.
        nearest = None if case.outside else outcome["calibration"].get("bin")
        if nearest is not None:
            ax.plot(
                [x[nearest]],
                [y[nearest]],
                marker="o",
                markersize=10,
                markerfacecolor="none",
                color=_PATIENT,
                markeredgewidth=1.8,
            )
        tidy(ax, wrapped(case.title(name), 22), "predicted probability", "observed share" if ax is axes[0] else "")
        ax.title.set_fontsize(9.5)
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    handles, names = axes[0].get_legend_handles_labels()
    columns = 2 if case.outside else min(4, len(shown) + 1)  # the words for outside are long
    figure.legend(handles, names, loc="outside lower center", ncols=columns, frameon=False, fontsize=8.5)
    return mark_red(figure, red_of(case))


def shap_figure(case: CaseFolder) -> Figure | None:
    """For each outcome: from the base value by groups to the risk, and beside it the largest components."""
    shown = [name for name, outcome in case.outcomes.items() if outcome.get("groups")]
    if not shown:
        return None
    groups = in_order({group for name in shown for group in case.outcomes[name]["groups"]})
    figure = new_figure(9.6, (0.27 * max(len(groups) + 2, _COMPONENTS) + 0.65) * len(shown) + 0.6)
    axes = figure.subplots(len(shown), 2, squeeze=False, sharex="col", width_ratios=(1.0, 0.85))
    for row, name in zip(axes, shown, strict=True):
        last = name == shown[-1]
        _waterfall(row[0], case, name, groups)
        tidy(row[0], case.title(name), "probability" if last else "")
        rows = [r for r in case.shap if r["outcome"] == name and is_number(r["shap"])]
        rows = sorted(rows, key=lambda r: -abs(r["shap"]))[:_COMPONENTS]
        component_bars(row[1], [(r["group"], r["label"], r["shap"]) for r in rows])
        row[1].axvline(0, color="black", linewidth=0.8)
        tidy(row[1], "largest components", "share in the probability" if last else "")
        row[1].margins(x=0.08)
        for ax in row:
            ax.title.set_fontsize(9.5)
            ax.grid(axis="y", visible=False)
            ax.tick_params(axis="x", labelsize=8)
    figure.legend(handles=group_handles(groups), loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return mark_red(figure, red_of(case))


def _waterfall(ax: Axes, case: CaseFolder, name: str, groups: list[str]) -> None:
    """Base value, each group's share begun where the last one ended, and the risk."""
    outcome = case.outcomes[name]
    ends = [outcome["base_value"]]
    ax.barh(0, outcome["base_value"], 0.7, color="#BBBBBB")
    for place, group in enumerate(groups, start=1):
        share = float(outcome["groups"].get(group, 0.0))
        ax.barh(place, share, 0.7, ends[-1], color=GROUP_COLOURS.get(group, OTHER_COLOUR), edgecolor="white",
                hatch=GROUP_HATCHES.get(group, ""), linewidth=0.6)  # fmt: skip
        ends.append(ends[-1] + share)
        ax.plot([ends[-2]] * 2, [place - 1.35, place + 0.35], color=GREY, linewidth=0.7)
        at = max(ends[-2:])
        ax.annotate(signed(share, 2), (at, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    last = len(groups) + 1
    ax.barh(last, outcome["probability"], 0.7, color=_OUTSIDE if case.outside else _PATIENT)
    for place, value in ((0, outcome["base_value"]), (last, outcome["probability"])):
        ax.annotate(
            number(value, 2),
            (value, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            fontweight="bold",
        )
    ax.set_yticks(
        range(last + 1), ["base value", *(group_name(group) for group in groups), "this patient"], fontsize=8.5
    )
    ax.set(ylim=(last + 0.6, -0.6), xlim=(0, 1.02))
    ax.tick_params(axis="y", length=0)
