"""An independent reader, dcmqi, finds the same voxels, names, codes, units and values."""

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.dicom_out.concepts import concept_of
from deepradiomics.dicom_out.units import HOUNSFIELD
from Testing.unit.dicom_out.conftest import CORE, SETTINGS, Written


def run(name: str, *words: object) -> None:
    """Run one of dcmqi's programs; the test skips where it is not installed."""
    program = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip(f"dcmqi's {name} is not installed")
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def report(written: Written, tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("dcmqi") / "report.json"
    run("tid1500reader", "--inputDICOM", written.folder / "measurements.dcm", "--outputMetadata", out)
    return json.loads(out.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("number", "name"), [(1, CORE.name), (2, "rim")])
def test_dcmqi_reads_every_value_by_code_filter_region_and_unit(
    report: dict, written: Written, number: int, name: str
) -> None:
    [group] = [group for group in report["Measurements"] if group["TrackingIdentifier"] == name]
    assert group["ReferencedSegment"] == number
    items = {}
    for item in group["measurementItems"]:
        filters = [modifier["modifierValue"]["CodeValue"] for modifier in item.get("measurementModifiers", ())]
        items[(item["quantity"]["CodeValue"], item["quantity"]["CodingSchemeDesignator"], *filters)] = item
    features = written.features[number]
    assert len(items) == len(features)
    for key, value in features.items():
        concept = concept_of(key, HOUNSFIELD, SETTINGS)
        item = items[(*concept.code[:2], *(term.value for _, term in concept.modifiers))]
        assert item["units"]["CodeValue"] == concept.unit.value
        unit = Decimal((0, (1,), int(Decimal(item["value"]).as_tuple().exponent)))
        assert abs(Decimal(item["value"]) - Decimal(value)) <= unit / 2


def test_dcmqi_reads_software_version_and_settings(report: dict) -> None:
    [algorithm] = {json.dumps(group["measurementAlgorithmIdentification"]) for group in report["Measurements"]}
    told = json.loads(algorithm)
    assert told["AlgorithmName"] == "DeepRadiomics"
    assert json.loads(told["AlgorithmParameters"][0])["setting"]["binWidth"] == 25


def test_dcmqi_reads_the_segments_voxels_and_names(written: Written, tmp_path: Path) -> None:
    run("segimage2itkimage", "--inputDICOM", written.folder / "segmentation.dcm", "--outputDirectory", tmp_path,
        "--outputType", "nrrd")  # fmt: skip
    meta = json.loads((tmp_path / "meta.json").read_text(encoding="utf-8"))
    segments = [segment for group in meta["segmentAttributes"] for segment in group]
    assert [segment["SegmentLabel"] for segment in segments] == [CORE.name, "rim"]
    assert segments[0]["recommendedDisplayRGBValue"] == [255, 0, 0]
    for label in (1, 2):
        image = sitk.ReadImage(str(tmp_path / f"{label}.nrrd"))
        found = np.zeros(written.volume.voxels.shape, bool)
        corners = np.argwhere(sitk.GetArrayFromImage(image) > 0)
        places = [image.TransformIndexToPhysicalPoint([int(value) for value in corner[::-1]]) for corner in corners]
        index = np.rint(written.volume.geometry.physical_to_index(places)).astype(int)
        found[tuple(index.T[::-1])] = True
        np.testing.assert_array_equal(found, written.mask.region(label))
