"""Results as DICOM objects: regions as Segmentation (SEG), features as structured report (TID 1500, IBSI codes).

Patient and study attributes come from the source series, and stand in these files only. pydicom and highdicom are
loaded by the first name that is used.
"""

from typing import TYPE_CHECKING

from deepradiomics.public import lazy

if TYPE_CHECKING:
    from deepradiomics.dicom_out.case import PreparedCase as PreparedCase
    from deepradiomics.dicom_out.case import WrittenCase as WrittenCase
    from deepradiomics.dicom_out.case import check_free as check_free
    from deepradiomics.dicom_out.case import prepare_case as prepare_case
    from deepradiomics.dicom_out.case import write_case as write_case
    from deepradiomics.dicom_out.drawn import BY_HAND as BY_HAND
    from deepradiomics.dicom_out.drawn import LEARNED as LEARNED
    from deepradiomics.dicom_out.drawn import Drawn as Drawn
    from deepradiomics.dicom_out.drawn import drawn_in as drawn_in
    from deepradiomics.dicom_out.measurements import Report as Report
    from deepradiomics.dicom_out.measurements import write_measurements as write_measurements
    from deepradiomics.dicom_out.segmentation import Segmentation as Segmentation
    from deepradiomics.dicom_out.segmentation import write_segmentation as write_segmentation
    from deepradiomics.dicom_out.source import SourceSeries as SourceSeries
    from deepradiomics.dicom_out.source import read_source as read_source
    from deepradiomics.dicom_out.toolkit import why_not as why_not

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        ".case": "PreparedCase WrittenCase check_free prepare_case write_case",
        ".drawn": "BY_HAND LEARNED Drawn drawn_in",
        ".measurements": "Report write_measurements",
        ".segmentation": "Segmentation write_segmentation",
        ".source": "SourceSeries read_source",
        ".toolkit": "why_not",
    },
)
