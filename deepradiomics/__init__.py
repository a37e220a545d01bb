"""DeepRadiomics: radiomics and deep features of medical images, in 3D Slicer, Python, the command line and clusters.

The public surface is small and loads on first use, so that ``import deepradiomics`` stays light:

>>> import deepradiomics
>>> features = deepradiomics.extract("image.nii.gz", "mask.nii.gz")
>>> features["original_shape_VoxelVolume"]
240.0
"""

from typing import TYPE_CHECKING

from deepradiomics.public import lazy

if TYPE_CHECKING:
    from deepradiomics.images import Case as Case
    from deepradiomics.images import Geometry as Geometry
    from deepradiomics.images import Mask as Mask
    from deepradiomics.images import Volume as Volume
    from deepradiomics.images import read_mask as read_mask
    from deepradiomics.images import read_volume as read_volume
    from deepradiomics.images import write_mask as write_mask
    from deepradiomics.images import write_volume as write_volume
    from deepradiomics.lens import RadiomicLens as RadiomicLens
    from deepradiomics.prepare import register as register
    from deepradiomics.radiomics import Features as Features
    from deepradiomics.radiomics import Settings as Settings
    from deepradiomics.radiomics import extract_labels as extract_labels
    from deepradiomics.radiomics import extract_many as extract_many
    from deepradiomics.radiomics.extract import extract as extract
    from deepradiomics.radiomics.maps import feature_maps as feature_maps

__version__ = "0.1.0"
__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        ".images": "Case Geometry Mask Volume read_mask read_volume write_mask write_volume",
        ".lens": "RadiomicLens",
        ".prepare": "register",
        ".radiomics": "Features Settings extract_labels extract_many",
        ".radiomics.extract": "extract",
        ".radiomics.maps": "feature_maps",
    },
)
__all__ += ["__version__"]
