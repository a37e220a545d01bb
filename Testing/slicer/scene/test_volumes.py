"""Volumes, masks and ROIs come out of the scene where they are seen, under every kind of parent transform."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume
from Testing.slicer.synthetic_result import oblique_geometry, rotation

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def numbered(geometry: Geometry) -> Volume:
    """Every voxel has another value."""
    voxels = np.arange(np.prod(geometry.shape), dtype=np.int32).reshape(geometry.shape)
    return Volume(voxels, geometry, name="numbered")


def under(scene: Any, node: Any, *matrices: np.ndarray) -> None:
    """Put a node under a chain of linear transforms, the first one nearest to it."""
    from deepradiomics.scene.nodes.placement import matrix_of

    for matrix in matrices:
        transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        transform.SetMatrixTransformToParent(matrix_of(matrix))
        node.SetAndObserveTransformNodeID(transform.GetID())
        node = transform


def rigid(degrees: float = 25.0, shift: tuple[float, float, float] = (11.0, -7.0, 3.0)) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation(degrees, (3, -1, 2)), shift
    return matrix


def world_of_voxel(node: Any, index: tuple[int, int, int]) -> np.ndarray:
    """LPS world position of a voxel, asked of VTK and Slicer alone: the independent way."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    local = matrix.MultiplyPoint((*map(float, index), 1.0))[:3]
    world = [0.0, 0.0, 0.0]
    if node.GetParentTransformNode() is None:
        world = list(local)
    else:
        general = vtk.vtkGeneralTransform()
        node.GetParentTransformNode().GetTransformToWorld(general)
        general.TransformPoint(local, world)
    return np.array(world) * (-1, -1, 1)


def test_a_volume_goes_into_the_scene_and_back_unchanged(scene: Any) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume, volume_from_node

    volume = numbered(oblique_geometry())
    back = volume_from_node(node_from_volume(volume, scene))
    assert back.geometry.is_close(volume.geometry, 1e-9)
    np.testing.assert_array_equal(back.voxels, volume.voxels)


