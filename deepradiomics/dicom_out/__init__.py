"""Results as DICOM objects: regions as Segmentation (SEG), features as structured report (TID 1500, IBSI codes).

Patient and study attributes come from the source series, and stand in these files only.
"""

from deepradiomics.dicom_out.case import PreparedCase, WrittenCase, check_free, prepare_case, write_case
from deepradiomics.dicom_out.drawn import BY_HAND, LEARNED, Drawn, drawn_in
from deepradiomics.dicom_out.measurements import Report, write_measurements
from deepradiomics.dicom_out.segmentation import Segmentation, write_segmentation
from deepradiomics.dicom_out.source import SourceSeries, read_source
from deepradiomics.dicom_out.toolkit import why_not

__all__ = [
    "BY_HAND",
    "LEARNED",
    "Drawn",
    "PreparedCase",
    "Report",
    "Segmentation",
    "SourceSeries",
    "WrittenCase",
    "check_free",
    "drawn_in",
    "prepare_case",
    "read_source",
    "why_not",
    "write_case",
    "write_measurements",
    "write_segmentation",
]
