"""Images with their place in the patient: Volume, Mask and Case, read from and written to files.

Voxel arrays are (z, y, x); sizes, spacings and physical points are (x, y, z) in LPS millimetres.
"""

from deepradiomics.images.case import VIEWS, Case
from deepradiomics.images.content import ImageContent, image_content, image_record
from deepradiomics.images.convert import as_mask, as_volume, mask_from_sitk, to_sitk, volume_from_sitk
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.read import read_mask, read_volume
from deepradiomics.images.volume import Mask, Volume
from deepradiomics.images.write import write_image, write_mask, write_stack, write_volume

__all__ = [
    "VIEWS",
    "Case",
    "Geometry",
    "ImageContent",
    "Mask",
    "Volume",
    "as_mask",
    "as_volume",
    "image_content",
    "image_record",
    "mask_from_sitk",
    "read_mask",
    "read_volume",
    "to_sitk",
    "volume_from_sitk",
    "write_image",
    "write_mask",
    "write_stack",
    "write_volume",
]
