"""Features of windows by the compiled kernels. Import only where numba works."""

from collections.abc import Collection

import numpy as np

from deepradiomics.radiomics.compiled.ngtdm import NAMES as NGTDM_NAMES
from deepradiomics.radiomics.compiled.size_matrix import QUANTITIES
from deepradiomics.radiomics.features.gldm import QUANTITY as GLDM
from deepradiomics.radiomics.features.glrlm import QUANTITY as GLRLM
from deepradiomics.radiomics.features.glszm import QUANTITY as GLSZM
from deepradiomics.radiomics.maps.compiled import firstorder as compiled_firstorder
from deepradiomics.radiomics.maps.compiled import glcm as compiled_glcm
from deepradiomics.radiomics.maps.compiled import ngtdm as compiled_ngtdm
from deepradiomics.radiomics.maps.compiled import sizes as compiled_sizes
from deepradiomics.radiomics.maps.field import Field
from deepradiomics.radiomics.maps.result import WindowFeatures

_NEED_LOGARITHMS = {"DifferenceEntropy", "Imc1", "Imc2", "JointEntropy", "SumEntropy"}


def window_features(field: Field, family: str, wanted: Collection[str], centres: np.ndarray) -> WindowFeatures:
    """Return the wanted features of one family for the windows around some voxels; see :class:`WindowFeatures`."""
    n, windows = len(centres), (field.levels, centres, field.steps)
    shape, layout = field.settings, field.window
    if family == "firstorder":
        out = np.empty((n, len(compiled_firstorder.NAMES)))
        compiled_firstorder.firstorder_windows(
            field.values,
            field.value_levels,
            centres,
            field.steps,
            field.highest_value,
            float(shape.voxel_array_shift),
            float(np.prod(field.spacing_mm)),
            out,
        )
        return WindowFeatures.chosen(compiled_firstorder.NAMES, out, wanted)
    if family == "glcm":
        out = np.empty((n, len(compiled_glcm.NAMES)))
        present = np.zeros((n, len(layout.offsets)), np.uint8)
        compiled_glcm.glcm_windows(
            *windows, layout.pairs.items, layout.pairs.start, field.pair_weights, field.merged, shape.symmetrical_glcm,
            field.highest, bool(_NEED_LOGARITHMS & set(wanted)), "MCC" in wanted and not field.one_level, out, present,
        )  # fmt: skip
        if field.one_level:
            out[:, compiled_glcm.NAMES.index("MCC")] = 1
        return WindowFeatures.chosen(compiled_glcm.NAMES, out, wanted, present)
    if family == "ngtdm":
        out = np.empty((n, len(NGTDM_NAMES)))
        compiled_ngtdm.ngtdm_windows(*windows, layout.neighbours.items, layout.neighbours.start, field.highest, out)
        return WindowFeatures.chosen(NGTDM_NAMES, out, wanted)
    out = np.empty((n, len(QUANTITIES)))
    if family == "glrlm":
        compiled_sizes.glrlm_windows(
            *windows,
            layout.lines.items,
            layout.lines.start,
            layout.lines_of,
            field.run_weights,
            field.merged,
            field.highest,
            out,
        )
    elif family == "glszm":
        compiled_sizes.glszm_windows(*windows, layout.touching.items, layout.touching.start, field.highest, out)
    else:
        neighbours = layout.neighbours
        compiled_sizes.gldm_windows(*windows, neighbours.items, neighbours.start, shape.gldm_a, field.highest, out)
    names = {"glrlm": GLRLM, "glszm": GLSZM, "gldm": GLDM}[family]
    columns = [QUANTITIES.index(names[name]) for name in names]
    return WindowFeatures.chosen(tuple(names), out[:, columns], wanted)
