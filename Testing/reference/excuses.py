"""When a difference from PyRadiomics is excused: a grey value on a bin's edge that one ulp carries across.

A voxel within 1e-9 bin of an edge falls into one bin or the other as the last bit of the arithmetic before it rounds.
A differing feature is excused only if, beside having such a voxel, PyRadiomics' own value of it changes when the voxel
is nudged by one ulp and PyRadiomics is run again. In a filtered image the ulp is that of the ROI's largest grey value:
a filter adds and subtracts terms of that size, so results near zero are no more exact. Integer images have no ulp.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from Testing.reference.parity import oracle

NEAR_BINS = 1e-9
_SINGLY = 3  # voxels that are also nudged one by one


@dataclass(frozen=True)
class Excuse:
    """Why a feature's difference is excused: ``voxels`` on an edge in the image type, and how far theirs moved."""

    voxels: int
    moved: float


def excuses(
    image: sitk.Image, mask: sitk.Image, params: Mapping[str, Any], differing: Iterable[str]
) -> dict[str, Excuse]:
    """Return those of the differing keys that are excused."""
    by_prefix: dict[str, list[str]] = {}
    for key in differing:
        if "_shape" not in key:
            by_prefix.setdefault(key.split("_")[0], []).append(key)
    found: dict[str, Excuse] = {}
    for prefix, filtered, roi, settings in oracle.live_images(image, mask, params):
        keys = by_prefix.get(prefix)
        if keys:
            found |= _excused(params, prefix, filtered, roi, settings, keys)
    return found


def edge_voxels(values: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the indices of grey values (N,) that lie within 1e-9 bin of a bin's edge."""
    from radiomics import imageoperations

    edges = np.asarray(imageoperations.getBinEdges(values, **settings), float)
    if len(edges) < 2:
        return np.empty(0, int)
    right = np.clip(np.searchsorted(edges, values.astype(float)), 1, len(edges) - 1)
    nearest = np.minimum(abs(values - edges[right]), abs(values - edges[right - 1]))
    return np.flatnonzero(nearest <= NEAR_BINS * (edges[1] - edges[0]))


def _excused(
    params: Mapping[str, Any], prefix: str, image: sitk.Image, mask: sitk.Image, settings: Mapping[str, Any],
    keys: list[str],
) -> dict[str, Excuse]:  # fmt: skip
    voxels = sitk.GetArrayFromImage(image)
    if voxels.dtype.kind != "f":
        return {}
    where = np.argwhere(sitk.GetArrayFromImage(mask) == settings.get("label", 1))
    values = voxels[tuple(where.T)]
    near = edge_voxels(values, settings)
    if not len(near):
        return {}
    ulp = np.spacing(np.abs(values))
    if prefix != "original":
        ulp = np.maximum(ulp, np.spacing(np.abs(values[np.isfinite(values)]).max(initial=0)))

    def nudged(some: np.ndarray, sign: int) -> dict[str, float]:
        changed = voxels.copy()
        changed[tuple(where[some].T)] += (sign * ulp[some]).astype(voxels.dtype)
        other = sitk.GetImageFromArray(changed)
        other.CopyInformation(image)
        return oracle.class_values(params, prefix, other, mask, settings)

    theirs = oracle.class_values(params, prefix, image, mask, settings)
    moved = _moved(theirs, near, nudged, keys)
    return {key: Excuse(len(near), by) for key, by in moved.items() if by > oracle.TOLERANCE}


def _moved(
    theirs: Mapping[str, float], near: np.ndarray, nudged: Callable[[np.ndarray, int], dict[str, float]],
    keys: list[str],
) -> dict[str, float]:  # fmt: skip
    """How far PyRadiomics' values move at most when the voxels near an edge are nudged, together and one by one."""
    moved = dict.fromkeys(keys, 0.0)
    for sign in (1, -1):
        for some in [near] + [near[k : k + 1] for k in range(min(len(near), _SINGLY))]:
            try:
                after = nudged(some, sign)
            except ValueError:  # the nudged voxels are too close together for numpy's bins: PyRadiomics itself gives up
                return dict.fromkeys(keys, float("inf"))
            for key in keys:
                moved[key] = max(moved[key], oracle.relative_difference(key, after[key], theirs[key]))
            if min(moved.values()) > oracle.TOLERANCE:
                return moved
    return moved
