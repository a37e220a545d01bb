"""write_segmentation: the regions of a mask as a DICOM Segmentation (SEG) of the series that they were drawn on."""

import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset

from deepradiomics.dicom_out.built import building
from deepradiomics.dicom_out.drawn import BY_HAND, LEARNED, Drawn
from deepradiomics.dicom_out.equipment import equipment, series_number
from deepradiomics.dicom_out.header import UTF8
from deepradiomics.dicom_out.lattice import on_grid
from deepradiomics.dicom_out.source import SourceSeries
from deepradiomics.dicom_out.text import long_string
from deepradiomics.dicom_out.toolkit import highdicom
from deepradiomics.errors import InputError, MaskError
from deepradiomics.files.atomic import atomic_file
from deepradiomics.images import Code, Mask, Segment

TISSUE = Code("85756007", "SCT", "Tissue")
"""Category and type of a region of which nothing is known (3D Slicer's default as well)."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A DICOM segmentation that was built.

    Args:
        dataset: the object.
        numbers: the segment number of each label of the mask.
        tracking: of each label the unique identifier by which a report follows the region.
        notes: what was assumed, one sentence each.
    """

    dataset: Dataset
    numbers: Mapping[int, int]
    tracking: Mapping[int, str]
    notes: tuple[str, ...] = ()


def write_segmentation(
    mask: Mask,
    source: SourceSeries,
    path: str | os.PathLike[str],
    *,
    labels: Sequence[int] | None = None,
    drawn: Mapping[int, Drawn] | Drawn = BY_HAND,
) -> Segmentation:
    """Write regions as a binary SEG: one segment per region, which may overlap, on the stored slices of the series.

    Args:
        mask: the regions, on the series' grid, or on one whose voxels are the series' (cropped, turned, mirrored).
        source: the series.
        path: file to write; an existing one is not replaced.
        labels: which labels; None: all, in ascending order.
        drawn: how the regions came about, for all or by label.

    Raises:
        GeometryError: the mask lies on another grid.
        MaskError: a label is not there.
        InputError: the file exists or cannot be written.
        MissingDependencyError: highdicom is not installed.
    """
    path = Path(path)
    if path.exists():
        raise InputError(f"{path}: this file exists. Choose another folder, or move it away.")
    dataset = build_segmentation(mask, source, labels=labels, drawn=drawn)
    with atomic_file(path) as temporary:
        dataset.dataset.save_as(temporary, enforce_file_format=True)
    return dataset


def build_segmentation(
    mask: Mask,
    source: SourceSeries,
    *,
    labels: Sequence[int] | None = None,
    drawn: Mapping[int, Drawn] | Drawn = BY_HAND,
) -> Segmentation:
    """As :func:`write_segmentation`, without a file."""
    hd = highdicom()
    wanted = tuple(mask.labels_present() if labels is None else labels)
    if not wanted:
        raise MaskError(f"{mask.called}: it is empty, no voxel has a label, so there is no segment to write.")
    notes: list[str] = []
    uids = {label: str(hd.UID()) for label in wanted}
    described, planes = [], []
    for number, label in enumerate(wanted, start=1):
        planes.append(on_grid(mask.region(label), mask.geometry, source.geometry, f"{mask.called}, label {label}"))
        way = drawn if isinstance(drawn, Drawn) else drawn.get(label, BY_HAND)
        segment = mask.segments.get(label) or Segment("")
        described.append(_described(hd, number, label, segment, way, uids[label], notes))
    first = source.images[0]
    with building("segmentation"):
        dataset = hd.seg.Segmentation(
            source_images=list(source.images),
            pixel_array=_stacked(planes),
            segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=described,
            series_instance_uid=hd.UID(),
            series_number=series_number(first, 1),
            sop_instance_uid=hd.UID(),
            instance_number=1,
            series_description="DeepRadiomics regions",
            content_label="REGIONS",
            content_description="Regions of radiomic features",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            **equipment(),
        )
    _refer_to_frames(dataset, source.frames)
    _identify_by_frame(dataset)
    dataset.SpecificCharacterSet = UTF8
    if "ContentCreatorName" not in dataset:  # the standard asks for it, empty where nobody is named
        dataset.ContentCreatorName = ""
    numbers = {label: number for number, label in enumerate(wanted, start=1)}
    return Segmentation(dataset, numbers, uids, tuple(dict.fromkeys(notes)))


