"""The whole way with the real command line as child: nodes → files → child process → result in the scene."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume
from deepradiomics.scene.job.job import Job, run_blocking
from Testing.slicer.scene.test_maps_scene import world_of
from Testing.slicer.scene.test_volumes import add_segmentation, rigid, under


def extraction(
    volume: Any, segmentation: Any, scene: Any, *options: str, empty: bool = False, **callbacks: Any
) -> Job[Any]:
    """A job that extracts the features of a segmentation node's first segment."""
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation, volume_from_node
    from deepradiomics.scene.show.features import show_features

    def build(folder: Path) -> Sequence[str]:
        image = volume_from_node(volume)
        mask = mask_from_segmentation(segmentation, image.geometry)
        labels = mask.labels * (0 if empty else 1)
        write_volume(image, folder / "image.nrrd")
        write_mask(Mask(labels, image.geometry), folder / "mask.nrrd")
        output = folder / "features.csv"
        return ["extract", str(folder / "image.nrrd"), str(folder / "mask.nrrd"), "-o", str(output), *options]

    def show(result: dict[str, Any], folder: Path) -> Any:
        return show_features(folder, {"image": volume, "segmentation": segmentation}, scene)

    return Job(build, on_finished=show, **callbacks)


@pytest.fixture
def nodes(scene: Any) -> tuple[Any, Any]:
    """An image and a segmentation, both under the same rigid transform, on different grids."""
    from deepradiomics.scene.nodes.volumes import node_from_volume

    rng = np.random.default_rng(3)
    geometry = Geometry((24, 22, 14), (1.0, 1.2, 2.5), (-10.0, -12.0, -16.0))
    volume = node_from_volume(
        Volume(rng.normal(200, 30, geometry.shape).astype(np.float32), geometry, name="T1"), scene
    )
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[5:15, 5:15, 5:15] = 1
    own = Geometry((20, 20, 20), (1.0, 1.0, 1.5), (-9.0, -9.0, -14.0))
    segmentation = add_segmentation(scene, Mask(labels, own), "lesion")
    under(scene, volume, rigid())
    segmentation.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    return volume, segmentation


def test_features_of_a_segment_reach_the_scene_as_python_computes_them(scene: Any, nodes: tuple[Any, Any]) -> None:
    import deepradiomics
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation, volume_from_node
    from deepradiomics.scene.tree.folder import referenced_inputs

    steps: list[float] = []
    job = extraction(*nodes, scene, on_progress=lambda fraction, message: steps.append(fraction))
    result = run_blocking(job)
    image = volume_from_node(nodes[0])
    expected = deepradiomics.extract(image, mask_from_segmentation(nodes[1], image.geometry))
    table = result.features.GetTable()
    names, values = table.GetColumnByName("feature"), table.GetColumnByName("value")
    found = {names.GetValue(row): values.GetValue(row) for row in range(table.GetNumberOfRows())}
    assert found.keys() == expected.keys()
    assert len(found) == 107
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-6, abs=1e-12), name
    assert referenced_inputs(result.features) == {"image": nodes[0], "segmentation": nodes[1]}
    assert steps
    assert steps[-1] == 1.0
    assert job.folder is not None
    assert not job.folder.exists()


def test_maps_of_a_segment_on_another_grid_lie_on_the_moved_anatomy(
    scene: Any, nodes: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the module's logic and the real child; compared with the engine voxel by voxel in the world."""
    import SimpleITK as sitk
    import slicer

    from deepradiomics.images import to_sitk
    from deepradiomics.radiomics.maps import feature_maps
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation, volume_from_node

    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[3] / "RadiomicFeatures"))
    from RadiomicFeaturesLib.logic import RadiomicFeaturesLogic

    volume, segmentation = nodes
    image = volume_from_node(volume)  # in the world, through the transform
    mask = mask_from_segmentation(segmentation, image.geometry)
    features = ["original_glcm_Contrast", "wavelet-LLH_firstorder_Skewness"]
    steps: list[float] = []
    found = RadiomicFeaturesLogic().maps(
        volume, features, segmentation=segmentation, on_progress=lambda fraction, _: steps.append(fraction)
    )
    expected = feature_maps(image, mask, features)
    assert list(found.maps) == features
    assert steps[-1] == 1.0
    for key, node in found.maps.items():
        assert node.GetTransformNodeID() == volume.GetTransformNodeID()
        values = slicer.util.arrayFromVolume(node)
        known = sitk.GetArrayFromImage(expected[key])
        assert np.isnan(values).any()
        assert np.nanstd(values) > 0
        np.testing.assert_array_equal(np.nan_to_num(values, nan=0.0), known)
        for index in ((0, 0, 0), tuple(int(n) - 1 for n in expected[key].GetSize())):
            world = expected[key].TransformIndexToPhysicalPoint(index)  # LPS
            np.testing.assert_allclose(world_of(node, index), np.multiply(world, (-1, -1, 1)), atol=1e-6)
        # Every voxel of the segment, by where it is seen, has a value; every other voxel of the map has none.
        inside = sitk.Resample(to_sitk(mask), expected[key], sitk.Transform(), sitk.sitkNearestNeighbor)
        np.testing.assert_array_equal(np.isfinite(values), sitk.GetArrayFromImage(inside) > 0)


