"""Columns about the scanner: what the series says, never who was scanned."""

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import ReadOptions
from deepradiomics.images.dicom import SCANNER_COLUMNS, scanner_columns
from Testing.reference.dicom.dicom_series_generator import item
from Testing.reference.dicom.small_dicom import enhanced, image, save_all, write_slices, write_stacks


def test_settings_of_the_scanner_are_columns_with_units(tmp_path: Path) -> None:
    folder = write_slices(
        tmp_path / "series", range(3), Modality="CT", Manufacturer="ACME ", ManufacturerModelName="Scan 3",
        ConvolutionKernel="B30f", KVP="120", Exposure="150", ReconstructionDiameter="360.5", SpacingBetweenSlices="3",
    )  # fmt: skip
    columns = scanner_columns(folder)
    assert tuple(columns) == SCANNER_COLUMNS
    assert {name: value for name, value in columns.items() if value != ""} == {
        "modality": "CT", "manufacturer": "ACME", "scanner_model": "Scan 3", "convolution_kernel": "B30f",
        "slice_thickness_mm": 3.0, "pixel_spacing_mm": "0.75 x 0.5", "slice_spacing_mm": 3.0, "kvp_kv": 120.0,
        "exposure_mas": 150.0, "reconstruction_diameter_mm": 360.5,
    }  # fmt: skip
    assert "Secret" not in str(columns)


def test_values_that_differ_within_the_series_are_told(tmp_path: Path) -> None:
    datasets = [image(k, Exposure=str(100 + 10 * k), Manufacturer=("A", "B")[k % 2]) for k in range(3)]
    columns = scanner_columns(save_all(tmp_path / "series", datasets))
    assert columns["exposure_mas"] == "100 to 120"
    assert columns["manufacturer"] == "A | B"


def test_the_columns_are_those_of_the_stack_that_is_read(tmp_path: Path) -> None:
    folder = write_stacks(tmp_path / "series", [{"EchoTime": "5"}, {"EchoTime": "15"}])
    assert scanner_columns(folder)["echo_time_ms"] == 5.0
    assert scanner_columns(folder, ReadOptions(stack="te=15"))["echo_time_ms"] == 15.0


def test_functional_groups_are_looked_into(tmp_path: Path) -> None:
    dataset = enhanced([{"value": 1, "height": 3 * k, "MREchoSequence": item(EffectiveEchoTime=7.5)} for k in range(3)],
                       MagneticFieldStrength="3", PulseSequenceName="tse", ScanningSequence=["SE", "IR"])  # fmt: skip
    columns = scanner_columns(save_all(tmp_path / "series", [dataset]))
    assert (columns["echo_time_ms"], columns["field_strength_t"], columns["sequence"]) == (7.5, 3.0, "SE/IR tse")
    assert columns["pixel_spacing_mm"] == "0.75 x 0.5"
    assert columns["slice_thickness_mm"] == 3.0


def test_an_image_that_is_no_dicom_says_nothing(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 2)))
    assert set(scanner_columns(tmp_path / "a.npy").values()) == {""}
    with pytest.raises(InputError, match="no readable DICOM series"):
        scanner_columns(tmp_path)