def name_of(mask: Mask, label: int) -> str:
    """What a region is called in DICOM: its segment's name, else its label; at most 64 characters."""
    return long_string(mask.segment_names.get(label, "")) or f"label {label}"


def _described(hd: Any, number: int, label: int, segment: Segment, drawn: Drawn, uid: str, notes: list[str]) -> Dataset:
    name = long_string(segment.name) or f"label {label}"
    if segment.name and name != segment.name:
        notes.append(f"Label {label}: its name is stored as {name!r}; DICOM holds 64 characters without backslash.")
    if segment.category is None or segment.type is None:
        notes.append(
            f"Label {label} ({name}): the mask does not say what it is; category and type are 'Tissue', DICOM's most "
            "general term."
        )
    if drawn == BY_HAND:
        notes.append(f"Label {label} ({name}): no algorithm is known that drew it; DICOM calls this MANUAL.")
    colour = None
    if segment.colour is not None:
        colour = hd.color.CIELabColor.from_rgb(*(round(255 * part) for part in segment.colour))
    described = hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=_coded(hd, segment.category or TISSUE),
        segmented_property_type=_coded(hd, segment.type or TISSUE),
        algorithm_type="MANUAL" if drawn.family is None else drawn.way,
        algorithm_identification=None if drawn.family is None else _algorithm(hd, drawn),
        tracking_uid=uid,
        tracking_id=name,
        display_color=colour,
    )
    described.SegmentDescription = f"Label {label} of the mask"
    if drawn.way != "MANUAL":  # without a family there is a name alone, which highdicom does not foresee
        described.SegmentAlgorithmType, described.SegmentAlgorithmName = drawn.way, long_string(drawn.algorithm)
    return described


def _algorithm(hd: Any, drawn: Drawn) -> Any:
    return hd.AlgorithmIdentificationSequence(
        name=long_string(drawn.algorithm),
        version=long_string(drawn.version) or "unknown",
        family=_coded(hd, drawn.family or LEARNED),
    )


def _refer_to_frames(dataset: Dataset, frames: Sequence[int]) -> None:
    """Number the source's frames as they are stored: highdicom has counted those of the slices alone."""
    if not frames:
        return
    for group in dataset.PerFrameFunctionalGroupsSequence:
        for derivation in group.get("DerivationImageSequence", ()):
            for item in derivation.SourceImageSequence:
                item.ReferencedFrameNumber = frames[int(item.ReferencedFrameNumber) - 1] + 1


def _identify_by_frame(dataset: Dataset) -> None:
    """Say of each frame which segment it is of: of a lone segment highdicom 0.28 says it once for all frames.

    Both are valid, but its own reports, and readers that look at frames alone, would not find the segment.
    """
    shared = dataset.SharedFunctionalGroupsSequence[0]
    if "SegmentIdentificationSequence" in shared:
        for group in dataset.PerFrameFunctionalGroupsSequence:
            group.SegmentIdentificationSequence = deepcopy(shared.SegmentIdentificationSequence)
        del shared.SegmentIdentificationSequence


def _stacked(planes: Sequence[np.ndarray]) -> np.ndarray:
    """One array of segment numbers, which is small; where segments overlap one plane per segment: (…, segments)."""
    numbers = np.zeros(planes[0].shape, np.uint8 if len(planes) < 256 else np.uint16)
    for number, region in enumerate(planes, start=1):
        if (numbers[region] > 0).any():
            return np.stack(planes, axis=-1).astype(np.uint8)
        numbers[region] = number
    return numbers


def _coded(hd: Any, code: Code) -> Any:
    return hd.sr.CodedConcept(code.value, code.scheme, long_string(code.meaning))


__all__ = ["TISSUE", "Segmentation", "build_segmentation", "name_of", "write_segmentation"]
