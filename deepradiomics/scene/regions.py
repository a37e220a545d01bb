"""A markups ROI node → a box in LPS world space, through its parent transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.prepare.box import Box
from deepradiomics.scene.placement import array_of, fit_axes, to_world


def box_from_roi(node: Any) -> Box:
    """The box of a markups ROI node in LPS.

    Exact under rigid transforms and scalings along its edges; under a shear or a non-linear transform the box that
    encloses it, along the nearest perpendicular axes. Raises InputError if the ROI has not been placed.
    """
    size = np.array(node.GetSize(), dtype=float)
    if node.GetNumberOfControlPoints() == 0 or not (size > 0).all():
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
