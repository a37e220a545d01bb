"""PyRadiomics' published baselines: each column of a file is an image under a configuration, said in its own rows.

    DEEPRADIOMICS_TEST_DATA=... python -m Testing.reference.baselines [--out docs/results]

prints how many published values are met, of how many, and writes baselines.csv.
"""

import argparse
import ast
import csv
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import SimpleITK as sitk

from deepradiomics.radiomics import Settings, extract
from deepradiomics.radiomics.counting.plan import CountingPlan, stack
from deepradiomics.radiomics.counting.reference import count
from deepradiomics.radiomics.region.preprocess import prepare
from deepradiomics.radiomics.region.region import discretise
from Testing.reference.parity import oracle
from Testing.reference.parity.parity_cases import real_pair

FAMILIES = ("firstorder", "shape", "shape2D", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
MATRICES = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")
SETTINGS_ROW = "diagnostics_Configuration_Settings"
IMAGE_ROW = "diagnostics_Configuration_TestCase"
CENTRE_ROW = "diagnostics_Mask-corrected_CenterOfMassIndex"


@dataclass(frozen=True)
class Baseline:
    """One column: published values of one family of one image under one configuration."""

    family: str
    column: str
    image: str
    setting: dict[str, Any]
    values: dict[str, float]
    slice_z: int | None

    def pair(self, folder: Path) -> tuple[sitk.Image, sitk.Image]:
        """Return image and mask; the mask of shape2D is one slice, saved on a grid of its own."""
        image, mask = real_pair(folder, self.image)
        return (image, mask) if self.slice_z is None else (image, mask[:, :, self.slice_z : self.slice_z + 1])

    @property
    def params(self) -> dict[str, Any]:
        """The configuration as PyRadiomics' parameter dictionary."""
        names = [key.split("_")[-1] for key in self.values]
        # names that the file has and 3.0.1 computes only on request are asked for by name
        return {"imageType": {"Original": {}}, "featureClass": {self.family: names}, "setting": self.setting}


def baselines(folder: Path) -> Iterator[Baseline]:
    """Read every column of every file."""
    for family in FAMILIES:
        with open(folder / "pyradiomics" / "baseline" / f"baseline_{family}.csv", encoding="utf-8", newline="") as file:
            rows = {row[0]: row[1:] for row in csv.reader(file)}
        for k, column in enumerate(rows["featureName"]):
            values = {key: float(row[k]) for key, row in rows.items() if key.startswith("original_")}
            setting = ast.literal_eval(rows[SETTINGS_ROW][k])
            z = round(ast.literal_eval(rows[CENTRE_ROW][k])[2]) if family == "shape2D" else None
            yield Baseline(family, column, column.split("_")[0], setting, values, z)


def differences(baseline: Baseline, folder: Path) -> dict[str, float]:
    """Return key -> our relative difference from the published value."""
    found = extract(*baseline.pair(folder), baseline.params)
    return {
        key: oracle.relative_difference(key, found.get(key, float("nan")), value)
        for key, value in baseline.values.items()
    }


def published_matrix(folder: Path, image: str, family: str) -> np.ndarray:
    """Return the published texture matrix of an image."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # numpy remarks that Python 2 wrote the file
        return np.load(folder / "pyradiomics" / "baseline" / f"{image}_{family}.npy")


def our_matrix(folder: Path, image: str, family: str, setting: dict[str, Any]) -> np.ndarray:
    """Return our matrix in the arrangement of the published one: levels that occur × … (× directions)."""
    settings = Settings.from_params({"setting": setting})
    region = discretise(prepare(*real_pair(folder, image), settings).region, settings)
    plan = CountingPlan((family,), settings.distances, settings.gldm_a)
    counts = stack([region], count([region], plan), plan)
    if family == "ngtdm":
        assert counts.ngtdm is not None
        return np.column_stack([counts.voxels[0], counts.ngtdm[0], counts.levels[0]])
    found = np.asarray(getattr(counts, family)[0], float)
    if family == "glcm":
        found = np.moveaxis(found + found.transpose(0, 2, 1), 0, 2)
        return found / found.sum(axis=(0, 1))
    if family == "glrlm":
        found = np.moveaxis(found, 0, 2)
    return found[:, found.reshape(*found.shape[:2], -1).any(axis=(0, 2))]  # PyRadiomics drops sizes that never occur


@dataclass(frozen=True)
class Met:
    """How many values of one published table are met within 1e-6, and how far the others lie."""

    family: str
    column: str
    published: int
    met: int
    worst: float
    missed: dict[str, float]


def table(folder: Path) -> list[Met]:
    """Hold every published feature value and every matrix entry against ours."""
    found = []
    for one in baselines(folder):
        by = differences(one, folder)
        missed = {key: d for key, d in by.items() if d > oracle.TOLERANCE}
        found.append(Met(one.family, one.column, len(by), len(by) - len(missed), max(by.values()), missed))
        if one.family in MATRICES and one.column == one.image:
            theirs = published_matrix(folder, one.image, one.family)
            ours = our_matrix(folder, one.image, one.family, one.setting)
            gap = (
                np.abs(ours - theirs) / np.abs(theirs).max()
                if ours.shape == theirs.shape
                else np.full(theirs.shape, np.inf)
            )
            equal = int((gap <= oracle.TOLERANCE).sum())
            found.append(Met(f"{one.family} matrix", one.column, theirs.size, equal, float(gap.max()), {}))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder for baselines.csv")
    arguments = parser.parse_args()
    rows = table(Path(os.environ["DEEPRADIOMICS_TEST_DATA"]))
    for row in rows:
        print(f"{row.family:14s}{row.column:26s}{row.met:6d} of {row.published:6d}   worst {row.worst:.1e}")
        for key, by in row.missed.items():
            print(f"    {key}: {by:.1e}")
    print("\n" + total(rows))
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        with open(arguments.out / "baselines.csv", "w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["family", "column", "published", "met", "worst_relative_difference", "missed"])
            for r in rows:
                writer.writerow([r.family, r.column, r.published, r.met, f"{r.worst:.1e}", " ".join(r.missed)])


def total(rows: list[Met]) -> str:
    """Say how many values are met, of how many."""
    features, entries = ([r for r in rows if ("matrix" in r.family) == matrix] for matrix in (False, True))
    return (
        f"{sum(r.met for r in features)} of {sum(r.published for r in features)} published feature values met in "
        f"{len(features)} columns, {sum(r.met for r in entries)} of {sum(r.published for r in entries)} entries of "
        f"{len(entries)} texture matrices (within {oracle.TOLERANCE:g})"
    )


if __name__ == "__main__":
    main()
