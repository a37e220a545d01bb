"""Images with their place in the patient: Volume, Mask and Case, read from and written to files.

Voxel arrays are (z, y, x); sizes, spacings and physical points are (x, y, z) in LPS millimetres.
"""

from deepradiomics.images.case import VIEWS, Case
from deepradiomics.images.content import ImageContent, image_content, image_record
from deepradiomics.images.convert import (
    ImageLike,
    MaskLike,
    as_mask,
    as_volume,
    mask_from_sitk,
    volume_from_sitk,
)
from deepradiomics.images.formats.stored import StoredImage
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.label_names import read_label_names, with_label_names
from deepradiomics.images.labels import LabelChoice, chosen_labels, listed_labels
from deepradiomics.images.options import MaskOptions, ReadOptions
from deepradiomics.images.pairing import check_pair
from deepradiomics.images.read import read_mask, read_stored, read_volume
from deepradiomics.images.segment import Code, Segment
from deepradiomics.images.sitk import to_sitk
from deepradiomics.images.volume import Mask, Volume
from deepradiomics.images.write import write_image, write_mask, write_stack, write_volume

__all__ = [
    "VIEWS",
    "Case",
    "Code",
    "Geometry",
    "ImageContent",
    "ImageLike",
    "LabelChoice",
    "Mask",
    "MaskLike",
    "MaskOptions",
    "ReadOptions",
    "Segment",
    "StoredImage",
    "Volume",
    "as_mask",
    "as_volume",
    "check_pair",
    "chosen_labels",
    "image_content",
    "image_record",
    "listed_labels",
    "mask_from_sitk",
    "read_label_names",
    "read_mask",
    "read_stored",
    "read_volume",
    "to_sitk",
    "volume_from_sitk",
    "with_label_names",
    "write_image",
    "write_mask",
    "write_stack",
    "write_volume",
]
