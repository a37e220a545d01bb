"""Overlapping segments in one child: each label map is a row of a manifest, and their results become one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepradiomics.cohort.regions.kept import read_case
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json, sha256_file, write_json
from deepradiomics.files.tables import write_csv
from deepradiomics.images import Mask, write_mask

MANIFEST, COHORT = "layers.csv", "layers"


def write_layers(image: Path, masks: Sequence[Mask], folder: Path) -> Path:
    """Write label maps of one image, and the manifest that names them; returns its path."""
    for number, mask in enumerate(masks):
        write_mask(mask, folder / f"mask{number}.nrrd")
    rows = [(f"layer{number}", image.name, f"mask{number}.nrrd") for number in range(len(masks))]
    write_csv(folder / MANIFEST, ("id", "image", "mask"), rows)
    (folder / COHORT).mkdir()
    return folder / MANIFEST


def join_layers(folder: Path, image: Path, result: Path) -> None:
    """Make of the layers' results the features.csv and features.json that one label map would have given.

    Raises:
        InputError: the run did not finish, or a layer failed; its own message.
    """
    document: dict[str, Any] = read_json(folder / COHORT / "features.json")
    failed = [str(case.get("message")) for case in document.pop("cases") if case.get("status") == "failed"]
    if failed:
        raise InputError(failed[0])
    cases_folder = folder / COHORT / "features-cases"
    count = len(list(cases_folder.glob("layer*.json")))
    cases = [read_case(cases_folder / f"layer{number}.json") for number in range(count)]
    labels = {label: region for case in cases for label, region in case["labels"].items()}
    labels = {label: labels[label] for label in sorted(labels, key=int)}
    skipped = {label: reason for case in cases for label, reason in case["skipped"].items()}
    document["notes"] = list(dict.fromkeys(note for case in cases for note in case["notes"]))
    document["provenance"] = {
        **document.get("provenance", {}),
        "image": {"file": image.name, "sha256": sha256_file(image)},
        "masks": [{"file": mask.name, "sha256": sha256_file(mask)} for mask in sorted(folder.glob("mask*.nrrd"))],
    }
    rows = [
        (label, feature, feature.split("_")[1], None if value is None or value != value else float(value))
        for label, region in labels.items()
        for feature, value in region["features"].items()
    ]
    write_csv(result / "features.csv", ("label", "feature", "family", "value"), rows)
    write_json(result / "features.json", document | {"labels": labels, "skipped": skipped})
