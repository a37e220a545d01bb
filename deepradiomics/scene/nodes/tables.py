"""Tables of a result as table nodes with typed columns, each with a sentence that says what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import slicer  # noqa: F401 - registers the node classes
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from deepradiomics.errors import InputError
from deepradiomics.files.tables import read_csv
from deepradiomics.fingerprint.apply.result import COLUMNS as FINGERPRINT_COLUMNS
from deepradiomics.radiomics.catalogue.explain import Explained
from deepradiomics.reports import column_titles
from deepradiomics.scene.tree.names import cell_text, node_name
from deepradiomics.scene.tree.outside import is_outside, outside_words

FINGERPRINT_HELP = {
    "task": "What is predicted",
    "feature": "PyRadiomics name of the feature",
    "view": "Image view the feature was computed on",
    "patch": "Patch of the ROI, counted from 1; x fastest, then y, then z",
    "family": "Feature family: shape, firstorder, glcm, glrlm, glszm, gldm or ngtdm",
    "value": "The feature's value",
    "z": "The value in standard deviations from the training cohort's mean",
    "relevance": "Relevance of the feature to this patient, 0 to 1, from the relevance network",
    "selected": "1 if the relevance reaches the task's threshold: the feature is in this patient's fingerprint",
    "contribution": "What the feature adds to the task's logit; positive speaks for the finding",
}
FEATURE_HELP = {
    "label": "Label of the region in the mask",
    "region": "Name of the segment or patch",
    "terminology": "What the segment is said to be: category / type / modifier; empty where nobody has said",
    "feature": "PyRadiomics name of the feature",
    "family": "Feature family: shape, firstorder, glcm, glrlm, glszm, gldm or ngtdm",
    "value": "The feature's value; empty where it is not defined for this region",
    "unit": "Unit of the value, where it has one",
    "IBSI": "Code of the feature in the reference manual of the Image Biomarker Standardisation Initiative",
    "description": "What the feature measures, and on which filtered image",
}
REGION_HELP = {name: FEATURE_HELP[name] for name in ("label", "region", "terminology")}
PREDICTION_HELP = {
    "task": "What is predicted",
    "class": "Class the row's probability is for",
    "probability": "Probability of the class",
    "predicted": "1 if this class is the prediction; empty outside the training cohort",
    "decision_threshold": "Probability from which a binary task is called positive",
    "paper": "Probability with the inference of the paper",
    "masked": "Probability with unselected features set to their mean",
    "soft": "Probability with features weighted by their relevance",
    "relevance_threshold": "Relevance from which a feature is selected",
    "selected": "Number of selected features",
    "pool": "Number of features in the pool",
    "remark": "Why no class is given, where the case lies outside the training cohort",
}


FEATURE_COLUMNS: dict[str, type] = {"label": int, "feature": str, "family": str, "value": float}
"""Columns of features.csv, and what they hold."""


def add_table(
    scene: Any,
    name: str,
    columns: Mapping[str, Sequence[Any]],
    types: Mapping[str, type],
    help_: Mapping[str, str],
    titles: Mapping[str, str] | None = None,
) -> Any:
    """Add a table node: `columns` by name, of one length; `types`: str, int or float for each.

    `help_` describes the columns; `titles` stand above them, with their units (`deepradiomics.reports.column_titles`).
    """
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", node_name(name))
    fill_table(node, columns, types, help_)
    for column in columns:
        if titles and column in titles:
            node.SetColumnTitle(column, titles[column])
    return node


def fill_table(
    node: Any, columns: Mapping[str, Sequence[Any]], types: Mapping[str, type], help_: Mapping[str, str] | None = None
) -> None:
    """Replace a table node's content."""
    modifying = node.StartModify()
    node.RemoveAllColumns()
    node.SetUseColumnTitleAsColumnHeader(True)  # the title is the name where none is given
    for name, values in columns.items():
        kind = types[name]
        if kind is str:
            array = vtk.vtkStringArray()
            array.SetNumberOfValues(len(values))
            for row, value in enumerate(values):
                array.SetValue(row, cell_text(value))
        else:
            numbers = np.asarray(values, dtype=np.int32 if kind is int else np.float64)
            array = numpy_to_vtk(numbers, deep=True, array_type=vtk.VTK_INT if kind is int else vtk.VTK_DOUBLE)
        array.SetName(name)
        node.AddColumn(array)
        node.SetColumnType(name, {str: vtk.VTK_STRING, int: vtk.VTK_INT, float: vtk.VTK_DOUBLE}[kind])
        if help_ and name in help_:
            node.SetColumnDescription(name, help_[name])
    node.EndModify(modifying)


