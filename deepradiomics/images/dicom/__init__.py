"""DICOM images read with pydicom: what was stored, where it lay, or a refusal in words.

Headers of a folder (:mod:`headers`) become frames (:mod:`frames`), frames become whole stacks (:mod:`stacks`), and the
one that is meant (:mod:`choice`) becomes a volume with a place (:mod:`geometry`) and values (:mod:`values`).
"""

from deepradiomics.images.dicom.headers import is_dicom
from deepradiomics.images.dicom.scanner import SCANNER_COLUMNS, scanner_columns
from deepradiomics.images.dicom.series import read_dicom

__all__ = ["SCANNER_COLUMNS", "is_dicom", "read_dicom", "scanner_columns"]
