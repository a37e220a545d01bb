"""Every column of a result's tables has a title; values carry their feature's unit."""

from __future__ import annotations

from dataclasses import fields

from deepradiomics.fingerprint.apply.result import COLUMNS
from deepradiomics.ich.features.patient import FeatureRow
from deepradiomics.ich.patient.result import ShapRow
from deepradiomics.reports import column_titles as titles


def test_every_column_that_is_written_has_a_title() -> None:
    assert tuple(titles.FINGERPRINT) == tuple(COLUMNS)
    assert tuple(titles.FEATURES) == tuple(one.name for one in fields(FeatureRow))
    assert tuple(titles.SHAP) == tuple(one.name for one in fields(ShapRow))


def test_a_value_carries_the_unit_of_its_feature() -> None:
    assert titles.value_with_unit("original_shape_MeshVolume", "1200") == "1200 mm³"
    assert titles.value_with_unit("original_shape_Sphericity", "0.8") == "0.8"
    assert titles.value_with_unit("my_own_column", "3") == "3"
