"""How fast a DICOM series is read, beside ITK's series reader: turn about in one process, wall and processor time.

    python Testing/benchmarks/bench_dicom.py [--slices 300] [--repeats 7] [--out docs/results]

A synthetic CT of 512 × 512 pixels and 12 bits, with headers as long as a scanner's (private elements included), in a
random order of files. The goal is 1.5 × ITK's time at most, for the plain series. Both programs must give the same
voxels. Writes dicom_speed.csv and dicom_speed.json.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pydicom
import SimpleITK as sitk

from deepradiomics import read_volume
from deepradiomics.files.atomic import atomic_file, write_json
from Testing.benchmarks.bench_registration import processor
from Testing.reference.dicom.dicom_files import save
from Testing.reference.dicom.small_dicom import CT, image

GOAL = 1.5
COLUMNS = (
    "series", "slices", "program", "repeats", "wall_s", "wall_fastest_s", "cpu_s", "wall_ratio", "cpu_ratio", "goal",
    "met",
)  # fmt: skip
SERIES = (
    ("explicit", 300), ("implicit", 300), ("big-endian", 40), ("RLE", 40), ("JPEG lossless", 40), ("JPEG 2000", 40),
)  # fmt: skip


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows = []
    for syntax, slices in SERIES:
        count = min(slices, arguments.slices)
        with tempfile.TemporaryDirectory() as folder:
            write_series(Path(folder), count, syntax)
            rows += compared(Path(folder), syntax, count, arguments.repeats)
    for row in rows:
        print("  ".join(f"{name} {row[name]}" for name in COLUMNS))
    if arguments.out:
        write(rows, arguments)


def write_series(folder: Path, count: int, syntax: str) -> None:
    """A CT whose slices are smooth with noise, as tissue is."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:512, :512] - 256.0
    body = np.where(x**2 + (1.4 * y) ** 2 < 220**2, 1060, 24)
    for number, k in enumerate(rng.permutation(count).tolist()):
        pixels = np.clip(body + rng.normal(0, 12, body.shape), 0, 4095).astype(np.uint16)
        private: dict[int, Any] = {0x00190010: ("LO", "ACME CT"), 0x00290010: ("LO", "ACME HEADER")}
        private |= {0x00191000 + n: ("LO", f"setting {n}") for n in range(60)}
        private |= {0x00291000 + n: ("OB", bytes(500)) for n in range(8)}
        dataset = image(
            k, pixels, sop=CT, syntax=syntax, Modality="CT", BitsStored=12, HighBit=11, RescaleSlope="1",
            RescaleIntercept="-1024", SliceThickness="1", ImagePositionPatient=["-180", "-180", f"{k}"],
            PixelSpacing=["0.7", "0.7"], KVP="120", Manufacturer="ACME", ConvolutionKernel="B30f", private=private,
            StudyDate="20200101", SeriesDate="20200101", AcquisitionDate="20200101", ContentTime="120000",
            WindowCenter="40", WindowWidth="400", ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
        )  # fmt: skip
        save(dataset, folder / f"{number:04d}.dcm")


def compared(folder: Path, series: str, count: int, repeats: int) -> list[dict[str, Any]]:
    """Rows of both programs: the first reading of each warms up, then they take turns."""
    programs: dict[str, Callable[[], object]] = {
        "SimpleITK": lambda: by_itk(folder),
        "deepradiomics": lambda: read_volume(folder),
    }
    if not np.array_equal(sitk.GetArrayFromImage(by_itk(folder)), read_volume(folder).voxels):
        raise SystemExit(f"{series}: the programs do not give the same voxels")
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(repeats):
        for name, read in programs.items():
            wall, cpu = time.perf_counter(), time.process_time()
            read()
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    medians = {name: [median(column) for column in zip(*runs, strict=True)] for name, runs in times.items()}
    rows = []
    for name, (wall, cpu) in medians.items():
        ratios = [value / theirs for value, theirs in zip((wall, cpu), medians["SimpleITK"], strict=True)]
        ours = name == "deepradiomics"
        rows.append({
            "series": series, "slices": count, "program": name, "repeats": repeats, "wall_s": round(wall, 4),
            "wall_fastest_s": round(min(w for w, _ in times[name]), 4), "cpu_s": round(cpu, 4),
            "wall_ratio": round(ratios[0], 3), "cpu_ratio": round(ratios[1], 3),
            "goal": GOAL if ours else "", "met": ("yes" if max(ratios) <= GOAL else "no") if ours else "",
        })  # fmt: skip
    return rows


def by_itk(folder: Path) -> sitk.Image:
    """The series as ITK's own reader takes it, files sorted by GDCM."""
    return sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))


def write(rows: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    """Write dicom_speed.csv and dicom_speed.json."""
    with (
        atomic_file(arguments.out / "dicom_speed.csv") as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    write_json(
        arguments.out / "dicom_speed.json",
        {
            "what": "Time to read a DICOM series of 512 x 512 pixels; ratio to ITK's series reader in the same run.",
            "command": f"python Testing/benchmarks/bench_dicom.py --slices {arguments.slices} "
            f"--repeats {arguments.repeats} --out docs/results",
            "goal": f"at most {GOAL} x ITK, wall and processor time, medians of turns in one process",
            "machine": {
                "system": platform.system(), "processor": processor(), "cores": os.cpu_count(),
                "python": platform.python_version(), "numpy": np.__version__, "pydicom": pydicom.__version__,
                "SimpleITK": sitk.Version.VersionString(),
            },
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "rows": rows,
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
