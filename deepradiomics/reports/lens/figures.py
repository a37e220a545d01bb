"""Figures 2 and 3 of the lens in the paper's form, and an overview of all features.

figure 2   R² of single modalities before and after, for the family with the highest R² after, a panel per task
figure 3   cases with their ROI beside the features that gained, lost and kept their importance (or explained spread)
overview   explained spread and importance, before against after, a dot per feature; mean shifts by family and modality
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.lens.readings import IMPORTANCE, Reading
from deepradiomics.lens.result import LensResult, Pick, Row
from deepradiomics.reports.canvas import GREY, new_figure, tidy, wrapped
from deepradiomics.reports.charts import FAMILY_COLOURS
from deepradiomics.reports.lens.case import LensCase, add_colour_bar, draw_map, draw_modality, window_of
from deepradiomics.reports.lens.tables import task_labels, tested_on
from deepradiomics.reports.lens.words import (
    DIFFERS,
    SHOWN_ORDER,
    STAGE_COLOURS,
    STAGES,
    differs,
    family_name,
    modality_name,
    two_lines,
)
from deepradiomics.words import number, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_PANELS_A_ROW = 4
_KEPT = 0.5  # a shift of more than this share of what was there is no keeping
_FAR = 20.0  # a typical importance changed by this factor: on one linear scale, the smaller ones could not be seen
GROUPS: tuple[Pick, ...] = ("top", "bottom", "stable")
_SYNTHETIC, _RED = "SYNTHETIC DATA", "#b00020"


def figure2(results: Sequence[LensResult]) -> Figure:
    """R² of each modality before and after fine-tuning, for each task's best family after fine-tuning."""
    columns = min(len(results), _PANELS_A_ROW)
    rows = -(-len(results) // columns)
    widest = max(len(result.modalities) for result in results)
    figure = new_figure(max(2.8, 0.85 * widest + 0.6) * columns + 0.4, 3.4 * rows + 0.4)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for ax, result, label in zip(panels, results, task_labels(results), strict=False):
        _modality_bars(ax, result, label)
    everything = [row["r2"] for shown in results for row in shown.modality_r2 if row["group"] == best_family(shown)]
    low, high = np.nanmin([0.0, *everything]), np.nanmax([0.1, *everything])
    panels[0].set_ylim(1.18 * low, max(1.0, high) if high > 0.55 else 1.25 * high)  # of all panels
    for ax in panels[::columns]:
        ax.set_ylabel("R² on test patients")
    for ax in panels[len(results) :]:
        ax.set_axis_off()
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    lines = [_SYNTHETIC] if any(result.about.get("synthetic") for result in results) else []
    lines += [wrapped(text, int(12 * figure.get_figwidth())) for text in [tested_on(results)] if text]
    if lines:
        figure.supxlabel("\n".join(lines), fontsize=9, color=_RED)
    return figure


def figure3(result: LensResult, cases: Sequence[LensCase] = (), by: Reading = IMPORTANCE) -> Figure:
    """Left the cases with their ROI (and a map, where one is given); right the features picked, with I and ΔI.

    With ``by=EXPLAINED`` the features picked by ΔE, with E and ΔE. Where ΔI is in doubt its figure says so.

    Raises:
        InputError: the result picked no feature.
    """
    picked = {group: result.picked(group, by) for group in GROUPS}
    lines = sum(len(rows) for rows in picked.values())
    if not lines:
        raise InputError(f"figure3: {result.folder / 'lens.json'} names no picked features that the shift table holds.")
    height = 0.46 * lines + 2.2
    if not cases:
        figure = new_figure(9.6, height)
        _feature_list(figure, result, picked, by)
        return _titled(figure, result, _figure3_note(result, by))
    rows, columns = _case_layout(cases)
    side = float(np.clip((height - 0.6) / rows - 0.45, 1.7, 3.1))
    width = columns * side + 0.9 + 0.7 * any(case.map is not None for case in cases)
    figure = new_figure(width + 9.2, max(height, rows * (side + 0.45) + 0.6))
    images, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(width, 9.2))[0]
    _case_panels(images, cases, rows, columns)
    _feature_list(right, result, picked, by)
    return _titled(figure, result, _figure3_note(result, by))


