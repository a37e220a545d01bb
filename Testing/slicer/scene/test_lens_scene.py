"""A lens in the real scene: tables that sort as numbers, charts, folder, provenance, .mrb, rollback."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue.explain import explain
from Testing.slicer.scene.test_fingerprint_scene import snapshot
from Testing.unit.reports.fake_lens import write_fake_lens


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fake_lens(tmp_path_factory.mktemp("lens") / "result", case=False)


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(node: Any, name: str) -> list[Any]:
    values = node.GetTable().GetColumnByName(name)
    return [values.GetValue(row) for row in range(values.GetNumberOfValues())]


def test_the_shift_table_holds_every_number_of_the_file_largest_shift_first(scene: Any, folder: Path) -> None:
    from deepradiomics.lens.result import SHIFT_COLUMNS
    from deepradiomics.scene.show.lens.result import show_lens

    nodes = show_lens(folder, scene)
    expected = sorted(rows_of(folder / "shift.csv"), key=lambda row: -float(row["delta_explained"]))
    for name, kind in SHIFT_COLUMNS.items():
        assert column(nodes.shift, name) == [kind(row[name]) for row in expected], name
    assert column(nodes.shift, "rank_explained") == list(range(1, len(expected) + 1))


def test_every_column_says_what_it_holds_and_every_feature_what_it_measures(scene: Any, folder: Path) -> None:
    import vtk

    from deepradiomics.radiomics.catalogue.explain import explain
    from deepradiomics.scene.show.lens.result import show_lens

    nodes = show_lens(folder, scene)
    for node in (nodes.shift, nodes.family):
        table = node.GetTable()
        for index in range(table.GetNumberOfColumns()):
            name = table.GetColumnName(index)
            assert len(node.GetColumnDescription(name)) > 10, name
    assert nodes.shift.GetColumnUnitLabel("mse_ft") == nodes.family.GetColumnUnitLabel("mse_ft") == "SD²"
    titles = [nodes.shift.GetColumnTitle(name) for name in ("delta_i", "delta_explained", "r2_pre", "feature")]
    assert titles == ["ΔI", "ΔE, SD", "R² before", "Feature"]
    assert nodes.shift.GetUseColumnTitleAsColumnHeader()
    table = nodes.shift.GetTable()
    for name in ("delta_i", "delta_i_low", "q_null", "r2_ft", "mse_pre"):
        assert table.GetColumnByName(name).GetDataType() == vtk.VTK_DOUBLE  # sorts as a number
    assert table.GetColumnByName("rank").GetDataType() == vtk.VTK_INT
    feature, text = column(nodes.shift, "feature")[7], column(nodes.shift, "description")[7]
    assert text == explain(feature).text
    assert len(text) > 30
    assert nodes.shift.GetLocked()
    assert nodes.family.GetLocked()


def test_every_column_of_every_table_has_a_title_for_people(scene: Any, folder: Path) -> None:
    from deepradiomics.scene.show.lens.result import show_lens

    nodes = show_lens(folder, scene)
    behind_charts = [chart.GetNthPlotSeriesNode(0).GetTableNode() for chart in nodes.charts.values()]
    for node in (nodes.shift, nodes.family, *behind_charts):
        names = [node.GetTable().GetColumnName(index) for index in range(node.GetTable().GetNumberOfColumns())]
        titles = [node.GetColumnTitle(name) for name in names]
        assert len(set(titles)) == len(titles)
        assert node.GetUseColumnTitleAsColumnHeader()
        assert not any("_" in title or title in set(names) - {"p"} for title in titles), titles
        for name, title in zip(names, titles, strict=True):  # the unit can be read in the header, if there is one
            assert node in behind_charts or title.endswith(node.GetColumnUnitLabel(name))


def test_a_table_sorts_by_numbers_with_rows_kept_whole_and_empty_cells_last(scene: Any) -> None:
    from deepradiomics.scene.nodes.tables import add_table, sort_rows

    columns = {"name": list("abcdef"), "value": [9.0, float("nan"), 10.0, -1.0, 9.0, 100.0], "rank": [3, 2, 1, 0, 9, 8]}
    node = add_table(scene, "t", columns, {"name": str, "value": float, "rank": int}, {})
    told: list[str] = []
    node.AddObserver("ModifiedEvent", lambda *_: told.append("modified"))
    sort_rows(node, "value")
    assert column(node, "name") == list("fcaedb")  # 100, 10, 9, 9 in their old order, -1, empty
    assert column(node, "rank") == [8, 1, 3, 9, 0, 2]
    assert told
    sort_rows(node, "value", descending=False)
    assert column(node, "name") == list("daecfb")
    sort_rows(node, "name", descending=False)
    assert column(node, "name") == list("abcdef")
    assert column(node, "rank") == columns["rank"]
    with pytest.raises(InputError, match=r"no column 'size'; it has name, value, rank"):
        sort_rows(node, "size")


def test_a_row_is_found_by_its_feature_whatever_the_order(scene: Any, folder: Path) -> None:
    from deepradiomics.scene.nodes.tables import sort_rows
    from deepradiomics.scene.show.lens.result import show_lens
    from deepradiomics.scene.show.lens.tables import feature_at, row_of

    shift = show_lens(folder, scene).shift
    sort_rows(shift, "r2_ft", descending=False)
    row = row_of(shift, "adc", "wavelet-LLH_glcm_Contrast")
    assert row is not None
    assert feature_at(shift, row) == ("adc", "wavelet-LLH_glcm_Contrast")
    assert row_of(shift, "adc", "wavelet-LLH_glcm_Nothing") is None
    with pytest.raises(InputError, match=r"row 99999: .* has rows 0 to \d+"):
        feature_at(shift, 99999)


def test_the_family_table_is_table_1(scene: Any, folder: Path) -> None:
    from deepradiomics.lens.result import TABLE1_COLUMNS
    from deepradiomics.scene.show.lens.result import show_lens

    family = show_lens(folder, scene).family
    for name, kind in TABLE1_COLUMNS.items():
        assert column(family, name) == [kind(row[name]) for row in rows_of(folder / "table1.csv")], name


def drawn(chart: Any) -> list[tuple[str, list[float]]]:
    """What a chart's series are called, and the values they draw."""
    series = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    return [(each.GetName(), column(each.GetTableNode(), each.GetYColumnName())) for each in series]


