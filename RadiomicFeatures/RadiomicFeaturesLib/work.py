"""What each kind of run does: files written for the child, words of its command line, how the result is shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.errors import InputError
from deepradiomics.scene.runner import FOLDER_ATTRIBUTE, Work, keep

from . import cases as batch_cases
from . import commands
from .extraction import COHORT, join_layers, write_layers
from .regions import one_region, regions_of

Params = str | Path | Mapping[str, Any]
TABLE = "features.csv"


def features(
    volume: Any,
    *,
    segmentation: Any = None,
    segment_ids: Sequence[str] | None = None,
    roi: Any = None,
    patch_grid: Sequence[int] = (1, 1, 1),
    params: Params = "fingerprint-107",
    device: str = "auto",
    output_folder: Path | str | None = None,
) -> Work:
    """The features of a volume's regions; its nodes are `deepradiomics.scene.features.FeatureNodes`."""
    _check_volume(volume)
    regions: list[Any] = []

    def build(folder: Path) -> Sequence[str]:
        from deepradiomics.images import write_mask, write_volume
        from deepradiomics.scene.volumes import image_for_run

        image = image_for_run(volume, flat=True)
        regions.append(
            regions_of(image, roi=roi, segmentation=segmentation, segment_ids=segment_ids, patch_grid=patch_grid)
        )
        write_volume(image, folder / "image.nrrd")
        (folder / "result").mkdir()
        options = {"params": written(params, folder), "device": device}
        masks = regions[-1].masks
        if len(masks) > 1:
            manifest = write_layers(folder / "image.nrrd", masks, folder)
            return commands.cohort_arguments(manifest, folder / COHORT / TABLE, **options)
        write_mask(masks[0], folder / "mask.nrrd")
        return commands.extract_arguments(
            folder / "image.nrrd", folder / "mask.nrrd", folder / "result" / TABLE, **options
        )

    name = f"{volume.GetName()} features"

    def kept(folder: Path) -> Path:
        if len(regions[-1].masks) > 1:
            join_layers(folder, folder / "image.nrrd", folder / "result")
        return keep(folder / "result", name, output_folder)

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        from deepradiomics.scene.features import show_features

        nodes = show_features(
            folder,
            {"image": volume, "segmentation": segmentation, "roi": node_or_none(roi)},
            slicer.mrmlScene,
            name=name,
            region_names=regions[-1].names,
            terminologies=regions[-1].terminologies,
        )
        nodes.features.SetAttribute(FOLDER_ATTRIBUTE, str(folder))
        return nodes

    return Work(build, show, keep=kept, sources=(volume, segmentation, node_or_none(roi)))


def feature_maps(
    volume: Any,
    features: Sequence[str] | str = (),
    *,
    segmentation: Any = None,
    segment_ids: Sequence[str] | None = None,
    roi: Any = None,
    kernel_radius: int = 1,
    params: Params = "fingerprint-107",
    device: str = "auto",
    output_folder: Path | str | None = None,
) -> Work:
    """Features around each voxel of a region; its nodes are `deepradiomics.scene.maps.MapNodes`.

    The segments together are one region; a box, or without either the centre of the image, is another.
    """
    _check_volume(volume)
    names = [features] if isinstance(features, str) else list(features)
    name = f"{volume.GetName()} maps"
    places: list[Any] = []  # where the volume lay when the run began

    def build(folder: Path) -> Sequence[str]:
        from deepradiomics.images import write_mask, write_volume
        from deepradiomics.scene.map_place import reference_place
        from deepradiomics.scene.volumes import image_for_run

        image = image_for_run(volume, flat=True)
        places.append(reference_place(volume))
        regions = regions_of(image, roi=roi, segmentation=segmentation, segment_ids=segment_ids)
        write_volume(image, folder / "image.nrrd")
        write_mask(one_region(regions), folder / "mask.nrrd")
        listed = folder / "features.txt" if names else None
        if listed is not None:
            listed.write_text("\n".join(names), encoding="utf-8")
        return commands.maps_arguments(
            folder / "image.nrrd", folder / "mask.nrrd", folder / "result",
            features=listed, kernel_radius=kernel_radius, params=written(params, folder), device=device,
        )  # fmt: skip

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        from deepradiomics.scene.maps import show_maps

        sources = {"segmentation": segmentation, "roi": node_or_none(roi)}
        nodes = show_maps(folder, volume, slicer.mrmlScene, place=places[-1], nodes=sources, name=name)
        nodes.table.SetAttribute(FOLDER_ATTRIBUTE, str(folder))
        return nodes

    return Work(
        build, show, keep=lambda folder: keep(folder / "result", name, output_folder), images=(volume,),
        sources=(segmentation, node_or_none(roi)),
    )  # fmt: skip


def batch(
    cases: Path | str | Sequence[tuple[Any, Any]],
    output: Path | str,
    *,
    params: Params = "fingerprint-107",
    mask_grid: bool = True,
    device: str = "auto",
) -> Work:
    """The features of many cases; its nodes are `deepradiomics.scene.feature_cohort.CohortNodes`.

    Each finished case is kept in `output`: a run that was stopped goes on where it was.
    """
    out = Path(output)
    if not str(output):
        raise InputError("output: name the folder for the table; a stopped batch goes on in it.")
    if not isinstance(cases, str | Path) and not cases:
        raise InputError("cases: expected at least one pair of a volume and a segmentation, or a folder.")

    def build(folder: Path) -> Sequence[str]:
        if isinstance(cases, str | Path):
            manifest = batch_cases.write_folder_manifest(Path(cases), folder)
        else:
            manifest = batch_cases.write_scene_manifest(cases, folder)
        out.mkdir(parents=True, exist_ok=True)
        settings = on_image_grid(params) if mask_grid else params
        return commands.cohort_arguments(
            manifest, out / TABLE, params=written(settings, folder), device=device, allow_failures=True
        )

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        from deepradiomics.scene.feature_cohort import show_feature_cohort

        nodes = show_feature_cohort(out / TABLE, slicer.mrmlScene)
        nodes.features.SetAttribute(FOLDER_ATTRIBUTE, str(out))
        return nodes

    return Work(build, show)


def written(params: Params, folder: Path) -> str:
    """Settings as the command line takes them: a parameter structure becomes a file in the job's folder."""
    if not isinstance(params, Mapping):
        return str(Path(params).absolute()) if Path(params).is_file() else str(params)
    from deepradiomics.files import write_json

    write_json(folder / "params.json", dict(params))
    return str(folder / "params.json")


def on_image_grid(params: Params) -> dict[str, Any]:
    """The same settings, with masks that lie on another grid laid onto their image's (nearest voxel).

    Raises:
        InputError: the settings cannot be read.
    """
    from deepradiomics.radiomics.parameters import read_params

    sections = dict(read_params(params))
    return {**sections, "setting": {**(sections.get("setting") or {}), "correctMask": True}}


def node_or_none(roi: Any) -> Any:
    """An ROI that is a node; None for a box, which no result can refer to."""
    return roi if hasattr(roi, "GetID") else None


def _check_volume(volume: Any) -> None:
    if volume is None:
        raise InputError("volume: choose a volume whose features are to be computed.")
