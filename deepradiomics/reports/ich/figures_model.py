"""What the models do with their features, in pictures: calibration (figure 4), SHAP by group (figure 5), components.

figure 4   observed share against predicted probability, Wilson intervals, the model chosen beforehand
figure 5   share of each feature group in the mean |SHAP| of every classifier, a panel per outcome
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.ich.experiment.result import Experiment
from deepradiomics.reports.canvas import GREY, legend_below, new_figure, shortened, tidy, wrapped
from deepradiomics.reports.ich.figures import marked
from deepradiomics.reports.ich.words import (
    COHORT_COLOURS,
    GROUP_COLOURS,
    GROUP_HATCHES,
    GROUPS,
    OTHER_COLOUR,
    group_name,
    readable,
)
from deepradiomics.words import is_number, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

_COMPONENTS = 8
_LABEL_WIDTH = 58  # characters


def calibration_figure(experiment: Experiment) -> Figure | None:
    """Figure 4: calibration of the model chosen beforehand, a panel per outcome; None without its table."""
    input_, kind = experiment.chosen
    outcomes = {
        name: title
        for name, title in experiment.outcomes.items()
        if experiment.rows("calibration", outcome=name, input=input_, classifier=kind)
    }
    if not outcomes:
        return None
    figure = new_figure(2.75 * len(outcomes) + 0.3, 3.9)
    axes = figure.subplots(1, len(outcomes), squeeze=False, sharey=True)[0]
    for ax, (outcome, title) in zip(axes, outcomes.items(), strict=True):
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        for i, cohort in enumerate(experiment.cohorts):
            rows = experiment.rows("calibration", outcome=outcome, cohort=cohort, input=input_, classifier=kind)
            rows = [row for row in rows if is_number(row["mean_predicted"]) and is_number(row["observed"])]
            if not rows:
                continue
            x, y, low, high = (
                np.array([row[c] for row in rows]) for c in ("mean_predicted", "observed", "low", "high")
            )
            brier = number(experiment.cell(outcome, input_, kind, cohort).get("brier"), 3)
            ax.errorbar(x, y, [np.maximum(0, y - low), np.maximum(0, high - y)], marker="os"[i], markersize=5,
                        color=COHORT_COLOURS[cohort], linestyle="-" if cohort == "validation" else "--",
                        linewidth=1.6, elinewidth=1.0, capsize=2, label=f"{cohort}, Brier {brier}")  # fmt: skip
        tidy(ax, wrapped(title, 24), "predicted probability", "observed share" if ax is axes[0] else "")
        ax.title.set_fontsize(10)
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
        legend_below(ax)
    return marked(figure, experiment)


def shap_figure(experiment: Experiment) -> Figure | None:
    """Figure 5: bars of 100 % a classifier, shared out among the feature groups; None without its table."""
    outcomes = {o: t for o, t in experiment.outcomes.items() if experiment.rows("shap_groups", outcome=o)}
    if not outcomes:
        return None
    rows = experiment.tables["shap_groups"]
    present = {row["group"] for row in rows}
    groups = in_order(present)
    kinds = {k: t for k, t in experiment.classifiers.items() if any(row["classifier"] == k for row in rows)}
    columns = min(2, len(outcomes))
    lines = -(-len(outcomes) // columns)
    figure = new_figure(4.6 * columns + 1.2, (0.34 * len(kinds) + 0.7) * lines + 0.8)
    axes = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    for ax in axes.ravel()[len(outcomes) :]:
        ax.set_axis_off()
    for ax, (outcome, title) in zip(axes.ravel(), outcomes.items(), strict=False):
        for place, kind in enumerate(kinds):
            start = 0.0
            for group in groups:
                share = experiment.row("shap_groups", outcome=outcome, classifier=kind, group=group).get("share")
                if not is_number(share) or not share:
                    continue
                ax.barh(place, 100 * share, 0.74, start, color=GROUP_COLOURS.get(group, OTHER_COLOUR),
                        edgecolor="white", hatch=GROUP_HATCHES.get(group, ""), linewidth=0.6)  # fmt: skip
                if share > 0.08:
                    ax.text(
                        start + 50 * share,
                        place,
                        f"{100 * share:.0f}",
                        ha="center",
                        va="center",
                        fontsize=8,
                        bbox={"facecolor": "white", "alpha": 0.8, "pad": 0.8, "linewidth": 0},
                    )
                start += 100 * share
        tidy(ax, title, "share of mean |SHAP|, %")
        ax.title.set_fontsize(10)
        ax.grid(axis="y", visible=False)
        ax.set_xlim(0, 100)
    for ax in axes[:, 0]:
        ax.set_yticks(range(len(kinds)), list(kinds.values()), fontsize=9)
        ax.set_ylim(len(kinds) - 0.45, -0.55)
    figure.legend(handles=group_handles(present), loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return marked(figure, experiment)


def components_figure(experiment: Experiment) -> Figure | None:
    """The first components of the model chosen beforehand by mean |SHAP|, a panel per outcome; None without table."""
    kind = experiment.chosen[1]
    shown = {}
    for outcome, title in experiment.outcomes.items():
        rows = [
            row
            for row in experiment.rows("shap_components", outcome=outcome, classifier=kind)
            if is_number(row["mean_abs_shap"])
        ]
        if rows:
            shown[title] = sorted(rows, key=lambda row: -row["mean_abs_shap"])[:_COMPONENTS]
    if not shown:
        return None
    lines = sum(len(rows) for rows in shown.values())
    figure = new_figure(9.8, 0.31 * lines + 0.5 * len(shown) + 1.0)
    heights = [len(rows) + 1 for rows in shown.values()]
    axes = figure.subplots(len(shown), 1, squeeze=False, sharex=True, height_ratios=heights)
    for ax, (title, rows) in zip(axes[:, 0], shown.items(), strict=True):
        component_bars(ax, [(row["group"], row["label"], row["mean_abs_shap"]) for row in rows])
        tidy(ax, title, "mean |SHAP|, probability" if ax is axes[-1, 0] else "")
        ax.title.set_fontsize(10)
        ax.grid(axis="y", visible=False)
    figure.legend(
        handles=group_handles({row["group"] for rows in shown.values() for row in rows}),
        loc="outside lower center",
        ncols=5,
        frameon=False,
        fontsize=9,
    )
    return marked(figure, experiment)


def component_bars(ax: Axes, bars: Sequence[tuple[str, str, float]]) -> None:
    """A bar for each (group, label, value), coloured by group, the first on top; its name in two lines at most."""
    for place, (group, _, value) in enumerate(bars):
        ax.barh(
            place,
            value,
            0.72,
            color=GROUP_COLOURS.get(group, OTHER_COLOUR),
            hatch=GROUP_HATCHES.get(group, ""),
            edgecolor="white",
            linewidth=0.6,
        )
    ax.set_yticks(range(len(bars)), [component_name(group, label) for group, label, _ in bars], fontsize=7.5)
    ax.set_ylim(len(bars) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0)


def group_handles(groups: Collection[str]) -> list[Patch]:
    """A legend's patch for each group, in the usual order."""
    from matplotlib.patches import Patch

    return [
        Patch(
            facecolor=GROUP_COLOURS.get(g, OTHER_COLOUR),
            edgecolor="white",
            hatch=GROUP_HATCHES.get(g, ""),
            label=group_name(g),
        )
        for g in in_order(groups)
    ]


def in_order(groups: Collection[str]) -> list[str]:
    """Groups in their usual order, unknown ones last."""
    return [*(g for g in GROUPS if g in groups), *sorted(set(groups) - GROUPS.keys())]


def component_name(group: str, label: str) -> str:
    """A component's label in two lines at most, its group first where the label does not name it."""
    shown = readable(label)
    if not any(word.lower() in shown.lower() for word in (group, group_name(group).split()[0])):
        shown = f"{group_name(group)}: {shown}"
    lines = wrapped(shown, _LABEL_WIDTH).split("\n")
    return lines[0] if len(lines) == 1 else f"{lines[0]}\n{shortened(' '.join(lines[1:]), _LABEL_WIDTH)}"
