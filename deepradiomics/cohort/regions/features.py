"""Features of the regions of one image: which are meant, what is computed, and how a result describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deepradiomics.cohort.regions.shapes import RegionShapes, Shaped
from deepradiomics.images import Mask, dicom
from deepradiomics.images.reading import Reading
from deepradiomics.progress import Progress, silent
from deepradiomics.radiomics import Features, Settings
from deepradiomics.radiomics.extract import features_of_loaded
from deepradiomics.radiomics.image_types import Effort
from deepradiomics.radiomics.many import labels_of_loaded
from deepradiomics.radiomics.memory import Budget
from deepradiomics.radiomics.region.inputs import Inputs
from deepradiomics.radiomics.region.regions import RegionChoice
from deepradiomics.threads import thread_count


@dataclass(frozen=True)
class Extraction:
    """What is asked of each case, and what it may use; the last line changes no number.

    Args:
        settings: the engine's settings.
        choice: the regions that are meant; None: the settings' label.
        shapes: what is made of these regions: their connected parts, rings around them.
        reading: how files are read.
        scanner: note the scanner and protocol of DICOM images.
        dicom_out: folder for regions and features as DICOM, a folder per case of a manifest.
        device, threads, max_memory_gb: as for :func:`deepradiomics.extract`.
    """

    settings: Settings
    choice: RegionChoice | None = None
    shapes: RegionShapes = field(default_factory=RegionShapes)
    reading: Reading = field(default_factory=Reading)
    scanner: bool = False
    dicom_out: Path | None = None
    device: str = "auto"
    threads: int | None = None
    max_memory_gb: float | None = None

    def effort(self) -> Effort:
        """The second line, as the engine takes it.

        Raises:
            InputError: not a number of threads or gigabytes.
        """
        return Effort(self.device, thread_count(self.threads), Budget(self.max_memory_gb))


@dataclass(frozen=True, eq=False)
class RegionFeatures:
    """Features by label, and for each label of the mask that cannot be used the reason.

    Args:
        found: by label.
        skipped: the reason by label.
        mask: the regions that were measured, with what is known of them.
        notes: what was assumed, chosen or done while reading, one sentence each.
    """

    found: Mapping[int, Features]
    skipped: Mapping[int, str]
    mask: Mask
    notes: tuple[str, ...] = ()


def region_features(inputs: Inputs, extraction: Extraction, *, progress: Progress | None = None) -> RegionFeatures:
    """The features of one label, or of every label of a mask; of the latter those that cannot be used are left out.

    Args:
        inputs: what :func:`deepradiomics.radiomics.region.inputs.load` gave.
        extraction: what is asked.
        progress: told how far the work is.

    Raises:
        MaskError: the mask is empty, or none of its labels can be used.
        InputError: the image or a setting cannot be used.
    """
    report = progress or silent
    settings, effort = extraction.settings, extraction.effort()
    inputs, shaped = measured_regions(inputs, extraction)
    labels = shaped.labels
    if _choice(extraction).all_labels or extraction.shapes.parts or len(labels) > 1:
        by_label = labels_of_loaded(inputs, settings, labels, effort, report)
        return RegionFeatures(by_label, {**by_label.skipped, **shaped.skipped}, shaped.mask, inputs.notes)
    report(0.0, f"features of label {labels[0]}")
    features = features_of_loaded(inputs, settings.with_label(labels[0]), effort)
    return RegionFeatures({labels[0]: features}, dict(shaped.skipped), shaped.mask, inputs.notes)


def measured_regions(inputs: Inputs, extraction: Extraction) -> tuple[Inputs, Shaped]:
    """The inputs with the mask that is measured (whose notes say what was chosen and made), and its labels.

    Raises:
        MaskError: the mask is empty, lacks what is named, or nothing is left of a region.
    """
    chosen = _choice(extraction).labels(inputs.mask, "mask")
    shaped = extraction.shapes.of(inputs.mask, chosen.labels, inputs.original, extraction.reading)
    notes = tuple(dict.fromkeys((*inputs.notes, *chosen.notes, *shaped.notes)))
    return replace(inputs, mask=shaped.mask, notes=notes), shaped


def _choice(extraction: Extraction) -> RegionChoice:
    return extraction.choice or RegionChoice(label=extraction.settings.label)


def described(result: RegionFeatures) -> dict[str, Any]:
    """Features as they are written: by label its name, what else is known of its segment, features and diagnostics;
    the labels left out; and the notes."""
    return {
        "labels": {
            str(label): {
                "name": result.mask.segment_names.get(label, ""),
                **segment_record(result.mask, label),
                "features": dict(features),
                "diagnostics": features.diagnostics,
            }
            for label, features in result.found.items()
        },
        "skipped": {str(label): why for label, why in result.skipped.items()},
        "notes": list(result.notes),
    }


def scanner_of(image: Path, reading: Reading) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Scanner and protocol of an image as columns of a table; a note where it is no DICOM, which alone tells them.

    Raises:
        InputError: the headers cannot be read.
    """
    texts = dicom.scanner_columns(image, reading.image)
    columns = {name: None if value == "" else value for name, value in texts.items()}
    if any(value is not None for value in columns.values()):
        return columns, ()
    return columns, ("The image is no DICOM that tells its scanner: these columns are empty.",)


def segment_record(mask: Mask, label: int) -> dict[str, Any]:
    """What a mask knows of a label besides its name, as ``{"segment": {...}}``; empty where it knows nothing."""
    segment = mask.segments.get(label)
    if segment is None:
        return {}
    record: dict[str, Any] = {}
    if any(known.number is not None for known in mask.segments.values()):  # elsewhere the label is the number
        record["number"] = label if segment.number is None else segment.number
    if segment.colour is not None:
        record["colour"] = list(segment.colour)
    for name, code in (("category", segment.category), ("type", segment.type)):
        if code is not None:
            record[name] = code._asdict()
    return {"segment": record} if record else {}


def warnings_of(result: RegionFeatures) -> tuple[str, ...]:
    """What a user should know: labels left out, then what the engine says of the others."""
    names = result.mask.segment_names
    left_out = [
        f"label {label} {names.get(label, '')}".rstrip() + f" is left out: {why}"
        for label, why in result.skipped.items()
    ]
    remarks = [
        str(text) if f"label {label}" in str(text) else f"label {label}: {text}"
        for label, features in result.found.items()
        for text in features.diagnostics.get("warnings", ())
    ]
    return (*left_out, *remarks)


__all__: Sequence[str] = (
    "Extraction",
    "RegionFeatures",
    "described",
    "measured_regions",
    "region_features",
    "scanner_of",
    "segment_record",
    "warnings_of",
)