def overview_figure(result: LensResult) -> Figure:
    """All features: before against after, coloured by family, and the mean shift by family and modality.

    Explained spread above, importance below.
    """
    figure = new_figure(11.0, 10.4)
    parts = figure.subfigures(2, 1, squeeze=False)
    for part, by in zip(parts[:, 0], SHOWN_ORDER, strict=True):
        scatter, right = part.subplots(1, 2, width_ratios=(1.15, 1.0))
        _scatter(scatter, result, by)
        _heat_map(right, result, by)
    return _titled(figure, result)


def best_family(result: LensResult) -> str:
    """The family of figure 2: the one marked best in the result, else that with the highest mean R² after."""
    best = next((row["group"] for row in result.modality_r2 if row["best"] == 1), None)
    if best is not None:
        return str(best)
    families = [row for row in result.table1 if row["kind"] == "family"]
    if not families:
        raise InputError(f"figure2: {result.folder / 'modality_r2.csv'} marks no best family.")
    return str(max(families, key=lambda row: row["r2_ft"])["group"])


def group_title(group: Pick, rows: Sequence[Row], by: Reading = IMPORTANCE) -> str:
    """What a group of picked features has in common; it is claimed only where the numbers bear it out.

    Gain and loss: every shift has that sign, and the permutation null does not call all of them alike. Kept: none has
    changed by more than half of what it was.
    """
    if group == "stable":
        size = f"mallest |{by.shift}|"
        changed = any(abs(row[by.delta]) > _KEPT * row[by.before] for row in rows)
        return f"S{size}" if changed else f"Kept their {by.words} (s{size})"
    size, verb, sign = ("largest", "Gained", 1) if group == "top" else ("smallest", "Lost", -1)
    if all(differs(row, by) is False for row in rows):
        return f"{size.capitalize()} {by.shift} (none with q < 0.05)"
    return (
        f"{verb} {by.words} ({size} {by.shift})"
        if all(sign * row[by.delta] > 0 for row in rows)
        else f"{size.capitalize()} {by.shift}"
    )


def _modality_bars(ax: Axes, result: LensResult, label: str) -> None:
    family = best_family(result)
    values = {(r["modality"], r["stage"]): r["r2"] for r in result.modality_r2 if r["group"] == family}
    place = np.arange(len(result.modalities))
    for i, (stage, name) in enumerate(STAGES.items()):
        heights = np.array([values.get((modality, stage), np.nan) for modality in result.modalities])
        bars = ax.bar(place + (i - 0.5) * 0.38, heights, 0.36, label=name, color=STAGE_COLOURS[stage])
        for bar, height in zip(bars, heights, strict=True):
            bar.set(hatch=("", "///")[i], edgecolor="white", linewidth=0)
            if np.isfinite(height):
                up = height >= 0
                ax.annotate(
                    number(float(height), 2),
                    (bar.get_x() + bar.get_width() / 2, height),
                    (0, 2 if up else -2),
                    textcoords="offset points",
                    ha="center",
                    va="bottom" if up else "top",
                    fontsize=7.5,
                )
    tidy(ax, f"{wrapped(label, 30)}\n{family} features")
    ax.set_xticks(place, [modality_name(name) for name in result.modalities])
    ax.set_xlim(-0.6, len(place) - 0.4)
    ax.grid(axis="x", visible=False)
    ax.axhline(0, color="black", linewidth=0.8)


def _figure3_note(result: LensResult, by: Reading) -> str:
    return (
        f"{result.doubt.partition(' (')[0]}. See ΔE (figure3_explained)." if result.doubt and by == IMPORTANCE else ""
    )


