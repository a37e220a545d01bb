"""write_measurements: features by region as a DICOM structured report (TID 1500 Measurement Report).

::

    Imaging Measurement Report                      one document per case
    ├─ observer: the software                       no person, unless the caller names one
    └─ Imaging Measurements
       └─ Measurement Group (TID 1411)              one a region
          ├─ tracking identifier and UID            those of the segment
          ├─ referenced segment, source series      the SEG and what it was drawn on
          ├─ algorithm: name, version, parameters   the settings as JSON
          └─ NUM value, unit; modifier: the filter  one a feature, by IBSI's code where there is one
"""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.valuerep import DSfloat

from deepradiomics import __version__
from deepradiomics.dicom_out.built import building
from deepradiomics.dicom_out.concepts import Concept, concept_of
from deepradiomics.dicom_out.decimal_string import decimal_string
from deepradiomics.dicom_out.equipment import MANUFACTURER, MODEL, SCHEME, device_uid, equipment, series_number
from deepradiomics.dicom_out.header import UTF8
from deepradiomics.dicom_out.segmentation import TISSUE, Segmentation, name_of
from deepradiomics.dicom_out.source import SourceSeries
from deepradiomics.dicom_out.text import listed
from deepradiomics.dicom_out.toolkit import highdicom
from deepradiomics.dicom_out.units import intensity_unit
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import atomic_file
from deepradiomics.images import Code, Mask, Segment
from deepradiomics.radiomics.settings.settings import Settings

_PROCEDURES = {  # LOINC, CID 100
    "CT": ("25045-6", "CT unspecified body region"),
    "MR": ("25056-3", "MRI unspecified body region"),
    "PT": ("44136-0", "PET unspecified body region"),
    "NM": ("49118-3", "NM unspecified body region"),
}
_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")
_TITLE = Code("126000", "DCM", "Imaging Measurement Report")


@dataclass(frozen=True, eq=False)
class Report:
    """A structured report that was built.

    Args:
        dataset: the object.
        notes: features that it lacks, one sentence per region.
    """

    dataset: Dataset
    notes: tuple[str, ...] = ()


def write_measurements(
    features: Mapping[int, Mapping[str, float]],
    mask: Mask,
    segmentation: Segmentation,
    source: SourceSeries,
    settings: Settings,
    path: str | os.PathLike[str],
    *,
    suv: bool = False,
    observer: str = "",
) -> Report:
    """Write the features of each region as a Comprehensive SR.

    A value is given twice: as the nearest decimal string of 16 characters, and exactly as a 64-bit number
    (FloatingPointValue). NaN and infinite values have no decimal string; those features are left out with a note.

    Args:
        features: values by full key, by label.
        mask: the regions; their names and terms.
        segmentation: the SEG of these labels.
        source: the series that was measured.
        settings: what the features were computed by.
        path: file to write; an existing one is not replaced.
        suv: whether the image was turned into the standardised uptake value.
        observer: name of the person who measured, as DICOM writes it (``Family^Given``); empty: the software alone.

    Raises:
        InputError: a label has no segment, or the file exists or cannot be written.
        MissingDependencyError: highdicom is not installed.
    """
    path = Path(path)
    if path.exists():
        raise InputError(f"{path}: this file exists. Choose another folder, or move it away.")
    report = build_measurements(features, mask, segmentation, source, settings, suv=suv, observer=observer)
    with atomic_file(path) as temporary:
        report.dataset.save_as(temporary, enforce_file_format=True)
    return report


