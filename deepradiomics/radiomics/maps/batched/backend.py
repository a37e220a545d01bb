"""Features of windows by batched array formulas, with numpy on the CPU or torch on a device."""

from collections.abc import Collection
from typing import Any

import numpy as np

from deepradiomics.radiomics.features.gldm import QUANTITY as GLDM
from deepradiomics.radiomics.features.glrlm import QUANTITY as GLRLM
from deepradiomics.radiomics.features.glszm import QUANTITY as GLSZM
from deepradiomics.radiomics.maps.arrays import Arrays
from deepradiomics.radiomics.maps.batched.glcm import glcm_features
from deepradiomics.radiomics.maps.batched.groups import local_levels, mean_over_directions
from deepradiomics.radiomics.maps.batched.sizes import dependences, runs, size_quantities, zones
from deepradiomics.radiomics.maps.batched.values import firstorder_features, ngtdm_features
from deepradiomics.radiomics.maps.field import Field
from deepradiomics.radiomics.maps.result import WindowFeatures


def window_features(
    a: Arrays, field: Field, family: str, wanted: Collection[str], centres: np.ndarray
) -> WindowFeatures:
    """Return the wanted features of one family for the windows around some voxels; see :class:`WindowFeatures`."""
    present = None
    places = centres[:, None] + field.steps
    if family == "firstorder":
        features = firstorder_features(
            a,
            a.of(field.values[places]),
            a.of(field.value_levels[places].astype(np.int64)),
            float(field.settings.voxel_array_shift),
            float(np.prod(field.spacing_mm)),
        )
    else:
        levels = np.zeros((len(centres), field.window.size + 1), np.int64)  # a column of zeros at the end
        levels[:, :-1] = field.levels[places]
        if family == "glcm":
            features, there = _glcm(a, field, a.of(levels), wanted)
            present = a.to_numpy(there).astype(np.uint8)
        elif family == "ngtdm":
            neighbours = a.of(field.window.neighbours.padded(field.window.size))
            features = ngtdm_features(a, a.of(levels), *local_levels(a, a.of(levels)), neighbours)
        else:
            features = _sizes(a, field, a.of(levels), family)
    return WindowFeatures({name: a.to_numpy(features[name]) for name in features if name in wanted}, present)


def _glcm(a: Arrays, field: Field, levels: Any, wanted: Collection[str]) -> tuple[dict[str, Any], Any]:
    pairs = field.window.pairs.padded(field.window.size)  # (A, M, 2)
    first, second = a.of(pairs[:, :, 0]), a.of(pairs[:, :, 1])
    local, width = local_levels(a, levels)
    i, j, local_i, local_j = levels[:, first], levels[:, second], local[:, first], local[:, second]  # (n, A, M)
    there = (i > 0) & (j > 0)
    weight = a.like_float(there) * (a.of(field.pair_weights)[:, None] if field.merged else 1.0)
    if field.settings.symmetrical_glcm:
        i, j, local_i, local_j = (a.join(both) for both in ([i, j], [j, i], [local_i, local_j], [local_j, local_i]))
        weight = a.join([weight, weight])
    if field.merged:
        i, j, local_i, local_j, weight = (x.reshape(len(x), 1, -1) for x in (i, j, local_i, local_j, weight))
    features = glcm_features(a, i, j, weight, local_i, local_j, width, field.highest, wanted)
    if field.one_level and "MCC" in features:
        features["MCC"] = 1 + 0 * a.like_float(levels[:, 0])
    return features, a.like_float(there).sum(axis=-1) > 0


def _sizes(a: Arrays, field: Field, levels: Any, family: str) -> dict[str, Any]:
    layout, size = field.window, field.window.size
    if family == "glszm":
        entries = zones(a, levels, a.of(layout.touching.padded(size)), a.of(np.arange(size + 1)))
        features = size_quantities(a, *entries, size)
        return {name: features[quantity] for name, quantity in GLSZM.items()}
    if family == "gldm":
        entries = dependences(a, levels, a.of(layout.neighbours.padded(size)), field.settings.gldm_a)
        features = size_quantities(a, *entries, size)
        return {name: features[quantity] for name, quantity in GLDM.items()}
    following, leading = a.of(layout.following), a.of(layout.leading)
    level, length, weight, longer = runs(a, levels, following, leading, 2 * layout.radius + 1)
    if field.merged:
        weight = weight * a.of(field.run_weights)[:, None]
        level, length, weight = (x.reshape(len(x), 1, -1) for x in (level, length, weight))
        longer = a.like_float(longer).sum(axis=-1)[:, None] > 0
    features = size_quantities(a, level, length, weight, size)
    return {name: mean_over_directions(a, features[quantity], longer) for name, quantity in GLRLM.items()}
