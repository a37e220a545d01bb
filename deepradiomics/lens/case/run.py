"""The case view's numbers: one radiomic feature as a map over one modality of one case, and the region on every grid.

case (of a lens, or plain files) ─► region on each modality's own grid
                                 └► feature of the window around each voxel, settings as in the lens ─► map, NaN outside
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.cohort.roi import ELLIPSOID, reading_of, roi_mask
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.files.names import distinct_parts, path_part
from deepradiomics.images import Mask, Volume, image_record, write_mask, write_volume
from deepradiomics.images.convert import volume_from_sitk
from deepradiomics.images.reading import Reading
from deepradiomics.lens.case.colours import colour_range
from deepradiomics.lens.case.result import KIND
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.fit.radiomics import settings_for
from deepradiomics.lens.fit.region import load_images, region_on
from deepradiomics.lens.readings import READINGS
from deepradiomics.lens.result import LensResult, Row
from deepradiomics.prepare.head.ellipsoid import ELLIPSOID_NOTE
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line
from deepradiomics.radiomics.catalogue.explain import explain

if TYPE_CHECKING:
    from deepradiomics.radiomics import Settings


@one_line
@dataclass(frozen=True, eq=False)
class CaseSource:
    """A case before any feature is chosen.

    Args:
        id: its name.
        images: by modality, each on its own grid.
        mask: the region, label 1, on the grid it was drawn on.
        roi: what the region is called.
        files: by modality, where its image lies; a modality without one is written beside the map.
        synthetic: whether the images are made up.
        reading: how its files are read.
    """

    id: str
    images: Mapping[str, Volume]
    mask: Mask
    roi: str
    files: Mapping[str, Path]
    synthetic: bool = False
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        for name in self.images:
            path_part(name, f"Case {self.id}: the modality")  # it names image_<modality>.nrrd and roi_<modality>.nrrd
        distinct_parts(self.images, f"Case {self.id}: modalities")

    @classmethod
    def of_row(cls, row: ManifestRow, modalities: tuple[str, ...], roi: str, synthetic: bool = False) -> CaseSource:
        """Read a case of a manifest, or of plain files put into a row.

        Raises:
            InputError: a file is missing or cannot be read, or the case lacks the region; the message names both.
        """
        images = load_images(row, modalities)
        mask = roi_mask(row, roi, next(iter(images.values())), others=images.values())
        files = {name: row.views[name].resolve() for name in modalities}
        return cls(row.id, images, mask, roi, files, synthetic, reading_of(row))

    @classmethod
    def of_result(
        cls, result: LensResult, case: str, roi: str | None = None, reading: Reading | None = None
    ) -> CaseSource:
        """Read a case of a lens, with the region that the lens measured or another one.

        Files are read as the lens read them, but for the labels that ``reading`` names.

        Raises:
            InputError: the lens has no such case, or a file is no longer where it was.
        """
        cells = next((row for row in result.cases if row["id"] == case), None)
        if cells is None:
            from difflib import get_close_matches

            known = [row["id"] for row in result.cases]
            if not known:
                raise InputError(f"the lens of {result.folder} came without its cases: give --view and --mask instead.")
            near = get_close_matches(case, known, 3, 0.6) or known[:3]
            raise InputError(f"case {case!r} is not in the lens of {result.folder}; there are {', '.join(near)}, …")
        given = {name: result.folder / text for name, text in cells.items() if text and name not in _WORDS}
        absent = next((f"{name}: {path}" for name, path in given.items() if not path.exists()), None)
        if absent:
            raise InputError(f"Case {case}, column {absent} is no longer there. Were the images moved?")
        its_region = roi in (None, result.about["roi"]) and (reading is None or not reading.names_labels)
        row = ManifestRow(
            case,
            {name.removeprefix("view_"): path for name, path in given.items() if name.startswith("view_")},
            given.get("mask"),
            masks={name.removeprefix("mask_"): path for name, path in given.items() if name.startswith("mask_")},
            region=int(cells["label"]) if its_region and cells.get("label") else None,
            segment=(cells.get("segment") or None) if its_region else None,
            reading=_reading_of(result, roi, reading),
        )
        return cls.of_row(row, result.modalities, roi or str(result.about["roi"]), bool(result.about["synthetic"]))


_WORDS = ("id", "patient", "split", "label", "segment")


def _reading_of(result: LensResult, roi: str | None, reading: Reading | None) -> Reading:
    """How the lens read its files; its labels are those of the region that it measured, not of another one."""
    stored = Reading.from_dict(result.about.get("reading") or {})
    if roi not in (None, result.about["roi"]):
        stored = replace(stored, label=None, segment=None, all_labels=False)
    return stored if reading is None else reading.or_labels_of(stored)


@one_line
@dataclass(frozen=True, eq=False)
class CaseMap:
    """A feature as a map over one modality of a case.

    Args:
        source: the case.
        modality, feature: what the map shows.
        map: float64; NaN outside the region and where the feature is not defined.
        rois: the region by modality, on that modality's own grid; a modality that does not show it is missing.
        range: values between which colours run, from the region's interior (``map_colours.colour_range``).
        explained: the feature in words.
        unit: of the map's values; empty for none.
        row: the feature's row of the shift table; empty without a lens.
        notes: what must be known, one sentence each.
    """

    source: CaseSource
    modality: str
    feature: str
    map: Volume
    rois: Mapping[str, Mask]
    range: tuple[float, float]
    explained: str
    unit: str
    row: Row
    notes: tuple[str, ...]

    @property
    def roi_note(self) -> str:
        """What must be said of the region; empty where a reader drew it."""
        return ELLIPSOID_NOTE if self.source.roi == ELLIPSOID else ""

    def write(self, folder: str | Path) -> list[Path]:
        """Write case.json, map.nrrd, roi_<modality>.nrrd, and images that have no file; return the files."""
        folder = Path(folder)
        files = [folder / "map.nrrd"]
        write_volume(self.map, files[0])
        places: dict[str, dict[str, Any]] = {}
        for name, volume in self.source.images.items():
            places[name] = {"image": str(self.source.files.get(name, f"image_{name}.nrrd")), **image_record(volume)}
            if name not in self.source.files:
                files.append(folder / f"image_{name}.nrrd")
                write_volume(volume, files[-1])
            if name in self.rois:
                files.append(folder / f"roi_{name}.nrrd")
                write_mask(self.rois[name], files[-1])
                places[name]["roi"] = files[-1].name
        write_json(folder / "case.json", self.to_dict(places))
        return [folder / "case.json", *files]

    def to_dict(self, places: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The content of case.json; ``places``: where images and regions are, and what the images hold."""
        row = {name: None if isinstance(v, float) and isnan(v) else v for name, v in self.row.items()}
        for name in ("rank", "rank_explained"):
            if (place := row.get(name)) is not None:
                row[name] = int(place)
        return {
            "software": "deepradiomics", "kind": KIND, "case_id": self.source.id, "modality": self.modality,
            "feature": self.feature, "roi": self.source.roi, "roi_note": self.roi_note, "modalities": dict(places),
            "map": "map.nrrd", "range": list(self.range), "unit": self.unit, "explained": self.explained,
            "delta_i": row, "notes": list(self.notes), "synthetic": self.source.synthetic,
            **({"reading": choices} if (choices := self.source.reading.to_dict()) else {}),
        }  # fmt: skip


