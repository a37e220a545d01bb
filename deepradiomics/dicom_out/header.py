"""The source's header as our objects inherit it: patient and study, complete, in one character set."""

from copy import deepcopy

from pydicom import Dataset
from pydicom.valuerep import DA, TM

UTF8 = "ISO_IR 192"
"""The character set of all that is written: it holds every name of patient and region."""

_TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)


def completed(source: Dataset) -> tuple[Dataset, tuple[str, ...]]:
    """Return a copy of a header with what the standard asks for (empty where the source lacks it), and notes.

    Values that no DICOM object may hold (a date that is none, another sex than M, F, O) are left out with a note that
    does not repeat them.
    """
    header, notes = deepcopy(source), []
    header.decode()
    for keyword in _TYPE_2:
        if header.get(keyword) is None:
            setattr(header, keyword, "")
    for keyword in ("PatientName", "ReferringPhysicianName"):
        setattr(header, keyword, str(header.get(keyword)))
    for keyword, check in (("PatientBirthDate", DA), ("StudyDate", DA), ("StudyTime", TM)):
        try:
            check(header.get(keyword))
        except (ValueError, TypeError):
            setattr(header, keyword, "")
            notes.append(f"{keyword} of the source is not valid DICOM; it is left empty in what is written.")
    if header.PatientSex not in ("", "M", "F", "O"):
        header.PatientSex = ""
        notes.append("PatientSex of the source is not valid DICOM; it is left empty in what is written.")
    header.SpecificCharacterSet = UTF8
    return header, tuple(notes)
