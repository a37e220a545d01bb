"""Time the features against PyRadiomics 3.0.1 in the same run, one thread each; medians, ratios, peak memory.

    DEEPRADIOMICS_TEST_DATA=... python Testing/benchmarks/bench_features.py [--out docs/results] [--repeats 3] [--quick]

Workloads: the IBSI CT phantom resampled to 1 mm, a small brain lesion, and the patch pool of one exam (three views,
1 + 8 + 27 patches of a 16 × 38 × 64 ROI). Without the real images only the pool runs, on noise. Where a GPU is, the
torch counting is timed too, transfers included. Ratios are of one run on one machine; quote no seconds elsewhere.
"""

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
import SimpleITK as sitk  # noqa: E402

from deepradiomics.images import Geometry, Mask, Volume, as_volume, to_sitk  # noqa: E402
from deepradiomics.radiomics import extract, extract_patches  # noqa: E402

sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
ROI_SHAPE, GRIDS, VIEWS = (16, 38, 64), (1, 2, 3), ("axial", "coronal", "sagittal")


def phantom() -> tuple[sitk.Image, sitk.Image, dict[str, Any]]:
    """IBSI CT phantom, to be resampled to 1 mm."""
    folder = data() / "ibsi_ct_phantom_NC"
    setting = {"setting": {"resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkLinear", "binWidth": 25}}
    return sitk.ReadImage(str(folder / "phantom.nii.gz")), sitk.ReadImage(str(folder / "mask.nii.gz")), setting


def lesion() -> tuple[sitk.Image, sitk.Image, dict[str, Any]]:
    """PyRadiomics' brain1, 4,137 voxels."""
    folder = data() / "pyradiomics"
    return sitk.ReadImage(str(folder / "brain1_image.nrrd")), sitk.ReadImage(str(folder / "brain1_label.nrrd")), {}


