"""What the results section shows of a lens: the summary above the tables, the rows of features and of families."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from deepradiomics.files.tables import read_csv
from deepradiomics.scene.job.runner import FOLDER_ATTRIBUTE
from deepradiomics.scene.nodes.export import columns_of
from deepradiomics.scene.panel.feature_names import label_and_tip
from deepradiomics.scene.show.lens.tables import explained
from deepradiomics.scene.tree.provenance import read_stamp

ROWS_SHOWN = 500
SHIFT_COLUMNS = (  # of the table node, in the order of the list
    "feature", "modality", "delta_explained", "q_explained", "r2_pre", "r2_ft", "delta_i", "q_null", "explained_pre",
    "explained_ft", "i_pre", "i_ft", "rank_explained",
)  # fmt: skip
BAR_COLUMN = SHIFT_COLUMNS.index("delta_explained")
FAMILY_BARS = (2, 3)  # columns of the list of families
ASCENDING = ("feature", "modality", "q_null", "q_explained", "rank_explained")  # by a first click on their header


def shift_headers() -> list[str]:
    """Headers of the list of features."""
    return [
        _("Feature"), _("Mod."), "ΔE", "q ΔE", _("R²\nbefore"), _("R²\nafter"), "ΔI", "q ΔI", _("E before"),
        _("E after"), _("I before"), _("I after"), _("Rank"),
    ]  # fmt: skip


@dataclass(frozen=True)
class ShiftRows:
    """The rows of a shift table that fit a filter, in the table's order.

    Attributes
    ----------
    keys
        (modality, feature) of each.
    texts, tips
        What the list shows of each, cell by cell, and its tooltip.
    shifts
        ΔE of each; None where it is not known.
    matches
        Number of rows that fit; no more than ROWS_SHOWN are listed.
    every
        (modality, feature) of the whole table.
    """

    keys: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, ...], ...] = ()
    tips: tuple[str, ...] = ()
    shifts: tuple[float | None, ...] = ()
    matches: int = 0
    every: frozenset[tuple[str, str]] = frozenset()


def shift_rows(table: Any, search: str) -> ShiftRows:
    """The rows whose name, family, image type or modality hold every word."""
    columns = columns_of(table)
    terms = search.lower().split()
    matching = [row for row in range(len(columns["feature"])) if _holds(columns, row, terms)]
    shown = matching[:ROWS_SHOWN]
    return ShiftRows(
        tuple((columns["modality"][row], columns["feature"][row]) for row in shown),
        tuple(tuple(_cell(column, columns[column][row]) for column in SHIFT_COLUMNS) for row in shown),
        tuple(_tip(columns, row) for row in shown),
        tuple(columns["delta_explained"][row] for row in shown),
        len(matching),
        frozenset(zip(columns["modality"], columns["feature"], strict=True)),
    )


def count_text(rows: ShiftRows) -> str:
    """The number of rows in the list."""
    if rows.matches > len(rows.keys):
        return _("{shown} of {count} rows; sort or search to see others").format(
            shown=len(rows.keys), count=rows.matches
        )
    if rows.matches < len(rows.every):
        return _("{count} of {total} rows").format(count=rows.matches, total=len(rows.every))
    return _("{total} rows").format(total=len(rows.every))


def family_headers() -> list[str]:
    """Headers of the list of families."""
    return [_("Group"), "n", _("R²\nbefore"), _("R²\nafter"), _("p after\nHolm")]


def family_rows(table: Any) -> list[tuple[str, ...]]:
    """The rows of a family table: families, image types, modalities, all."""
    columns = columns_of(table)
    return [
        (
            str(columns["group"][row]),
            str(columns["n_features"][row]),
            _number(columns["r2_pre"][row]),
            _number(columns["r2_ft"][row]),
            f"{_number(columns['p_holm'][row], 2)} {columns['stars'][row]}".strip(),
        )
        for row in range(len(columns["group"]))
    ]


def family_r2(table: Any) -> tuple[list[float | None], list[float | None]]:
    """R² before and after fine-tuning of the rows of a family table."""
    columns = columns_of(table)
    return list(columns["r2_pre"]), list(columns["r2_ft"])


def summary_text(table: Any) -> str:
    """The lens in a few lines of rich text; what makes it untrustworthy in red."""
    if table is None:
        return escape(_("Nothing fitted or opened yet."))
    about = read_stamp(table)
    summary, counts = about.get("summary") or {}, about.get("counts") or {}
    task, modalities = str(about.get("task") or _("Fine-tuning")), ", ".join(about.get("modalities") or ())
    lines = [f"<b>{escape(task)}</b>: {escape(modalities)}; ROI {escape(lens_roi(table))}"]
    lines.append(
        escape(
            _("{train} training, {validation} validation, {test} test cases").format(
                **{name: counts.get(name, "?") for name in ("train", "validation", "test")}
            )
        )
    )
    pooled = [summary.get(f"r2_pooled_{stage}") for stage in ("pre", "ft")]
    lines.append(escape(_("R² pooled: {pre} before, {ft} after").format(pre=_number(pooled[0]), ft=_number(pooled[1]))))
    differ = summary.get("n_beyond_noise")
    if differ is None:
        lines.append(escape(_("No permutations: which ΔE and ΔI differ between the encoders is not known.")))
    else:
        lines.append(escape(_("{explained} ΔE and {importance} ΔI of {all} differ between the two encoders "
            "(permutation, q < 0.05)").format(
            importance=differ, explained=summary.get("n_beyond_noise_explained", "?"),
            all=summary.get("n_features", table.GetNumberOfRows()))))  # fmt: skip
    if summary.get("doubt"):
        lines.append(_red(str(summary["doubt"])))
    if about.get("synthetic"):
        lines.append(_red(_("SYNTHETIC data: means nothing clinically.")))
    leakage = str(about.get("leakage") or "")
    if leakage:
        lines.append(_red(leakage) if "LEAKAGE" in leakage else escape(leakage))
    return "<br>".join(lines)


def lens_modalities(table: Any) -> tuple[str, ...]:
    """The lens's modalities, in its order."""
    return tuple(read_stamp(table).get("modalities") or ()) if table is not None else ()


