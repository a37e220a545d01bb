"""Marks: hashes by which a network can say whom it has seen, without naming anybody.

Every bundle trained on haemorrhages lists the marks of ALL its training and validation patients::

    info["seen"] = {"images": [image_mark(ct), …], "patients": [patient_mark(name), …]}

A mark of an image tells a scan again whatever its file is called; a mark of a patient tells a second scan of the same
person. A mark of a patient hides a name from a glance, not from somebody who tries all names that there can be: give
patients study numbers in the manifest, never names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from deepradiomics.files import content_hash
from deepradiomics.images import Volume

MARK_LENGTH = 32  # hexadecimal digits kept: 128 bits


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
    seen = info.get("seen")
    if not isinstance(seen, Mapping):
        return None
    known_image = image is not None and image in seen.get("images", ())
    return known_image or (patient is not None and patient_mark(patient) in seen.get("patients", ()))
