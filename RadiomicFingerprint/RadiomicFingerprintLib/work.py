"""What each kind of run does: files written for the child, its command line, how the result is shown.

Options that are not parameters here are those of the command, by the same names (`scene.runs.arguments`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.files.names import distinct_parts, path_part
from deepradiomics.files.tables import write_csv
from deepradiomics.fingerprint.model.config import config as preset_config
from deepradiomics.options import check_keys
from deepradiomics.prepare.exam.box import Box
from deepradiomics.scene.job.runner import FOLDER_ATTRIBUTE, Work
from deepradiomics.scene.nodes.regions import box_from_roi
from deepradiomics.scene.nodes.tables import table_of_csv
from deepradiomics.scene.runs.arguments import arguments
from deepradiomics.scene.runs.node_files import write_image, write_segment
from deepradiomics.scene.show.fingerprint import show_fingerprint
from deepradiomics.scene.tree.result_folder import kind_of
from deepradiomics.scene.tree.roles import role as quoted

from .bundles import SAMPLE_BUNDLE, read_summary

PREDICTION_ROLE = "DeepRadiomics.prediction"  # from the fingerprint's table node to the other results
RELEVANCE_ROLE = "DeepRadiomics.relevance."  # these three end in the task's name
GRADCAM_ROLE = "DeepRadiomics.gradcam."
CHART_ROLE = "DeepRadiomics.chart."
APPLY, TRAIN = ("inference", "device"), ("tasks", "device", "seed")
BACKENDS = ("cpu", "gpu")


def fingerprint(
    volumes: Mapping[str, Any],
    bundle: Path | str | None = None,
    roi: Any = None,
    *,
    segmentation: Any = None,
    segment_id: str | None = None,
    registration: str | None = None,
    case_id: str | None = None,
    **options: Any,
) -> Work:
    """A model applied to one exam; its nodes are `deepradiomics.scene.show.fingerprint.FingerprintNodes`."""
    check_keys("fingerprint apply", options, APPLY)
    model = Path(bundle) if bundle is not None else SAMPLE_BUNDLE
    summary = read_summary(model)
    if roi is not None and segmentation is not None:
        raise InputError("roi and segmentation: give one of them, each defines the region of interest.")
    if segmentation is not None and not segment_id:
        raise InputError("segment_id: name the segment that is the region of interest.")
    ordered = [volumes[view] for view in ("sagittal", "coronal", "axial", *volumes) if view in volumes]
    name = case_id or (ordered[0].GetName() if ordered else "case")

    def build(folder: Path) -> Sequence[str]:
        views = write_views(volumes, folder)
        region: dict[str, Any] = {"roi_box": write_box(roi, folder / "roi.json")} if roi is not None else {}
        if segmentation is not None:
            reference = volumes.get(summary.reference_view) or next(iter(volumes.values()))
            region = {"mask": write_segment(segmentation, segment_id, reference, folder / "mask.nrrd"), "label": 1}
        images = [part for view, path in views.items() for part in ("--view", f"{view}={path}")]
        return arguments(
            ["fingerprint", "apply", model, *images, "--no-scene"],
            out=folder / "result",
            case_id=name,
            **region,
            **registration_options(registration, summary.registration),
            **options,
        )

    return Work(
        build,
        lambda event, folder: show_folder(folder, dict(volumes), verified=True),
        kept_as=name,
        images=ordered,
        sources=[node for node in (segmentation, roi) if hasattr(node, "GetID")],
    )


def batch(
    cases: Path | str | Mapping[str, Mapping[str, Any]],
    output: Path | str,
    bundle: Path | str | None = None,
    *,
    registration: str | None = None,
    **options: Any,
) -> Work:
    """A model applied to a folder of cases, or to volumes of the scene; its value is the table node of the outcomes."""
    check_keys("fingerprint apply", options, APPLY)
    model, out = Path(bundle) if bundle is not None else SAMPLE_BUNDLE, Path(output)
    options |= registration_options(registration, read_summary(model).registration)

    def build(folder: Path) -> Sequence[str]:
        source = write_batch_manifest(cases, folder) if isinstance(cases, Mapping) else batch_source(Path(cases))
        option = "--folder" if source.is_dir() else "--manifest"
        return arguments(["fingerprint", "apply", model, option, source, "--no-scene"], out=out, **options)

    def table() -> Any:
        return table_of_csv(slicer.mrmlScene, out / "batch.csv", "Batch of fingerprints")

    # When some cases fail, which and why stands in the table too.
    return Work(build, lambda event, folder: table(), lambda: table() if (out / "batch.csv").is_file() else None)


def training(
    manifest: Path | str,
    output: Path | str,
    *,
    preset: str = "tiny",
    patch_grid: Sequence[int] | None = None,
    reference_view: str | None = None,
    **options: Any,
) -> Work:
    """A model trained from a manifest; returns the bundle's folder."""
    check_keys("fingerprint train", options, TRAIN)

    def build(folder: Path) -> Sequence[str]:
        changed = patch_grid is not None or reference_view is not None
        config = write_config(folder / "config.json", preset, patch_grid, reference_view) if changed else None
        return arguments(
            ["fingerprint", "train", manifest],
            out=Path(output),
            config=config,
            preset=None if changed else preset,
            resume=True,
            **options,
        )

    return Work(build, lambda event, folder: Path(event["bundle"]))