def column_of(node: Any, name: str) -> list[Any] | None:
    """A column's values as the node has them; None where there is no such column, or no node."""
    column = node.GetTable().GetColumnByName(name) if node is not None else None
    return [column.GetValue(row) for row in range(column.GetNumberOfValues())] if column is not None else None


def sort_rows(node: Any, column: str, *, descending: bool = True) -> None:
    """Put a table node's rows in the order of a column, numbers as numbers, empty cells last; equal rows keep theirs.

    Slicer's own table view compares numbers as text. Raises InputError if there is no such column.
    """
    table = node.GetTable()
    values = table.GetColumnByName(column)
    if values is None:
        names = ", ".join(table.GetColumnName(index) for index in range(table.GetNumberOfColumns()))
        raise InputError(f"the table '{node.GetName()}' has no column '{column}'; it has {names}")
    cells = [values.GetValue(row) for row in range(values.GetNumberOfValues())]
    empty = [cell == "" or cell != cell for cell in cells]
    filled = sorted(
        (row for row in range(len(cells)) if not empty[row]), key=lambda row: cells[row], reverse=descending
    )  # sorted() keeps the order of equal rows, reversed or not
    order = [*filled, *(row for row in range(len(cells)) if empty[row])]
    from_rows, to_rows = vtk.vtkIdList(), vtk.vtkIdList()
    for to, row in enumerate(order):
        from_rows.InsertNextId(row)
        to_rows.InsertNextId(to)
    modifying = node.StartModify()
    for index in range(table.GetNumberOfColumns()):
        old = table.GetColumn(index)
        new = old.NewInstance()
        new.DeepCopy(old)
        old.InsertTuples(to_rows, from_rows, new)
        old.Modified()
    table.Modified()
    node.EndModify(modifying)


def fingerprint_table(scene: Any, name: str, columns: Mapping[str, Sequence[Any]]) -> Any:
    """fingerprint.csv as a table node."""
    return add_table(scene, name, columns, FINGERPRINT_COLUMNS, FINGERPRINT_HELP, column_titles.FINGERPRINT)


def feature_table(
    scene: Any,
    name: str,
    columns: Mapping[str, Sequence[Any]],
    regions: Mapping[int, str],
    about: Mapping[str, Explained],
    terminologies: Mapping[int, str] | None = None,
) -> Any:
    """features.csv as a table node: one row per region and feature, with unit, IBSI code and what the feature measures.

    `regions` names the labels, `terminologies` says what they are (None: no such column); `about` explains features.
    """
    explained = [about[feature] for feature in columns["feature"]]
    shown = {
        "label": columns["label"],
        "region": [regions.get(label, "") for label in columns["label"]],
        **_terminology_column(columns["label"], terminologies),
        "feature": columns["feature"],
        "family": columns["family"],
        "value": columns["value"],
        "unit": [feature.unit for feature in explained],
        "IBSI": [feature.ibsi for feature in explained],
        "description": [feature.text for feature in explained],
    }
    types = {**dict.fromkeys(shown, str), **FEATURE_COLUMNS}
    return add_table(scene, name, shown, types, FEATURE_HELP, column_titles.MEASURED)


def region_table(
    scene: Any,
    name: str,
    columns: Mapping[str, Sequence[Any]],
    regions: Mapping[int, str],
    about: Mapping[str, Explained],
    terminologies: Mapping[int, str] | None = None,
) -> Any:
    """The same values with one row per region and one column per feature.

    Slicer shows a column's title, unit, description and properties as the tooltip of its header and of each cell.
    """
    labels, features = list(dict.fromkeys(columns["label"])), list(dict.fromkeys(columns["feature"]))
    row_of = {label: row for row, label in enumerate(labels)}
    values = {feature: [float("nan")] * len(labels) for feature in features}
    for label, feature, value in zip(columns["label"], columns["feature"], columns["value"], strict=True):
        values[feature][row_of[label]] = value
    shown: dict[str, Sequence[Any]] = {"label": labels, "region": [regions.get(label, "") for label in labels]}
    shown |= _terminology_column(labels, terminologies)
    types: dict[str, type] = {**dict.fromkeys(shown, str), "label": int, **dict.fromkeys(features, float)}
    node = add_table(scene, name, shown | values, types, REGION_HELP)
    explain_columns(node, about)
    return node


