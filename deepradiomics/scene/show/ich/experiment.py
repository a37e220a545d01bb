"""Show the output of `ich experiment` in the scene: its tables, and a chart of the AUC by input and classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.ich.experiment.result import KIND, read_about
from deepradiomics.reports.column_titles import columns
from deepradiomics.scene.nodes.atomic import all_or_nothing
from deepradiomics.scene.nodes.export import columns_of
from deepradiomics.scene.nodes.plots import COLOURS, LEGEND_LETTERS, Series, add_bars, new_chart
from deepradiomics.scene.nodes.tables import add_table, table_of_csv
from deepradiomics.scene.tree.folder import result_folder_item
from deepradiomics.scene.tree.provenance import stamp
from deepradiomics.scene.tree.roles import role
from deepradiomics.words import REAL_HEAD_SHORT

ROLE = "DeepRadiomics.experiment."  # from the summary to the other nodes
TABLES = {  # file in tables/: name of the node, first those that are always there
    "summary": "AUC",
    "differences": "AUC differences",
    "friedman": "Friedman test",
    "wilcoxon": "Wilcoxon tests",
    "sex": "AUC by sex",
    "calibration": "Calibration",
    "shap_groups": "SHAP by group",
    "shap_components": "SHAP by component",
    "cohort": "Cohorts",
}
COHORTS = {"auc_mean": "validation", "external_auc": "external"}
MORE_COLOURS = (*COLOURS, (0.337, 0.706, 0.914))  # six classifiers
# What of experiment.json goes onto the nodes: nothing that names a file.
KEPT = ("seed", "synthetic", "leaking", "folds", "warnings", "bundle")


@dataclass(frozen=True, eq=False)
class ExperimentNodes:
    """The nodes of one experiment.

    Attributes
    ----------
    tables
        Table nodes by the name of their file ("summary", "differences", …).
    charts
        Plot chart nodes by (outcome, "validation" or "external").
    folder_item
        The subject-hierarchy item ID of the folder that holds them all.
    notes
        Leaking and synthetic first, then the run's warnings.
    """

    tables: Mapping[str, Any]
    charts: Mapping[tuple[str, str], Any]
    folder_item: int
    notes: tuple[str, ...] = ()


def show_experiment(result_folder: Path, scene: Any) -> ExperimentNodes:
    """Add the tables and charts of an experiment to the scene.

    Raises
    ------
    InputError
        The folder is incomplete or damaged; the message names the file. Whatever fails, nothing is left in the scene.
    """
    folder = Path(result_folder)
    about = read_about(folder)
    titles = {
        key: {str(entry["name"]): str(entry.get("title", entry["name"])) for entry in about.get(key, ())}
        for key in ("outcomes", "inputs", "classifiers")
    }
    files = {name: folder / "tables" / f"{name}.csv" for name in TABLES}
    with all_or_nothing(scene):
        tables = {
            name: table_of_csv(scene, path, f"Experiment: {TABLES[name]}", columns(f"experiment {name}", "help"))
            for name, path in files.items()
            if path.is_file() or name == "summary"
        }
        rows = columns_of(tables["summary"])
        lacking = [name for name in ("outcome", "input", "classifier", "auc_mean") if name not in rows]
        if lacking:
            raise InputError(f"{files['summary']} has no column {lacking[0]}; run the experiment again")
        charts, data = {}, []
        for outcome in dict.fromkeys(rows["outcome"]):
            for column, cohort in COHORTS.items():
                if any(isinstance(value, float) for value in rows.get(column, ())):
                    charts[outcome, cohort], table = _auc_chart(scene, rows, outcome, column, cohort, titles)
                    data.append(table)
        notes = _notes(about)
        stamped = {key: about[key] for key in KEPT if about.get(key) is not None}
        everything = [*tables.values(), *charts.values(), *data]
        others = [node for name, node in tables.items() if name != "summary"]
        for node in everything:
            stamp(node, about, **(stamped | {"kind": KIND, "shown_notes": list(notes)}))
        for (outcome, cohort), chart in charts.items():
            tables["summary"].SetNodeReferenceID(role(f"{ROLE}{cohort}.", outcome), chart.GetID())
        subfolders = {"Tables": others, "Charts": charts.values()}
        item = result_folder_item(scene, _folder_name(about), [tables["summary"]], subfolders)
        return ExperimentNodes(tables, charts, item, notes)


def _auc_chart(
    scene: Any,
    rows: Mapping[str, Sequence[Any]],
    outcome: str,
    column: str,
    cohort: str,
    titles: Mapping[str, Mapping[str, str]],
) -> tuple[Any, Any]:
    """A group of bars per input, a bar per classifier; Slicer writes no names below bars: the axis title lists them."""
    here = [row for row, name in enumerate(rows["outcome"]) if name == outcome]
    inputs = list(dict.fromkeys(rows["input"][row] for row in here))
    classifiers = list(dict.fromkeys(rows["classifier"][row] for row in here))
    value = {(rows["input"][row], rows["classifier"][row]): rows[column][row] for row in here}
    none = float("nan")
    shown: dict[str, list[Any]] = {"number": list(range(1, len(inputs) + 1)), "input": inputs}
    for classifier in classifiers:
        areas = [value.get((input_, classifier)) for input_ in inputs]
        shown[classifier] = [none if area is None else area for area in areas]
    title = titles["outcomes"].get(outcome, outcome)
    name = f"AUC, {cohort}: {title}"
    types: dict[str, type] = {"number": int, "input": str, **dict.fromkeys(classifiers, float)}
    table = add_table(scene, f"{name} data", shown, types, {"number": "The input's place on the axis"})
    chart = new_chart(scene, name, x=input_numbers(inputs), y="AUC")
    chart.SetLegendFontSize(LEGEND_LETTERS)
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0.4, 0.6 + 1.4 * len(inputs))  # on the right lies the legend
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 1.0)
    for at, classifier in enumerate(classifiers):
        label = titles["classifiers"].get(classifier, classifier)
        bars = Series(table, label, classifier, MORE_COLOURS[at % len(MORE_COLOURS)], "number")
        add_bars(scene, chart, bars, names="input")
    return chart, table


def input_numbers(inputs: Sequence[str]) -> str:
    """Which number on the axis is which input, short enough for a narrow plot view.

    >>> input_numbers(("radiomics", "latents", "radiomics+latents"))
    '1: radiomics  2: latents  3: 1+2'
    """
    number_of = {name: str(number) for number, name in enumerate(inputs, start=1)}
    short = [
        "+".join(number_of.get(part, part) for part in name.split("+")) if "+" in name else name for name in inputs
    ]
    return "  ".join(f"{number}: {name}" for number, name in enumerate(short, start=1))


def _folder_name(about: Mapping[str, Any]) -> str:
    name = "Haemorrhage experiment"
    if about.get("leaking"):
        name += " (LEAKING)"
    return f"{name} (SYNTHETIC)" if about.get("synthetic") else name


def _notes(about: Mapping[str, Any]) -> tuple[str, ...]:
    notes = []
    if about.get("leaking"):
        notes.append("LEAKING: latents come from networks that had seen these patients; the numbers are too good")
    if about.get("synthetic"):
        notes.append("SYNTHETIC data: means nothing clinically")
    if about.get("real_head"):
        notes.append(f"SYNTHETIC haematomas ({REAL_HEAD_SHORT}): treat the images as a person's")
    return tuple(dict.fromkeys([*notes, *map(str, about.get("warnings") or ())]))