def lens_roi(table: Any) -> str:
    """The name of the region that the lens measured."""
    about = read_stamp(table) if table is not None else {}
    return str(about.get("roi") or (about.get("config") or {}).get("roi") or "")


def lens_folder(table: Any) -> Path | None:
    """Where the lens's files are; None if they are not there any more."""
    name = table.GetAttribute(FOLDER_ATTRIBUTE) if table is not None else None
    return Path(name) if name and (Path(name) / "lens.json").is_file() else None


def lens_cases(folder: Path | None) -> list[tuple[str, str]]:
    """(id, split) of the lens's cases, those of the test split first."""
    file = folder / "cases.csv" if folder is not None else None
    if file is None or not file.is_file():
        return []
    cases = [(row.get("id", ""), row.get("split", "")) for row in read_csv(file).rows]
    return sorted((case for case in cases if case[0]), key=lambda case: case[1] != "test")


def feature_text(modality: str, feature: str) -> str:
    """A feature as a person would name it."""
    return f"{explained(feature).label or feature} · {modality}"


def _holds(columns: Mapping[str, Sequence[Any]], row: int, terms: Sequence[str]) -> bool:
    if not terms:
        return True
    names = " ".join(str(columns[name][row]) for name in ("modality", "feature", "family", "image_type"))
    text = f"{names} {explained(columns['feature'][row]).label}".lower()
    return all(term in text for term in terms)


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "–"
    if column == "feature":
        return label_and_tip(str(value))[0]
    if column in ("delta_i", "delta_explained"):
        return f"{value:+.3f}" if abs(value) < 100 else f"{value:+.0f}"
    if column in ("q_null", "q_explained"):
        return f"{value:.2g}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _tip(columns: Mapping[str, Sequence[Any]], row: int) -> str:
    shifts = ""
    for symbol, name in (("ΔE", "delta_explained"), ("ΔI", "delta_i")):
        low, high = columns[f"{name}_low"][row], columns[f"{name}_high"][row]
        shifts += f"\n{symbol} {_number(columns[name][row])}"
        if low is not None:
            shifts += _(" (95 % interval {low} to {high})").format(low=_number(low), high=_number(high))
    r2 = _("\nR² {pre} before, {ft} after").format(
        pre=_number(columns["r2_pre"][row]), ft=_number(columns["r2_ft"][row])
    )
    return f"{columns['modality'][row]}: {columns['feature'][row]}. {columns['description'][row]}{shifts}{r2}"


def _number(value: Any, digits: int = 3) -> str:
    return "–" if value is None or value != value else f"{value:.{digits}g}" if digits == 2 else f"{value:.{digits}f}"


def _red(text: str) -> str:
    return f'<span style="color:#c0392b">{escape(text)}</span>'