def registration_options(choice: str | None, trained: str = "off") -> dict[str, str]:
    """``None`` (as trained), "off", "cpu" or "gpu" → the options of ``fingerprint apply``.

    The target of the registration (template or reference view) stays as the model was trained; where it was trained
    without, the reference view is the target.

    >>> registration_options("gpu", trained="template")
    {'registration': 'template', 'backend': 'gpu'}
    """
    if choice is None:
        return {}
    if choice == "off":
        return {"registration": "off"}
    if choice not in BACKENDS:
        raise InputError(f"registration: expected None, 'off', 'cpu' or 'gpu', got {choice!r}")
    return {"registration": trained if trained != "off" else "reference", "backend": choice}


def write_views(volumes: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write each view's volume node, through its parent transforms, as ``<view>.nrrd``.

    Raises:
        InputError: no volume, or a node without an image.
    """
    if not volumes:
        raise InputError("volumes: expected at least one view, for example volumes={'sagittal': node}.")
    distinct_parts(volumes, "volumes")
    for view in volumes:
        path_part(view, "volumes: the view")
    return {view: write_image(node, folder / f"{view}.nrrd", view) for view, node in volumes.items()}


def write_box(roi: Any, path: Path) -> Path:
    """Write a markups ROI node (or a `Box`, or its dictionary)."""
    box = roi if isinstance(roi, Box) else Box.from_dict(roi) if isinstance(roi, Mapping) else box_from_roi(roi)
    write_json(path, box.to_dict())
    return path


def write_batch_manifest(cases: Mapping[str, Mapping[str, Any]], folder: Path) -> Path:
    """Write cases (id → view → volume node) as files and a manifest without labels."""
    views = sorted({view for volumes in cases.values() for view in volumes})
    rows = []
    for count, (name, volumes) in enumerate(cases.items()):
        case_folder = folder / f"case{count}"
        case_folder.mkdir()
        paths = write_views(volumes, case_folder)
        rows.append([name, *(paths.get(view, "") for view in views)])
    return write_csv(folder / "manifest.csv", ["id", *views], rows)


def show_folder(folder: Path, volumes: Mapping[str, Any] | None, *, verified: bool = False) -> Any:
    """Show a folder of `fingerprint apply` in the scene; its fingerprint's table remembers the folder."""
    nodes = show_fingerprint(folder, volumes, slicer.mrmlScene, verified=verified)
    refer_to_results(nodes)
    nodes.fingerprint.SetAttribute(FOLDER_ATTRIBUTE, str(folder))
    return nodes


def open_result(folder: Path | str, volumes: Mapping[str, Any] | None = None) -> Any:
    """Show a result folder of this module over its own images.

    `volumes` are those by view; None looks for them in the scene, then beside the files. Other images are refused.
    """
    folder = Path(folder).absolute()
    kind = kind_of(folder)
    if kind != "fingerprint":
        raise InputError(f"{folder} holds a result of kind '{kind}': open it with the module that made it.")
    return show_folder(folder, volumes)


def batch_source(folder: Path) -> Path:
    """What names the cases of a folder: its manifest.csv where there is one, else the folder of case folders."""
    return folder / "manifest.csv" if (folder / "manifest.csv").is_file() else folder


def refer_to_results(nodes: Any) -> None:
    """Let the fingerprint's table node refer to prediction, heat maps and charts, so that a saved scene finds them."""
    table = nodes.fingerprint
    table.SetNodeReferenceID(PREDICTION_ROLE, nodes.prediction.GetID())
    results = {RELEVANCE_ROLE: nodes.relevance, GRADCAM_ROLE: nodes.gradcam, CHART_ROLE: nodes.charts}
    for role, by_task in results.items():
        for task, node in by_task.items():
            table.SetNodeReferenceID(quoted(role, task), node.GetID())


def write_config(path: Path, preset: str, patch_grid: Sequence[int] | None, reference_view: str | None) -> Path:
    """Write a preset with another patch grid or reference view as a whole configuration."""
    chosen = preset_config(preset)
    recipe = chosen.recipe
    if patch_grid is not None:
        recipe = replace(recipe, patch_grid=tuple(patch_grid))
    if reference_view is not None:
        recipe = replace(recipe, reference_view=reference_view)
    write_json(path, replace(chosen, recipe=recipe).to_dict())
    return path