CHAINS = {
    "rigid": (rigid(),),
    "two rigid": (rigid(), rigid(-40, (1, 2, 3))),
    "reflection": (np.diag([-1.0, 1, 1, 1]),),
    "uniform scaling": (np.diag([2.0, 2, 2, 1]), rigid()),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_rigid_and_scaling_transforms_change_the_geometry_and_no_voxel(scene: Any, chain: str) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume, volume_from_node

    volume = numbered(oblique_geometry())
    node = node_from_volume(volume, scene)
    under(scene, node, *CHAINS[chain])
    moved = volume_from_node(node)
    np.testing.assert_array_equal(moved.voxels, volume.voxels)
    assert moved.notes == ()
    for index in ((0, 0, 0), (29, 0, 0), (3, 27, 5), (29, 27, 11)):
        np.testing.assert_allclose(moved.geometry.index_to_physical(index), world_of_voxel(node, index), atol=1e-6)


def test_scaling_along_the_voxel_axes_goes_into_the_spacing(scene: Any) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume, volume_from_node

    node = node_from_volume(numbered(Geometry((4, 5, 6), (1.0, 1.0, 3.0))), scene)
    under(scene, node, np.diag([2.0, 3.0, 0.5, 1.0]))
    assert volume_from_node(node).geometry.spacing_mm == pytest.approx((2.0, 3.0, 1.5))


def smooth(points: np.ndarray) -> np.ndarray:
    """A linear field: linear interpolation is exact for it."""
    return 100 + 2.0 * points[..., 0] - 1.5 * points[..., 1] + 0.7 * points[..., 2]


def test_under_a_shear_the_image_is_resampled_where_it_is_seen(scene: Any) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume, volume_from_node

    geometry = Geometry((30, 30, 30), (1.0, 1.0, 1.0), (-15.0, -15.0, -15.0))
    z, y, x = np.indices(geometry.shape)
    local = geometry.index_to_physical(np.stack([x, y, z], -1))
    node = node_from_volume(Volume(smooth(local), geometry, name="sheared"), scene)
    shear = np.eye(4)
    shear[0, 1] = 0.4
    under(scene, node, shear)
    moved = volume_from_node(node)
    assert "sheared" in moved.notes[0]
    assert "resampled" in moved.notes[0]
    z, y, x = np.indices(moved.geometry.shape)
    world = moved.geometry.index_to_physical(np.stack([x, y, z], -1))
    back = world @ np.linalg.inv((LPS @ shear @ LPS)[:3, :3]).T  # LPS world → LPS local, by hand
    inside = (np.abs(back - np.array(geometry.centre_mm)) < 14.4).all(axis=-1)
    assert inside.sum() > 20_000
    np.testing.assert_allclose(moved.voxels[inside], smooth(back)[inside], atol=1e-2)


def test_under_a_non_linear_transform_a_bright_point_lands_where_it_is_seen(scene: Any) -> None:
    import vtk

    from deepradiomics.scene.nodes.volumes import node_from_volume, volume_from_node

    voxels = np.zeros((30, 30, 30), np.float32)
    voxels[8:13, 13:18, 18:23] = 100.0
    node = node_from_volume(Volume(voxels, Geometry((30, 30, 30), origin_mm=(-15, -15, -15)), name="bent"), scene)
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for corner in np.array([[x, y, z] for x in (-15, 15) for y in (-15, 15) for z in (-15, 15)], float):
        source.InsertNextPoint(corner)
        target.InsertNextPoint(corner + np.array([3, -2, 1]) + 0.1 * corner[[1, 2, 0]] * (corner[0] > 0))
    spline = vtk.vtkThinPlateSplineTransform()
    spline.SetSourceLandmarks(source)
    spline.SetTargetLandmarks(target)
    spline.SetBasisToR()
    transform = scene.AddNewNodeByClass("vtkMRMLTransformNode")
    transform.SetAndObserveTransformToParent(spline)
    node.SetAndObserveTransformNodeID(transform.GetID())
    moved = volume_from_node(node)
    assert moved.notes
    k, j, i = (moved.voxels > 50).nonzero()
    centre = moved.geometry.index_to_physical(np.stack([i, j, k], -1)).mean(axis=0)
    np.testing.assert_allclose(centre, world_of_voxel(node, (20, 15, 10)), atol=0.6)


def test_a_volume_without_an_image_and_a_colour_image_are_refused(scene: Any) -> None:
    import slicer

    from deepradiomics.scene.nodes.volumes import volume_from_node

    with pytest.raises(InputError, match="'nothing' holds no image"):
        volume_from_node(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing"))
    colour = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    slicer.util.updateVolumeFromArray(colour, np.zeros((2, 3, 4, 3), np.uint8))
    with pytest.raises(InputError, match="a colour image, or images over time"):
        volume_from_node(colour)


def test_truth_values_and_64_bit_integers_can_be_shown(scene: Any) -> None:
    from deepradiomics.scene.nodes.volumes import node_from_volume, volume_from_node

    geometry = Geometry((2, 2, 2))
    for voxels in (np.eye(2, dtype=bool)[None].repeat(2, 0), np.arange(8, dtype=np.int64).reshape(2, 2, 2)):
        back = volume_from_node(node_from_volume(Volume(voxels, geometry, name="odd"), scene))
        np.testing.assert_array_equal(back.voxels, voxels)


def add_segmentation(scene: Any, mask: Mask, *names: str) -> Any:
    """A segmentation whose own grid is the mask's, made without the code under test."""
    import slicer
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    for label, name in enumerate(names, start=1):
        image = slicer.vtkOrientedImageData()
        image.SetDimensions(*mask.geometry.size)
        array = numpy_to_vtk((mask.labels == label).astype(np.uint8).ravel(), deep=True)
        image.GetPointData().SetScalars(array)
        matrix = vtk.vtkMatrix4x4()
        matrix.DeepCopy(mask.geometry.ijk_to_ras.ravel().tolist())
        image.SetImageToWorldMatrix(matrix)
        node.AddSegmentFromBinaryLabelmapRepresentation(image, name)
    return node


def test_segments_on_the_volumes_own_grid_are_taken_over_voxel_by_voxel(scene: Any) -> None:
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation

    geometry = oblique_geometry()
    labels = np.zeros(geometry.shape, np.int16)
    labels[3:6, 5:15, 4:20] = 1
    labels[7:9, 5:15, 4:20] = 2
    node = add_segmentation(scene, Mask(labels, geometry), "femur", "tibia")
    found = mask_from_segmentation(node, geometry)
    np.testing.assert_array_equal(found.labels, labels)
    assert found.segment_names == {1: "femur", 2: "tibia"}
    second = node.GetSegmentation().GetNthSegmentID(1)
    np.testing.assert_array_equal(mask_from_segmentation(node, geometry, [second]).labels, labels == 2)


def test_a_segment_under_its_own_transform_is_found_where_it_is_seen(scene: Any) -> None:
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation, node_from_volume, volume_from_node

    own = Geometry((20, 20, 20), (1.3, 1.3, 1.3), (-13, -13, -13))
    labels = np.zeros(own.shape, np.int16)
    labels[5:15, 4:12, 6:18] = 1
    node = add_segmentation(scene, Mask(labels, own), "lesion")
    under(scene, node, rigid(30, (4, 2, -3)))
    image = node_from_volume(numbered(Geometry((40, 40, 30), (1, 1, 1.5), (-20, -20, -22))), scene)
    under(scene, image, rigid(-15, (2, 1, 0)))
    reference = volume_from_node(image).geometry
    found = mask_from_segmentation(node, reference)
    # brute force: each reference voxel, to the world, back through the segmentation's transform, nearest own voxel
    z, y, x = np.indices(reference.shape)
    world = np.einsum("ij,...j->...i", LPS[:3, :3], reference.index_to_physical(np.stack([x, y, z], -1)))
    to_local = np.linalg.inv(rigid(30, (4, 2, -3)))
    local = world @ to_local[:3, :3].T + to_local[:3, 3]
    index = np.rint((local * (-1, -1, 1) - np.array(own.origin_mm)) / 1.3).astype(int)
    inside = ((index >= 0) & (index < 20)).all(-1)
    expected = np.zeros(reference.shape, np.int16)
    i, j, k = (index[inside][:, axis] for axis in range(3))
    expected[inside] = labels[k, j, i]
    assert expected.sum() > 500
    assert (found.labels != expected).mean() < 1e-4  # rounding at exact halves


def test_an_empty_segment_and_one_elsewhere_are_named(scene: Any) -> None:
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation

    geometry = Geometry((6, 6, 6))
    labels = np.zeros(geometry.shape, np.int16)
    labels[2:4, 2:4, 2:4] = 1
    node = add_segmentation(scene, Mask(labels, geometry), "lesion")
    with pytest.raises(MaskError, match=r"'lesion'.*does not overlap"):
        mask_from_segmentation(node, Geometry((6, 6, 6), origin_mm=(500.0, 0, 0)))
    node.GetSegmentation().AddEmptySegment("void", "void")
    with pytest.raises(MaskError, match=r"'void'.*is empty"):
        mask_from_segmentation(node, geometry, ["void"])
    with pytest.raises(InputError, match="no segment other"):
        mask_from_segmentation(node, geometry, ["other"])


def test_a_segment_that_is_only_a_surface_becomes_voxels(scene: Any) -> None:
    import slicer

    from deepradiomics.scene.nodes.volumes import mask_from_segmentation

    geometry = Geometry((40, 40, 40))
    z, y, x = np.indices(geometry.shape)
    ball = (x - 20) ** 2 + (y - 20) ** 2 + (z - 20) ** 2 < 100
    node = add_segmentation(scene, Mask(ball, geometry), "ball")
    assert node.CreateClosedSurfaceRepresentation()
    converter = slicer.vtkSegmentationConverter
    segmentation = node.GetSegmentation()
    segmentation.SetSourceRepresentationName(converter.GetSegmentationClosedSurfaceRepresentationName())
    segmentation.RemoveRepresentation(converter.GetSegmentationBinaryLabelmapRepresentationName())
    found = mask_from_segmentation(node, geometry).labels > 0
    dice = 2 * (found & ball).sum() / (found.sum() + ball.sum())
    assert dice > 0.95


def test_a_labelmap_node_becomes_a_mask_on_the_volumes_grid(scene: Any) -> None:
    from deepradiomics.scene.nodes.volumes import mask_from_labelmap, node_from_mask

    geometry = oblique_geometry()
    labels = np.zeros(geometry.shape, np.int16)
    labels[2:8, 3:9, 5:20] = 3
    node = node_from_mask(Mask(labels, geometry, name="labels"), scene)
    np.testing.assert_array_equal(mask_from_labelmap(node, geometry).labels, labels)
    with pytest.raises(MaskError, match="no voxel of 'labels'"):
        mask_from_labelmap(node, Geometry((5, 5, 5), origin_mm=(900.0, 0, 0)))


def test_a_roi_under_transforms_is_the_box_that_is_seen(scene: Any) -> None:
    from deepradiomics.scene.nodes.placement import matrix_of
    from deepradiomics.scene.nodes.regions import box_from_roi

    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "ROI")
    with pytest.raises(InputError, match="no extent"):
        box_from_roi(roi)
    roi.SetCenter(0, 0, 0)
    roi.SetSize(10, 20, 30)
    placed = rigid(50, (3, 4, 5))
    roi.GetObjectToNodeMatrix().DeepCopy(matrix_of(placed))
    under(scene, roi, rigid(-20, (6, 0, 1)), np.diag([2.0, 2, 2, 1]))
    box = box_from_roi(roi)
    whole = np.diag([2.0, 2, 2, 1]) @ rigid(-20, (6, 0, 1)) @ placed
    np.testing.assert_allclose(box.centre_mm, (LPS @ whole)[:3, 3], atol=1e-9)
    np.testing.assert_allclose(sorted(box.size_mm), [20, 40, 60], atol=1e-9)
    edges = (LPS @ whole)[:3, :3] / 2
    np.testing.assert_allclose(np.abs(box.axes_array.T @ edges), np.eye(3), atol=1e-9)
    assert roi.IsPointInROIWorld(np.array(box.centre_mm) * (-1, -1, 1))
