"""Scores of an experiment in pictures: AUC of every cell (figure 3), differences with intervals, ROC of one model.

figure 3      a panel per outcome and cohort, a row per input, a column per classifier (paper 002, figure 3)
differences   combined input minus its reference for each classifier, with DeLong's interval (paper 002, table S3)
ROC           the model that was chosen beforehand, out-of-fold and external patients
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.ich.experiment.result import Experiment, Row
from deepradiomics.reports.canvas import GREY, new_figure, tidy, wrapped
from deepradiomics.reports.ich.words import COHORT_COLOURS, LEAST, LEVEL, RED, mark_red, red_lines
from deepradiomics.stats import roc_curve
from deepradiomics.words import SYNTHETIC_DATA, SYNTHETIC_IN_REAL, is_number, number, with_interval

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

COMPARED = (("radiomics+latents", "radiomics"), ("radiomics+latents", "shape"), ("shape+latents", "shape"))
_MAP = "cividis"
_SHORT_COHORTS = {"validation": "validation", "external": "external"}


def figure3(experiment: Experiment) -> Figure:
    """AUC of inputs × classifiers, an outcome per row of panels, a cohort per column; one scale of colours for all.

    Validation: mean over folds. The highest of a panel is framed; whether it is higher beyond noise the colours do not
    say.
    """
    from matplotlib import colors
    from matplotlib.cm import ScalarMappable

    outcomes, cohorts = experiment.outcomes, experiment.cohorts
    rows, columns = len(experiment.inputs), len(experiment.classifiers)
    values = {(o, c): _areas(experiment, o, c) for o in outcomes for c in cohorts}
    every = np.concatenate([areas.ravel() for areas in values.values()])
    every = every[np.isfinite(every)]
    low = float(min(0.5, np.floor(20 * every.min()) / 20)) if every.size else 0.5
    high = float(max(low + 0.1, np.ceil(20 * every.max()) / 20)) if every.size else 1.0
    scale = colors.Normalize(low, high)
    figure = new_figure(max(3.1, 0.62 * columns) * len(cohorts) + 2.6, (0.29 * rows + 0.45) * len(outcomes) + 1.6)
    axes = figure.subplots(len(outcomes), len(cohorts), squeeze=False, sharex=True, sharey=True)
    for line, (outcome, title) in zip(axes, outcomes.items(), strict=True):
        for ax, (cohort, cohort_title) in zip(line, cohorts.items(), strict=True):
            _heat(ax, values[outcome, cohort], scale)
            ax.set_title(f"{title} · {cohort_title.split(' (')[0].lower()}", fontsize=9.5)
    for ax in axes[:, 0]:
        ax.set_yticks(range(rows), list(experiment.inputs.values()), fontsize=8.5)
    for ax in axes[-1]:
        ax.set_xticks(
            range(columns),
            list(experiment.classifiers.values()),
            fontsize=8.5,
            rotation=38,
            ha="right",
            rotation_mode="anchor",
        )
    bar = figure.colorbar(ScalarMappable(scale, _MAP), ax=axes, location="bottom", fraction=0.02, pad=0.01, aspect=45)
    bar.set_label("AUC (0.5: chance)", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    return marked(figure, experiment)


def differences_figure(experiment: Experiment) -> Figure | None:
    """AUC differences between a combined input and its reference by classifier; None when none was computed."""
    pairs = compared_pairs(experiment)
    if not pairs:
        return None
    outcomes, kinds = experiment.outcomes, list(experiment.classifiers)
    shown = {
        (pair, outcome): experiment.rows("differences", outcome=outcome, input=pair[0], reference=pair[1])
        for pair in pairs
        for outcome in outcomes
    }
    ends = [row[end] for rows in shown.values() for row in rows for end in ("low", "high") if is_number(row[end])]
    reach = 1.08 * max([0.05, *map(abs, ends)])
    figure = new_figure(max(7.0, 2.35 * len(outcomes) + 1.6), (0.34 * len(kinds) + 0.75) * len(pairs) + 0.9)
    axes = figure.subplots(len(pairs), len(outcomes), squeeze=False, sharex=True, sharey=True)
    for place, (line, pair) in enumerate(zip(axes, pairs, strict=True)):
        for ax, (outcome, title) in zip(line, outcomes.items(), strict=True):
            ax.axvline(0, color="black", linewidth=0.8)
            for i, cohort in enumerate(experiment.cohorts):
                _marks(ax, experiment, [row for row in shown[pair, outcome] if row["cohort"] == cohort], cohort, i)
            ax.set_xlim(-reach, reach)
            ax.grid(axis="x", color="#DDDDDD", linewidth=0.6)
            ax.set_axisbelow(True)
            ax.spines[["top", "right"]].set_visible(False)
            if place == 0:
                ax.set_title(wrapped(title, 24), fontsize=10)
            if place == len(pairs) - 1:
                ax.set_xlabel("difference of AUC", fontsize=9)
            ax.tick_params(labelsize=8.5)
        line[0].set_yticks(range(len(kinds)), list(experiment.classifiers.values()))
        line[0].set_ylim(len(kinds) - 0.4, -0.6)
        titles = [experiment.title(name) for name in pair]
        line[0].set_ylabel(wrapped(f"{titles[0]} minus {titles[1].lower()}", 20), fontsize=9)
    handles, names = _difference_legend(experiment)
    figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)
    return marked(figure, experiment)


def roc_figure(experiment: Experiment) -> Figure | None:
    """ROC curves of the model chosen beforehand, a panel per outcome; None when its predictions were not kept."""
    input_, kind = experiment.chosen
    predictions = experiment.predictions(input_, kind)
    outcomes = {name: title for name, title in experiment.outcomes.items() if (name, "validation") in predictions}
    if not outcomes:
        return None
    figure = new_figure(2.75 * len(outcomes) + 0.3, 4.4)
    for ax, (outcome, title) in zip(figure.subplots(1, len(outcomes), squeeze=False)[0], outcomes.items(), strict=True):
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        for cohort in experiment.cohorts:
            label, score = predictions.get((outcome, cohort), (np.zeros(0, int), np.zeros(0)))
            if len(set(label.tolist())) < 2:
                continue
            false_rate, true_rate, _ = roc_curve(label, score)
            interval = with_interval(experiment.cell(outcome, input_, kind, cohort), digits=2)
            ax.plot(
                false_rate,
                true_rate,
                color=COHORT_COLOURS[cohort],
                linewidth=1.8,
                linestyle="-" if cohort == "validation" else "--",
                label=f"{_SHORT_COHORTS[cohort]}, n = {len(label)}\n{interval}",
            )
        tidy(ax, wrapped(title, 24), "1 − specificity", "sensitivity" if outcome == next(iter(outcomes)) else "")
        ax.title.set_fontsize(10)
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.2),
            fontsize=8,
            frameon=False,
            title_fontsize=8,
            title="AUC [95 % interval]",
        )
    return marked(figure, experiment)


def compared_pairs(experiment: Experiment) -> list[tuple[str, str]]:
    """The pairs (input, reference) to be shown: those with a combined input; a run without one shows what it has."""
    pairs = list(dict.fromkeys((row["input"], row["reference"]) for row in experiment.tables.get("differences", ())))
    combined = [pair for pair in COMPARED if pair in pairs]
    # (a, b) and (b, a) say the same
    once = [pair for i, pair in enumerate(pairs) if pair[::-1] not in pairs[:i]]
    return combined or once[: len(COMPARED)]


def marked(figure: Figure, experiment: Experiment) -> Figure:
    """Say in red on the picture itself that its data are synthetic or its scores leak."""
    made_up = SYNTHETIC_IN_REAL if experiment.real_head else SYNTHETIC_DATA
    return mark_red(figure, red_lines(experiment.leaking, made_up if experiment.synthetic else ""))


def _areas(experiment: Experiment, outcome: str, cohort: str) -> np.ndarray:
    """AUC (inputs, classifiers); NaN for cells that were not run."""
    fold = "mean" if cohort == "validation" else ""
    return np.array(
        [
            [
                area if is_number(area := experiment.cell(outcome, i, k, cohort, fold).get("auc")) else np.nan
                for k in experiment.classifiers
            ]
            for i in experiment.inputs
        ],
        dtype=float,
    )


def _heat(ax: Axes, values: np.ndarray, scale: Normalize) -> None:
    """A coloured cell with its number for each input and classifier; the highest is framed."""
    from matplotlib.patches import Rectangle

    shown = ax.imshow(np.ma.masked_invalid(values), cmap=_MAP, norm=scale, aspect="auto")
    best = np.nanmax(values) if np.isfinite(values).any() else np.nan
    for (row, column), value in np.ndenumerate(values):
        top = value == best
        dark = np.isfinite(value) and np.dot(shown.cmap(shown.norm(value))[:3], (0.299, 0.587, 0.114)) < 0.5
        ax.text(column, row, number(float(value), 2), ha="center", va="center", fontsize=8.5,
                color="white" if dark else "black", fontweight="bold" if top else "normal")  # fmt: skip
        if top:
            frame = Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, fill=False, edgecolor=RED, linewidth=1.8)
            ax.add_patch(frame)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def _marks(ax: Axes, experiment: Experiment, rows: Sequence[Row], cohort: str, i: int) -> None:
    kinds = list(experiment.classifiers)
    for row in rows:
        if row["classifier"] not in kinds or not is_number(row["difference"]):
            continue
        y = kinds.index(row["classifier"]) + (i - 0.5) * 0.34
        apart = beyond(experiment, row)
        colour = COHORT_COLOURS[cohort]
        if is_number(row["low"]) and is_number(row["high"]):
            ax.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.5, solid_capstyle="butt")
        ax.plot(
            [row["difference"]],
            [y],
            marker="os"[i],
            markersize=5.5,
            color=colour,
            markerfacecolor=colour if apart else "white",
        )


def beyond(experiment: Experiment, row: Row) -> bool:
    """Whether a difference is beyond noise: DeLong's p, adjusted by Holm, below the level, on enough patients."""
    return is_number(row.get("p_holm")) and row["p_holm"] < LEVEL and not few(experiment, row)


def few(experiment: Experiment, row: Row) -> bool:
    """Whether a comparison rests on so few patients of a class that DeLong's variance cannot be believed."""
    cell = experiment.cell(row["outcome"], row["input"], row["classifier"], row["cohort"])
    n, positives = cell.get("n"), cell.get("positives")
    if n is None or positives is None:
        return False
    return bool(min(positives, n - positives) < LEAST)


def _difference_legend(experiment: Experiment) -> tuple[list[Artist], list[str]]:
    from matplotlib.lines import Line2D

    handles: list[Artist] = []
    names: list[str] = []
    for i, (cohort, title) in enumerate(experiment.cohorts.items()):
        colour = COHORT_COLOURS[cohort]
        handles.append(Line2D([], [], color=colour, marker="os"[i], markerfacecolor="white", linewidth=1.5))
        names.append(f"{title}, 95 % interval (DeLong)")
    for filled, name in ((True, f"beyond noise: p < {LEVEL:g} after Holm"), (False, "not beyond noise")):
        handles.append(
            Line2D([], [], color=GREY, marker="o", linestyle="", markerfacecolor=GREY if filled else "white")
        )
        names.append(name)
    return handles, names
