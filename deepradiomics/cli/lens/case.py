"""``deepradiomics lens case``: a radiomic feature of a lens as a map over one case, with a picture of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepradiomics.cli.cases import case_name, view_paths
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.lens_fit import configuration
from deepradiomics.cli.options import (
    ConfigFile,
    DeviceName,
    JsonLines,
    OutputFolder,
    Params,
    Preset,
    Threads,
    existing_file,
)
from deepradiomics.cli.outputs import check_output, staged
from deepradiomics.cli.scene_child import write_scene
from deepradiomics.cli.session import running
from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.lens.case import CaseSource
    from deepradiomics.lens.config import LensConfig
    from deepradiomics.lens.result import LensResult


def case(
    output: OutputFolder,
    result: Annotated[Path | None, typer.Argument(help="Result folder of 'lens fit'.", show_default=False)] = None,
    case_id: Annotated[str | None, typer.Option("--case", help="Case of the lens, or a name for --view files.")] = None,
    modality: Annotated[str | None, typer.Option("--modality", help="Modality of the map.")] = None,
    feature: Annotated[
        str | None, typer.Option("--feature", help="Feature of the map, such as original_glcm_Contrast.")
    ] = None,
    rank: Annotated[
        str | None, typer.Option("--rank", help="Instead of --feature: top, bottom, stable, or N of the shift table.")
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="What --rank goes by: explained (ΔE) or importance (ΔI).")
    ] = "explained",
    view: Annotated[
        list[str] | None, typer.Option("--view", help="Files instead of a case: --view t2=t2.nii.gz, once a modality.")
    ] = None,
    mask: Annotated[Path | None, typer.Option("--mask", help="The region of --view files.")] = None,
    roi: Annotated[
        str | None,
        typer.Option("--roi", help="Another region: a mask_<roi> column, or ellipsoid (no reader's contour)."),
    ] = None,
    params: Params = None,
    preset: Preset = None,
    config: ConfigFile = None,
    device: DeviceName = "auto",
    threads: Threads = None,
    scene: Annotated[bool, typer.Option("--scene/--no-scene", help="Write scene.mrb for 3D Slicer.")] = False,
    json_lines: JsonLines = False,
) -> None:
    """Compute a feature's voxel-wise map, and the region on every modality's own grid.

    Writes case.json, map.nrrd, roi_<modality>.nrrd and picture.png. Grey levels, spacing and filters are those of the
    lens; without a lens (no RESULT) those of --preset, --config and --params.
    """
    with running(json_lines) as session:
        check_output(output)
        paths = view_paths(view or [])
        if mask is not None:
            existing_file(mask, "--mask")
        if result is not None and (params or preset or config):
            raise InputError("--params, --preset, --config: a fitted lens has its own settings; leave them out.")
        session.progress(0.0, "loading")
        from deepradiomics.lens.case import case_map, chosen_feature
        from deepradiomics.lens.result import LensResult

        lens: LensResult | LensConfig
        if result is not None:
            lens = LensResult.read(result)
            modality, feature = chosen_feature(lens, modality=modality, feature=feature, rank=rank, by=by)
        else:
            lens = configuration(preset, config, params=params)
            if modality is None or feature is None:
                raise InputError("without a lens, name both --modality and --feature.")
        source = _source(lens, case_id, paths, mask, roi)
        ready_kernels(session, "maps")
        found = case_map(
            source, modality, feature, lens, device=device, threads=threads,
            progress=lambda fraction, message: session.progress(0.9 * fraction, message),
        )  # fmt: skip
        from deepradiomics.results.lens_case import case_picture

        session.progress(0.9, "drawing")
        with staged(output) as folder:
            files = [file.name for file in (*found.write(folder), case_picture(folder, folder / "picture.png"))]
        if scene:
            session.progress(0.95, "writing the scene")
            problem = write_scene(output, found.source.files)
            if problem:
                session.warn(problem)
            else:
                files.append("scene.mrb")
        session.progress(1.0, "done")
        for text in found.notes[:-1]:
            session.warn(text)
        session.result(
            f"{modality} {found.feature} of case {source.id}\n{found.explained}\n{output / 'picture.png'}",
            folder=str(output), files=[str(output / name) for name in files], case=source.id, modality=modality,
            feature=found.feature, range=list(found.range),
        )  # fmt: skip


def _source(
    lens: "LensResult | LensConfig", case_id: str | None, paths: dict[str, Path], mask: Path | None, roi: str | None
) -> "CaseSource":
    """The case of the lens, or the files given."""
    from deepradiomics.cohort.manifest import ManifestRow
    from deepradiomics.cohort.synthetic import is_synthetic_image
    from deepradiomics.lens.case import CaseSource
    from deepradiomics.lens.config import LensConfig

    if not paths:
        if mask is not None:
            raise InputError("--mask: it belongs to --view files; a case of the lens has its own (see --roi).")
        if case_id is None or isinstance(lens, LensConfig):
            raise InputError("which case? Give RESULT and --case ID, or --view MODALITY=PATH (once a modality).")
        return CaseSource.of_result(lens, case_id, roi)
    if (mask is None) == (roi is None):
        raise InputError(
            "which region? With --view give --mask FILE, or --roi ellipsoid (drawn in the middle of the first image; "
            "it is not a reader's contour)."
        )
    if roi not in (None, "ellipsoid"):
        raise InputError(
            f"--roi {roi}: plain files have no such column; give the region by --mask, or --roi ellipsoid."
        )
    first = next(iter(paths))
    row = ManifestRow(case_id or case_name(paths[first], first), paths, mask)
    synthetic = any(is_synthetic_image(path) for path in paths.values())
    return CaseSource.of_row(row, tuple(paths), roi or "mask", synthetic)
