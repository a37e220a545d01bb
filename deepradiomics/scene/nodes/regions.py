"""A markups ROI node → a box in LPS world space, through its parent transforms; and a fresh one its first place."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.prepare.exam.box import Box
from deepradiomics.scene.nodes.placement import RAS_LPS, array_of, fit_axes, matrix_of, placement, to_world


def box_from_roi(node: Any) -> Box:
    """The box of a markups ROI node in LPS.

    Exact under rigid transforms and scalings along its edges; under a shear or a non-linear transform the box that
    encloses it, along the nearest perpendicular axes. Raises InputError if the ROI has not been placed.
    """
    size = np.array(node.GetSize(), dtype=float)
    if not is_placed(node):
        raise InputError(f"ROI '{node.GetName()}' has no extent yet; draw it in a slice view first")
    ticks = np.linspace(-0.5, 0.5, 5)
    unit = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 3)  # (125, 3)
    to_local = array_of(node.GetObjectToNodeMatrix())
    local = (unit * size) @ to_local[:3, :3].T + to_local[:3, 3]
    world = to_world(node, local) * (-1.0, -1.0, 1.0)  # LPS
    axes, _ = fit_axes(unit, world)
    along = world @ axes
    low, high = along.min(axis=0), along.max(axis=0)
    return Box(tuple(axes @ ((low + high) / 2)), tuple(high - low), axes)  # type: ignore[arg-type]


def is_placed(node: Any) -> bool:
    """Whether an ROI has a point and an extent; one that was just created has neither."""
    return node.GetNumberOfControlPoints() > 0 and all(length > 0 for length in node.GetSize())


def place_in_middle(node: Any, volume: Any) -> bool:
    """Lay an ROI that has no extent yet into the middle of a volume: half its size, along its axes.

    Returns whether it was moved: an ROI that has been placed stays, and without an image there is no middle.
    """
    if is_placed(node) or volume is None or volume.GetImageData() is None or 0 in volume.GetImageData().GetDimensions():
        return False
    grid = placement(volume).geometry
    middle = np.array(grid.centre_mm) * (-1.0, -1.0, 1.0)  # RAS
    size = np.array(grid.size) * np.array(grid.spacing_mm) / 2
    if node.GetParentTransformNode() is not None:
        node.SetCenterWorld(*middle)
        node.SetSizeWorld(*size)
        return True
    to_node = np.eye(4)
    to_node[:3, :3] = RAS_LPS[:3, :3] @ np.array(grid.direction, dtype=float).reshape(3, 3)
    if np.linalg.det(to_node[:3, :3]) < 0:
        to_node[:3, 2] *= -1  # a box is the same on both sides of its middle, and a mirrored matrix is none for an ROI
    to_node[:3, 3] = middle
    node.SetCenter(*middle)  # adds the point
    node.SetSize(*size)
    node.GetObjectToNodeMatrix().DeepCopy(matrix_of(to_node))
    return True