def pool() -> tuple[list[Volume], list[np.ndarray]]:
    """Three z-scored views of one ROI and the patch labels of each grid."""
    if has_data():
        voxels = as_volume(lesion()[0]).voxels.astype(float)
        start = [(n - m) // 2 for n, m in zip(voxels.shape, ROI_SHAPE, strict=True)]
        voxels = voxels[tuple(slice(s, s + m) for s, m in zip(start, ROI_SHAPE, strict=True))]
    else:
        voxels = np.cumsum(np.random.default_rng(0).normal(0, 1, ROI_SHAPE), axis=2)
    voxels = ((voxels - voxels.mean()) / voxels.std() * 100).astype(np.float32)
    grid = Geometry(ROI_SHAPE[::-1], (1.0, 1.0, 3.0))
    views = [Volume(np.roll(voxels, 7 * k, axis=2), grid, name) for k, name in enumerate(VIEWS)]
    return views, [patch_grid(n) for n in GRIDS]


def patch_grid(n: int) -> np.ndarray:
    """Labels 1 ... n³ with rounded even edges."""
    z, y, x = (np.minimum(np.searchsorted(np.rint(np.arange(1, n) * m / n), np.arange(m), "right"), n - 1)
               for m in ROI_SHAPE)  # fmt: skip
    return (1 + (z[:, None, None] * n + y[:, None]) * n + x).astype(np.int32)


def ours(name: str, device: str) -> Callable[[], object]:
    """Return our run of a workload."""
    if name == "pool":
        views, grids = pool()
        return lambda: [extract_patches(views, patches, device=device) for patches in grids]
    image, mask, params = phantom() if name == "phantom" else lesion()
    return lambda: extract(image, mask, params, device=device)


def theirs(name: str) -> Callable[[], object]:
    """Return PyRadiomics' run of a workload."""
    import warnings

    warnings.simplefilter("ignore")
    import radiomics
    from radiomics import featureextractor

    radiomics.setVerbosity(60)

    def run(image: sitk.Image, mask: sitk.Image, params: dict[str, Any], label: int = 1) -> object:
        setting = {**params.get("setting", {}), "additionalInfo": False}
        return featureextractor.RadiomicsFeatureExtractor({"setting": setting}).execute(image, mask, label=label)

    if name == "pool":
        views, grids = pool()
        images = [to_sitk(view) for view in views]
        masks = [to_sitk(Mask(patches, views[0].geometry)) for patches in grids]
        # the single patch of the coarsest grid fills the mask, which PyRadiomics refuses: give it a border
        padded = [(sitk.ConstantPad(i, [1] * 3, [1] * 3, 0), sitk.ConstantPad(m, [1] * 3, [1] * 3, 0))
                  for i in images for m in masks]  # fmt: skip
        counts = [int(patches.max()) for _ in images for patches in grids]
        return lambda: [
            run(i, m, {}, label) for (i, m), n in zip(padded, counts, strict=True) for label in range(1, n + 1)
        ]
    image, mask, params = phantom() if name == "phantom" else lesion()
    return lambda: run(image, mask, params)


def measure(who: str, name: str, repeats: int) -> dict[str, float]:
    """Time a workload in this process: first call, median of the next, peak memory in MB."""
    job = theirs(name) if who == "pyradiomics" else ours(name, "cuda" if who == "cuda" else "cpu")
    base = peak_mb()
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return {"first_s": times[0], "median_s": statistics.median(times[1:]), "peak_mb": peak_mb(), "base_mb": base}


def peak_mb() -> float:
    """Peak resident memory of this process; NaN on Windows, which does not tell it."""
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def whole(value: float) -> int | None:
    """Round, and turn NaN into None."""
    return None if value != value else round(value)


def in_child(who: str, name: str, repeats: int) -> dict[str, float] | None:
    """Measure in a process of its own, so that memory and imports do not mix."""
    run = subprocess.run(
        [sys.executable, __file__, "--child", who, name, str(repeats)], capture_output=True, text=True, check=False
    )
    if run.returncode:
        print(f"{who}, {name}: not measured ({run.stderr.strip().splitlines()[-1:]})")
        return None
    return json.loads(run.stdout.strip().splitlines()[-1])


def data() -> Path:
    """Folder of the real images."""
    return Path(os.environ["DEEPRADIOMICS_TEST_DATA"])


def has_data() -> bool:
    """Tell whether the real images are there."""
    return "DEEPRADIOMICS_TEST_DATA" in os.environ and data().is_dir()


def has_gpu() -> bool:
    """Tell whether torch sees a CUDA GPU."""
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


TITLES = {
    "phantom": "107 features, IBSI CT phantom at 1 mm (359,733 voxels), resampling included",
    "lesion": "107 features, brain1 (4,137 voxels)",
    "pool": "patch pool of an exam: 3 views x (1 + 8 + 27) patches x 107",
}


def main() -> None:
    """Measure every workload and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder for features_speed.csv and features_speed.json")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="the pool only")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(arguments.child[0], arguments.child[1], int(arguments.child[2]))))
        return
    names = ["pool"] if arguments.quick or not has_data() else list(TITLES)
    rows = []
    for name in names:
        reference = in_child("pyradiomics", name, arguments.repeats)
        for who in ("deepradiomics", *(["cuda"] if has_gpu() else [])):
            found = in_child(who, name, arguments.repeats)
            if found is None:
                continue
            row = {
                "workload": TITLES[name],
                "device": "1 CPU thread" if who == "deepradiomics" else "CUDA GPU",
                "seconds": round(found["median_s"], 4),
                "first_call_seconds": round(found["first_s"], 3),
                "peak_mb": whole(found["peak_mb"]),
                "pyradiomics_seconds": round(reference["median_s"], 4) if reference else None,
                "pyradiomics_peak_mb": whole(reference["peak_mb"]) if reference else None,
                "times_faster": round(reference["median_s"] / found["median_s"], 1) if reference else None,
            }
            rows.append(row)
            print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    if arguments.out and rows:
        write(arguments.out, rows, arguments.repeats)


def write(folder: Path, rows: list[dict[str, Any]], repeats: int) -> None:
    """Write CSV and JSON, with command, machine and date."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "features_speed.csv", "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    document = {
        "command": f"python Testing/benchmarks/bench_features.py --out docs/results --repeats {repeats}",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load_average_at_end": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "note": "medians of one run; each program in a process of its own, one thread; peak memory of the process",
        "rows": rows,
    }
    text = json.dumps(document, indent=1) + "\n"
    (folder / "features_speed.json").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
