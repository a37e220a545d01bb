"""A small cohort for `extract --manifest`, its run and its table."""

import csv
from pathlib import Path

from Testing.cli import material
from Testing.cli.run_cli import Finished, run_cli


def write_cohort(folder: Path, cases: int = 3, masks: tuple[str, ...] = ("box",)) -> Path:
    rows: list[dict[str, object]] = []
    for number in range(cases):
        image = material.image(folder / f"k{number}.nrrd", seed=number)
        mask = material.mask(folder / f"k{number}_mask.nrrd", masks[number % len(masks)])
        rows.append({"id": f"k{number}", "image": image.name, "mask": mask.name})
    return material.manifest(folder, rows, ["id", "image", "mask"])


def run_manifest(manifest: Path, output: Path, *options: object) -> Finished:
    return run_cli(["extract", "--manifest", manifest, "-o", output, *options, "--json"])


def table_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
