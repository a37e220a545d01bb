"""Read the result folder that `deepradiomics fingerprint apply` wrote: prediction, fingerprint rows, maps.

Everything is checked before anything enters the scene.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from deepradiomics.errors import InputError
from deepradiomics.images import Volume, volume_from_sitk

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


def kind_of(folder: Path) -> str:
    """ "fingerprint", "features", "maps", "lens" or "lens-case". Raises InputError if the folder holds none of them."""
    folder = Path(folder)
    if (folder / "prediction.json").is_file():
        return "fingerprint"
    if (folder / "features.json").is_file():
        return "features"
    if (folder / "maps.json").is_file():
        return "maps"
    if (folder / "lens.json").is_file():
        return "lens"
    if (folder / "case.json").is_file():
        return "lens-case"
    known = "prediction.json, features.json, maps.json, lens.json or case.json"
    what = "is not a folder" if not folder.is_dir() else f"holds no {known}"
    commands = "`fingerprint apply`, `extract`, `maps`, `lens fit` or `lens case`"
    raise InputError(f"{folder} {what}; give the output folder of {commands}")


def read_fingerprint_folder(folder: Path) -> FingerprintFolder:
    """Read and check a fingerprint result folder. Raises InputError naming the file and what is wrong with it."""
    folder = Path(folder)
    prediction = read_object(folder / "prediction.json")
    for key in ("tasks", "views", "patches", "reference_view"):
        if key not in prediction:
            raise InputError(f"{folder / 'prediction.json'} has no '{key}': it was not written by fingerprint apply")
    tasks = tuple(prediction["tasks"])
    relevance = _maps(folder / "relevance.nii.gz", tasks)
    gradcam = _maps(folder / "gradcam.nii.gz", tasks) if (folder / "gradcam.nii.gz").is_file() else {}
    columns = read_columns(folder / "fingerprint.csv", FINGERPRINT_COLUMNS)
    return FingerprintFolder(folder, prediction, columns, relevance, gradcam)


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


def _maps(path: Path, tasks: tuple[str, ...]) -> dict[str, Volume]:
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
    if len(images) != len(tasks):
        raise InputError(f"{path} holds {len(images)} maps for {len(tasks)} tasks ({', '.join(tasks)}); run again")
    return {task: volume_from_sitk(each, name=task) for task, each in zip(tasks, images, strict=True)}
