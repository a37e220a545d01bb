"""A stand-in for Slicer's DICOM database, as far as files of instances are asked for."""

from __future__ import annotations

from pathlib import Path

from pydicom import dcmread


class InstanceDatabase:
    """Answers as ctkDICOMDatabase does: the file of an instance, an empty text for one that it does not know."""

    def __init__(self, folder: Path) -> None:
        self._files = {str(dcmread(path).SOPInstanceUID): str(path) for path in folder.iterdir()}
        self.isOpen = True

    def fileForInstance(self, uid: str) -> str:
        if not isinstance(uid, str):
            raise TypeError("fileForInstance takes a text")
        return self._files.get(uid, "")

    @property
    def instances(self) -> list[str]:
        """UIDs of all instances; ctkDICOMDatabase has no such list."""
        return list(self._files)
