"""What each kind of run does: files written for the child, words of its command line, how the result is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.errors import InputError
from deepradiomics.scene.runner import FOLDER_ATTRIBUTE, Work, keep

from . import commands, inputs
from .bundles import SAMPLE_BUNDLE, read_summary

PREDICTION_ROLE = "DeepRadiomics.prediction"  # from the fingerprint's table node to the other results
RELEVANCE_ROLE = "DeepRadiomics.relevance."  # these three end in the task's name
GRADCAM_ROLE = "DeepRadiomics.gradcam."
CHART_ROLE = "DeepRadiomics.chart."


def fingerprint(
    volumes: Mapping[str, Any],
    bundle: Path | str | None = None,
    roi: Any = None,
    *,
    segmentation: Any = None,
    segment_id: str | None = None,
    registration: str | None = None,
    inference: str = "paper",
    device: str = "auto",
    case_id: str | None = None,
    output_folder: Path | str | None = None,
) -> Work:
    """A model applied to one exam; its nodes are `deepradiomics.scene.fingerprint.FingerprintNodes`."""
    model = Path(bundle) if bundle is not None else SAMPLE_BUNDLE
    summary = read_summary(model)
    if roi is not None and segmentation is not None:
        raise InputError("roi and segmentation: give one of them, each defines the region of interest.")
    if segmentation is not None and not segment_id:
        raise InputError("segment_id: name the segment that is the region of interest.")
    ordered = [volumes[view] for view in ("sagittal", "coronal", "axial", *volumes) if view in volumes]
    name = case_id or (ordered[0].GetName() if ordered else "case")

    def build(folder: Path) -> Sequence[str]:
        views = inputs.write_views(volumes, folder)
        mask = None
        if segmentation is not None and segment_id:
            reference = volumes.get(summary.reference_view) or next(iter(volumes.values()))
            mask = inputs.write_segment(segmentation, segment_id, reference, folder)
        return commands.apply_arguments(
            views,
            model,
            folder / "result",
            roi_box=inputs.write_box(roi, folder) if roi is not None else None,
            mask=mask,
            registration=commands.registration_arguments(registration, summary.registration),
            inference=inference,
            device=device,
            case_id=name,
        )

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        return show_folder(folder, dict(volumes), verified=True)

    return Work(
        build, show, keep=lambda folder: keep(folder / "result", name, output_folder), images=ordered,
        sources=[node for node in (segmentation, roi) if hasattr(node, "GetID")],
    )  # fmt: skip


def batch(
    cases: Path | str | Mapping[str, Mapping[str, Any]],
    output: Path | str,
    bundle: Path | str | None = None,
    *,
    registration: str | None = None,
    inference: str = "paper",
    device: str = "auto",
) -> Work:
    """A model applied to a folder of cases, or to volumes of the scene; its value is the table node of the outcomes."""
    model = Path(bundle) if bundle is not None else SAMPLE_BUNDLE
    trained = read_summary(model).registration
    out = Path(output)

    def build(folder: Path) -> Sequence[str]:
        in_scene = isinstance(cases, Mapping)
        source = inputs.write_batch_manifest(cases, folder) if in_scene else batch_source(Path(cases))  # type: ignore[arg-type]
        words = commands.registration_arguments(registration, trained)
        return commands.batch_arguments(source, model, out, registration=words, inference=inference, device=device)

    def table() -> Any:
        from deepradiomics.scene.tables import table_of_csv

        return table_of_csv(slicer.mrmlScene, out / "batch.csv", "Batch of fingerprints")

    # When some cases fail, which and why stands in the table too.
    return Work(build, lambda event, folder: table(), lambda: table() if (out / "batch.csv").is_file() else None)


def training(
    manifest: Path | str,
    output: Path | str,
    *,
    tasks: Sequence[str] = (),
    preset: str = "tiny",
    patch_grid: Sequence[int] | None = None,
    reference_view: str | None = None,
    device: str = "auto",
    seed: int = 0,
) -> Work:
    """A model trained from a manifest; returns the bundle's folder."""

    def build(folder: Path) -> Sequence[str]:
        changed = patch_grid is not None or reference_view is not None
        config = write_config(folder / "config.json", preset, patch_grid, reference_view) if changed else None
        return commands.train_arguments(
            Path(manifest), Path(output), tasks=tasks, preset=preset, config=config, device=device, seed=seed
        )

    return Work(build, lambda event, folder: Path(event["bundle"]))


def show_folder(folder: Path, volumes: Mapping[str, Any] | None, *, verified: bool = False) -> Any:
    """Show a folder of `fingerprint apply` in the scene; its fingerprint's table remembers the folder."""
    from deepradiomics.scene.fingerprint import show_fingerprint

    nodes = show_fingerprint(folder, volumes, slicer.mrmlScene, verified=verified)
    refer_to_results(nodes)
    nodes.fingerprint.SetAttribute(FOLDER_ATTRIBUTE, str(folder))
    return nodes


def open_result(folder: Path | str, volumes: Mapping[str, Any] | None = None) -> Any:
    """Show a result folder of this module over its own images.

    `volumes` are those by view; None looks for them in the scene, then beside the files. Other images are refused.
    """
    from deepradiomics.scene.result_folder import kind_of

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
    from deepradiomics.scene.roles import role as quoted

    table = nodes.fingerprint
    table.SetNodeReferenceID(PREDICTION_ROLE, nodes.prediction.GetID())
    results = {RELEVANCE_ROLE: nodes.relevance, GRADCAM_ROLE: nodes.gradcam, CHART_ROLE: nodes.charts}
    for role, by_task in results.items():
        for task, node in by_task.items():
            table.SetNodeReferenceID(quoted(role, task), node.GetID())


def write_config(path: Path, preset: str, patch_grid: Sequence[int] | None, reference_view: str | None) -> Path:
    """Write a preset with another patch grid or reference view as a whole configuration."""
    from deepradiomics.files import write_json
    from deepradiomics.fingerprint.config import config

    chosen = config(preset)  # type: ignore[arg-type]
    recipe = chosen.recipe
    if patch_grid is not None:
        recipe = replace(recipe, patch_grid=tuple(patch_grid))  # type: ignore[arg-type]
    if reference_view is not None:
        recipe = replace(recipe, reference_view=reference_view)
    write_json(path, replace(chosen, recipe=recipe).to_dict())
    return path
