"""Read what `deepradiomics lens fit` and `lens case` wrote, and check it before anything enters the scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.images import Mask, Volume, read_mask
from deepradiomics.lens.readings import IMPORTANCE, READINGS, Reading
from deepradiomics.scene.maps import read_map
from deepradiomics.scene.result_folder import read_columns, read_object

SHIFT_COLUMNS: dict[str, type] = {
    "modality": str,
    "feature": str,
    "family": str,
    "image_type": str,
    "i_pre": float,
    "i_ft": float,
    "delta_i": float,
    "delta_i_low": float,
    "delta_i_high": float,
    "p_null": float,
    "q_null": float,
    "p_family": float,
    "delta_i_standardised": float,
    "delta_i_fit_ft": float,
    "delta_i_fit_both": float,
    "r2_pre": float,
    "r2_ft": float,
    "mse_pre": float,
    "mse_ft": float,
    "rank": int,
    "explained_pre": float,
    "explained_ft": float,
    "delta_explained": float,
    "delta_explained_low": float,
    "delta_explained_high": float,
    "p_explained": float,
    "q_explained": float,
    "p_family_explained": float,
    "rank_explained": int,
    "noise_pre": float,
    "noise_ft": float,
}
FAMILY_COLUMNS: dict[str, type] = {
    "kind": str,
    "group": str,
    "n_features": int,
    "mse_pre": float,
    "mse_ft": float,
    "r2_pre": float,
    "r2_ft": float,
    "r2_pooled_pre": float,
    "r2_pooled_ft": float,
    "p": float,
    "p_holm": float,
    "stars": str,
    "n_patients": int,
}
MODALITY_COLUMNS: dict[str, type] = {
    "group": str,
    "modality": str,
    "stage": str,
    "r2": float,
    "r2_pooled": float,
    "n_features": int,
    "best": int,
}
NOT_A_CONTOUR = "not a reader's contour"


@dataclass(frozen=True)
class LensFolder:
    """What `lens fit` wrote.

    Attributes
    ----------
    about
        The content of lens.json.
    shift, family, modality_r2
        shift.csv, table1.csv and modality_r2.csv by column, typed as the dictionaries above.
    """

    about: Mapping[str, Any]
    shift: Mapping[str, list[Any]]
    family: Mapping[str, list[Any]]
    modality_r2: Mapping[str, list[Any]]

    @property
    def task(self) -> str:
        """The name of the fine-tuning's task, as it is shown."""
        return str(self.about.get("task") or "fine-tuning")

    def picked(self, by: Reading = IMPORTANCE) -> dict[str, list[tuple[str, str]]]:
        """(modality, feature) pairs by group: "top", "bottom" and "stable"."""
        found = self.about.get("picked") or {}
        found = found if by == IMPORTANCE else found.get(by.name) or {}
        return {
            group: [(str(modality), str(feature)) for modality, feature in found.get(group, ())]
            for group in ("top", "bottom", "stable")
        }


@dataclass(frozen=True)
class CaseFolder:
    """What `lens case` wrote: one feature's map of one case, and the region on every modality's grid.

    Attributes
    ----------
    about
        The content of case.json.
    map
        The voxel-wise map, NaN outside the region.
    rois
        The region by modality, each on that modality's own grid; a modality that does not show it has none.
    images
        The image's file by modality, where case.json, or the caller, names one that exists.
    """

    about: Mapping[str, Any]
    map: Volume
    rois: Mapping[str, Mask]
    images: Mapping[str, Path]

    @property
    def case_id(self) -> str:
        return str(self.about["case_id"])

    @property
    def modality(self) -> str:
        """The modality whose map is shown."""
        return str(self.about["modality"])

    @property
    def feature(self) -> str:
        return str(self.about["feature"])

    @property
    def modalities(self) -> tuple[str, ...]:
        """All modalities, in the order of the lens."""
        return tuple(self.about["modalities"])

    @property
    def roi_note(self) -> str:
        """What must be said of the region, in a few words: "not a reader's contour"; empty for a reader's contour."""
        said = str(self.about.get("roi_note") or "")
        return NOT_A_CONTOUR if NOT_A_CONTOUR in said or self.about.get("roi") == "ellipsoid" else said

    @property
    def roi_name(self) -> str:
        """The region as it is named in the scene: "gland", or "ellipsoid (not a reader's contour)"."""
        name = str(self.about.get("roi") or "ROI")
        return f"{name} ({self.roi_note})" if self.roi_note else name


def read_lens_folder(folder: Path) -> LensFolder:
    """Read and check the output of `lens fit`. Raises InputError naming the file and what is wrong with it."""
    folder = Path(folder)
    path = folder / "lens.json"
    about = read_object(path)
    if about.get("format") != "deepradiomics-lens":
        raise InputError(f"{path} does not describe a lens: it was not written by `lens fit`")
    shift = read_columns(folder / "shift.csv", SHIFT_COLUMNS)
    if not shift["feature"]:
        raise InputError(f"{folder / 'shift.csv'} has no rows: the lens kept no feature; see dropped.csv")
    family = read_columns(folder / "table1.csv", FAMILY_COLUMNS)
    result = LensFolder(about, shift, family, read_columns(folder / "modality_r2.csv", MODALITY_COLUMNS))
    known = set(zip(shift["modality"], shift["feature"], strict=True))
    for group, pairs in [each for by in READINGS for each in result.picked(by).items()]:
        for pair in pairs:
            if pair not in known:
                raise InputError(f"{path}: 'picked' ({group}) names {' '.join(pair)}, which shift.csv lacks; run again")
    return result


def read_case_folder(folder: Path, files: Mapping[str, Path] | None = None) -> CaseFolder:
    """Read and check the output of `lens case`.

    `files`: images by modality that lie elsewhere than case.json says. Raises InputError naming the file and what is
    wrong with it, or a modality that the case lacks.
    """
    folder = Path(folder)
    path = folder / "case.json"
    about = read_object(path)
    if about.get("kind") != "lens-case":
        raise InputError(f"{path} does not describe a case of a lens: it was not written by `lens case`")
    for key in ("case_id", "modality", "feature", "modalities"):
        if not about.get(key):
            raise InputError(f"{path} has no '{key}': it was not written by `lens case`; run it again")
    modalities = about["modalities"]
    if not isinstance(modalities, Mapping) or about["modality"] not in modalities:
        raise InputError(f"{path}: 'modalities' should name files for each modality, {about['modality']} among them")
    unknown = sorted(set(files or {}) - set(modalities))
    if unknown:
        raise InputError(f"the case has no modality {', '.join(unknown)}; it has {', '.join(modalities)}")
    if not modalities[about["modality"]].get("roi"):
        raise InputError(f"{path} names no region on {about['modality']}, whose map it is; run `lens case` again")
    images = {modality: folder / str(each["image"]) for modality, each in modalities.items() if each.get("image")}
    images = {modality: image for modality, image in images.items() if image.exists()} | dict(files or {})
    rois = {modality: _mask(folder / str(each["roi"])) for modality, each in modalities.items() if each.get("roi")}
    named = about.get("map") or "map.nrrd"
    drawn = read_map(folder / str(named["file"] if isinstance(named, Mapping) else named), str(about["feature"]))
    return CaseFolder(about, drawn, rois, images)


def _mask(path: Path) -> Mask:
    if not path.is_file():
        raise InputError(f"{path} is missing: the run did not finish, or this is another folder")
    mask = read_mask(path)
    if not mask.labels.any():
        raise InputError(f"{path} holds no voxel of the region; run `lens case` again")
    return mask
