"""Regions and features of one image as DICOM files in a folder of their own, where an extraction asks for it.

::

    <dicom out>/<case>/segmentation.dcm, measurements.dcm
    <dicom out>/<case>/written.json      of a manifest: what they were made from, so that the next run keeps them

What cannot be written is refused before anything is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deepradiomics import __version__, dicom_out
from deepradiomics.cohort.regions.features import Extraction, measured_regions
from deepradiomics.cohort.regions.shapes import RegionShapes
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json, write_json
from deepradiomics.images import Mask
from deepradiomics.radiomics.region.inputs import Inputs, plane_settings

KEY_FILE = "written.json"
_FILES = ("segmentation.dcm", "measurements.dcm")

WriteDicom = Callable[[Mapping[int, Mapping[str, float]]], tuple[str, ...]]
"""Write the features by label; returns notes."""


def dicom_writer(
    folder: Path, image: Path, mask: Path, inputs: Inputs, extraction: Extraction, *, key: str = ""
) -> WriteDicom:
    """Build the SEG of an image's regions, and return what writes it with their features.

    Args:
        folder: for the files of this image.
        image, mask: the files that were read; the image must be DICOM.
        inputs: what was read from them.
        extraction: what is asked.
        key: of the content; files that an earlier run has written of the same content are kept. Empty: nothing is.

    Raises:
        InputError: the image is no DICOM, its header is unfit, or other DICOM files lie in the folder.
        GeometryError: the regions lie on another grid than the stored slices.
        MissingDependencyError: highdicom is not installed.
    """
    if key and (about := _about(folder)).get("key") == key:
        if about.get("whole"):
            return lambda features: tuple(map(str, about.get("notes", ())))
        for name in _FILES:  # of a run of ours that was stopped
            (folder / name).unlink(missing_ok=True)
    _, shaped = measured_regions(inputs, extraction)
    drawn = _drawn(shaped.mask, mask, extraction)
    source = dicom_out.read_source(image, inputs.original)
    prepared = dicom_out.prepare_case(shaped.mask, source, folder, labels=shaped.labels, drawn=drawn)
    settings = plane_settings(extraction.settings, inputs.dimensions)

    def write(features: Mapping[int, Mapping[str, float]]) -> tuple[str, ...]:
        about = {"software": "deepradiomics", "version": __version__, "key": key}
        if key:
            write_json(folder / KEY_FILE, about | {"whole": False})
        notes = prepared.write(features, settings, suv=extraction.reading.image.suv).notes
        if key:
            write_json(folder / KEY_FILE, about | {"whole": True, "notes": list(notes)})
        return notes

    return write


def _about(folder: Path) -> Mapping[str, Any]:
    """What an earlier run has noted of the files here; nothing where they are not all there."""
    try:
        about = read_json(folder / KEY_FILE)
    except InputError:
        return {}
    if not isinstance(about, dict):
        return {}
    return about | {"whole": bool(about.get("whole")) and all((folder / name).is_file() for name in _FILES)}


def _drawn(regions: Mask, path: Path, extraction: Extraction) -> Mapping[int, dicom_out.Drawn] | dicom_out.Drawn:
    """Who drew the regions: what a DICOM SEG says of its segments; we, where we made them from the user's."""
    if extraction.shapes != RegionShapes():
        return dicom_out.Drawn("SEMIAUTOMATIC", "DeepRadiomics regions", __version__)
    by_number = dicom_out.drawn_in(path)
    numbers = {
        label: getattr(regions.segments.get(label), "number", None) or label for label in regions.labels_present()
    }
    return {label: by_number[number] for label, number in numbers.items() if number in by_number}
