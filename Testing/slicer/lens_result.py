"""The output of `lens case` for images and regions of one's own, in the documented form, with a map computed here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deepradiomics.images import Mask, Volume, volume_from_sitk, write_mask, write_volume
from deepradiomics.prepare.resample import resample_mask
from deepradiomics.radiomics.maps import feature_maps


def prostatex(folder: Path) -> tuple[dict[str, Volume], Mask]:
    """The PROSTATEx patient as t2, highb and adc, and an ellipsoid on T2's grid in the gland's place (no reader's)."""
    from deepradiomics.images import read_volume
    from deepradiomics.prepare.head.ellipsoid import central_ellipsoid

    names = {"t2": "t2w", "highb": "hbv", "adc": "adc"}
    images = {each: read_volume(folder / "prostatex" / f"ProstateX-0000_{file}.nii.gz") for each, file in names.items()}
    return images, central_ellipsoid(images["t2"].geometry)


def write_case(
    folder: Path,
    images: Mapping[str, Volume],
    roi: Mask,
    modality: str,
    feature: str,
    *,
    roi_name: str = "gland",
    roi_note: str = "",
    synthetic: bool = True,
    keep_images: bool = True,
) -> Path:
    """Write the folder: the region on every image's grid (nearest voxel), the feature's map on one of them."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, image in images.items():
        own = resample_mask(roi, image.geometry)
        write_mask(own, folder / f"roi_{name}.nrrd")
        files[name] = {"roi": f"roi_{name}.nrrd"}
        if keep_images:
            write_volume(image, folder / f"image_{name}.nrrd")
            files[name]["image"] = f"image_{name}.nrrd"
        if name == modality:
            params = {
                "setting": {"binCount": 32},
                "imageType": _image_types(feature),
                "voxelSetting": {"initValue": "nan"},
            }
            drawn = volume_from_sitk(feature_maps(image, own, [feature], params=params, threads=1)[feature])
    write_volume(drawn, folder / "map.nrrd")
    inside = drawn.voxels[np.isfinite(drawn.voxels)]
    about = {
        "software": "deepradiomics",
        "kind": "lens-case",
        "case_id": "ProstateX-0000" if not synthetic else "synthetic-001",
        "modality": modality,
        "feature": feature,
        "roi": roi_name,
        "roi_note": roi_note,
        "modalities": files,
        "map": "map.nrrd",
        "range": [float(each) for each in np.percentile(inside, (1, 99))],
        "unit": "",
        "delta_i": {"modality": modality, "feature": feature, "delta_i": 0.1},
        "synthetic": synthetic,
    }
    (folder / "case.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def _image_types(feature: str) -> dict[str, dict[str, object]]:
    return {"Wavelet": {}} if feature.startswith("wavelet") else {"Original": {}}
