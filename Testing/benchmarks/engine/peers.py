"""Measure another package on a workload; run by the Python in which the peers are installed (``--peers-python``).

    PEERS_PYTHON Testing/benchmarks/engine/peers.py --who pytorchradiomics|fastrad|mirp --workload ct-107 --threads 1

Prints a line of JSON like ``child.py`` after the first run, and another after the second. What a peer lacks is said,
and made easier for it: fastrad resamples and crops nothing, so it gets the cropped ROI at 1 mm; MIRP has features of
its own (IBSI's) and resamples itself.

To install them:

    python -m venv PEERS && PEERS/bin/pip install torch==2.13.0 SimpleITK mirp==2.7.0 fastrad==1.0.0 \\
        pytorchradiomics==0.0.5 setuptools wheel versioneer cython \\
        && PEERS/bin/pip install --no-build-isolation pyradiomics==3.0.1
"""

import argparse
import json
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from Testing.benchmarks.engine.child import limit_threads, measured

Job = Callable[[], int]
PEERS = {
    "pytorchradiomics": ("PyTorchRadiomics", "torchradiomics"),
    "fastrad": ("fastrad", "fastrad"),
    "mirp": ("MIRP", "mirp"),
}
"""Short name -> title, module."""
SUPPORTED = {
    "pytorchradiomics": ("ct-107", "ct-1130", "brain-1130", "patches", "glcm-maps"),
    "fastrad": ("ct-107", "patches"),
    "mirp": ("ct-107",),
}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--who", choices=tuple(PEERS), required=True)
    parser.add_argument("--workload", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    limit_threads(arguments.threads)
    warnings.simplefilter("ignore")
    job = {"pytorchradiomics": pytorchradiomics, "fastrad": fastrad, "mirp": mirp}[arguments.who]
    run = job(arguments.workload, arguments.quick)
    first = measured(run, 0)
    print(json.dumps(first), flush=True)  # what counts where the second does not end in time
    print(json.dumps({**measured(run, 0), "first_s": first["first_s"]}), flush=True)


def pytorchradiomics(name: str, quick: bool) -> Job:
    """PyRadiomics' extractor with its classes replaced by torch's, on the CPU."""
    import radiomics
    import torchradiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    from Testing.benchmarks.engine import workloads

    radiomics.setVerbosity(60)
    torchradiomics.inject_torch_radiomics()

    def extractor(params: dict[str, Any]) -> Any:
        made = RadiomicsFeatureExtractor(params)
        made.settings |= {"device": "cpu", "additionalInfo": False}
        return made

    if name == "patches":
        jobs = [(*_bordered(voxels, labels), label) for voxels, labels, label in _patches()]
        return lambda: sum(len(extractor({}).execute(image, mask, label=label)) for image, mask, label in jobs)
    image, mask = workloads.pair(name, quick)
    params = workloads.parameters(name)
    if name == "glcm-maps":
        params = {**params, "voxelSetting": {"kernelRadius": 1, "voxelBatch": 512}}  # as its own example does
        return lambda: len(extractor(params).execute(image, mask, voxelBased=True))
    return lambda: len(extractor(params).execute(image, mask))


def fastrad(name: str, quick: bool) -> Job:
    """All classes of fastrad, on the CPU, on the cropped region."""
    import numpy as np
    import SimpleITK as sitk
    import torch
    from fastrad import FeatureExtractor, FeatureSettings, Mask, MedicalImage

    from Testing.benchmarks import inputs
    from Testing.benchmarks.engine import workloads

    extractor = FeatureExtractor(FeatureSettings(bin_width=25.0, device="cpu"))

    def region(voxels: np.ndarray, inside: np.ndarray, spacing: tuple[float, ...]) -> tuple[Any, Any]:
        places = np.argwhere(inside)
        box = tuple(slice(max(lo - 1, 0), up + 2) for lo, up in zip(places.min(0), places.max(0), strict=True))
        voxels, inside = voxels[box].astype(np.float32), inside[box].astype(np.float32)
        return MedicalImage(torch.from_numpy(voxels), spacing), Mask(torch.from_numpy(inside), spacing)

    if name == "patches":
        jobs = [region(voxels, labels == label, (3.0, 1.0, 1.0)) for voxels, labels, label in _patches()]
    else:
        image, mask = workloads.pair(name, quick)
        image, mask = (image, mask) if quick else inputs.resampled(image, mask, 1.0)
        arrays = sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(mask) == 1
        jobs = [region(*arrays, image.GetSpacing()[::-1])]
    return lambda: sum(len(extractor.extract(image, mask)) for image, mask in jobs)


def mirp(name: str, quick: bool) -> Job:
    """MIRP's families that PyRadiomics has too, in 3-D, resampled to 1 mm by itself."""
    import logging

    import SimpleITK as sitk
    from mirp import extract_features

    from Testing.benchmarks.engine import workloads

    logging.disable(logging.INFO)
    image, mask = workloads.pair(name, quick)
    arrays = [sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(mask)]
    folder = Path(tempfile.mkdtemp())
    paths = [folder / "image.nii.gz", folder / "mask.nii.gz"]
    for one, path in zip((image, mask), paths, strict=True):
        sitk.WriteImage(one, str(path))

    def run() -> int:
        found = extract_features(
            image=str(paths[0]), mask=str(paths[1]), new_spacing=1.0, by_slice=False,
            resegmentation_intensity_range=[float(arrays[0].min()), float(arrays[0].max())],
            base_discretisation_method="fixed_bin_size", base_discretisation_bin_width=25.0,
            base_feature_families=["morphology", "statistics", "glcm", "glrlm", "glszm", "ngldm", "ngtdm"],
            glcm_spatial_method="3d_average", glrlm_spatial_method="3d_average", glszm_spatial_method="3d",
            ngldm_spatial_method="3d", ngtdm_spatial_method="3d", num_cpus=1,
        )  # fmt: skip
        return int(found[0].shape[1])

    return run


def _patches() -> list[tuple[Any, Any, int]]:
    from Testing.benchmarks import inputs

    arrays, grids = inputs.exam()
    return [(v, labels, label) for v in arrays for labels in grids for label in range(1, int(labels.max()) + 1)]


def _bordered(voxels: Any, labels: Any) -> tuple[Any, Any]:
    """Give both a border, because PyRadiomics refuses a mask that one label fills."""
    import SimpleITK as sitk

    made = []
    for array in (voxels, labels):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing((1.0, 1.0, 3.0))
        made.append(sitk.ConstantPad(image, [1] * 3, [1] * 3, 0))
    return made[0], made[1]


if __name__ == "__main__":
    main()
