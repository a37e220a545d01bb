"""``deepradiomics maps IMAGE MASK -o DIR``: features of the window around each voxel of a region, as images."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepradiomics.cli.groups import comma_list, with_groups
from deepradiomics.cli.inputs import existing_file
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import JsonLines, OutputFolder
from deepradiomics.cli.outputs import check_output, staged
from deepradiomics.cli.radiomics.extract_document import document_of, provenance_of, settings_of
from deepradiomics.cli.radiomics.maps_folder import earlier_maps, remove_stale
from deepradiomics.cli.reading import LabelOptions
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import EngineOptions
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.files.names import file_stem
from deepradiomics.progress import part

if TYPE_CHECKING:
    from deepradiomics.radiomics import Settings

_FORMATS = (".nrrd", ".mha", ".nii.gz", ".nii")


@dataclass(frozen=True)
class MapOptions:
    """Which maps, of which windows, in which format."""

    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            help="Names or families, separated by commas: glcm_Contrast,firstorder,wavelet-LLH_glcm_Idm; or @FILE with "
            "one per line.  (default: all of --params)",
        ),
    ] = None
    kernel_radius: Annotated[
        int | None,
        typer.Option(
            "--kernel-radius",
            min=1,
            help="Voxels on each side of the centre: 1 makes windows of 3 x 3 x 3.  (default: of --params, else 1)",
        ),
    ] = None
    masked_kernel: Annotated[
        bool | None,
        typer.Option(
            "--masked-kernel/--whole-kernel",
            help="Whether windows end at the region.  (default: of --params, else masked)",
        ),
    ] = None
    init_value: Annotated[
        float | None,
        typer.Option(
            "--init-value", help="Value outside the region; nan draws nothing there.  (default: of --params, else 0)"
        ),
    ] = None
    image_format: Annotated[str, typer.Option("--format", help=f"Format of the maps: {', '.join(_FORMATS)}.")] = ".nrrd"

    @property
    def suffix(self) -> str:
        """The ending of the maps' files.

        Raises:
            InputError: the format is unknown.
        """
        suffix = f".{self.image_format.lower().lstrip('.')}"
        if suffix not in _FORMATS:
            raise InputError(f"--format {self.image_format}: expected one of {', '.join(_FORMATS)}.")
        return suffix

    def names(self) -> tuple[str, ...] | None:
        """The names of ``--features``, or of the file that ``@FILE`` names: they are too long for a command line.

        Raises:
            InputError: no name is given, or there is no such file.
        """
        text = self.features
        if text is not None and text.startswith("@"):
            text = ",".join(existing_file(Path(text[1:]), "--features").read_text(encoding="utf-8").splitlines())
        names = comma_list(text)
        if names is not None and not names:
            raise InputError(f"--features: expected names or families separated by commas, got {self.features!r}.")
        return names

    def of(self, settings: "Settings") -> "Settings":
        """The settings of ``--params``, with what the options say instead."""
        changes: dict[str, Any] = {
            "kernel_radius": self.kernel_radius,
            "masked_kernel": self.masked_kernel,
            "init_value": self.init_value,
        }
        return replace(settings, **{name: value for name, value in changes.items() if value is not None})


@with_groups
def maps(
    image: Annotated[
        Path, typer.Argument(help="Image: NIfTI, NRRD, MHA or a folder of DICOM files.", show_default=False)
    ],
    mask: Annotated[
        Path, typer.Argument(help="Label map, Slicer segmentation, DICOM SEG or RTSTRUCT.", show_default=False)
    ],
    output: OutputFolder,
    files: LabelOptions,
    wanted: MapOptions,
    engine: EngineOptions,
    json_lines: JsonLines = False,
) -> None:
    """Compute features around each voxel of a region and write each as an image, with maps.json beside them.

    A folder holds the maps of one run: those of an earlier one of the same label are replaced.
    Grey levels are those of the whole region. The images cover the region's box and the kernel radius around it.
    """
    with running(json_lines) as session:
        start = time.perf_counter()
        suffix, names = wanted.suffix, wanted.names()
        if not image.is_dir():
            existing_file(image, "image")
        if not mask.is_dir():
            existing_file(mask, "mask")
        check_output(output)
        session.progress(0.0, "loading")
        from deepradiomics.images import write_image
        from deepradiomics.radiomics.catalogue.explain import explain
        from deepradiomics.radiomics.maps import maps_of_loaded
        from deepradiomics.radiomics.maps.request import resolve
        from deepradiomics.radiomics.region.inputs import load, plane_settings
        from deepradiomics.radiomics.region.regions import RegionChoice

        settings = wanted.of(settings_of(engine.params, None))
        choice = RegionChoice.of(engine.params, files.label, files.segment)
        reading = files.reading()
        inputs = load(image, mask, settings, reading)
        chosen = choice.labels(inputs.mask, several=False)
        settings = settings.with_label(chosen.labels[0])
        earlier = earlier_maps(output, settings.label)
        described = plane_settings(settings, inputs.dimensions)
        described = resolve(names, described, inputs.dimensions).settings  # mistakes are told before compiling
        notes = (*inputs.notes, *chosen.notes)
        for note in notes:
            session.note(note)
        ready_kernels(session, "maps")
        images = maps_of_loaded(
            inputs,
            settings,
            names,
            device=engine.device,
            threads=engine.threads,
            max_memory_gb=engine.max_memory_gb,
            progress=part(session.progress, 0.0, 0.9),
        )
        document = document_of(described, [len(images)], start, engine.device)
        document |= {
            "kind": "maps",
            "maps": {key: {"file": f"{file_stem(key)}{suffix}", "description": explain(key).text} for key in images},
            "label": settings.label,
            "segment": inputs.mask.segment_names.get(settings.label, ""),
            "notes": list(notes),
            "methods_text": f"{document['methods_text']} {_sentence(described)}",
        }
        document["provenance"] |= {"image": provenance_of(image, "image"), "mask": provenance_of(mask, "mask")}
        if suffix.startswith(".nii") and _holds_nan(images):
            session.warn("NaN in NIfTI is read as 0 by ITK, and so by 3D Slicer: take --format nrrd.")
        with staged(output) as folder:
            for number, (key, image_of_key) in enumerate(images.items()):
                session.progress(0.9 + 0.1 * number / len(images), f"writing {key}")
                write_image(image_of_key, folder / f"{file_stem(key)}{suffix}")
            write_json(folder / "maps.json", document)
        remove_stale(output, earlier, [f"{file_stem(key)}{suffix}" for key in images])
        session.progress(1.0, "done")
        written = [output / f"{file_stem(key)}{suffix}" for key in images] + [output / "maps.json"]
        text = f"label {settings.label}: {len(images)} map{'s' * (len(images) > 1)}\n{output}"
        session.result(text, folder=str(output), files=[str(file) for file in written], maps=list(images))


def _holds_nan(images: Mapping[str, Any]) -> bool:
    import numpy as np
    import SimpleITK as sitk

    return any(np.isnan(sitk.GetArrayViewFromImage(image)).any() for image in images.values())


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
