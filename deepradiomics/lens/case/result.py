"""A folder of `lens case`, read back: one feature's map of one case, and the region on every modality's grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.files.reading import reads
from deepradiomics.files.results import must_be_there, read_object
from deepradiomics.images import Mask, Volume, read_mask
from deepradiomics.images.maps import read_map

KIND = "lens-case"
NOT_A_CONTOUR = "not a reader's contour"


@dataclass(frozen=True, eq=False)
class CaseFolder:
    """What `lens case` wrote: one feature's map of one case, and the region on every modality's grid.

    Args:
        about: the content of case.json.
        map: the voxel-wise map, NaN outside the region.
        rois: the region by modality, each on that modality's own grid; a modality that does not show it has none.
        images: the image's file by modality, where case.json, or the caller, names one that exists.
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
        note = str(self.about.get("roi_note") or "")
        return NOT_A_CONTOUR if NOT_A_CONTOUR in note or self.about.get("roi") == "ellipsoid" else note

    @property
    def roi_name(self) -> str:
        """The region as it is named in the scene: "gland", or "ellipsoid (not a reader's contour)"."""
        name = str(self.about.get("roi") or "ROI")
        return f"{name} ({self.roi_note})" if self.roi_note else name

    @property
    def range(self) -> tuple[float, float] | None:
        """The map's values at the ends of the colours; None to choose them from the map."""
        ends = self.about.get("range")
        if isinstance(ends, Mapping):
            ends = [ends.get("low"), ends.get("high")]
        if not ends or len(ends) != 2 or any(end is None for end in ends) or not float(ends[0]) < float(ends[1]):
            return None
        return float(ends[0]), float(ends[1])

    @classmethod
    @reads("case.json")
    def read(cls, folder: Path | str, files: Mapping[str, Path] | None = None) -> CaseFolder:
        """Read and check the output of `lens case`.

        Args:
            folder: where it lies.
            files: images by modality that lie elsewhere than case.json says.

        Raises:
            InputError: a file is missing or damaged, or ``files`` names a modality that the case lacks.
        """
        folder = Path(folder)
        path = folder / "case.json"
        about = read_object(path)
        if about.get("kind") != KIND:
            raise InputError(f"{path} does not describe a case of a lens: it was not written by `lens case`")
        for key in ("case_id", "modality", "feature", "modalities"):
            if not about.get(key):
                raise InputError(f"{path} has no '{key}': it was not written by `lens case`; run it again")
        modalities = about["modalities"]
        if not isinstance(modalities, Mapping) or about["modality"] not in modalities:
            raise InputError(
                f"{path}: 'modalities' should name files for each modality, {about['modality']} among them"
            )
        unknown = sorted(set(files or {}) - set(modalities))
        if unknown:
            raise InputError(f"the case has no modality {', '.join(unknown)}; it has {', '.join(modalities)}")
        if not modalities[about["modality"]].get("roi"):
            raise InputError(f"{path} names no region on {about['modality']}, whose map it is; run `lens case` again")
        images = {name: folder / str(place["image"]) for name, place in modalities.items() if place.get("image")}
        images = {name: image for name, image in images.items() if image.exists()} | dict(files or {})
        rois = {name: _mask(folder / str(place["roi"])) for name, place in modalities.items() if place.get("roi")}
        named = about.get("map") or "map.nrrd"
        drawn = read_map(folder / str(named["file"] if isinstance(named, Mapping) else named), str(about["feature"]))
        return cls(about, drawn, rois, images)


def _mask(path: Path) -> Mask:
    must_be_there(path)
    mask = read_mask(path)
    if not mask.union().any():
        raise InputError(f"{path} holds no voxel of the region; run `lens case` again")
    return mask
