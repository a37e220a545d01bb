"""Result folders: what a folder holds, and its JSON, CSV and stacks of maps; the folder of `fingerprint apply`.

Everything is checked before anything enters the scene.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from deepradiomics.errors import InputError
from deepradiomics.images import Volume, volume_from_sitk
from deepradiomics.scene.names import cell_text

FINGERPRINT_COLUMNS: dict[str, type] = {
    "task": str,
    "feature": str,
    "view": str,
    "patch": int,
    "family": str,
    "value": float,
    "z": float,
    "relevance": float,
    "selected": int,
    "contribution": float,
}
FEATURE_COLUMNS: dict[str, type] = {"label": int, "feature": str, "family": str, "value": float}


@dataclass(frozen=True)
class FingerprintFolder:
    """What a fingerprint result folder holds.

    Attributes
    ----------
    prediction
        The content of prediction.json.
    columns
        fingerprint.csv by column, typed as FINGERPRINT_COLUMNS; all of one length.
    relevance, gradcam
        One map a task on the reference view's own grid, LPS; gradcam is empty if the folder has none.
    """

    path: Path
    prediction: Mapping[str, Any]
    columns: Mapping[str, list[Any]]
    relevance: Mapping[str, Volume]
    gradcam: Mapping[str, Volume]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks in the order of prediction.json, which is that of the maps."""
        return tuple(self.prediction["tasks"])


# The file by which a folder is known, and what it is; `ich apply` with a follow-up writes expansion.json as well.
_KINDS = {
    "prediction.json": "fingerprint",
    "features.json": "features",
    "maps.json": "maps",
    "lens.json": "lens",
    "case.json": "lens-case",
    "ich.json": "ich-case",
    "experiment.json": "ich-experiment",
    "expansion.json": "ich-expansion",
}


def kind_of(folder: Path) -> str:
    """ "fingerprint", "features", "maps", "lens", "lens-case", "ich-case", "ich-experiment" or "ich-expansion".

    Raises InputError if the folder holds none of them.
    """
    folder = Path(folder)
    for name, kind in _KINDS.items():
        if (folder / name).is_file():
            return kind
    *names, last = _KINDS
    what = "is not a folder" if not folder.is_dir() else f"holds no {', '.join(names)} or {last}"
    commands = "`fingerprint apply`, `extract`, `maps`, `lens fit`, `lens case`, `ich apply`, `ich experiment`"
    raise InputError(f"{folder} {what}; give the output folder of {commands} or `ich expansion`")


def read_fingerprint_folder(folder: Path) -> FingerprintFolder:
    """Read and check a fingerprint result folder. Raises InputError naming the file and what is wrong with it."""
    folder = Path(folder)
    prediction = read_object(folder / "prediction.json")
    for key in ("tasks", "views", "patches", "reference_view"):
        if key not in prediction:
            raise InputError(f"{folder / 'prediction.json'} has no '{key}': it was not written by fingerprint apply")
    # Names as a saved table brings them back, so that rows, maps and charts still find each other.
    prediction["tasks"] = {cell_text(name): task for name, task in prediction["tasks"].items()}
    tasks = tuple(prediction["tasks"])
    relevance = read_stack(folder / "relevance.nii.gz", tasks)
    gradcam = read_stack(folder / "gradcam.nii.gz", tasks) if (folder / "gradcam.nii.gz").is_file() else {}
    columns = read_columns(folder / "fingerprint.csv", FINGERPRINT_COLUMNS)
    columns["task"] = [cell_text(name) for name in columns["task"]]
    return FingerprintFolder(folder, prediction, columns, relevance, gradcam)


def read_stack(path: Path, names: Sequence[str], what: str = "tasks") -> dict[str, Volume]:
    """The maps of a 4-D image by name, in that order (a 3-D image is one map). `what` the names are, for the message.

    Raises InputError if the file is missing or damaged, or holds another number of maps.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing: the run did not finish, or this is another folder")
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"{path} is damaged: {str(error).strip().splitlines()[-1]}; run again") from error
    if image.GetDimension() == 3:
        images = [image]
    else:
        images = [image[:, :, :, index] for index in range(image.GetSize()[3])]
    if len(images) != len(names):
        raise InputError(f"{path} holds {len(images)} maps for {len(names)} {what} ({', '.join(names)}); run again")
    return {name: volume_from_sitk(each, name=name) for name, each in zip(names, images, strict=True)}


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises InputError if it is missing or broken."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        raise InputError(f"{path} is missing: the run did not finish, or this is another folder") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is damaged: {error}; run again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} should hold a JSON object, not a {type(content).__name__}; run again")
    return content


def read_columns(path: Path, types: Mapping[str, type]) -> dict[str, list[Any]]:
    """A CSV by column, typed. Raises InputError naming the column, or the line, that does not fit."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in types if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(f"{path} has no column {', '.join(missing)}; expected {', '.join(types)}")
            columns: dict[str, list[Any]] = {name: [] for name in types}
            for row in reader:
                for name, kind in types.items():
                    columns[name].append(_cell(row[name], kind, path, reader.line_num, name))
    except FileNotFoundError:
        raise InputError(f"{path} is missing: the run did not finish, or this is another folder") from None
    return columns


def _cell(text: str | None, kind: type, path: Path, line: int, name: str) -> Any:
    try:
        if text is None:
            raise ValueError
        if kind is float:
            return float(text) if text.strip() else float("nan")
        return kind(text)
    except ValueError:
        raise InputError(f"{path}, line {line}: {text!r} in column '{name}' is not a {kind.__name__}") from None
