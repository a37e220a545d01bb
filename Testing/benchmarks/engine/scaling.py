"""How the cost grows with voxels, grey levels, patches and threads; a child of ``bench_engine.py`` for each series.

    python Testing/benchmarks/engine/scaling.py --who ours|cuda|pyradiomics --series voxels --threads 1 [--quick]

Prints one line of JSON for each point: x and seconds (the fastest of a few runs, after a warm-up).
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from Testing.benchmarks.engine.child import limit_threads, peak_mb

SERIES = ("voxels", "levels", "patches")
VOXELS = (1e3, 1e4, 1e5, 1e6, 1e7)
LEVELS = (8, 16, 32, 64, 128, 256, 512)
PATCH_SIDES = (1, 2, 3, 4, 6, 8)
PYRADIOMICS_UP_TO = {"voxels": 1e6, "levels": 256, "patches": 64}
"""Beyond these PyRadiomics would take minutes a point."""


def main() -> None:
    """Measure one series."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--who", choices=("ours", "cuda", "pyradiomics"), required=True)
    parser.add_argument("--series", choices=SERIES, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    limit_threads(arguments.threads)
    warm_up(arguments.who, arguments.threads)
    points = {"voxels": by_voxels, "levels": by_levels, "patches": by_patches}[arguments.series]
    for x, job in points(arguments.who, arguments.threads, arguments.quick):
        seconds = fastest(job)
        print(json.dumps({"x": x, "seconds": seconds, "peak_mb": peak_mb()}), flush=True)


def fastest(job) -> float:  # type: ignore[no-untyped-def]
    """Return the fastest of up to five runs, of fewer where they are long."""
    times: list[float] = []
    while len(times) < 5 and sum(times) < 3:
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return min(times)


def warm_up(who: str, threads: int) -> None:
    """Load kernels and libraries before the clock runs."""
    from Testing.benchmarks import inputs

    image, mask = inputs.synthetic((8, 8, 8))
    run(who, image, mask, {"featureClass": inputs.FAMILIES}, threads)()


def by_voxels(who: str, threads: int, quick: bool) -> Iterator[tuple[int, object]]:
    """107 features of balls of growing size, about 35 grey levels."""
    from Testing.benchmarks import inputs

    for count in VOXELS[: 2 if quick else None]:
        if who == "pyradiomics" and count > PYRADIOMICS_UP_TO["voxels"]:
            return
        side = round((count * 6 / 3.14159) ** (1 / 3))  # a ball fills π / 6 of its box
        image, mask = inputs.synthetic((side, side, side))
        voxels = round(mask_sum(mask))
        yield voxels, run(who, image, mask, {"featureClass": inputs.FAMILIES}, threads)


def by_levels(who: str, threads: int, quick: bool) -> Iterator[tuple[int, object]]:
    """107 features of a ball of about 50,000 voxels with a growing number of grey levels."""
    from Testing.benchmarks import inputs

    image, mask = inputs.synthetic((12, 12, 12) if quick else (46, 46, 46))
    for levels in LEVELS[: 2 if quick else None]:
        if who == "pyradiomics" and levels > PYRADIOMICS_UP_TO["levels"]:
            return
        params = {"featureClass": inputs.FAMILIES, "setting": {"binCount": levels}}
        yield levels, run(who, image, mask, params, threads)


def by_patches(who: str, threads: int, quick: bool) -> Iterator[tuple[int, object]]:
    """107 features of every patch of 1, 8, 27 ... patches of one 16 × 38 × 64 ROI."""
    from Testing.benchmarks import inputs

    arrays, _ = inputs.exam()
    for side in PATCH_SIDES[: 2 if quick else None]:
        labels = inputs.patch_grid(side)
        if who == "pyradiomics":
            if side**3 > PYRADIOMICS_UP_TO["patches"]:
                return
            yield side**3, _their_patches(arrays[0], labels)
        else:
            yield side**3, _our_patches(arrays[0], labels, who, threads)


def run(who: str, image, mask, params: dict, threads: int):  # type: ignore[no-untyped-def]
    """Return one side's extraction as a job."""
    if who == "pyradiomics":
        from Testing.reference.parity import oracle

        return lambda: oracle.live_values(image, mask, params)
    from deepradiomics.radiomics import extract

    return lambda: extract(image, mask, params, device="cuda" if who == "cuda" else "cpu", threads=threads)


def mask_sum(mask) -> float:  # type: ignore[no-untyped-def]
    """Number of voxels of the ROI."""
    import SimpleITK as sitk

    return float(sitk.GetArrayViewFromImage(mask).sum())


def _our_patches(voxels, labels, who: str, threads: int):  # type: ignore[no-untyped-def]
    from deepradiomics.images import Geometry, Volume
    from deepradiomics.radiomics import extract_patches
    from Testing.benchmarks import inputs

    view = Volume(voxels, Geometry(inputs.ROI_SHAPE[::-1], (1.0, 1.0, 3.0)), "view")
    device = "cuda" if who == "cuda" else "cpu"
    return lambda: extract_patches([view], labels, device=device, threads=threads)


def _their_patches(voxels, labels):  # type: ignore[no-untyped-def]
    from Testing.benchmarks.engine.peers import _bordered
    from Testing.reference.parity import oracle

    image, mask = _bordered(voxels, labels)
    return lambda: [oracle.extractor({}).execute(image, mask, label=k) for k in range(1, int(labels.max()) + 1)]


if __name__ == "__main__":
    main()
