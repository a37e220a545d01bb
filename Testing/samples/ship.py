"""Put the sample models that ``make sample-bundles`` has trained into their modules, each with ``made.json`` beside it.

Usage: python Testing/samples/ship.py sample-lens|sample-ich BUILD TARGET

``made.json`` records how the sample was made: the commands (as the Makefile lists them), their seeds, the versions, the
date, and what the sample scores on synthetic cases that it has not learned from.
"""

import argparse
import csv
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepradiomics.files.atomic import read_json, write_json

ROOT = Path(__file__).resolve().parents[2]
RECORD = "made.json"
NOTE = "SYNTHETIC: trained on images that DeepRadiomics computed. It shows the software and means nothing clinically."
LENS_TABLES = ("lens.json", "shift.csv", "table1.csv", "modality_r2.csv", "tableA1.csv", "dropped.csv")
"""What the panel and the case view read of a lens; its cases' images are not shipped, so neither is their list."""


def commands_of(target: str) -> list[str]:
    """The commands of a target of the Makefile, in its order: ``deepradiomics phantom ich --cases 60 …``."""
    alone = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    listed = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target],
        cwd=ROOT, env=alone, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    called = [line.partition(" -m deepradiomics ")[2] for line in listed.splitlines()]
    return [f"deepradiomics {arguments}" for arguments in called if arguments]


def seeds_of(commands: Sequence[str]) -> dict[str, int]:
    """The seed of each command, by the name of its output folder."""
    words = [shlex.split(command) for command in commands]
    return {Path(each[each.index("-o") + 1]).name: int(each[each.index("--seed") + 1]) for each in words}


def ship_lens(build: Path, target: Path) -> dict[str, Any]:
    """Copy both encoders and the lens's tables; return versions, date and scores."""
    for stage in ("frozen", "tuned"):
        _copy(build / "sample-finetuned" / stage / "encoder", target / stage / "encoder")
    for name in LENS_TABLES:
        _copy(build / "sample-lens" / name, target / "lens" / name)
    lens, tuning = read_json(target / "lens" / "lens.json"), read_json(build / "sample-finetuned" / "metrics.json")
    stages = ("frozen", "tuned")
    grade = {
        metric["name"]: {stage: _score(tuning[stage][metric["key"]]) for stage in stages}
        for metric in tuning["metrics"]
    }
    scores = {
        "held-out prostates": tuning["test_cases"],
        "grade": grade,
        "pooled R² of radiomics": {
            "frozen": round(lens["summary"]["r2_pooled_pre"], 3), "tuned": round(lens["summary"]["r2_pooled_ft"], 3),
        },
    }  # fmt: skip
    return {"versions": lens["software"], "date": lens["created"], "scores": scores}


def ship_ich(build: Path, target: Path) -> dict[str, Any]:
    """Copy the outcome model with its networks; return versions, date and scores."""
    folder = build / "sample-experiment"
    _copy(folder / "bundle", target)
    experiment, predictor = read_json(folder / "experiment.json"), read_json(target / "predictor" / "bundle.json")
    dice = read_json(build / "sample-segmenter" / "metrics.json")
    crops = read_json(target / "autoencoder" / "bundle.json")["metrics"]
    with (folder / "tables" / "summary.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["input"] == predictor["input"]]
    scores = {
        "Dice": {"mean": round(dice["mean"], 3), "sd": round(dice["sd"], 3), "heads": len(dice["cases"]),
                 "volume ratio": round(dice["volume_ratio"], 3)},
        "error in a lesion, HU": {"autoencoder": crops["lesion_error_hu"],
                                  "mean image": crops["lesion_mean_image_error_hu"]},
        "AUC": {
            row["outcome"]: {name: round(float(row[f"external_{name}"]), 4) for name in ("auc", "low", "high")}
            for row in rows
        },
        "heads of the AUC": experiment["cohorts"]["external"]["n"],
    }  # fmt: skip
    return {"versions": experiment["versions"], "date": experiment["created"], "scores": scores}


SAMPLES = {"sample-lens": ship_lens, "sample-ich": ship_ich}


def main(arguments: Sequence[str] | None = None) -> None:
    """Ship one sample; what lay in the target is replaced."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", choices=tuple(SAMPLES))
    parser.add_argument("build", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args(arguments)
    shutil.rmtree(options.target, ignore_errors=True)
    found = SAMPLES[options.sample](options.build, options.target)
    commands = commands_of(options.sample)
    about = {"synthetic": True, "note": NOTE, "commands": commands, "seeds": seeds_of(commands)}
    write_json(options.target / RECORD, about | found)
    print(f"{options.target}: {sum(file.stat().st_size for file in options.target.rglob('*')) / 1e6:.2f} MB")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)


def _score(score: Mapping[str, float | None]) -> dict[str, float | None]:
    """A value with the limits of its 95 % interval, as far as there are any."""
    return {name: None if value is None else round(value, 3) for name, value in score.items()}


if __name__ == "__main__":
    main()
