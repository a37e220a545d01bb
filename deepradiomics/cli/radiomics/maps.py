"""``deepradiomics maps IMAGE MASK -o DIR``: features of the window around each voxel of a region, as images."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.maps_folder import earlier_maps, remove_stale
from deepradiomics.cli.options import (
    DeviceName,
    JsonLines,
    LabelOption,
    MaxMemory,
    OutputFolder,
    Params,
    Threads,
    comma_list,
    existing_file,
)
from deepradiomics.cli.outputs import check_output, staged
from deepradiomics.cli.session import running
from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.radiomics import Settings

_FORMATS = (".nrrd", ".mha", ".nii.gz", ".nii")


def maps(
    image: Annotated[
        Path, typer.Argument(help="Image: NIfTI, NRRD, MHA or a folder of DICOM files.", show_default=False)
    ],
    mask: Annotated[Path, typer.Argument(help="Label map on the image's grid.", show_default=False)],
    output: OutputFolder,
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            help="Names or families, separated by commas: glcm_Contrast,firstorder,wavelet-LLH_glcm_Idm; or @FILE with "
            "one a line.  "
            "(default: all of --params)",
        ),
    ] = None,
    kernel_radius: Annotated[
        int | None,
        typer.Option(
            "--kernel-radius",
            min=1,
            help="Voxels on each side of the centre: 1 makes windows of 3 x 3 x 3.  (default: of --params, else 1)",
        ),
    ] = None,
    masked: Annotated[
        bool | None,
        typer.Option(
            "--masked/--unmasked", help="Whether windows end at the region.  (default: of --params, else masked)"
        ),
    ] = None,
    init_value: Annotated[
        float | None,
        typer.Option(
            "--init-value", help="Value outside the region; nan draws nothing there.  (default: of --params, else 0)"
        ),
    ] = None,
    params: Params = None,
    label: LabelOption = None,
    image_format: Annotated[
        str, typer.Option("--format", help=f"Format of the maps: {', '.join(_FORMATS)}.")
    ] = ".nrrd",
    device: DeviceName = "auto",
    threads: Threads = None,
    max_memory_gb: MaxMemory = None,
    json_lines: JsonLines = False,
) -> None:
    """Compute features around each voxel of a region and write each as an image, with maps.json beside them.

    A folder holds the maps of one run: those of an earlier one of the same label are replaced.
    Grey levels are those of the whole region. The images cover the region's box and the kernel radius around it.
    """
    with running(json_lines) as session:
        start = time.perf_counter()
        suffix = _checked_format(image_format)
        wanted = _names(features)
        if wanted is not None and not wanted:
            raise InputError(f"--features: expected names or families separated by commas, got {features!r}.")
        if not image.is_dir():
            existing_file(image, "image")
        existing_file(mask, "mask")
        check_output(output)
        session.progress(0.0, "loading")
        import numpy as np
        import SimpleITK as sitk

        from deepradiomics.cli.extract import document_of, provenance_of, settings_of
        from deepradiomics.files import write_json
        from deepradiomics.images import write_image
        from deepradiomics.progress import part
        from deepradiomics.radiomics.explain import explain
        from deepradiomics.radiomics.inputs import opened_image, plane_settings
        from deepradiomics.radiomics.maps import feature_maps
        from deepradiomics.radiomics.maps.request import resolve

        settings = _with_choices(settings_of(params, label, None), kernel_radius, masked, init_value)
        earlier = earlier_maps(output, settings.label)
        opened = opened_image(image)
        dimensions = 2 if isinstance(opened, sitk.Image) else 3
        described = plane_settings(settings, dimensions)
        described = resolve(wanted, described, dimensions).settings  # mistakes are told before anything is compiled
        ready_kernels(session, "maps")
        found = feature_maps(
            opened, mask, wanted, params=settings, device=device, threads=threads, max_memory_gb=max_memory_gb,
            progress=part(session.progress, 0.0, 0.9),
        )  # fmt: skip
        document = document_of(described, [len(found)], start, device)
        document |= {
            "kind": "maps",
            "maps": {key: {"file": f"{key}{suffix}", "description": explain(key).text} for key in found},
            "label": settings.label,
            "methods_text": f"{document['methods_text']} {_sentence(described)}",
        }
        document["provenance"] |= {"image": provenance_of(image, "image"), "mask": provenance_of(mask, "mask")}
        if suffix.startswith(".nii") and any(np.isnan(sitk.GetArrayViewFromImage(one)).any() for one in found.values()):
            session.warn("NaN in NIfTI is read as 0 by ITK, and so by 3D Slicer: take --format nrrd.")
        with staged(output) as folder:
            for number, (key, one) in enumerate(found.items()):
                session.progress(0.9 + 0.1 * number / len(found), f"writing {key}")
                write_image(one, folder / f"{key}{suffix}")
            write_json(folder / "maps.json", document)
        remove_stale(output, earlier, [f"{key}{suffix}" for key in found])
        session.progress(1.0, "done")
        files = [output / f"{key}{suffix}" for key in found] + [output / "maps.json"]
        text = f"label {settings.label}: {len(found)} map{'s' * (len(found) > 1)}\n{output}"
        session.result(text, folder=str(output), files=[str(file) for file in files], maps=list(found))


def _names(features: str | None) -> tuple[str, ...] | None:
    """The names of ``--features``, or of the file that ``@FILE`` names: hundreds are too long for a command line."""
    if features is not None and features.startswith("@"):
        features = ",".join(existing_file(Path(features[1:]), "--features").read_text(encoding="utf-8").splitlines())
    return comma_list(features)


def _checked_format(asked: str) -> str:
    suffix = f".{asked.lower().lstrip('.')}"
    if suffix not in _FORMATS:
        raise InputError(f"--format {asked}: expected one of {', '.join(_FORMATS)}.")
    return suffix


def _with_choices(
    settings: "Settings", kernel_radius: int | None, masked: bool | None, init_value: float | None
) -> "Settings":
    """The settings of ``--params``, with what the options say instead."""
    given: dict[str, Any] = {"kernel_radius": kernel_radius, "masked_kernel": masked, "init_value": init_value}
    return replace(settings, **{field: value for field, value in given.items() if value is not None})


def _sentence(settings: "Settings") -> str:
    width = 2 * settings.kernel_radius + 1
    if settings.force_2d:
        window = f"{width} x {width} voxels in the plane"
    else:
        window = f"{width} x {width} x {width} voxels"
    end = "region" if settings.masked_kernel else "image"
    return (
        f"They were computed for each voxel of the region in a window of {window}, cut at the border of the {end}; "
        "grey levels are those of the whole region."
    )
