"""What stands above a column for people, and what it holds: ``columns.csv``; files keep their machine names.

For reports and the scene. A unit that differs from row to row (that of a feature) stands with the value:
:func:`value_with_unit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from deepradiomics.errors import InputError
from deepradiomics.files.tables import read_csv
from deepradiomics.radiomics.catalogue.explain import explain

Part = Literal["title", "unit", "help"]


@cache
def columns(table: str, part: Part) -> Mapping[str, str]:
    """A part of the description of each column of a table, in order; columns without it are left out.

    >>> columns("features", "title")["label"], columns("lens shift", "unit")["mse_ft"]
    ('Label', 'SD²')
    """
    rows = read_csv(Path(__file__).with_name("columns.csv"), what="list of columns").rows
    return {row["column"]: row[part] for row in rows if row["table"] == table and row[part]}


FINGERPRINT = columns("fingerprint", "title")
FEATURES = columns("features", "title")
SHAP = columns("shap", "title")
RISK = columns("risk", "title")
PREDICTION = columns("prediction", "title")
MEASURED = {**FEATURES, **columns("measured", "title")}
EXPANSION = columns("expansion", "title")
"""Titles of the columns of fingerprint.csv, features.csv and shap.csv, and of tables in the scene."""


def value_with_unit(feature: str, value: str) -> str:
    """A feature's value as printed, with its unit where the feature has one.

    >>> value_with_unit("original_shape_MeshVolume", "1200")
    '1200 mm³'
    """
    try:
        unit = explain(feature).unit
    except InputError:  # a feature that this version does not know
        return value
    return f"{value} {unit}" if unit else value
