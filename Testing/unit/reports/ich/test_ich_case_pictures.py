"""A patient's pictures show the slice with most blood, lie the right way round, and cut no label."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.ich.patient.result import CaseFolder
from deepradiomics.images import Geometry, Mask, Volume, read_volume
from deepradiomics.reports.ich import case_charts as charts
from deepradiomics.reports.ich import case_pictures as pictures
from Testing.unit.reports.fake_ich import write_fake_case
from Testing.unit.reports.ich_pages import texts

DRAWN = (
    pictures.planes_figure, pictures.slices_figure, pictures.gradcam_figure, pictures.change_figure,
    pictures.surface_figure, charts.calibration_figure, charts.shap_figure,
)  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> CaseFolder:
    folder, ct = write_fake_case(tmp_path_factory.mktemp("case") / "out", outcomes=("poor_outcome", "expansion_6ml"))
    return CaseFolder.read(folder, read_volume(ct))


@pytest.mark.parametrize("draw", DRAWN)
def test_no_label_is_cut_and_what_is_synthetic_is_said(draw, case: CaseFolder) -> None:  # type: ignore[no-untyped-def]
    assert "SYNTHETIC MODEL  ·  SYNTHETIC CT" in texts(draw(case))


@pytest.mark.parametrize("draw", DRAWN)
def test_a_single_outcome_can_be_drawn_too(draw, case: CaseFolder) -> None:  # type: ignore[no-untyped-def]
    name = "expansion_6ml"
    record = {
        **case.record,
        "outcomes": {name: case.outcomes[name]},
        "synthetic_model": False,
        "synthetic_image": False,
    }
    alone = dataclasses.replace(case, record=record, gradcam={name: case.gradcam[name]})
    figure = draw(alone)
    texts(figure)
    assert figure.get_suptitle() == ""


def test_the_slice_shown_is_that_with_most_blood(case: CaseFolder) -> None:
    point = pictures.most_blood(case)
    index = np.rint(case.segmentation.geometry.physical_to_index(point)).astype(int)[::-1]
    assert case.haematoma[tuple(index)]
    assert case.haematoma[index[0]].sum() == case.haematoma.sum(axis=(1, 2)).max()


def test_slices_are_counted_along_the_patient_also_on_a_sagittal_grid() -> None:
    """On a grid stored as sagittal slices the array's first axis runs from left to right, not up."""
    geometry = Geometry((30, 20, 12), (2.0, 3.0, 4.0), (0, 0, 0), (0, 0, 1, 1, 0, 0, 0, -1, 0))
    labels = np.zeros(geometry.shape, np.uint8)  # array (z, y, x): left, down, back
    labels[2:9, 5, 10:20] = 1
    labels[4, 6:16, 12:16] = 1  # much blood in one sagittal slice, little in any axial one
    case = CaseFolder(Path(), {}, Mask(labels, geometry))
    inferior = np.argmax(np.abs(geometry.axes[2]))
    assert inferior == 1
    assert pictures.most_blood(case)[2] == pytest.approx(geometry.index_to_physical([0, 5, 0])[2])


def test_the_letters_say_that_the_patients_right_is_at_the_left(case: CaseFolder) -> None:
    figure = pictures.planes_figure(case)
    assert figure is not None
    axial, coronal, sagittal = (ax for ax in figure.axes if ax.images)
    shown = [[text.get_text() for text in ax.texts] for ax in (axial, coronal, sagittal)]
    assert shown == [["R", "L", "A", "P"], ["R", "L", "S", "I"], ["A", "P", "S", "I"]]
    # the larger haematoma lies in the patient's left hemisphere: at the viewer's right
    outline = axial.collections[-1].get_paths()[0].vertices
    assert outline[:, 0].mean() > np.mean(axial.get_xlim())
    assert np.mean(axial.images[0].get_clim()) == 40  # the brain window


def test_the_map_is_drawn_within_the_dilated_haematoma_only(case: CaseFolder) -> None:
    figure = pictures.gradcam_figure(case)
    assert figure is not None
    heat = [ax.images[1] for ax in figure.axes if len(ax.images) == 2]
    assert len(heat) == 6
    for image in heat:
        shown, alpha = image.get_array(), image.get_alpha()
        assert (np.asarray(alpha)[np.asarray(shown) == 0] == 0).all()
        assert np.max(alpha) <= 0.75
    assert max(float(np.max(image.get_array())) for image in heat[:3]) == pytest.approx(1)  # through its hottest place


def test_maps_that_say_nothing_are_not_drawn(case: CaseFolder) -> None:
    empty = {name: Volume(np.zeros_like(one.voxels), one.geometry) for name, one in case.gradcam.items()}
    assert pictures.gradcam_figure(dataclasses.replace(case, gradcam=empty)) is None
    half = {**case.gradcam, "poor_outcome": empty["poor_outcome"]}
    figure = pictures.gradcam_figure(dataclasses.replace(case, gradcam=half))
    assert figure is not None
    assert "Poor outcome (mRS > 3)" not in texts(figure)


def test_without_a_ct_only_what_needs_none_is_drawn(case: CaseFolder) -> None:
    blind = dataclasses.replace(case, ct=None)
    assert [draw(blind) is None for draw in DRAWN] == [True, True, True, True, False, False, False]


def test_bars_lead_from_the_base_value_to_the_risk(case: CaseFolder) -> None:
    figure = charts.shap_figure(case)
    assert figure is not None
    bars = figure.axes[0].patches
    one = case.outcomes["poor_outcome"]
    assert bars[0].get_width() == pytest.approx(one["base_value"])
    assert bars[-1].get_width() == pytest.approx(one["probability"])
    end = bars[-2].get_x() + bars[-2].get_width()
    assert end == pytest.approx(one["probability"])
    assert [bar.get_width() for bar in bars[1:-1]] == pytest.approx(
        [one["groups"][g] for g in ("radiomics", "encoder", "autoencoder")]
    )


def test_the_patients_line_stands_at_the_risk(case: CaseFolder) -> None:
    figure = charts.calibration_figure(case)
    assert figure is not None
    for ax, one in zip(figure.axes, case.outcomes.values(), strict=True):
        upright = [line.get_xdata()[0] for line in ax.lines if line.get_label() == "this patient"]
        assert upright == [pytest.approx(one["probability"])]


def test_another_ct_and_another_folder_are_refused(case: CaseFolder, tmp_path: Path) -> None:
    assert case.ct is not None
    moved = dataclasses.replace(case.ct.geometry, origin_mm=(0.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="Give the CT that 'ich apply' was given"):
        CaseFolder.read(case.folder, Volume(case.ct.voxels, moved))
    with pytest.raises(InputError, match=r"ich\.json is missing"):
        CaseFolder.read(tmp_path)
    (tmp_path / "ich.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match=r"ich\.json should hold a JSON object, not a list"):
        CaseFolder.read(tmp_path)


def test_a_stack_of_maps_must_have_one_for_each_outcome(case: CaseFolder, tmp_path: Path) -> None:
    import json
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(case.folder, folder)
    record = json.loads((folder / "ich.json").read_text(encoding="utf-8"))
    record["outcomes"].pop("poor_outcome")
    (folder / "ich.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(InputError, match="holds 2 maps for 1 outcomes"):
        CaseFolder.read(folder)