def test_the_r2_chart_shows_the_best_family_by_modality_before_and_after(scene: Any, folder: Path) -> None:
    from deepradiomics.scene.show.lens.result import show_lens

    chart = show_lens(folder, scene).charts["r2"]
    best = [row for row in rows_of(folder / "modality_r2.csv") if row["best"] == "1"]
    expected = {stage: [float(row["r2"]) for row in best if row["stage"] == stage] for stage in ("pre", "ft")}
    assert drawn(chart) == [("before fine-tuning", expected["pre"]), ("after fine-tuning", expected["ft"])]
    assert chart.GetXAxisTitle().split("    ") == ["1: t2", "2: highb", "3: adc"]
    assert best[0]["group"] in chart.GetYAxisTitle()


@pytest.mark.parametrize(("chart_name", "column_name"), [("shift", "delta_i"), ("explained", "delta_explained")])
def test_each_bar_of_a_shift_chart_has_its_name_and_value(
    scene: Any, folder: Path, chart_name: str, column_name: str
) -> None:
    from deepradiomics.scene.show.lens.charts import bar_label
    from deepradiomics.scene.show.lens.result import show_lens

    chart = show_lens(folder, scene).charts[chart_name]
    picked = json.loads((folder / "lens.json").read_text(encoding="utf-8"))["picked"]
    picked = picked if chart_name == "shift" else picked["explained"]
    assert chart.GetYAxisTitle() == {"shift": "ΔI", "explained": "ΔE"}[chart_name]
    value = {(row["modality"], row["feature"]): float(row[column_name]) for row in rows_of(folder / "shift.csv")}
    pairs = [tuple(pair) for group in ("top", "bottom", "stable") for pair in picked[group][:2]]
    assert len(pairs) == 6
    assert drawn(chart) == [(bar_label(m, feature), [value[m, feature]]) for m, feature in pairs]
    colours = [tuple(chart.GetNthPlotSeriesNode(index).GetColor()) for index in range(6)]
    assert len(set(colours)) == 6
    assert all(red > blue for red, _, blue in colours[:2])
    assert all(red < blue for red, _, blue in colours[2:4])
    table = chart.GetNthPlotSeriesNode(0).GetTableNode()
    for index, (modality, feature) in enumerate(pairs):  # the whole name stands with the number
        description = table.GetColumnDescription(table.GetTable().GetColumnName(index))
        assert description.endswith(f"{explain(feature).label}, {modality}")


@pytest.mark.parametrize(
    ("feature", "label"),
    [
        ("wavelet-LLH_glcm_Contrast", "Contrast LLH adc"),
        ("original_ngtdm_Contrast", "Contrast adc"),
        ("wavelet-LLH_gldm_SmallDependenceLowGrayLevelEmphasis", "GLDM SDLGLE LLH adc"),
        ("log-sigma-3-0-mm-3D_firstorder_InterquartileRange", "InterquartileRange LoG 3.0 mm adc"),
        ("firstorder_OfALaterVersion", "firstorder_OfALaterVersion adc"),
    ],
)
def test_a_legends_names_are_short(feature: str, label: str) -> None:
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from deepradiomics.scene.show.lens.charts import bar_label

    assert bar_label("adc", feature) == label


def test_features_of_one_name_are_told_apart_by_their_family() -> None:
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from deepradiomics.scene.show.lens.charts import bar_label

    labels = [bar_label("t2", f"wavelet-HHH_{each}_Contrast", family=True) for each in ("glcm", "ngtdm")]
    assert labels == ["GLCM Contrast HHH t2", "NGTDM Contrast HHH t2"]


