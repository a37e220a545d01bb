"""A CT series, two overlapping regions drawn on it, and what is written of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.dicom_out import SourceSeries, read_source, write_case
from deepradiomics.images import Code, Mask, Segment, Volume, read_volume
from deepradiomics.radiomics import Settings, extract_labels
from Testing.unit.dicom_out.series import phantom, regions, write_series

NEOPLASM = Code("108369006", "SCT", "Neoplasm")
ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
CORE = Segment("Kern, größer", (1.0, 0.0, 0.0), ABNORMAL, NEOPLASM)
SETTINGS = Settings.from_params(
    {"imageType": {"Original": {}, "Wavelet": {}, "LoG": {"sigma": [1.5]}}, "featureClass": {
        "firstorder": None, "shape": None, "glcm": ["Contrast", "MCC"]}}
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Written:
    """A case that was written as DICOM, and all that went in."""

    series: Path
    folder: Path
    volume: Volume
    mask: Mask
    source: SourceSeries
    features: Mapping[int, Mapping[str, float]]
    notes: tuple[str, ...]


def mask_on(volume: Volume) -> Mask:
    """Labels 1 (with colour and terms) and 2 (a name alone), which overlap."""
    parts = regions(volume.voxels.shape)
    labels = np.zeros(volume.voxels.shape, np.uint8)
    labels[parts[1]] = 1
    labels[parts[2]] = 2
    return Mask(labels, volume.geometry, "mask", segments={1: CORE, 2: Segment("rim")}, covered={1: parts[1]})


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    pytest.importorskip("highdicom", reason="highdicom is not installed: nothing writes DICOM")
    folder = tmp_path_factory.mktemp("dicom_out")
    voxels = phantom()
    write_series(folder / "ct", voxels, order=list(np.random.default_rng(1).permutation(len(voxels))))
    volume = read_volume(folder / "ct")
    mask = mask_on(volume)
    source = read_source(folder / "ct", volume)
    found = extract_labels(volume, mask, SETTINGS)
    features = {label: dict(values) for label, values in found.items()}
    made = write_case(mask, source, folder / "out", features=features, settings=SETTINGS)
    return Written(folder / "ct", folder / "out", volume, mask, source, features, made.notes)