def build_measurements(
    features: Mapping[int, Mapping[str, float]],
    mask: Mask,
    segmentation: Segmentation,
    source: SourceSeries,
    settings: Settings,
    *,
    suv: bool = False,
    observer: str = "",
) -> Report:
    """As :func:`write_measurements`, without a file."""
    hd = highdicom()
    without = [label for label in features if label not in segmentation.numbers]
    if without:
        raise InputError(f"{mask.called}: the segmentation has no segment of label {', '.join(map(str, without))}.")
    intensity, notes = intensity_unit(source, suv=suv), []
    groups = []
    for label, values in features.items():
        undefined = [key for key, value in values.items() if not math.isfinite(value)]
        if undefined:
            notes.append(
                f"Label {label}: {len(undefined)} features without a finite value are not in the structured report: "
                f"{listed(undefined)}."
            )
        concepts = {key: concept_of(key, intensity, settings) for key in values if key not in undefined}
        measured = [_measurement(hd, concept, values[key]) for key, concept in concepts.items()]
        groups.append(_group(hd, label, mask, segmentation, measured, [_parameters(settings)]))
    report = hd.sr.MeasurementReport(
        observation_context=_observers(hd, observer),
        procedure_reported=_procedure(hd, source),
        imaging_measurements=groups,
        title=hd.sr.CodedConcept(*_TITLE),
    )
    with building("structured report"):
        sr_dataset = hd.sr.ComprehensiveSR(
            evidence=[*source.images, segmentation.dataset],
            content=report[0],
            series_instance_uid=hd.UID(),
            series_number=series_number(source.images[0], 2),
            sop_instance_uid=hd.UID(),
            instance_number=1,
            series_description="DeepRadiomics features",
            is_complete=True,
            coding_schemes=[_scheme(hd)],
            **equipment(),
        )
    sr_dataset.SpecificCharacterSet = UTF8
    return Report(sr_dataset, tuple(notes))


def _group(
    hd: Any, label: int, mask: Mask, segmentation: Segmentation, measured: list[Any], parameters: list[str]
) -> Any:
    segment = mask.segments.get(label) or Segment("")
    return hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(
            uid=hd.UID(segmentation.tracking[label]), identifier=name_of(mask, label)
        ),
        referenced_segment=hd.sr.ReferencedSegment.from_segmentation(
            segmentation.dataset, segment_number=segmentation.numbers[label]
        ),
        finding_type=hd.sr.CodedConcept(*(segment.type or TISSUE)),
        finding_category=hd.sr.CodedConcept(*(segment.category or TISSUE)),
        algorithm_id=hd.sr.AlgorithmIdentification(name=MANUFACTURER, version=__version__, parameters=parameters),
        measurements=measured,
    )


def _measurement(hd: Any, concept: Concept, value: float) -> Any:
    """One NUM item: the value exactly and as the nearest decimal string, its unit and modifiers."""
    measured = hd.sr.Measurement(
        name=hd.sr.CodedConcept(*concept.code), value=float(value), unit=hd.sr.CodedConcept(*concept.unit)
    )
    item = measured[0]
    item.MeasuredValueSequence[0].NumericValue = DSfloat(decimal_string(value))
    if concept.modifiers:
        modifiers = [
            hd.sr.CodeContentItem(
                name=hd.sr.CodedConcept(*name), value=hd.sr.CodedConcept(*term), relationship_type="HAS CONCEPT MOD"
            )
            for name, term in concept.modifiers
        ]
        item.ContentSequence = hd.sr.ContentSequence([*modifiers, *(item.get("ContentSequence") or ())])
    return measured


def _observers(hd: Any, person: str) -> Any:
    device = hd.sr.ObserverContext(
        observer_type=hd.sr.CodedConcept("121007", "DCM", "Device"),
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=device_uid(), name=MANUFACTURER, manufacturer_name=MANUFACTURER, model_name=MODEL
        ),
    )
    if not person:
        return hd.sr.ObservationContext(observer_device_context=device)
    named = hd.sr.ObserverContext(
        observer_type=hd.sr.CodedConcept("121006", "DCM", "Person"),
        observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(name=person),
    )
    return hd.sr.ObservationContext(observer_person_context=named, observer_device_context=device)


def _procedure(hd: Any, source: SourceSeries) -> Any:
    known = _PROCEDURES.get(source.modality)
    return hd.sr.CodedConcept(known[0], "LN", known[1]) if known else hd.sr.CodedConcept(*_PROCEDURE)


def _scheme(hd: Any) -> Any:
    return hd.coding_schemes.CodingSchemeIdentificationItem(
        designator=SCHEME, name="Codes of DeepRadiomics", version=__version__, responsible_organization=MANUFACTURER
    )


def _parameters(settings: Settings) -> str:
    """The settings as one JSON text (readers that know one parameter lose nothing), without those of maps and label."""
    values = {section: part for section, part in settings.to_dict().items() if section != "voxelSetting"}
    values["setting"] = {name: value for name, value in values["setting"].items() if name != "label"}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


__all__ = ["Report", "build_measurements", "write_measurements"]