def test_the_childs_own_message_reaches_the_user_and_the_scene_is_untouched(scene: Any, nodes: tuple[Any, Any]) -> None:
    from Testing.slicer.scene.test_fingerprint_scene import snapshot

    before = snapshot(scene)
    with pytest.raises(InputError, match="empty"):
        run_blocking(extraction(*nodes, scene, empty=True))
    with pytest.raises(InputError, match="label 5"):
        run_blocking(extraction(*nodes, scene, "--label", "5"))
    with pytest.raises(InputError, match="--colour"):
        run_blocking(extraction(*nodes, scene, "--colour", "red"))
    nodes[1].SetAndObserveTransformNodeID(None)
    under(scene, nodes[1], np.array([[1.0, 0, 0, 900], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))
    job = extraction(*nodes, scene)
    with pytest.raises(MaskError, match="does not overlap"):
        run_blocking(job)
    scene.RemoveNode(nodes[1].GetParentTransformNode())
    assert snapshot(scene) == before


def test_a_fingerprint_of_a_moved_knee_lies_on_the_knee(scene: Any) -> None:
    from deepradiomics.errors import DeepRadiomicsError
    from deepradiomics.files.results import read_object
    from deepradiomics.phantoms.knee.cohort import knee_exam
    from deepradiomics.prepare.exam.box import Box
    from deepradiomics.samples import sample_bundle
    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.nodes.volumes import node_from_volume, volume_from_node
    from deepradiomics.scene.show.fingerprint import show_fingerprint

    try:
        bundle = sample_bundle()
    except DeepRadiomicsError:
        pytest.skip("the sample bundle is not in this checkout")
    knee = node_from_volume(knee_exam(3).case.views["sagittal"], scene, "knee")
    under(scene, knee, rigid(20, (15, -4, 9)))

    def build(folder: Path) -> Sequence[str]:
        write_volume(volume_from_node(knee), folder / "sagittal.nrrd")
        view = f"sagittal={folder / 'sagittal.nrrd'}"
        options = ["--registration", "off", "--no-scene"]
        return ["fingerprint", "apply", str(bundle), "--view", view, "-o", str(folder / "out"), *options]

    def show(result: dict[str, Any], folder: Path) -> Any:
        prediction = read_object(folder / "out" / "prediction.json")
        return show_fingerprint(folder / "out", {"sagittal": knee}, scene), prediction

    nodes, prediction = run_blocking(Job(build, on_finished=show))
    # Each voxel of the knee, by where it is seen: in a patch's box it has that patch's relevance, outside it has none.
    grid = placement(knee).geometry
    z, y, x = np.indices(grid.shape)
    world = grid.index_to_physical(np.stack([x, y, z], axis=-1))
    for task, overlay in nodes.relevance.items():
        assert overlay.GetTransformNodeID() == knee.GetTransformNodeID()
        shown = volume_from_node(overlay).voxels
        expected, near_edge = np.zeros(grid.shape), np.zeros(grid.shape, bool)
        for patch in prediction["patches"]:
            box = Box.from_dict(patch["boxes"]["sagittal"])
            along = np.abs((world - np.array(box.centre_mm)) @ box.axes_array) / (np.array(box.size_mm) / 2)
            expected[(along <= 1).all(axis=-1)] = patch["relevance"][task]
            margin = 0.6 * max(grid.spacing_mm) / (np.array(box.size_mm) / 2)
            near_edge |= (np.abs(along - 1) < margin).any(axis=-1) & (along <= 1 + margin).all(axis=-1)
        assert (expected[~near_edge] > 0).sum() > 1000
        np.testing.assert_allclose(shown[~near_edge], expected[~near_edge], atol=1e-5)