def _feature_list(
    figure: Figure | SubFigure, result: LensResult, picked: Mapping[Pick, list[Row]], by: Reading
) -> None:
    """Bars of the reading before and after, and its shift with its interval, for each picked feature; groups apart."""
    place: list[float] = []
    rows: list[Row] = []
    heads: list[tuple[float, str]] = []
    y = 0.0
    for group, ones in picked.items():
        if ones:
            heads.append((y, group_title(group, ones, by)))
            y += 0.9
        for row in ones:
            rows.append(row)
            place.append(y)
            y += 1.0
        y += 0.35
    at = np.array(place)
    bars, shift = figure.subplots(1, 2, sharey=True, width_ratios=(1.0, 1.0))
    for i, ((stage, name), column) in enumerate(zip(STAGES.items(), (by.before, by.after), strict=True)):
        values = [row[column] for row in rows]
        label = f"{by.symbol}, {name.lower()}"
        drawn = bars.barh(at + (i - 0.5) * 0.38, values, 0.36, color=STAGE_COLOURS[stage], label=label)
        for bar in drawn:
            bar.set(hatch=("", "///")[i], edgecolor="white", linewidth=0)
    tidy(bars, "", f"{by.words} {by.symbol}")
    bars.set_yticks(at, [two_lines(row["modality"], row["feature"]) for row in rows], fontsize=8)
    bars.tick_params(axis="y", length=0)
    bars.set_ylim(y - 0.2, -0.6)
    spread = any(np.isfinite(row[f"{by.delta}_low"]) for row in rows)
    tidy(shift, "", f"{by.shift} with its 95 % interval" if spread else f"{by.shift} (no intervals were computed)")
    shift.axvline(0, color="black", linewidth=0.8)
    for where, row in zip(at, rows, strict=True):
        _shift_point(shift, float(where), row, by)
    shift.tick_params(axis="y", length=0)
    for ax in (bars, shift):
        ax.grid(axis="y", visible=False)
        for head, text in heads:
            ax.axhline(head - 0.42, color="#BBBBBB", linewidth=0.8)
            if ax is bars:
                ax.annotate(
                    text, (0, head), xycoords=("axes fraction", "data"), fontsize=9.5, fontweight="bold",
                    va="center", ha="left", xytext=(4, 0), textcoords="offset points",
                )  # fmt: skip
    shift.margins(x=0.08)
    handles, names = bars.get_legend_handles_labels()
    extra, meanings = _noise_legend(result, by)
    figure.legend(
        [*handles, *extra], [*names, *meanings], loc="outside lower center", ncols=2, frameon=False, fontsize=8
    )


def _shift_point(ax: Axes, y: float, row: Row, by: Reading) -> None:
    """The shift, its interval, its value; filled where it differs between the encoders by the null."""
    delta, low, high = row[by.delta], row[f"{by.delta}_low"], row[f"{by.delta}_high"]
    apart = differs(row, by)
    colour = GREY if apart is False else "black"
    if np.isfinite(low) and np.isfinite(high):
        ax.plot([low, high], [y, y], color=colour, linewidth=1.4, solid_capstyle="butt")
    ax.plot([delta], [y], marker="o", markersize=6, color=colour, markerfacecolor="white" if apart is False else colour)
    ax.annotate(
        signed(delta),
        (1.02, y),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=8,
        color=colour,
        fontweight="bold" if apart else "normal",
    )


def _noise_legend(result: LensResult, by: Reading) -> tuple[list[Any], list[str]]:
    from matplotlib.lines import Line2D

    def mark(filled: bool) -> Line2D:
        colour = "black" if filled else GREY
        return Line2D([], [], color=colour, marker="o", markerfacecolor=colour if filled else "white", linewidth=1.4)

    if not result.has_null:
        return [mark(True)], [f"{by.shift} (no permutation null was computed)"]
    meanings = [f"{by.shift} {DIFFERS}", f"{by.shift} does not"]
    return [mark(True), mark(False)], meanings


