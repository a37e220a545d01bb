"""Read the folders of `ich apply` and `ich expansion`; everything is checked before anything enters the scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.ich.case_result import HAEMATOMA, RING
from deepradiomics.images import Mask, Volume, read_mask, read_volume
from deepradiomics.scene.names import cell_text
from deepradiomics.scene.result_folder import FEATURE_COLUMNS, read_columns, read_object, read_stack

SHAP_COLUMNS: dict[str, type] = {
    "outcome": str,
    "group": str,
    "component": str,
    "label": str,
    "value": float,
    "shap": float,
}
STABLE, GROWN, SHRUNK = 1, 2, 3
"""Labels of expansion.nii.gz."""


@dataclass(frozen=True)
class ExpansionFolder:
    """What became of a haematoma between two scans.

    Attributes
    ----------
    about
        The content of expansion.json.
    change
        Labels on the baseline CT's grid: 1 stable, 2 grown, 3 shrunk.
    followup
        The follow-up CT, laid onto the baseline's grid.
    """

    path: Path
    about: Mapping[str, Any]
    change: Mask
    followup: Volume


@dataclass(frozen=True)
class IchCaseFolder:
    """What the folder of one patient holds.

    Attributes
    ----------
    about
        The content of ich.json.
    mask
        Labels on the CT's own grid: 1 haematoma, 2 ring of the dilated haematoma.
    gradcam
        A map an outcome on the CT's grid; empty if the model knows no latents.
    features, shap
        features.csv and shap.csv by column, typed; all columns of a table are of one length.
    expansion
        None without a follow-up.
    """

    path: Path
    about: Mapping[str, Any]
    mask: Mask
    gradcam: Mapping[str, Volume]
    features: Mapping[str, list[Any]]
    shap: Mapping[str, list[Any]]
    expansion: ExpansionFolder | None

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes in the order of ich.json, which is that of the maps."""
        return tuple(self.about["outcomes"])


def read_ich_case(folder: Path) -> IchCaseFolder:
    """Read and check the folder of `ich apply`. Raises InputError naming the file and what is wrong with it."""
    folder = Path(folder)
    about = read_object(folder / "ich.json")
    lacking = [key for key in ("outcomes", "volumes", "case_id") if key not in about]
    if about.get("kind") != "ich-case" or lacking or not isinstance(about.get("outcomes"), Mapping):
        what = f"has no '{lacking[0]}'" if lacking else "does not describe one patient's haematoma"
        raise InputError(f"{folder / 'ich.json'} {what}: it was not written by `ich apply`")
    for name, outcome in about["outcomes"].items():
        absent = [key for key in ("probability", "threshold", "groups") if key not in outcome]
        if absent:
            raise InputError(f"{folder / 'ich.json'}: outcome '{name}' has no '{absent[0]}'; run `ich apply` again")
    # Names as a saved table brings them back, so that rows, maps and charts still find each other.
    about["outcomes"] = {cell_text(name): outcome for name, outcome in about["outcomes"].items()}
    outcomes = tuple(about["outcomes"])
    mask = _labels(folder / "segmentation.nii.gz", (HAEMATOMA, RING))
    if HAEMATOMA not in mask.labels_present():
        raise InputError(f"{folder / 'segmentation.nii.gz'} holds no haematoma (label {HAEMATOMA}); run again")
    expected = "gradcam" in about.get("files", {})
    path = folder / "gradcam.nii.gz"
    gradcam = read_stack(path, outcomes, "outcomes") if expected or path.is_file() else {}
    for name, drawn in gradcam.items():
        if drawn.geometry.size != mask.geometry.size:
            raise InputError(f"{path}: the map of {name} has another grid than segmentation.nii.gz; run again")
    features = read_columns(folder / "features.csv", FEATURE_COLUMNS)
    shap = read_columns(folder / "shap.csv", SHAP_COLUMNS)
    shap["outcome"] = [cell_text(name) for name in shap["outcome"]]
    followed = about.get("followup") is not None
    return IchCaseFolder(folder, about, mask, gradcam, features, shap, read_expansion(folder) if followed else None)


def read_expansion(folder: Path) -> ExpansionFolder:
    """Read and check what `ich expansion` wrote. Raises InputError naming the file and what is wrong with it."""
    folder = Path(folder)
    about = read_object(folder / "expansion.json")
    lacking = [key for key in ("baseline_ml", "followup_ml", "difference_ml", "labels") if key not in about]
    if lacking:
        raise InputError(f"{folder / 'expansion.json'} has no '{lacking[0]}': it was not written by `ich expansion`")
    change = _labels(folder / "expansion.nii.gz", (STABLE, GROWN, SHRUNK))
    return ExpansionFolder(folder, about, change, _image(folder / "followup_registered.nii.gz"))


def _labels(path: Path, known: tuple[int, ...]) -> Mask:
    _must_be_there(path)
    mask = read_mask(path)
    unknown = sorted(set(mask.labels_present()) - set(known))
    if unknown:
        raise InputError(f"{path} holds the label {unknown[0]}; expected {', '.join(map(str, known))}. Run again.")
    return mask


def _image(path: Path) -> Volume:
    _must_be_there(path)
    return read_volume(path)


def _must_be_there(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path} is missing: the run did not finish, or this is another folder")
