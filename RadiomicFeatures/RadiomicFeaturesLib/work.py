"""What each kind of run does: files written for the child, its command line, how the result is shown.

Options that are not parameters here are those of the command, by the same names (`scene.runs.arguments`).
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.images import write_mask, write_volume
from deepradiomics.options import check_keys
from deepradiomics.radiomics.settings.parameters import read_params
from deepradiomics.scene.job.runner import FOLDER_ATTRIBUTE, Work
from deepradiomics.scene.nodes.map_place import reference_place
from deepradiomics.scene.nodes.volumes import image_for_run
from deepradiomics.scene.runs.arguments import arguments
from deepradiomics.scene.runs.dicom_export import dicom_request, why_not_dicom
from deepradiomics.scene.runs.dicom_work import dicom_work
from deepradiomics.scene.runs.node_files import check_given
from deepradiomics.scene.show.feature_cohort import show_feature_cohort
from deepradiomics.scene.show.features import show_features
from deepradiomics.scene.show.maps import show_maps

from .batch.cases import write_folder_manifest, write_scene_manifest, write_series_manifest
from .batch.dicom_series import SeriesPair
from .extraction import COHORT, join_layers, write_layers
from .regions import one_region, regions_of

Params = str | Path | Mapping[str, Any]
TABLE = "features.csv"
PRESET = "fingerprint-107"
REGION = ("roi", "segmentation", "segment_ids", "patch_grid")
"""Options of `regions.regions_of`."""


def features(volume: Any, *, params: Params = PRESET, device: str = "auto", **region: Any) -> Work:
    """The features of a volume's regions; its nodes are `deepradiomics.scene.show.features.FeatureNodes`."""
    check_keys("extract", region, REGION)
    check_given(volume, "volume", flat=True)
    regions: list[Any] = []

    def build(folder: Path) -> Sequence[str]:
        image = image_for_run(volume, flat=True)
        regions.append(regions_of(image, **region))
        file = write_volume(image, folder / "image.nrrd")
        (folder / "result").mkdir()
        options = {"params": written(params, folder), "all_labels": True, "device": device}
        masks = regions[-1].masks
        if len(masks) > 1:
            manifest = write_layers(file, masks, folder)
            return arguments(["extract", "--manifest", manifest], out=folder / COHORT / TABLE, **options)
        mask = write_mask(masks[0], folder / "mask.nrrd")
        return arguments(["extract", file, mask], out=folder / "result" / TABLE, **options)

    def collect(folder: Path) -> None:
        if len(regions[-1].masks) > 1:
            join_layers(folder, folder / "image.nrrd", folder / "result")
        for mask in folder.glob("mask*.nrrd"):  # what was measured, for DICOM: segments may be edited later
            shutil.copyfile(mask, folder / "result" / mask.name.replace("mask", "regions"))

    segmentation, roi = region.get("segmentation"), node_or_none(region.get("roi"))
    name = f"{volume.GetName()} features"

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        nodes = show_features(
            folder,
            {"image": volume, "segmentation": segmentation, "roi": roi},
            slicer.mrmlScene,
            name=name,
            region_names=regions[-1].names,
            terminologies=regions[-1].terminologies,
        )
        nodes.features.SetAttribute(FOLDER_ATTRIBUTE, str(folder))
        return nodes

    return Work(build, show, kept_as=name, collect=collect, sources=(volume, segmentation, roi))


