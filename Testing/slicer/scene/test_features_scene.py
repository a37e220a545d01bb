"""Tables of features in the real scene: the engine's values, names of segments, units, codes, tooltips, export."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume
from Testing.cli.run_cli import run_cli

NAMES = {1: "core", 2: "rim"}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Volume, Mask, Path]:
    """An image, a mask of two named segments, and the folder into which the command line writes them."""
    folder = tmp_path_factory.mktemp("case")
    rng = np.random.default_rng(8)
    geometry = Geometry((18, 16, 12), (1.0, 1.2, 2.5), (-10.0, -12.0, -16.0))
    labels = np.zeros(geometry.shape, np.uint8)
    labels[2:10, 3:13, 3:15] = 2
    labels[4:8, 5:11, 6:12] = 1
    volume = Volume(rng.normal(200, 60, geometry.shape).astype(np.float32), geometry, name="T1")
    mask = Mask(labels, geometry, segments=NAMES)
    write_volume(volume, folder / "image.nrrd")
    write_mask(mask, folder / "mask.nrrd")
    return volume, mask, folder


def result(case: tuple[Volume, Mask, Path], out: Path, *options: str) -> Path:
    """The result folder of an extraction of all labels."""
    folder = case[2]
    words = ["extract", folder / "image.nrrd", folder / "mask.nrrd", "-o", out / "features.csv", "--all-labels"]
    assert run_cli([*words, *options]).code == 0
    return out


def column(node: Any, name: str) -> list[Any]:
    found = node.GetTable().GetColumnByName(name)
    return [found.GetValue(row) for row in range(found.GetNumberOfValues())]


@pytest.mark.parametrize(("preset", "count"), [("fingerprint-107", 107), ("lens", 837), ("paper-1693", 1693)])
def test_the_tables_hold_what_extract_computes(
    scene: Any, case: tuple[Volume, Mask, Path], tmp_path: Path, preset: str, count: int
) -> None:
    from deepradiomics import extract
    from deepradiomics.scene.show.features import show_features

    nodes = show_features(result(case, tmp_path, "--params", preset), None, scene, region_names=NAMES)
    rows = list(zip(*(column(nodes.features, name) for name in ("label", "feature", "value")), strict=True))
    assert len(rows) == 2 * count
    for place, label in enumerate((1, 2)):
        expected = extract(case[0], case[1], preset, label=label)
        assert {feature: value for row, feature, value in rows if row == label} == pytest.approx(
            dict(expected), rel=1e-12, nan_ok=True
        )
        for feature, value in expected.items():
            assert column(nodes.by_region, feature)[place] == pytest.approx(value, rel=1e-12, nan_ok=True)
    assert column(nodes.by_region, "region") == ["core", "rim"]
    assert set(column(nodes.features, "region")) == {"core", "rim"}


def test_each_column_of_a_feature_explains_itself(scene: Any, case: tuple[Volume, Mask, Path], tmp_path: Path) -> None:
    from deepradiomics.radiomics.catalogue.pyradiomics import entries
    from deepradiomics.scene.show.features import show_features

    nodes = show_features(result(case, tmp_path, "--params", "lens"), None, scene)
    wide = nodes.by_region
    for index in range(3, wide.GetNumberOfColumns()):
        key = wide.GetColumnName(index)
        _, family, name = key.split("_", 2)
        assert entries()[family][name].sentence in wide.GetColumnDescription(key)
        assert wide.GetColumnTitle(key)
    assert "LLH" in wide.GetColumnDescription("wavelet-LLH_glcm_Contrast")
    assert wide.GetColumnProperty("wavelet-LLH_glcm_Contrast", "IBSI") == "ACUI"


def test_units_stand_beside_lengths_areas_and_volumes(
    scene: Any, case: tuple[Volume, Mask, Path], tmp_path: Path
) -> None:
    from deepradiomics.scene.show.features import show_features

    nodes = show_features(result(case, tmp_path), None, scene)
    units = dict(zip(column(nodes.features, "feature"), column(nodes.features, "unit"), strict=True))
    assert units["original_shape_Maximum3DDiameter"] == "mm"
    assert units["original_shape_Sphericity"] == ""
    assert nodes.by_region.GetColumnUnitLabel("original_shape_Maximum3DDiameter") == "mm"
    for name in ("region", "terminology", "unit", "IBSI", "description"):
        assert nodes.features.GetColumnDescription(name)


def test_a_saved_scene_keeps_values_and_tooltips(
    headless: Any, case: tuple[Volume, Mask, Path], tmp_path: Path
) -> None:
    import slicer

    from deepradiomics.scene.show.features import show_features

    nodes = show_features(result(case, tmp_path / "r"), None, headless.scene)
    before = column(nodes.features, "value")
    headless.save_mrb(tmp_path / "scene.mrb")
    headless.load_mrb(tmp_path / "scene.mrb")
    features, wide = slicer.util.getNode("Features"), slicer.util.getNode("Features by region")
    assert column(features, "value") == pytest.approx(before, rel=1e-5)  # Slicer writes six digits
    assert "rough texture" in wide.GetColumnDescription("original_glcm_Contrast")
    assert wide.GetColumnUnitLabel("original_shape_Maximum3DDiameter") == "mm"
    assert wide.GetColumnProperty("original_glcm_Contrast", "IBSI") == "ACUI"


def test_what_the_engine_says_of_its_numbers_is_handed_on(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.show.features import show_features

    (tmp_path / "features.csv").write_text(
        "label,feature,family,value\n1,original_glcm_Contrast,glcm,2.5\n", encoding="utf-8"
    )
    about = {
        "kind": "features",
        "labels": {"1": {"name": "core", "diagnostics": {"warnings": ["few grey levels"]}}},
        "skipped": {"7": "too small"},
        "notes": ["mask: its only label was taken, 1."],
    }
    (tmp_path / "features.json").write_text(json.dumps(about), encoding="utf-8")
    nodes = show_features(tmp_path, None, scene)
    assert nodes.warnings == ("label 7 is left out: too small", "core: few grey levels")
    assert nodes.notes == ("mask: its only label was taken, 1.",)


def test_an_exported_table_keeps_every_digit_and_no_value_is_empty(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.nodes.export import export_table
    from deepradiomics.scene.nodes.tables import add_table

    columns = {"region": ["a, b", "c"], "label": [1, 2], "value": [0.1 + 0.2, float("nan")]}
    node = add_table(scene, "t", columns, {"region": str, "label": int, "value": float}, {})
    with open(export_table(node, tmp_path / "t.csv"), encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [["region", "label", "value"], ["a, b", "1", repr(0.1 + 0.2)], ["c", "2", ""]]
    parquet = pytest.importorskip("pyarrow.parquet")
    found = parquet.read_table(export_table(node, tmp_path / "t.parquet")).to_pydict()
    assert found == {"region": ["a, b", "c"], "label": [1, 2], "value": [0.1 + 0.2, None]}


@pytest.mark.parametrize(("name", "said"), [("t.xlsx", r"\.csv or \.parquet"), ("t.csv", "empty")])
def test_what_cannot_be_exported_is_said(scene: Any, tmp_path: Path, name: str, said: str) -> None:
    from deepradiomics.scene.nodes.export import export_table

    node = scene.AddNewNodeByClass("vtkMRMLTableNode", "nothing")
    with pytest.raises(InputError, match=said):
        export_table(node, tmp_path / name)
    assert not (tmp_path / name).exists()
