"""Figures of an evaluation: ROC curves, first features, localisation, training, calibration.

Each function draws one figure from plain records and returns it; :func:`draw_evaluation` draws all that an evaluation
has data for and saves them as PNG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.files.names import file_stem
from deepradiomics.files.tables import read_csv
from deepradiomics.fingerprint.evaluate.records import Prediction, keys_of, tasks_of
from deepradiomics.fingerprint.evaluate.result import Evaluation, TopFeature
from deepradiomics.reports.canvas import COLOURS, GREY, legend_below, new_figure, save, style, tidy, wrapped
from deepradiomics.stats import auc, roc_curve
from deepradiomics.words import count, title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from deepradiomics.fingerprint.evaluate.ranks import Localisation


_NAMES = {"fingerprint": "Fingerprint", "nofs": "NoFS"}


def roc_figure(evaluation: Evaluation, keys: Sequence[tuple[str, str]] | None = None) -> Figure:
    """ROC curves of the binary tasks, one panel per task, one line per method (mean probability of a case over units).

    Unless ``keys`` says otherwise, baselines with inference modes are drawn in the paper's mode alone.
    """
    if keys is None:
        every_key = keys_of(evaluation.predictions)
        keys = [key for key in every_key if key[0] == "fingerprint" or key[1] in ("", "paper")]
    tasks = [task for task in tasks_of(evaluation.predictions) if _is_binary(evaluation.predictions, task)]
    if not tasks:
        raise InputError("roc_figure: no binary task in these predictions; a ROC curve needs two classes.")
    figure = new_figure(4.2 * len(tasks) + 0.4, 4.6 + 0.22 * len(keys))
    for axes, task in zip(figure.subplots(1, len(tasks), squeeze=False)[0], tasks, strict=True):
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
        for i, key in enumerate(keys):
            label, score = case_means(evaluation.predictions, key, task)
            false_rate, true_rate, _ = roc_curve(label, score)
            name = f"{evaluation.info(*key).label}  {auc(label, score):.2f}"
            axes.plot(false_rate, true_rate, linewidth=1.8, label=name, **style(i))
        tidy(axes, title_of(task), "1 - specificity", "sensitivity")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        legend_below(axes, title="AUC")
    return figure


def calibration_figure(
    evaluation: Evaluation, key: tuple[str, str] = ("fingerprint", "paper"), bins: int = 5
) -> Figure:
    """Observed frequency against predicted probability, in bins of equally many test cases; a line per binary task."""
    figure = new_figure(5.2, 5.4)
    axes = tidy(
        figure.subplots(), f"Calibration: {evaluation.info(*key).label}", "predicted probability", "observed share"
    )
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
    tasks = [task for task in tasks_of(evaluation.predictions) if _is_binary(evaluation.predictions, task)]
    for i, task in enumerate(tasks):
        label, score = case_means(evaluation.predictions, key, task)
        groups = [group for group in np.array_split(np.argsort(score, kind="stable"), bins) if len(group)]
        predicted = [score[group].mean() for group in groups]
        observed = [label[group].mean() for group in groups]
        axes.plot(predicted, observed, marker="osD^v"[i % 5], label=f"{title_of(task)} (n = {len(label)})", **style(i))
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.04, 1.04))
    legend_below(axes, fontsize=9)
    return figure


def top_features_figure(
    top: Sequence[TopFeature], task: str, by: Literal["relevance", "contribution"] = "contribution"
) -> Figure:
    """The first features of a task: bars by name, coloured by family; beside them counts by patch, view and family."""
    rows = sorted((row for row in top if row.task == task and row.by == by), key=lambda row: row.rank)
    if not rows:
        raise InputError(f"top_features_figure: no features listed for task {task!r} by {by}.")
    families = list(dict.fromkeys(row.family for row in rows))
    colour = {family: COLOURS[i % len(COLOURS)] for i, family in enumerate(families)}
    figure = new_figure(10.5, max(4.5, 0.30 * len(rows) + 1.4))
    bars, right = figure.subfigures(1, 2, width_ratios=(2.4, 1.0), squeeze=False)[0]
    axes = bars.subplots()
    place = np.arange(len(rows))
    axes.barh(place, [getattr(row, by) for row in rows], color=[colour[row.family] for row in rows])
    names = [f"{row.feature.removeprefix('original_')}  ·  {row.view}, patch {row.patch}" for row in rows]
    axes.set_yticks(place, names, fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    meaning = "mean relevance q" if by == "relevance" else "mean |contribution| to the logit"
    tidy(axes, f"{title_of(task)}: first {count(len(rows), 'feature')} by {by}", meaning)
    axes.grid(axis="y", visible=False)
    panels = right.subplots(3, 1)
    _counts(panels[0], "by patch", [str(row.patch) for row in rows], {})
    _counts(panels[1], "by view", [row.view for row in rows], {})
    _counts(panels[2], "by family", [row.family for row in rows], colour)
    return figure


def loss_figure(history: Path | str | Sequence[Mapping[str, float]], title: str = "Training") -> Figure:
    """Losses by epoch from ``history.csv`` (every column whose name holds ``loss``)."""
    rows = _read_history(history) if isinstance(history, Path | str) else [dict(row) for row in history]
    names = [name for name in (rows[0] if rows else {}) if "loss" in name]
    if not names:
        raise InputError("loss_figure: the history has no column with 'loss' in its name.")
    figure = new_figure(5.6, 3.8)
    axes = tidy(figure.subplots(), title, "epoch", "cross-entropy, sum over tasks")
    epochs = [row.get("epoch", i) for i, row in enumerate(rows)]
    for i, name in enumerate(names):
        axes.plot(epochs, [row[name] for row in rows], linewidth=1.8, label=name.replace("_", " "), **style(i))
    legend_below(axes, ncols=min(3, len(names)))
    return figure


def localisation_figure(localisation: Localisation) -> Figure:
    """Rank of the planted patch, one panel per task: share of cases at each rank, by method and score, against chance.

    ``ahead`` in the legend: how often the planted patch stands above the task's other lesion patches, see ``localise``.
    """
    groups = localisation.groups()
    tasks = list(dict.fromkeys(row.task for row in localisation.rows))
    figure = new_figure(max(5.6, 4.6 * len(tasks)), 4.2 + 0.25 * len(groups))
    for axes, task in zip(figure.subplots(1, len(tasks), squeeze=False)[0], tasks, strict=True):
        patches = max(row.patches for row in localisation.rows if row.task == task)
        place = np.arange(1, patches + 1)
        width = 0.8 / max(1, len(groups))
        for i, (method, score) in enumerate(groups):
            summary = localisation.summary(task, method, score)
            if summary is None:
                continue
            name = f"{_NAMES.get(method, method)}, {score}: mean rank {summary.mean_rank:.2f}, first {summary.top1:.3f}"
            if np.isfinite(summary.ahead):  # a task with one lesion patch has no others to stand above
                name += f", ahead {summary.ahead:.2f}"
            where = place + (i - (len(groups) - 1) / 2) * width
            bars = axes.bar(where, summary.share_at_rank, width, label=name, color=COLOURS[i % len(COLOURS)])
            for bar in bars:
                bar.set(hatch=("", "//", "..", "xx")[i % 4], edgecolor="white")
        chance = f"chance: mean rank {(patches + 1) / 2:.2f}, first {1 / patches:.3f}, ahead 0.50"
        axes.axhline(1 / patches, color="black", linestyle=":", linewidth=1.2, label=chance)
        tidy(axes, title_of(task), f"rank of the planted patch (of {patches})", "share of cases")
        axes.set_xticks(place)
        legend_below(axes)
    return figure


def draw_evaluation(
    evaluation: Evaluation, folder: Path | str, localisation: Localisation | None = None
) -> tuple[Path, ...]:
    """Draw every figure that the evaluation has data for into ``folder``; returns the PNG paths."""
    folder = Path(folder)
    done: list[Path] = []
    if any(_is_binary(evaluation.predictions, task) for task in tasks_of(evaluation.predictions)):
        done.append(save(roc_figure(evaluation), folder / "roc.png"))
        if ("fingerprint", "paper") in keys_of(evaluation.predictions):
            done.append(save(calibration_figure(evaluation), folder / "calibration.png"))
    for task, by in dict.fromkeys((row.task, row.by) for row in evaluation.top):
        done.append(
            save(top_features_figure(evaluation.top, task, by), folder / f"{file_stem(f'top_{task}_{by}')}.png")
        )
    if localisation is not None and localisation.rows:
        done.append(save(localisation_figure(localisation), folder / "localisation.png"))
    return tuple(done)


def case_means(predictions: Sequence[Prediction], key: tuple[str, str], task: str) -> tuple[np.ndarray, np.ndarray]:
    """Label (n,) and mean P(class 1) (n,) of each test case over the units that tested it."""
    scores: dict[str, list[float]] = {}
    labels: dict[str, int] = {}
    for row in predictions:
        if row.key == key and row.task == task and row.part == "test":
            scores.setdefault(row.case, []).append(row.probabilities[0])
            labels[row.case] = row.label
    if not scores:
        raise InputError(f"predictions: {'/'.join(filter(None, key))} has no test predictions for task {task!r}.")
    return np.array([labels[case] for case in scores]), np.array([np.mean(scores[case]) for case in scores])


def _is_binary(predictions: Sequence[Prediction], task: str) -> bool:
    return next(len(row.probabilities) == 1 for row in predictions if row.task == task)


def _counts(axes: Axes, title: str, names: Sequence[str], colour: Mapping[str, str]) -> None:
    """A small bar chart of how often each name occurs, most frequent first."""
    kinds, counts = np.unique(np.asarray(names), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    labels = [wrapped(str(kinds[i]), 12) for i in order]
    axes.barh(labels, counts[order], color=[colour.get(str(kinds[i]), COLOURS[0]) for i in order])
    axes.invert_yaxis()
    tidy(axes, title, "features")
    axes.grid(axis="y", visible=False)
    axes.locator_params(axis="x", integer=True)
    axes.tick_params(labelsize=8)


def _read_history(path: Path | str) -> list[dict[str, float]]:
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: this history does not exist.")
    table = read_csv(path, what="history")
    return list(table.parsed(lambda row: {name: float(cell) if cell else float("nan") for name, cell in row.items()}))