def feature_maps(
    volume: Any,
    features: Sequence[str] | str = (),
    *,
    kernel_radius: int = 1,
    params: Params = PRESET,
    device: str = "auto",
    **region: Any,
) -> Work:
    """Features around each voxel of a region; its nodes are `deepradiomics.scene.show.maps.MapNodes`.

    The segments together are one region; a box, or without either the centre of the image, is another.
    """
    check_keys("maps", region, REGION[:-1])
    check_given(volume, "volume", flat=True)
    keys = [features] if isinstance(features, str) else list(features)
    places: list[Any] = []  # where the volume lay when the run began

    def build(folder: Path) -> Sequence[str]:
        image = image_for_run(volume, flat=True)
        places.append(reference_place(volume))
        mask = write_mask(one_region(regions_of(image, **region)), folder / "mask.nrrd")
        listed = None
        if keys:  # in a file: hundreds of them are longer than a command line may be on Windows
            (folder / "features.txt").write_text("\n".join(keys), encoding="utf-8")
            listed = f"@{folder / 'features.txt'}"
        return arguments(
            ["maps", write_volume(image, folder / "image.nrrd"), mask],
            out=folder / "result",
            label=1,
            features=listed,
            kernel_radius=kernel_radius,
            params=written(params, folder),
            device=device,
            format="nrrd",
            init_value="nan",  # outside the region; Slicer draws it as transparent
        )

    sources = {"segmentation": region.get("segmentation"), "roi": node_or_none(region.get("roi"))}
    name = f"{volume.GetName()} maps"

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        nodes = show_maps(folder, volume, slicer.mrmlScene, place=places[-1], nodes=sources, name=name)
        nodes.table.SetAttribute(FOLDER_ATTRIBUTE, str(folder))
        return nodes

    return Work(build, show, kept_as=name, images=(volume,), sources=tuple(sources.values()))


def dicom(table: Any, database: Any) -> Work:
    """A table's regions and features as DICOM files in a new folder; shows that folder."""
    if reason := why_not_dicom(table, database):
        raise InputError(reason)
    return dicom_work(table.GetName(), lambda folder: dicom_request(table, database, folder))


def batch(
    cases: Path | str | Sequence[Any],
    output: Path | str,
    *,
    params: Params = PRESET,
    mask_grid: bool = True,
    scanner: bool = False,
    device: str = "auto",
) -> Work:
    """The features of many cases; its nodes are `deepradiomics.scene.show.feature_cohort.CohortNodes`.

    Each finished case is kept in `output`: a run that was stopped resumes.
    """
    out = Path(output)
    if not str(output):
        raise InputError("output: name the folder for the table; a stopped batch resumes in it.")
    if not isinstance(cases, str | Path) and not cases:
        raise InputError("cases: expected at least one pair (volume and segmentation, or series and SEG), or a folder.")

    def build(folder: Path) -> Sequence[str]:
        if isinstance(cases, str | Path):
            manifest = write_folder_manifest(Path(cases), folder)
        elif isinstance(cases[0], SeriesPair):
            manifest = write_series_manifest(cases, folder)
        else:
            manifest = write_scene_manifest(cases, folder)
        out.mkdir(parents=True, exist_ok=True)
        settings = on_image_grid(params) if mask_grid else params
        return arguments(
            ["extract", "--manifest", manifest],
            out=out / TABLE,
            params=written(settings, folder),
            all_labels=True,
            scanner=scanner,
            allow_failures=True,
            device=device,
        )

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        nodes = show_feature_cohort(out / TABLE, slicer.mrmlScene)
        nodes.features.SetAttribute(FOLDER_ATTRIBUTE, str(out))
        return nodes

    return Work(build, show)


def written(params: Params, folder: Path) -> str:
    """Settings as the command line takes them: a parameter structure becomes a file in the job's folder."""
    if not isinstance(params, Mapping):
        return str(Path(params).absolute()) if Path(params).is_file() else str(params)
    write_json(folder / "params.json", dict(params))
    return str(folder / "params.json")


def on_image_grid(params: Params) -> dict[str, Any]:
    """The same settings, with masks that lie on another grid laid onto their image's (nearest voxel).

    Raises:
        InputError: the settings cannot be read.
    """
    sections = dict(read_params(params))
    return {**sections, "setting": {**(sections.get("setting") or {}), "correctMask": True}}


def node_or_none(roi: Any) -> Any:
    """An ROI that is a node; None for a box, which no result can refer to."""
    return roi if hasattr(roi, "GetID") else None
