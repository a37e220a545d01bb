"""Marks: hashes by which a network can say whom it has seen, without naming anybody.

Every bundle trained on haemorrhages lists the marks of ALL its training and validation patients::

    info["seen"] = {"images": [image_mark(ct), …], "patients": [patient_mark(name), …]}

A mark of an image recognises a scan whatever its file is called; a mark of a patient recognises a second scan of the
same person. A mark of a patient hides a name from a glance, not from somebody who tries all names that there can be:
give patients study numbers in the manifest, never names.

An encoder of the lens lists, for each stage of its training, marks of cases, of one modality each (id and voxels)::

    about["pretraining"]["marks"] = {"train": [case_marks(id, voxels)[0][:STAGE_MARK_LENGTH], …], "validation": […]}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from deepradiomics.files.atomic import content_hash
from deepradiomics.images import Volume

MARK_LENGTH = 32  # hexadecimal digits kept: 128 bits
STAGES = ("pretraining", "finetuning")
STAGE_MARK_LENGTH = 16  # of a case in the record of a stage: 64 bits


def image_mark(volume: Volume) -> str:
    """Return the mark of a scan: of its grey levels (as float32) and its place, rounded to a thousandth of a mm.

    File name, file format and number type do not matter; resampling, cropping or another unit does.
    """
    grid = volume.geometry
    place = [*grid.size, *(round(1000 * value) for value in (*grid.spacing_mm, *grid.origin_mm))]
    axes = [round(1000 * value) for value in grid.direction]
    voxels = np.asarray(volume.voxels, np.float32) + np.float32(0)  # -0 and 0 are one value
    return content_hash("image 1", place, axes, voxels)[:MARK_LENGTH]


def patient_mark(patient: str) -> str:
    """Return the mark of a patient's name as the manifest gives it (its id where it names no patient); case ignored."""
    return content_hash("patient 1", patient.strip().casefold())[:MARK_LENGTH]


def seen_record(images: Iterable[str], patients: Iterable[str]) -> dict[str, list[str]]:
    """Return ``info["seen"]`` from marks of images and names of patients; sorted, so that order tells nothing."""
    return {"images": sorted(set(images)), "patients": sorted({patient_mark(name) for name in patients})}


def has_seen(info: Mapping[str, Any], *, image: str | None = None, patient: str | None = None) -> bool | None:
    """Whether the network that a bundle describes learned from this scan or this patient.

    Args:
        info: the bundle's description.
        image: mark of the scan.
        patient: name of the patient.

    Returns:
        None where the bundle does not say whom it has seen.
    """
    record = info.get("seen")
    if not isinstance(record, Mapping):
        return None
    known_image = image is not None and image in record.get("images", ())
    return known_image or (patient is not None and patient_mark(patient) in record.get("patients", ()))


def case_marks(case: str, voxels_sha256: Mapping[str, str]) -> tuple[str, ...]:
    """One hash per modality of a case, from its id and the hash of the modality's voxels."""
    return tuple(content_hash(case, voxels_sha256[name]) for name in sorted(voxels_sha256))


def seen_in_stage(record: Mapping[str, Any], marks: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The cases of which at least one modality was part of a stage's training or validation.

    Args:
        record: of the stage; one without marks has seen nobody.
        marks: by case, as :func:`case_marks` gives them.
    """
    known = {mark for part in record.get("marks", {}).values() for mark in part}
    return tuple(case for case, of_case in marks.items() if any(mark[:STAGE_MARK_LENGTH] in known for mark in of_case))