def explain_columns(node: Any, about: Mapping[str, Explained]) -> None:
    """Give each column that is a feature its short name, unit, sentence and IBSI code."""
    modifying = node.StartModify()
    for feature, explained in about.items():
        node.SetColumnTitle(feature, explained.label)
        node.SetColumnUnitLabel(feature, explained.unit)
        node.SetColumnDescription(feature, _sentences(explained))
        if explained.ibsi:
            node.SetColumnProperty(feature, "IBSI", explained.ibsi)
    node.EndModify(modifying)


def _terminology_column(labels: Sequence[int], terminologies: Mapping[int, str] | None) -> dict[str, list[str]]:
    return {} if terminologies is None else {"terminology": [terminologies.get(label, "") for label in labels]}


def _sentences(about: Explained) -> str:
    """What a feature and its image say; unit and code stand in fields of their own."""
    image = f" Image: {about.image_sentence}" if about.image != "original" and about.image_sentence else ""
    return about.sentence + image


def prediction_table(scene: Any, name: str, prediction: Mapping[str, Any]) -> Any:
    """prediction.json as a table node: a row per task, or per class of a multi-class task.

    Outside the training cohort no class is predicted, and the remark says so.
    """
    types: dict[str, type] = dict.fromkeys(PREDICTION_HELP, float)
    types |= {"task": str, "class": str, "selected": int, "pool": int, "remark": str}
    more = {"remark": outside_words(prediction)} | ({"predicted": float("nan")} if is_outside(prediction) else {})
    columns: dict[str, list[Any]] = {column: [] for column in PREDICTION_HELP}
    for task, about in prediction["tasks"].items():
        for row in _task_rows(task, about):
            for column, values in columns.items():
                values.append((row | more)[column])
    return add_table(scene, name, columns, types, PREDICTION_HELP, column_titles.PREDICTION)


def _task_rows(task: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = [str(name) for name in about.get("classes", ())]
    binary = about.get("type", "binary") == "binary"
    by_inference = about.get("by_inference") or {}
    rows = []
    for index in [1] if binary else range(len(about["probabilities"])):
        row = {
            "task": task,
            "class": _class_name(names, index, binary),
            "probability": about["probability"] if binary else about["probabilities"][index],
            "predicted": int(about["predicted"] == index),
            "decision_threshold": _number(about.get("decision_threshold")),
            "relevance_threshold": _number(about.get("relevance_threshold")),
            "selected": int(about.get("selected", 0)),
            "pool": int(about.get("pool", 0)),
        }
        for mode in ("paper", "masked", "soft"):
            value = by_inference.get(mode)
            row[mode] = _number(value[index] if isinstance(value, list) else value)
        rows.append(row)
    return rows


def _class_name(names: list[str], index: int, binary: bool) -> str:
    name = names[index] if index < len(names) else str(index)
    return "positive" if binary and name == "1" else name


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def table_of_csv(scene: Any, path: Path, name: str, help_: Mapping[str, str] | None = None) -> Any:
    """Add a table node with the columns of a CSV file: numbers where a column has nothing else, text otherwise.

    The column "id" stays text. Raises InputError if the file is missing or has rows of another length.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing: the run did not finish, or this is another folder")
    table = read_csv(path)
    columns: dict[str, list[Any]] = {title: table.column(title) for title in table.columns}
    types: dict[str, type] = dict.fromkeys(table.columns, str)
    for title, texts in columns.items():
        if title != "id" and any(texts) and all(_is_number(text) for text in texts):
            columns[title] = [float(text) if text else float("nan") for text in texts]
            types[title] = float
    return add_table(scene, name, columns, types, help_ or {})


def _is_number(text: str) -> bool:
    try:
        float(text or "nan")
    except ValueError:
        return False
    return True
