"""DICOM images read with pydicom: what was stored, where it lay, or a refusal in words.

Headers of a folder (:mod:`headers`) become frames (:mod:`frames`), frames become whole stacks (:mod:`stacks`), and the
one that is meant (:mod:`choice`) becomes a volume with a place (:mod:`geometry`) and values (:mod:`values`). pydicom is
loaded with the first of these names that is used: a cohort that holds no DICOM does without.
"""

from typing import TYPE_CHECKING

from deepradiomics.public import lazy

if TYPE_CHECKING:
    from deepradiomics.images.dicom.folder import one_series as one_series
    from deepradiomics.images.dicom.headers import is_dicom as is_dicom
    from deepradiomics.images.dicom.scanner import SCANNER_COLUMNS as SCANNER_COLUMNS
    from deepradiomics.images.dicom.scanner import scanner_columns as scanner_columns
    from deepradiomics.images.dicom.series import read_dicom as read_dicom

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        ".folder": "one_series",
        ".headers": "is_dicom",
        ".scanner": "SCANNER_COLUMNS scanner_columns",
        ".series": "read_dicom",
    },
)
