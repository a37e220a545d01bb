"""SUVbw of PET, worked by hand: 70 kg, 400 MBq, half-life 6000 s; 6000 s after injection 200 MBq are left.

One Bq/mL is then 70,000 g / 200,000,000 Bq = 0.00035 g/mL, so that 20,000 Bq/mL are 7.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import ReadOptions, read_volume
from Testing.reference.dicom.dicom_series_generator import item
from Testing.reference.dicom.small_dicom import MR, PT, image, save_all

PHILIPS = {0x70530010: ("LO", "Philips PET Private Group")}
GE = {0x00090010: ("LO", "GEMS_PETD_01")}
PER_BQ = 0.00035


def tracer(**changes: Any) -> Any:
    values = {
        "RadiopharmaceuticalStartTime": "100000",
        "RadionuclideTotalDose": "400000000",
        "RadionuclideHalfLife": "6000",
    }
    return item(**{name: value for name, value in (values | changes).items() if value is not None})


def pet(folder: Path, tracer_changes: dict[str, Any] | None = None, slopes: tuple[str, ...] = ("2", "2", "2"),
        one: dict[str, Any] | None = None, **changes: Any) -> Path:  # fmt: skip
    """Three slices of stored value 10,000, scanned at 11:40, 6000 s after the injection."""
    tags: dict[str, Any] = {
        "sop": PT, "Modality": "PT", "Units": "BQML", "DecayCorrection": "START", "CorrectedImage": ["ATTN", "DECY"],
        "SeriesDate": "20200101", "SeriesTime": "114000", "AcquisitionDate": "20200101", "AcquisitionTime": "114000.00",
        "PatientWeight": "70", "RadiopharmaceuticalInformationSequence": tracer(**(tracer_changes or {})),
    }  # fmt: skip
    datasets = [
        image(k, 10000, RescaleSlope=slope, RescaleIntercept="0", **(tags | changes | (one or {} if k == 1 else {})))
        for k, slope in enumerate(slopes)
    ]
    return save_all(folder, datasets)


def uptake(folder: Path) -> list[float]:
    volume = read_volume(folder, options=ReadOptions(suv=True))
    assert volume.notes[-1].startswith("Values are SUVbw in g/mL")
    assert volume.voxels.dtype == np.float64
    return [float(value) for value in volume.voxels[:, 0, 0]]


def test_the_dose_decays_from_injection_to_the_start_of_the_series(tmp_path: Path) -> None:
    assert uptake(pet(tmp_path / "series")) == pytest.approx([7, 7, 7])
    assert read_volume(tmp_path / "series").voxels[0, 0, 0] == 20000  # without the option: as stored


def test_each_slice_has_its_own_slope(tmp_path: Path) -> None:
    assert uptake(pet(tmp_path / "series", slopes=("2", "1", "0.5"))) == pytest.approx([7, 3.5, 1.75])


def test_slices_acquired_later_keep_the_series_reference(tmp_path: Path) -> None:
    assert uptake(pet(tmp_path / "series", one={"AcquisitionTime": "115500"})) == pytest.approx([7, 7, 7])


def test_values_corrected_to_the_injection_need_no_decay(tmp_path: Path) -> None:
    # 70,000 / 400,000,000 × 20,000
    assert uptake(pet(tmp_path / "series", DecayCorrection="ADMIN")) == pytest.approx([3.5] * 3)


@pytest.mark.parametrize("start", ["20200101100000.00", "20200101100000.000000", "20200101100000+0100"])
def test_the_injections_date_and_time_are_taken_where_they_are_there(tmp_path: Path, start: str) -> None:
    folder = pet(tmp_path / "series", {"RadiopharmaceuticalStartDateTime": start, "RadiopharmaceuticalStartTime": None})
    assert uptake(folder) == pytest.approx([7, 7, 7])


def test_an_injection_before_midnight_lies_on_the_day_before(tmp_path: Path) -> None:
    folder = pet(tmp_path / "series", {"RadiopharmaceuticalStartTime": "233000"}, SeriesTime="011000",
                 AcquisitionTime="011000")  # fmt: skip
    assert uptake(folder) == pytest.approx([7, 7, 7])
    assert "the day before" in read_volume(folder, options=ReadOptions(suv=True)).notes[-1]


def test_a_series_made_later_takes_the_scans_start_that_ge_keeps(tmp_path: Path) -> None:
    private = GE | {0x0009100D: ("DT", "20200101114000.00")}
    assert uptake(pet(tmp_path / "ge", SeriesTime="160000", private=private)) == pytest.approx([7, 7, 7])
    with pytest.raises(InputError, match="dated after its images"):
        uptake(pet(tmp_path / "other", SeriesTime="160000"))


def test_counts_need_the_scanners_factor(tmp_path: Path) -> None:
    ready = pet(tmp_path / "ready", Units="CNTS", private=PHILIPS | {0x70531000: ("DS", "0.001")})
    assert uptake(ready) == pytest.approx([20, 20, 20])
    scaled = pet(tmp_path / "scaled", Units="CNTS", private=PHILIPS | {0x70531009: ("DS", "0.5")})
    assert uptake(scaled) == pytest.approx([3.5] * 3)
    with pytest.raises(InputError, match="no factor of the scanner"):
        uptake(pet(tmp_path / "neither", Units="CNTS"))
    with pytest.raises(InputError, match="no factor of the scanner"):  # the same numbers of another maker
        uptake(pet(tmp_path / "foreign", Units="CNTS", private={0x70530010: ("LO", "ACME"), 0x70531000: ("DS", "2")}))


def test_counts_without_correction_for_attenuation_are_no_uptake(tmp_path: Path) -> None:
    factor = {"private": PHILIPS | {0x70531000: ("DS", "0.0005")}}
    with pytest.raises(InputError, match="not corrected for attenuation"):
        uptake(pet(tmp_path / "series", Units="CNTS", CorrectedImage=["DECY"], **factor))


def test_a_half_life_that_fits_the_nuclide_is_taken(tmp_path: Path) -> None:
    nuclide = item(CodeMeaning="^18^Fluorine")
    expected = 20000 * 70000 / (4e8 * 2 ** (-6000 / 6586.2))
    changes = {"RadionuclideHalfLife": "6586.2", "RadionuclideCodeSequence": nuclide}
    assert uptake(pet(tmp_path / "series", changes)) == pytest.approx([expected] * 3)


def test_uptake_that_is_stored_stays(tmp_path: Path) -> None:
    assert uptake(pet(tmp_path / "series", Units="GML")) == [20000] * 3
    with pytest.raises(InputError, match="type LBM"):
        uptake(pet(tmp_path / "lean", Units="GML", SUVType="LBM"))


@pytest.mark.parametrize(
    ("tracer_changes", "changes", "words"),
    [
        ({}, {"PatientWeight": None}, "PatientWeight is missing"),
        ({}, {"PatientWeight": "0"}, "PatientWeight is 0"),
        ({"RadionuclideTotalDose": None}, {}, "RadionuclideTotalDose is missing"),
        ({"RadionuclideTotalDose": "400"}, {}, "in MBq or mCi"),
        ({"RadionuclideHalfLife": None}, {}, "RadionuclideHalfLife is missing"),
        ({"RadionuclideHalfLife": "1.83"}, {}, "in min or h"),
        ({"RadionuclideHalfLife": "1097.7", "RadionuclideCodeSequence": item(CodeMeaning="^18^Fluorine")}, {},
         "that of fluorine-18 6586 s"),
        ({}, {"PatientWeight": "70000"}, "written in g"),
        ({"RadiopharmaceuticalStartDateTime": "20200101090000"}, {}, r"contradict each other.*60\.0 min"),
        ({"RadiopharmaceuticalStartTime": None}, {}, "injection is missing"),
        ({"RadiopharmaceuticalStartTime": "114500"}, {}, "lies after the scan"),
        ({"RadiopharmaceuticalStartDateTime": "20200102100000"}, {}, "lies after the scan"),
        ({"RadiopharmaceuticalStartDateTime": "20191201100000"}, {}, "half-lives"),
        ({"RadiopharmaceuticalStartDateTime": "20200101100000+0100"}, {"TimezoneOffsetFromUTC": "+0200"}, "time zones"),
        ({}, {"RadiopharmaceuticalInformationSequence": None}, "got no tracer"),
        ({}, {"DecayCorrection": "NONE"}, "DecayCorrection should be START or ADMIN, got NONE"),
        ({}, {"DecayCorrection": None}, "DecayCorrection should be START or ADMIN, got none"),
        ({}, {"CorrectedImage": ["ATTN"]}, "not corrected for decay"),
        ({}, {"CorrectedImage": ["DECY"]}, "not corrected for attenuation"),
        ({}, {"CorrectedImage": None}, "not corrected for attenuation"),
        ({}, {"Units": None}, "got none"),
        ({}, {"Units": "PROPCNTS"}, "got PROPCNTS"),
        ({}, {"SeriesTime": None}, "SeriesTime is missing"),
        ({}, {"AcquisitionDate": None}, "AcquisitionDate or AcquisitionTime is missing"),
        ({}, {"one": {"PatientWeight": "71"}}, "PatientWeight differs"),
        ({}, {"one": {"Units": "CNTS"}}, "differ in Units"),
        ({}, {"sop": MR, "Modality": "MR"}, "expected PET"),
    ],
)  # fmt: skip
def test_what_is_missing_or_not_plausible_is_refused(
    tmp_path: Path, tracer_changes: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        uptake(pet(tmp_path / "series", tracer_changes, **changes))