def test_all_nodes_lie_in_one_folder_with_where_they_came_from_and_no_path(scene: Any, folder: Path) -> None:
    import slicer

    from deepradiomics.scene.show.lens.result import show_lens
    from deepradiomics.scene.tree.folder import result_folder_of
    from deepradiomics.scene.tree.provenance import methods_text, read_stamp

    nodes = show_lens(folder, scene)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    assert hierarchy.GetItemName(nodes.folder_item) == "Radiomic lens: PIRADS CLS (SYNTHETIC)"
    for node in (nodes.shift, nodes.family, *nodes.charts.values()):
        assert result_folder_of(node) == nodes.folder_item
        about = read_stamp(node)
        assert (about["kind"], about["task"], about["synthetic"]) == ("lens", "PIRADS CLS", True)
        assert about["leakage"] == "The fine-tuning cohort was part of the pre-training cohort."
        assert methods_text(node).startswith("SYNTHETIC")
        assert "command" not in about
        assert str(folder) not in json.dumps(about)
    assert nodes.warnings[0] == about["leakage"]
    assert "84 training patients" in nodes.warnings[1]


def test_a_saved_scene_restores_the_whole_lens(headless: Any, folder: Path, tmp_path: Path) -> None:
    from deepradiomics.scene.show.lens.result import lens_tables, nodes_of, show_lens

    nodes = show_lens(folder, headless.scene)
    before = {name: drawn(chart) for name, chart in nodes.charts.items()}
    shift = {name: column(nodes.shift, name) for name in ("modality", "feature", "delta_i", "rank", "description")}
    headless.save_mrb(tmp_path / "lens.mrb")
    headless.load_mrb(tmp_path / "lens.mrb")
    (table,) = lens_tables(headless.scene)
    again = nodes_of(table)
    for name, values in shift.items():
        if name == "delta_i":
            np.testing.assert_allclose(column(again.shift, name), values, rtol=1e-5)  # Slicer saves six digits
        else:
            assert column(again.shift, name) == values
    assert again.shift.GetColumnDescription("delta_i") == nodes.shift.GetColumnDescription("delta_i")
    for name, expected in before.items():
        found = drawn(again.charts[name])
        assert [each for each, _ in found] == [each for each, _ in expected]
        for (_, values), (_, wanted) in zip(found, expected, strict=True):
            np.testing.assert_allclose(values, wanted, rtol=1e-5)
    assert again.warnings == nodes.warnings
    assert again.folder_item > 0
    headless.scene.RemoveNode(again.family)
    with pytest.raises(InputError, match="family not in the scene"):
        nodes_of(table)


def test_a_lens_without_permutations_has_an_empty_null(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.show.lens.result import show_lens

    nodes = show_lens(write_fake_lens(tmp_path / "r", permutations=0, case=False), scene)
    assert np.isnan(column(nodes.shift, "p_null")).all()
    assert np.isfinite(column(nodes.shift, "delta_i")).all()


DAMAGE = {
    "no shift": (lambda folder: (folder / "shift.csv").unlink(), r"shift\.csv is missing"),
    "no r2": (lambda folder: (folder / "modality_r2.csv").unlink(), r"modality_r2\.csv is missing"),
    "bad json": (lambda folder: (folder / "lens.json").write_text("{"), r"lens\.json is damaged"),
    "other json": (lambda folder: (folder / "lens.json").write_text("{}"), "not written by `lens fit`"),
    "column gone": (
        lambda folder: (folder / "table1.csv").write_text("kind,group\nall,All\n"),
        r"table1\.csv has no column n_features",
    ),
    "not a number": (
        lambda folder: (folder / "shift.csv").write_text(
            (folder / "shift.csv").read_text().rsplit(",", 1)[0] + ",first\n"
        ),
        r"shift\.csv, line \d+: 'first' in column 'noise_ft' is not a number",
    ),
    "no rows": (
        lambda folder: (folder / "shift.csv").write_text((folder / "shift.csv").read_text().splitlines()[0] + "\n"),
        "has no rows",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_lens_is_told_and_leaves_nothing_in_the_scene(scene: Any, tmp_path: Path, damage: str) -> None:
    from deepradiomics.scene.show.lens.result import show_lens

    folder = write_fake_lens(tmp_path / "r", case=False)
    spoil, message = DAMAGE[damage]
    spoil(folder)
    before = snapshot(scene)
    with pytest.raises(InputError, match=message):
        show_lens(folder, scene)
    assert snapshot(scene) == before


def test_a_pick_that_the_table_lacks_is_told(scene: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.show.lens.result import show_lens

    folder = write_fake_lens(tmp_path / "r", case=False)
    about = json.loads((folder / "lens.json").read_text(encoding="utf-8"))
    about["picked"]["stable"][0] = ["t2", "original_glcm_Other"]
    (folder / "lens.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(InputError, match=r"'picked' \(stable\) names t2 original_glcm_Other, which shift\.csv lacks"):
        show_lens(folder, scene)


def test_a_failure_on_the_way_leaves_nothing_either(scene: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepradiomics.scene.show.lens import result as lens

    before = snapshot(scene)

    def fail(*_arguments: Any) -> int:
        raise RuntimeError("late")

    monkeypatch.setattr(lens, "result_folder_item", fail)
    with pytest.raises(RuntimeError, match="late"):
        lens.show_lens(folder, scene)
    assert snapshot(scene) == before
