"""``deepradiomics lens case``: a radiomic feature of a lens as a map over one case, with a picture of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepradiomics.cli.cases import case_name, view_paths
from deepradiomics.cli.groups import option_of, with_groups
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import CaseId, DeviceName, JsonLines, MaskFile, OutputFolder, Scene, Threads, Views
from deepradiomics.cli.outputs import check_output, staged
from deepradiomics.cli.reading import ReadingOptions, note_all, readable
from deepradiomics.cli.scene_child import write_scene
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import SettingOptions
from deepradiomics.errors import InputError
from deepradiomics.lens.config import LensConfig

if TYPE_CHECKING:
    from deepradiomics.images.reading import Reading
    from deepradiomics.lens.case.run import CaseSource
    from deepradiomics.lens.result import LensResult


@dataclass(frozen=True)
class MapOptions:
    """Which feature is drawn, of which modality."""

    modality: Annotated[str | None, typer.Option("--modality", help="Modality of the map.")] = None
    feature: Annotated[
        str | None, typer.Option("--feature", help="Feature of the map, such as original_glcm_Contrast.")
    ] = None
    rank: Annotated[
        str | None, typer.Option("--rank", help="Instead of --feature: top, bottom, stable, or N of the shift table.")
    ] = None
    by: Annotated[str, typer.Option("--by", help="What --rank goes by: explained (ΔE) or importance (ΔI).")] = (
        "explained"
    )


@dataclass(frozen=True)
class SourceOptions:
    """A case of a lens, or the files of any other."""

    result: Annotated[Path | None, typer.Argument(help="Result folder of 'lens fit'.", show_default=False)] = None
    case_id: CaseId = None
    view: Views = None
    mask: MaskFile = None
    roi: Annotated[str | None, option_of(LensConfig, "roi")] = None


@dataclass(frozen=True)
class DrawOptions:
    """How the map is computed, and whether a scene is written."""

    device: DeviceName = "auto"
    threads: Threads = None
    scene: Scene = False


@with_groups
def case(
    output: OutputFolder,
    reading: ReadingOptions,
    source: SourceOptions,
    wanted: MapOptions,
    settings: SettingOptions,
    run: DrawOptions,
    json_lines: JsonLines = False,
) -> None:
    """Compute a feature's voxel-wise map, and the region on every modality's own grid.

    Writes case.json, map.nrrd, roi_<modality>.nrrd and picture.png. Grey levels, spacing and filters are those of the
    lens; without a lens (no RESULT) those of --preset, --config and --params.
    """
    with running(json_lines) as session:
        check_output(output)
        paths = view_paths(source.view or [])
        if source.mask is not None:
            readable(source.mask, "--mask")
        if source.result is not None and settings != SettingOptions():
            raise InputError("--params, --preset, --config: a fitted lens has its own settings; leave them out.")
        labels = reading.reading()
        session.progress(0.0, "loading")
        from deepradiomics.lens.case.run import case_map, chosen_feature
        from deepradiomics.lens.result import LensResult

        lens: LensResult | LensConfig
        modality, feature = wanted.modality, wanted.feature
        if source.result is not None:
            lens = LensResult.read(source.result)
            modality, feature = chosen_feature(lens, modality=modality, feature=feature, rank=wanted.rank, by=wanted.by)
        else:
            lens = settings.of(LensConfig, {})
            if modality is None or feature is None:
                raise InputError("without a lens, name both --modality and --feature.")
        images = _images(lens, source, paths, labels)
        ready_kernels(session, "maps")
        drawn = case_map(
            images,
            modality,
            feature,
            lens,
            device=run.device,
            threads=run.threads,
            progress=lambda fraction, message: session.progress(0.9 * fraction, message),
        )
        from deepradiomics.reports.lens.case import case_picture

        session.progress(0.9, "drawing")
        with staged(output) as folder:
            files = [file.name for file in (*drawn.write(folder), case_picture(folder, folder / "picture.png"))]
        if run.scene:
            session.progress(0.95, "writing the scene")
            problem = write_scene(output, drawn.source.files)
            if problem:
                session.warn(problem)
            else:
                files.append("scene.mrb")
        session.progress(1.0, "done")
        note_all(session, drawn.notes[:-1])
        session.result(
            f"{modality} {drawn.feature} of case {images.id}\n{drawn.explained}\n{output / 'picture.png'}",
            folder=str(output),
            files=[str(output / name) for name in files],
            case=images.id,
            modality=modality,
            feature=drawn.feature,
            range=list(drawn.range),
        )


def _images(
    lens: "LensResult | LensConfig", source: SourceOptions, paths: dict[str, Path], reading: "Reading"
) -> "CaseSource":
    """The case of the lens, or the files given."""
    from deepradiomics.cohort.manifest import ManifestRow
    from deepradiomics.cohort.synthetic import is_synthetic_image
    from deepradiomics.lens.case.run import CaseSource

    if not paths:
        if source.mask is not None:
            raise InputError("--mask: it belongs to --view files; a case of the lens has its own (see --roi).")
        if source.case_id is None or isinstance(lens, LensConfig):
            raise InputError("which case? Give RESULT and --case-id ID, or --view MODALITY=PATH (once per modality).")
        return CaseSource.of_result(lens, source.case_id, source.roi, reading)
    if (source.mask is None) == (source.roi is None):
        raise InputError(
            "which region? With --view give --mask FILE, or --roi ellipsoid (drawn in the middle of the first image; "
            "it is not a reader's contour)."
        )
    if source.roi not in (None, "ellipsoid"):
        raise InputError(
            f"--roi {source.roi}: plain files have no such column; give the region by --mask, or --roi ellipsoid."
        )
    first = next(iter(paths))
    row = ManifestRow(source.case_id or case_name(paths[first], first), paths, source.mask, reading=reading)
    synthetic = any(is_synthetic_image(path) for path in paths.values())
    return CaseSource.of_row(row, tuple(paths), source.roi or "mask", synthetic)
