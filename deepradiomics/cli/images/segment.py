"""``deepradiomics segment IMAGE -o MASK --model FOLDER``: the haematoma in a head CT, by a bundle or by nnU-Net."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.options import DeviceName, JsonLines, comma_list, existing_model
from deepradiomics.cli.outputs import check_output, same_file
from deepradiomics.cli.session import running
from deepradiomics.devices import checked_device
from deepradiomics.errors import InputError

_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha")


def segment(
    image: Annotated[Path, typer.Argument(help="Head CT in HU: a file, or a folder with a DICOM series.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File of the mask (NIfTI, NRRD or MHA).", show_default=False)
    ],
    model: Annotated[
        Path,
        typer.Option(
            "--model", help="Bundle of 'ich train-segmenter', or a model folder of nnU-Net v2.", show_default=False
        ),
    ],
    flips: Annotated[
        bool, typer.Option("--flips", help="Average with mirror images: a little better, twice as slow or more.")
    ] = False,
    largest: Annotated[bool, typer.Option("--largest", help="Keep the largest connected part alone.")] = False,
    probability: Annotated[
        Path | None, typer.Option("--probability", help="Also write the probability of haematoma (bundles only).")
    ] = None,
    folds: Annotated[
        str | None, typer.Option("--folds", help="Folds of nnU-Net that vote, such as 0,1,2 (all by default).")
    ] = None,
    device: DeviceName = "auto",
    json_lines: JsonLines = False,
) -> None:
    """Segment the haematoma in a head CT without contrast; the mask lies on the CT's own grid.

    The result tells the volume in mL, the ABC/2 estimate beside it, the connected parts, and what to know about the
    image. A CT in which nothing is found gives an empty mask and a note.
    """
    with running(json_lines) as session:
        for option, file in (("--output", output), ("--probability", probability)):
            if file is not None and not file.name.endswith(_SUFFIXES):
                raise InputError(f"{option} {file}: unknown image format; use one of {', '.join(_SUFFIXES)}.")
            if file is not None:
                check_output(file.absolute().parent)
        if not image.exists():
            raise InputError(f"image {image}: this file does not exist.")
        if probability is not None and same_file(probability, output):
            raise InputError(f"--probability {probability}: --output names the same file. Choose another name.")
        for option, file in (("--output", output), ("--probability", probability)):
            if file is not None and same_file(file, image):
                raise InputError(f"{option} {file}: this is the CT itself, which would be lost. Choose another name.")
        existing_model(model)
        checked_device(device)
        session.progress(0.0, "loading the model")
        from deepradiomics.ich.volume import size_record
        from deepradiomics.images import read_volume, write_mask, write_volume
        from deepradiomics.networks.segmenter import load_segmenter
        from deepradiomics.progress import part

        segmenter = load_segmenter(model, device=device, folds=comma_list(folds))
        if probability is not None and segmenter.kind != "bundle":
            raise InputError("--probability: nnU-Net gives its mask alone here. Leave the option out.")
        session.progress(0.05, "reading the CT")
        volume = read_volume(image)
        found = segmenter.segment(
            volume, flips=flips, largest=largest, progress=part(session.progress, 0.1, 0.95)
        )  # fmt: skip
        write_mask(found.mask, output)
        if probability is not None and found.probability is not None:
            write_volume(found.probability, probability)
        size = size_record(found.mask)
        notes = list(dict.fromkeys([*found.notes, *size.pop("notes")]))
        session.progress(1.0, "done")
        for note in notes:
            session.warn(note)
        session.result(
            f"mask      {output}\n{said(size)}",
            mask=str(output),
            probability=None if probability is None else str(probability),
            **size,
            notes=notes,
            model={
                "name": segmenter.name, "kind": segmenter.kind, "sha256": segmenter.sha256,
                "synthetic": segmenter.synthetic,
            },
            flips=flips,
            largest=largest,
        )  # fmt: skip


def said(size: dict[str, object]) -> str:
    """Volume, ABC/2 and parts for a person."""
    abc, parts = size["abc"], size["lesions"]
    several = isinstance(parts, list) and len(parts) > 1
    lines = [f"volume    {size['volume_ml']:.2f} mL"]
    if isinstance(abc, dict):
        product = " × ".join(f"{abc[key]:.1f}" for key in ("a_mm", "b_mm", "c_mm"))
        of_largest = ", of the largest part" if several else ""
        lines.append(f"ABC/2     {size['abc2_ml']:.2f} mL ({product} mm{of_largest})")
    if isinstance(parts, list) and several:
        lines.append("parts     " + ", ".join(f"{part['ml']:.2f} mL" for part in parts))
    return "\n".join(lines)
