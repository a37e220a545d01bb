"""`python -m deepradiomics.scene` on a lens and on a case of it, and the real PROSTATEx patient in the case view."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.images import read_mask, read_volume
from Testing.slicer.render import has_opengl
from Testing.slicer.scene.test_lens_case import MODALITIES, centres, inside_segment, world_to_voxel, write_case
from Testing.slicer.scene.test_scene_command import run
from Testing.unit.reports.fake_lens import write_fake_lens


def layers(scene: Any) -> dict[str, tuple[str | None, str | None]]:
    """Names of the background and foreground of each slice view."""
    from deepradiomics.scene.nodes.atomic import nodes_of_class

    def name(node_id: str | None) -> str | None:
        return scene.GetNodeByID(node_id).GetName() if node_id else None

    return {
        node.GetLayoutName(): (name(node.GetBackgroundVolumeID()), name(node.GetForegroundVolumeID()))
        for node in nodes_of_class(scene, "vtkMRMLSliceCompositeNode")
    }


def test_a_lens_becomes_a_scene_with_table_and_chart_in_a_layout_that_every_slicer_has(
    headless: Any, tmp_path: Path
) -> None:
    import slicer

    from deepradiomics.scene.show.lens.result import lens_tables, nodes_of

    folder = write_fake_lens(tmp_path / "lens", case=False)
    done = run(folder)
    assert (done.returncode, done.stdout.strip()) == (0, str(folder / "scene.mrb")), done.stderr
    headless.load_mrb(folder / "scene.mrb")
    (shift,) = lens_tables(headless.scene)
    assert shift.GetNumberOfRows() == 837
    assert headless.scene.GetNodeByID("vtkMRMLTableViewNodeTableView1").GetTableNode() is shift
    chart = nodes_of(shift).charts["explained"]
    assert headless.scene.GetNodeByID("vtkMRMLPlotViewNodePlotView1").GetPlotChartNode() is chart
    layout = headless.scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    assert layout.GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotTableView


def test_a_case_becomes_a_scene_with_each_modality_in_a_view_and_no_file_name(headless: Any, tmp_path: Path) -> None:
    import slicer

    from deepradiomics.scene.show.lens.case import case_shown

    folder = write_case(tmp_path / "case")
    about = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    for modality in MODALITIES:  # a file's own name may identify a patient
        (folder / f"image_{modality}.nrrd").rename(folder / f"JOHN_DOE_{modality}.nrrd")
        about["modalities"][modality]["image"] = f"JOHN_DOE_{modality}.nrrd"
    (folder / "case.json").write_text(json.dumps(about), encoding="utf-8")
    done = run(folder)
    assert done.returncode == 0, done.stderr
    headless.load_mrb(folder / "scene.mrb")
    shown = case_shown(headless.scene)
    assert shown is not None
    assert shown.modality == "t2"
    drawn = "original_glcm_Contrast on t2"
    views = {name: each for name, each in layers(headless.scene).items() if each[0]}
    assert views == {
        "Red": ("synthetic-001 t2", drawn),
        "Slice4": ("synthetic-001 highb", None),
        "Green": ("synthetic-001 adc", None),
        "Yellow": ("synthetic-001 t2", drawn),  # once more, in a second plane, where a view would be empty
    }
    layout = headless.scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    assert layout.GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutTwoOverTwoView
    nodes = [headless.scene.GetNodeByID(f"vtkMRMLSliceNode{name}") for name in ("Red", "Slice4", "Green")]
    assert [node.GetLayoutLabel() for node in nodes] == list(MODALITIES)
    scale = {round(node.GetFieldOfView()[0] / node.GetDimensions()[0], 9) for node in nodes}
    assert len(scale) == 1
    unpacked = tmp_path / "unpacked"
    shutil.unpack_archive(folder / "scene.mrb", unpacked, "zip")
    for path in unpacked.rglob("*"):
        assert "JOHN" not in path.name
        assert path.is_dir() or b"JOHN" not in path.read_bytes()


def test_images_of_a_case_can_be_given_where_its_files_have_moved(headless: Any, tmp_path: Path) -> None:
    folder = write_case(tmp_path / "case")
    (folder / "image_adc.nrrd").rename(tmp_path / "moved.nrrd")
    done = run(folder)
    assert done.returncode == 0
    assert "note: the adc image of this result is neither in the scene nor" in done.stderr
    headless.load_mrb(folder / "scene.mrb")
    assert [image for image, _ in layers(headless.scene).values()] == ["synthetic-001 t2", "synthetic-001 highb"]
    done = run(folder, "--view", f"adc={tmp_path / 'moved.nrrd'}")
    assert done.returncode == 0, done.stderr
    headless.load_mrb(folder / "scene.mrb")
    assert layers(headless.scene)["Green"][0] == "synthetic-001 adc"
    done = run(folder, "--view", f"dwi={tmp_path / 'moved.nrrd'}")
    assert done.returncode == 2
    assert "the case has no modality dwi; it has t2, highb, adc" in done.stderr


def test_a_lens_takes_no_images(tmp_path: Path, headless: Any) -> None:
    folder = write_fake_lens(tmp_path / "lens")
    done = run(folder, "--view", f"t2={folder / 'case' / 'image_t2.nrrd'}")
    assert done.returncode == 2
    assert "--view t2: a lens has no images" in done.stderr


def test_what_lens_case_computes_is_shown_with_every_voxel_of_the_map_inside_the_outline(
    headless: Any, tmp_path: Path
) -> None:
    import slicer

    from deepradiomics.lens.case.run import CaseSource, case_map
    from deepradiomics.lens.config import LensConfig
    from deepradiomics.phantoms.prostate.cohort import prostate_exam
    from deepradiomics.scene.show.lens.case import show_case

    exam = prostate_exam(3, 1)
    images = dict(exam.views)
    source = CaseSource("synthetic-7", images, exam.masks["gland"], "gland", {}, synthetic=True)
    config = LensConfig(modalities=tuple(images))  # its maps lie on a grid of 0.5 x 0.5 x 1 mm of their own
    (tmp_path / "case").mkdir()
    case_map(source, "adc", "original_firstorder_Entropy", config, threads=1).write(tmp_path / "case")
    shown = show_case(tmp_path / "case", headless.scene)
    assert (shown.case_id, shown.modality, tuple(shown.volumes)) == ("synthetic-7", "adc", MODALITIES)
    drawn = slicer.util.arrayFromVolume(shown.map)
    grid = read_volume(tmp_path / "case" / "map.nrrd").geometry
    assert grid.spacing_mm != images["adc"].geometry.spacing_mm
    world = centres(grid, np.eye(4)).reshape(*drawn.shape, 3)[np.isfinite(drawn)]
    assert len(world) > 1000
    assert inside_segment(shown.rois["adc"], world[::17]).all()
    for name in MODALITIES:  # the region as the phantom drew it, on T2's grid, to half a voxel
        roi, own = exam.masks["gland"], read_mask(tmp_path / "case" / f"roi_{name}.nrrd")
        ml = [float(each.labels.astype(bool).sum() * np.prod(each.geometry.spacing_mm)) / 1000 for each in (roi, own)]
        assert ml[1] == pytest.approx(ml[0], rel=0.1)


@pytest.mark.parametrize(
    ("modality", "feature"), [("adc", "original_glcm_Contrast"), ("t2", "original_firstorder_Entropy")]
)
def test_the_prostatex_patient_is_shown_with_the_map_and_outline_in_the_glands_place(
    headless: Any, data_dir: Path, tmp_path: Path, modality: str, feature: str
) -> None:
    import slicer

    from deepradiomics.scene.show.lens.case import show_case
    from Testing.slicer.lens_result import prostatex, write_case
    from Testing.slicer.render import write_png
    from Testing.slicer.render_lens import case_views, side_by_side

    images, roi = prostatex(data_dir)
    note = "not a reader's contour"
    folder = write_case(
        tmp_path / "case", images, roi, modality, feature, roi_name="ellipsoid", roi_note=note, synthetic=False
    )
    views = case_views(headless, 3, (300, 300)) if has_opengl() else []
    shown = show_case(folder, headless.scene)
    assert shown.note == note
    centre = []
    for name in MODALITIES:
        own = read_mask(folder / f"roi_{name}.nrrd")
        inside = own.labels.ravel() > 0
        points = centres(own.geometry, np.eye(4))
        near = np.flatnonzero(np.abs(points - points[inside].mean(axis=0)).max(axis=1) < 40)[::7]
        np.testing.assert_array_equal(inside_segment(shown.rois[name], points[near]), inside[near])
        centre.append(points[inside].mean(axis=0))
    assert np.ptp(centre, axis=0).max() < 1.5  # mm: the same place on three grids
    drawn = slicer.util.arrayFromVolume(shown.map)
    own = read_mask(folder / f"roi_{modality}.nrrd")
    z, y, x = np.nonzero(np.isfinite(drawn))
    to_world = shown.map
    world = centres(read_volume(folder / "map.nrrd").geometry, np.eye(4)).reshape(*drawn.shape, 3)[z, y, x]
    index = world_to_voxel(to_world, world[::97])
    np.testing.assert_allclose(index, np.stack([x, y, z], axis=-1)[::97], atol=1e-3)
    assert inside_segment(shown.rois[modality], world[::97]).all()
    assert len(z) == own.labels.astype(bool).sum()
    if views:
        picture = side_by_side(views)
        write_png(picture, tmp_path / "case.png")
        coloured = [
            np.ptp(panel[40:, :200].astype(int), axis=-1) > 25 for panel in np.split(picture[:, :918], 3, axis=1)
        ]
        most = int(np.argmax([each.sum() for each in coloured]))
        assert MODALITIES[most] == modality
