"""The report's charts: the features that contribute most, and relevance by patch, view and family."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.radiomics.catalogue.explain import label_of
from deepradiomics.reports.pictures import png_of

if TYPE_CHECKING:
    from deepradiomics.fingerprint.apply.result import FingerprintRow

# Okabe and Ito's palette: told apart with any colour vision, and in print.
FAMILY_COLOURS = {
    "firstorder": "#0072B2",
    "shape": "#999999",
    "glcm": "#E69F00",
    "glrlm": "#009E73",
    "glszm": "#CC79A7",
    "gldm": "#D55E00",
    "ngtdm": "#56B4E9",
}
FAMILY_NAMES = {
    "firstorder": "first order",
    "shape": "shape",
    "glcm": "GLCM",
    "glrlm": "GLRLM",
    "glszm": "GLSZM",
    "gldm": "GLDM",
    "ngtdm": "NGTDM",
}
_TASK_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def largest(rows: Sequence["FingerprintRow"], count: int) -> list["FingerprintRow"]:
    """Return the rows whose contribution is largest in size, selected ones only, largest first."""
    chosen = [row for row in rows if row.selected and row.contribution != 0]
    return sorted(chosen, key=lambda row: -abs(row.contribution))[:count]


def contributions_chart(rows: Sequence["FingerprintRow"]) -> str:
    """Draw contributions (:func:`largest`; at least one) as bars, coloured by family; the PNG as base64 text."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    top = rows[::-1]
    figure = Figure(figsize=(9.6, 0.24 * len(top) + 1.1), layout="constrained")
    ax = figure.subplots()
    places = np.arange(len(top))
    ax.barh(places, [row.contribution for row in top], color=[FAMILY_COLOURS.get(row.family, "#444444") for row in top])
    labels = [f"{label_of(row.feature)} · patch {row.patch} · {row.view}" for row in top]
    ax.set_yticks(places, labels, fontsize=8)
    ax.set_ylim(-0.7, len(top) - 0.3)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_xlabel("contribution to the logit (right: towards a positive finding)", fontsize=9)
    ax.grid(axis="x", color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.tick_params(axis="y", length=0)
    families = [family for family in FAMILY_COLOURS if any(row.family == family for row in top)]
    handles = [Patch(color=FAMILY_COLOURS[family], label=FAMILY_NAMES[family]) for family in families]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), fontsize=8, frameon=False)
    return png_of(figure)


def relevance_chart(rows_of_task: Mapping[str, Sequence["FingerprintRow"]]) -> str:
    """Draw the mean relevance q by patch, view and feature family, one colour per task; the PNG as base64 text."""
    from matplotlib.figure import Figure

    every = [row for rows in rows_of_task.values() for row in rows]
    patches = [str(patch) for patch in sorted({row.patch for row in every})]
    views = list(dict.fromkeys(row.view for row in every))
    families = [family for family in FAMILY_COLOURS if any(row.family == family for row in every)]
    figure = Figure(figsize=(9.6, 2.9), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True, width_ratios=[max(4, len(patches)), max(3, len(views)), len(families)])
    width = 0.8 / len(rows_of_task)
    for ax, title, keys in zip(axes, ("patch", "view", "family"), (patches, views, families), strict=True):
        for number, (task, rows) in enumerate(rows_of_task.items()):
            relevance: dict[str, list[float]] = {key: [] for key in keys}
            for row in rows:
                relevance[{"patch": str(row.patch), "view": row.view, "family": row.family}[title]].append(
                    row.relevance
                )
            means = [float(np.mean(relevance[key])) if relevance[key] else np.nan for key in keys]
            places = np.arange(len(keys)) + (number - (len(rows_of_task) - 1) / 2) * width
            colour = _TASK_COLOURS[number % len(_TASK_COLOURS)]
            ax.bar(places, means, width * 0.92, color=colour, label=task)
        names = [FAMILY_NAMES.get(key, key) for key in keys]
        ax.set_xticks(np.arange(len(keys)), names, fontsize=8, rotation=35 if title == "family" else 0)
        ax.set_title(f"by {title}", fontsize=9)
        ax.grid(axis="y", color="#dddddd", linewidth=0.6)
        ax.set_axisbelow(True)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    axes[0].set_ylabel("mean relevance q", fontsize=9)
    axes[0].set_ylim(0, None)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=min(4, len(labels)), fontsize=8, frameon=False)
    return png_of(figure)