def _case_layout(cases: Sequence[LensCase]) -> tuple[int, int]:
    """Rows and columns: one case fills two columns; several have a row each, the map last."""
    panels = [len(case.images) + (case.map is not None) for case in cases]
    return (-(-panels[0] // 2), min(2, panels[0])) if len(cases) == 1 else (len(cases), max(panels))


def _case_panels(figure: SubFigure, cases: Sequence[LensCase], rows: int, columns: int) -> None:
    """Each case's modalities with the ROI, then the map over its modality."""
    axes = figure.subplots(rows, columns, squeeze=False)
    lines = [axes.ravel()] if len(cases) == 1 else list(axes)
    for line, case in zip(lines, cases, strict=True):
        window = window_of(case)
        used = len(case.images)
        for ax, modality in zip(line, case.images, strict=False):
            draw_modality(ax, case, modality, window)
        if case.map is not None:
            colours = draw_map(line[used], case, window)
            add_colour_bar(figure, line[used], colours, case)
            used += 1
        for ax in line[used:]:
            ax.set_axis_off()
        name = f"{case.title}, {case.roi_note}" if case.roi_note else case.title
        line[0].annotate(
            wrapped(name, 34), (-0.04, 0.5), xycoords="axes fraction", rotation=90, ha="right", va="center", fontsize=9
        )


def _scatter(ax: Axes, result: LensResult, by: Reading) -> None:
    before, after = (np.array([row[column] for row in result.shift]) for column in (by.before, by.after))
    families = [family for family in FAMILY_COLOURS if any(row["family"] == family for row in result.shift)]
    families += [f for f in dict.fromkeys(row["family"] for row in result.shift) if f not in families]
    noise = np.array([differs(row, by) is False for row in result.shift])
    low, limit = 0.0, 1.05 * float(max(before.max(), after.max()))
    if min(before.min(), after.min()) > 0 and not 1 / _FAR < np.median(after) / np.median(before) < _FAR:
        low, limit = float(min(before.min(), after.min())) / 1.5, 1.5 * limit
        ax.set(xscale="log", yscale="log")
    ax.plot([low, limit], [low, limit], color=GREY, linewidth=0.9, linestyle="--")
    for i, family in enumerate(families):
        ones = np.array([row["family"] == family for row in result.shift])
        colour = FAMILY_COLOURS.get(family, "#444444")
        marker = "osD^vP"[i % 6]
        ax.scatter(before[ones & noise], after[ones & noise], 12, marker=marker, facecolors="none", edgecolors=colour,
                   linewidths=0.5, alpha=0.55)  # fmt: skip
        ax.scatter(before[ones & ~noise], after[ones & ~noise], 18, marker=marker, color=colour, linewidths=0,
                   label=family_name(family))  # fmt: skip
    tidy(
        ax,
        f"{by.words.capitalize()} {by.symbol} of {len(result.shift)} features",
        f"{by.symbol} before fine-tuning",
        f"{by.symbol} after fine-tuning",
    )
    ax.set(xlim=(low, limit), ylim=(low, limit), aspect="equal")
    ax.annotate("gained", (0.03, 0.97), xycoords="axes fraction", va="top", fontsize=9, color=GREY)
    ax.annotate("lost", (0.97, 0.03), xycoords="axes fraction", ha="right", fontsize=9, color=GREY)
    handles, names = ax.get_legend_handles_labels()
    meaning = f"filled: {by.shift} {DIFFERS}" if result.has_null else "no permutation null was computed"
    ax.legend(
        handles, names, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, fontsize=8, frameon=False,
        title=meaning, title_fontsize=8,
    )  # fmt: skip


def _heat_map(ax: Axes, result: LensResult, by: Reading) -> None:
    families = list(dict.fromkeys(row["family"] for row in result.shift))
    families.sort(key=lambda family: list(FAMILY_COLOURS).index(family) if family in FAMILY_COLOURS else 99)
    mean = np.full((len(families), len(result.modalities)), np.nan)
    for i, j in np.ndindex(mean.shape):
        some = [
            r[by.delta] for r in result.shift if (r["family"], r["modality"]) == (families[i], result.modalities[j])
        ]
        mean[i, j] = np.mean(some) if some else np.nan
    reach = float(np.nanmax(np.abs(mean))) or 1.0
    shown = ax.imshow(mean, cmap="PuOr_r", vmin=-reach, vmax=reach, aspect="auto")
    for i, j in np.ndindex(mean.shape):
        if np.isfinite(mean[i, j]):
            colour = _ink(shown.to_rgba(mean[i, j]))
            ax.text(j, i, signed(float(mean[i, j])), ha="center", va="center", fontsize=9, color=colour)
    ax.set_xticks(range(len(result.modalities)), [modality_name(name) for name in result.modalities])
    ax.set_yticks(range(len(families)), [family_name(name) for name in families])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title(f"Mean {by.shift} by family and modality", fontsize=11)
    bar = ax.figure.colorbar(shown, ax=ax, fraction=0.05, pad=0.03)
    bar.set_label(f"mean {by.shift} (orange: gained, purple: lost)", fontsize=9)
    bar.ax.tick_params(labelsize=8)


def _ink(colour: Any) -> str:
    """White or black letters, whichever stand out more from a colour (relative luminance, WCAG 2)."""
    linear = np.where((rgb := np.array(colour[:3])) <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return "white" if float(linear @ (0.2126, 0.7152, 0.0722)) < 0.179 else "black"


def _titled(figure: Figure, result: LensResult, note: str = "") -> Figure:
    synthetic = bool(result.about.get("synthetic"))
    text = f"{result.task}: what fine-tuning changed{f'   {_SYNTHETIC}' if synthetic else ''}"
    figure.suptitle(wrapped(text, 80), fontsize=12, color=_RED if synthetic else "black")
    if note:
        figure.supxlabel(wrapped(note, int(12 * figure.get_figwidth())), fontsize=9, color=_RED)
    return figure