def case_map(
    source: CaseSource,
    modality: str,
    feature: str,
    lens: LensResult | LensConfig,
    *,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> CaseMap:
    """Compute a feature's map with the settings of the lens's own extraction.

    Args:
        source: the case.
        modality: one of its images.
        feature: a key of the engine, such as ``wavelet-LLH_glcm_Contrast``; not a shape.
        lens: a fitted lens, whose settings and row of the shift table are taken, or a configuration.
        device, threads: as for :func:`deepradiomics.radiomics.maps.feature_maps`.
        progress: may raise Cancelled.

    Raises:
        InputError: no such modality or feature, the region lies outside the modality, or the map is empty.
    """
    from deepradiomics.radiomics.maps import feature_maps

    if modality not in source.images:
        raise InputError(f"modality {modality!r}: case {source.id} has {', '.join(source.images)}.")
    said = explain(feature)
    if "_shape_" in said.key:
        raise InputError(
            f"--feature {said.key}: a shape is one number of the whole region and has no map. Choose a first-order or "
            "texture feature, such as original_glcm_Contrast."
        )
    settings = replace(_settings(lens, modality), init_value=float("nan"))
    row = lens.row(modality, said.key) if isinstance(lens, LensResult) else {}
    rois, notes = _regions(source, modality)
    found = feature_maps(
        source.images[modality],
        rois[modality],
        [said.key],
        params=settings,
        device=device,
        threads=threads,
        progress=part(progress, 0.0, 0.95),
    )[said.key]
    volume = volume_from_sitk(found, name=f"{said.key} of {modality}")
    values = volume.voxels[np.isfinite(volume.voxels)]
    if not values.size:
        raise InputError(
            f"Case {source.id}: {said.key} is not defined around any voxel of the ROI {source.roi} on {modality}."
        )
    if isinstance(lens, LensResult) and source.roi != lens.about["roi"]:
        notes.append(f"ΔI is of the ROI {lens.about['roi']}, which the lens measured; the map is of {source.roi}.")
    width = 2 * settings.kernel_radius + 1
    notes.append(
        f"Each voxel shows {said.key} in the window of {width} x {width} x {width} voxels around it, cut at the border "
        "of the region, with the grey levels of the lens's own extraction."
    )
    return CaseMap(
        source, modality, said.key, volume, rois, colour_range(volume.voxels, settings.kernel_radius), said.text,
        said.unit, row, tuple(notes),
    )  # fmt: skip


def chosen_feature(
    lens: LensResult,
    *,
    modality: str | None = None,
    feature: str | None = None,
    rank: str | None = None,
    by: str = "explained",
) -> tuple[str, str]:
    """Modality and feature that a user means: named, or by place in the shift table.

    Args:
        lens: fitted.
        modality: one of the lens; with ``rank``, only its rows are counted.
        feature: a key; needs ``modality``.
        rank: ``top`` (the largest shift), ``bottom`` (the smallest), ``stable``, or a number (1 = the largest).
        by: what ``rank`` goes by: ``explained`` (ΔE) or ``importance`` (ΔI).

    Raises:
        InputError: neither or both of feature and rank, or none that fits.
    """
    if (feature is None) == (rank is None):
        raise InputError("which feature? Give either --feature (with --modality) or --rank top, bottom, stable or N.")
    if modality is not None and modality not in lens.modalities:
        raise InputError(f"modality {modality!r}: this lens has {', '.join(lens.modalities)}.")
    if feature is not None:
        if modality is None:
            raise InputError(f"--feature {feature}: say of which modality, with --modality {lens.modalities[0]}.")
        return modality, feature
    reading = next((one for one in READINGS if one.name == by), None)
    if reading is None:
        raise InputError(f"--by: expected {' or '.join(one.name for one in READINGS)}, got {by!r}.")
    ordered = sorted(lens.shift, key=lambda row: row[reading.rank])
    rows = [row for row in ordered if modality in (None, row["modality"])]
    if rank in ("top", "bottom", "stable"):
        picks = [row for row in lens.picked(rank, reading) if modality in (None, row["modality"])]  # type: ignore[arg-type]
        rows = picks or (rows[::-1] if rank == "bottom" else rows)
        if rank == "stable" and not picks:
            raise InputError(f"--rank stable: none of the five most stable features is of {modality}; leave it out.")
        return str(rows[0]["modality"]), str(rows[0]["feature"])
    place = int(rank) if rank is not None and rank.isdecimal() else 0
    if not 1 <= place <= len(rows):
        raise InputError(f"--rank: expected top, bottom, stable or a number from 1 to {len(rows)}, got {rank!r}.")
    return str(rows[place - 1]["modality"]), str(rows[place - 1]["feature"])


def _settings(lens: LensResult | LensConfig, modality: str) -> Settings:
    from deepradiomics.radiomics.settings.settings import Settings

    if isinstance(lens, LensConfig):
        return settings_for(lens, modality)
    stored = lens.about.get("radiomics", {})
    if modality not in stored:
        raise InputError(_not_measured(modality, stored))
    return Settings.from_params(stored[modality])


def _not_measured(modality: str, stored: Mapping[str, object]) -> str:
    if not stored:
        return (
            "the lens's file does not say with which settings its features were computed (lens.json holds no "
            "'radiomics'), so none of them can be mapped; fit the lens again."
        )
    return f"modality {modality!r}: this lens measured {', '.join(stored)}."


def _regions(source: CaseSource, modality: str) -> tuple[dict[str, Mask], list[str]]:
    """The region on every grid; it must lie on that of ``modality``, others may lack it."""
    found, notes = {}, [*source.mask.notes]
    notes += [f"{name}: {note}" for name, volume in source.images.items() for note in volume.notes]
    if source.roi == ELLIPSOID:
        notes.append(f"The region is an {ELLIPSOID_NOTE}.")
    for name, volume in source.images.items():
        try:
            found[name], said = region_on(source.mask, volume, case=source.id, modality=name, roi=source.roi)
        except InputError as error:
            if name == modality:
                raise
            said = (str(error),)
        notes += [f"{text.rstrip('.')}." for text in said]
    return found, notes
