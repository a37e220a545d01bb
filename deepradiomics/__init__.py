"""DeepRadiomics: radiomics and deep features of medical images, in 3D Slicer, Python, the command line and clusters.

The public surface is small and loads on first use, so that ``import deepradiomics`` stays light:

>>> import deepradiomics
>>> features = deepradiomics.extract("image.nii.gz", "mask.nii.gz")  # doctest: +SKIP
>>> features["original_glcm_Contrast"]  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_LAZY = {
    "Volume": "deepradiomics.images",
    "Mask": "deepradiomics.images",
    "Case": "deepradiomics.images",
    "Geometry": "deepradiomics.images",
    "read_volume": "deepradiomics.images",
    "read_mask": "deepradiomics.images",
    "write_volume": "deepradiomics.images",
    "write_mask": "deepradiomics.images",
    "extract": "deepradiomics.radiomics",
    "extract_labels": "deepradiomics.radiomics",
    "extract_many": "deepradiomics.radiomics",
    "feature_maps": "deepradiomics.radiomics.maps",
    "register": "deepradiomics.prepare",
}
__all__ = ["__version__", *_LAZY]

if TYPE_CHECKING:
    from deepradiomics.images import Case as Case
    from deepradiomics.images import Geometry as Geometry
    from deepradiomics.images import Mask as Mask
    from deepradiomics.images import Volume as Volume
    from deepradiomics.images import read_mask as read_mask
    from deepradiomics.images import read_volume as read_volume
    from deepradiomics.images import write_mask as write_mask
    from deepradiomics.images import write_volume as write_volume
    from deepradiomics.prepare import register as register
    from deepradiomics.radiomics import extract as extract
    from deepradiomics.radiomics import extract_labels as extract_labels
    from deepradiomics.radiomics import extract_many as extract_many
    from deepradiomics.radiomics.maps import feature_maps as feature_maps


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'deepradiomics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
