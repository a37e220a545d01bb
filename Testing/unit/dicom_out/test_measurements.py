"""A report holds each value by code, region and unit, as it was computed, and refers to the segment it is of."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from deepradiomics.dicom_out import read_source, write_case, write_measurements, write_segmentation
from deepradiomics.dicom_out.concepts import concept_of
from deepradiomics.dicom_out.decimal_string import decimal_string
from deepradiomics.dicom_out.units import HOUNSFIELD
from deepradiomics.errors import InputError
from deepradiomics.images import Volume, read_volume
from deepradiomics.radiomics import Settings
from Testing.unit.dicom_out.conftest import CORE, SETTINGS, Written, mask_on
from Testing.unit.dicom_out.series import MR, PET, phantom, write_series

hd = pytest.importorskip("highdicom", reason="highdicom is not installed: nothing writes DICOM")


def groups_of(path: Path) -> dict[str, Dataset]:
    """Measurement groups by their tracking identifier, as highdicom reads them."""
    report = hd.sr.srread(path)
    groups = report.content.get_volumetric_roi_measurement_groups()
    return {group.tracking_identifier: group for group in groups}


def values_of(group: "hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations") -> dict[tuple[str, ...], Dataset]:
    """NUM items by code, scheme and the values of their modifiers."""
    found = {}
    for measurement in group.get_measurements():
        item = measurement[0]
        modifiers = [part.value.value for part in item.get("ContentSequence", ()) if part.ValueType == "CODE"]
        key = (item.name.value, item.name.scheme_designator, *modifiers)
        assert key not in found
        found[key] = item
    return found


def stored_of(path: Path, name: str) -> dict[tuple[str, ...], str]:
    """Decimal strings by the same key, as they stand in the file (highdicom formats them anew)."""
    groups = [item for item in _items(dcmread(path)) if _code(item)[0] == "125007"]
    [group] = [item for item in groups if name in [part.get("TextValue") for part in item.ContentSequence]]
    found = {}
    for item in group.ContentSequence:
        if item.ValueType == "NUM":
            terms = [
                part.ConceptCodeSequence[0] for part in item.get("ContentSequence", ()) if part.ValueType == "CODE"
            ]
            texts = [str(term.get("CodeValue") or term.LongCodeValue) for term in terms]
            found[(*_code(item), *texts)] = item.MeasuredValueSequence[0].NumericValue.original_string
    return found


def _code(item: Dataset) -> tuple[str, str]:
    name = (item.get("ConceptNameCodeSequence") or [Dataset()])[0]
    return str(name.get("CodeValue") or name.get("LongCodeValue")), str(name.get("CodingSchemeDesignator"))


@pytest.mark.parametrize(("label", "name"), [(1, CORE.name), (2, "rim")])
def test_every_value_is_found_by_code_region_and_unit(written: Written, label: int, name: str) -> None:
    items = values_of(groups_of(written.folder / "measurements.dcm")[name])
    stored = stored_of(written.folder / "measurements.dcm", name)
    features = written.features[label]
    assert len(items) == len(stored) == len(features) > 100
    for key, value in features.items():
        concept = concept_of(key, HOUNSFIELD, SETTINGS)
        place = (*concept.code[:2], *(term.value for _, term in concept.modifiers))
        item = items[place]
        assert item.value == value  # every bit
        assert stored[place] == decimal_string(value)
        assert item.unit.value == concept.unit.value
        if key.startswith("original"):
            assert "ContentSequence" not in item


def test_groups_refer_to_their_segment_and_its_slices(written: Written) -> None:
    segmentation = hd.seg.segread(written.folder / "segmentation.dcm")
    slices = {str(dcmread(path).SOPInstanceUID) for path in written.series.iterdir()}
    for number, name in ((1, CORE.name), (2, "rim")):
        group = groups_of(written.folder / "measurements.dcm")[name]
        assert group.reference_type.meaning == "Referenced Segment"
        segment = group.referenced_segment
        assert segment.referenced_sop_instance_uid == segmentation.SOPInstanceUID
        assert segment.referenced_segment_numbers == [number]
        assert group.tracking_uid == segmentation.SegmentSequence[number - 1].TrackingUID
        sources = [item for item in segment if item.ValueType == "IMAGE"][1:]
        assert {item.referenced_sop_instance_uid for item in sources} < slices
        assert len(sources) == (5, 4)[number - 1]
    assert groups_of(written.folder / "measurements.dcm")[CORE.name].finding_type.meaning == "Neoplasm"


def test_evidence_names_the_segmentation_and_every_slice(written: Written) -> None:
    report = dcmread(written.folder / "measurements.dcm")
    [study] = report.CurrentRequestedProcedureEvidenceSequence
    instances = [
        item.ReferencedSOPInstanceUID
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    ]
    expected = {str(dcmread(path).SOPInstanceUID) for path in written.series.iterdir()}
    assert set(instances) == expected | {str(dcmread(written.folder / "segmentation.dcm").SOPInstanceUID)}


def test_software_version_and_settings_are_told_and_the_observer_is_the_software(written: Written) -> None:
    from deepradiomics import __version__

    path = written.folder / "measurements.dcm"
    texts = {item.ConceptNameCodeSequence[0].CodeMeaning: item for item in _items(dcmread(path))}
    assert texts["Algorithm Name"].TextValue == "DeepRadiomics"
    assert texts["Algorithm Version"].TextValue == __version__
    settings = json.loads(texts["Algorithm Parameters"].TextValue)
    assert settings["setting"]["binWidth"] == 25
    assert settings["imageType"] == SETTINGS.to_dict()["imageType"]
    assert texts["Device Observer Name"].TextValue == "DeepRadiomics"
    assert texts["Procedure reported"].ConceptCodeSequence[0].CodeValue == "25045-6"
    assert "Person Observer Name" not in texts
    report = dcmread(path)
    assert report.ConceptNameCodeSequence[0].CodeMeaning == "Imaging Measurement Report"
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert report.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == "99DEEPRADIOMICS"


def test_a_person_is_named_where_the_caller_names_one(written: Written, tmp_path: Path) -> None:
    segmentation = write_segmentation(written.mask, written.source, tmp_path / "seg.dcm")
    write_measurements(
        written.features, written.mask, segmentation, written.source, SETTINGS, tmp_path / "sr.dcm",
        observer="Haus^Gregor",
    )  # fmt: skip
    names = [item.PersonName for item in _items(dcmread(tmp_path / "sr.dcm")) if item.ValueType == "PNAME"]
    assert names == ["Haus^Gregor"]


def test_nan_and_infinite_values_are_left_out_with_a_note(written: Written, tmp_path: Path) -> None:
    features = {1: {"original_firstorder_Mean": 1.5, "original_glcm_MCC": math.nan, "original_glcm_Contrast": math.inf}}
    made = write_case(written.mask, written.source, tmp_path / "out", features=features, settings=SETTINGS)
    items = values_of(groups_of(tmp_path / "out" / "measurements.dcm")[CORE.name])
    assert list(items) == [("Q4LE", "IBSI")]
    assert any("2 features without a finite value" in note and "original_glcm_MCC" in note for note in made.notes)


@pytest.mark.parametrize(
    ("sop", "tags", "suv", "unit"),
    [
        (PET, {"Units": "BQML"}, False, "Bq/ml"),
        (PET, {"Units": "CNTS"}, False, "[arb'U]"),
        (PET, {"Units": "BQML"}, True, "g/ml{SUVbw}"),
        (MR, {}, False, "[arb'U]"),
    ],
)
def test_grey_values_have_the_unit_of_the_modality(
    tmp_path: Path, sop: str, tags: dict[str, str], suv: bool, unit: str
) -> None:
    write_series(tmp_path / "in", phantom(), sop=sop, **tags)
    volume = read_volume(tmp_path / "in")
    values = {1: {"original_firstorder_Mean": 2.0}}
    source = read_source(tmp_path / "in", volume)
    write_case(mask_on(volume), source, tmp_path / "out", features=values, settings=SETTINGS, suv=suv)
    [item] = values_of(groups_of(tmp_path / "out" / "measurements.dcm")[CORE.name]).values()
    assert item.unit.value == unit


def test_a_case_is_written_whole_or_not_at_all_and_never_over_another(written: Written, tmp_path: Path) -> None:
    values = {1: {"original_firstorder_Mean": 2.0}}
    with pytest.raises(InputError, match="not in the catalogue"):
        write_case(
            written.mask, written.source, tmp_path / "out", features={1: {"original_firstorder_Mood": 1.0}},
            settings=SETTINGS,
        )  # fmt: skip
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="no segment of label 9"):
        segmentation = write_segmentation(written.mask, written.source, tmp_path / "seg.dcm")
        write_measurements({9: values[1]}, written.mask, segmentation, written.source, SETTINGS, tmp_path / "sr.dcm")
    write_case(written.mask, written.source, tmp_path / "out", features=values, settings=SETTINGS)
    before = (tmp_path / "out" / "measurements.dcm").read_bytes()
    with pytest.raises(InputError, match=r"segmentation.dcm and measurements.dcm exist"):
        write_case(written.mask, written.source, tmp_path / "out", features=values, settings=SETTINGS)
    assert (tmp_path / "out" / "measurements.dcm").read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["measurements.dcm", "segmentation.dcm"]


def test_only_uids_and_times_differ_between_two_reports_of_one_case(written: Written, tmp_path: Path) -> None:
    values = {2: {"original_firstorder_Mean": 2.0, "wavelet-LLH_glcm_Contrast": 3.25}}
    texts = []
    for name in ("a", "b"):
        write_case(written.mask, written.source, tmp_path / name, features=values, settings=SETTINGS)
        texts.append([_plain(dcmread(tmp_path / name / file)) for file in ("segmentation.dcm", "measurements.dcm")])
    assert texts[0] == texts[1]


def test_settings_are_asked_for_with_features(written: Written, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="settings"):
        write_case(written.mask, written.source, tmp_path / "out", features={1: {}})


def test_a_source_without_type_2_attributes_or_with_bad_ones_is_served(tmp_path: Path) -> None:
    voxels = phantom()
    write_series(
        tmp_path / "in", voxels, AccessionNumber=None, PatientBirthDate=None, PatientSex="X", SeriesNumber=None,
        StudyID=None,
    )  # fmt: skip
    volume = Volume(voxels, read_volume(tmp_path / "in").geometry)
    values = {1: {"original_firstorder_Mean": 2.0}}
    source = read_source(tmp_path / "in", volume)
    made = write_case(mask_on(volume), source, tmp_path / "out", features=values, settings=Settings.from_params(None))
    found = dcmread(tmp_path / "out" / "measurements.dcm")
    assert not found.PatientSex
    assert not found.AccessionNumber
    assert found.SeriesNumber == 1002
    assert [note for note in made.notes if "PatientSex" in note] == [
        "PatientSex of the source is not valid DICOM; it is left empty in what is written."
    ]
    np.testing.assert_equal(found.PatientID, "ID-4711-SECRET")


def test_a_name_in_several_scripts_is_kept(tmp_path: Path) -> None:
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    write_series(tmp_path / "in", phantom(), SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName=name)
    volume = read_volume(tmp_path / "in")
    values = {1: {"original_firstorder_Mean": 2.0}}
    write_case(
        mask_on(volume), read_source(tmp_path / "in", volume), tmp_path / "out", features=values, settings=SETTINGS
    )
    for file in ("segmentation.dcm", "measurements.dcm"):
        assert str(dcmread(tmp_path / "out" / file).PatientName) == name


def _items(dataset: Dataset) -> list[Dataset]:
    below = list(dataset.get("ContentSequence", ()))
    return below + [item for part in below for item in _items(part)]


def _plain(dataset: Dataset) -> str:
    """A dataset as text without UIDs, dates and times."""
    dataset.file_meta = None
    for element in list(dataset):
        if element.VR in ("UI", "DA", "TM", "DT"):
            del dataset[element.tag]
        elif element.VR == "SQ":
            for item in element.value:
                _plain(item)
    return str(dataset)
