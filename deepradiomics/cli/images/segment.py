"""``deepradiomics segment IMAGE -o MASK --segmenter FOLDER``: the haematoma in a head CT, by a bundle or by nnU-Net."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepradiomics.cli.groups import comma_list, with_groups
from deepradiomics.cli.images.dicom_out import DicomOut, check_dicom_out, checked_source, dicom_files
from deepradiomics.cli.inputs import existing_model
from deepradiomics.cli.options import DeviceName, JsonLines
from deepradiomics.cli.outputs import check_output, same_file
from deepradiomics.cli.reading import ImageOptions, note_all
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import SegmentationOptions
from deepradiomics.devices import checked_device
from deepradiomics.errors import InputError
from deepradiomics.progress import part

if TYPE_CHECKING:
    from deepradiomics.dicom_out import SourceSeries
    from deepradiomics.images import Mask

_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha")


@dataclass(frozen=True)
class NetworkOptions(SegmentationOptions):
    """How a haematoma is segmented, and what is written of it."""

    probability: Annotated[
        Path | None, typer.Option("--probability", help="Also write the probability of haematoma (bundles only).")
    ] = None
    nnunet_folds: Annotated[
        str | None, typer.Option("--nnunet-folds", help="Folds of nnU-Net that vote, such as 0,1,2.  (default: all)")
    ] = None


@with_groups
def segment(
    image: Annotated[Path, typer.Argument(help="Head CT in HU: a file, or a folder with a DICOM series.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File of the mask (NIfTI, NRRD or MHA).", show_default=False)
    ],
    segmentation: NetworkOptions,
    reading: ImageOptions,
    dicom_out: DicomOut = None,
    device: DeviceName = "auto",
    json_lines: JsonLines = False,
) -> None:
    """Segment the haematoma in a head CT without contrast; the mask lies on the CT's own grid.

    The result tells the volume in mL, the ABC/2 estimate beside it, the connected parts, and what to know about the
    image. A CT in which nothing is found gives an empty mask and a note.
    """
    probability = segmentation.probability
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
        check_dicom_out(dicom_out, [("image", image)])
        if segmentation.segmenter is None:
            raise InputError(
                "--segmenter: missing. Name a bundle of 'ich train-segmenter', or a model folder of nnU-Net v2."
            )
        model = existing_model(segmentation.segmenter)
        flips, largest = segmentation.flips, segmentation.largest
        chosen = reading.reading()
        checked_device(device)
        session.progress(0.0, "loading the model")
        from deepradiomics.ich.haematoma.volume import size_record
        from deepradiomics.images import write_mask, write_volume
        from deepradiomics.networks.segmenter import load_segmenter

        segmenter = load_segmenter(model, device=device, folds=comma_list(segmentation.nnunet_folds))
        if probability is not None and segmenter.kind != "bundle":
            raise InputError("--probability: nnU-Net gives its mask alone here. Leave the option out.")
        session.progress(0.05, "reading the CT")
        volume = chosen.read_volume(image)
        source = None if dicom_out is None else checked_source(dicom_out, image, volume)
        segmented = segmenter.segment(volume, flips=flips, largest=largest, progress=part(session.progress, 0.1, 0.95))
        write_mask(segmented.mask, output)
        if probability is not None and segmented.probability is not None:
            write_volume(segmented.probability, probability)
        size = size_record(segmented.mask)
        notes = list(dict.fromkeys([*segmented.notes, *size.pop("notes")]))
        if source is not None and dicom_out is not None:
            notes += _dicom(segmented.mask, source, dicom_out, segmenter.name, segmenter.sha256)
        session.progress(1.0, "done")
        note_all(session, volume.notes)
        for note in notes:
            session.warn(note)
        session.result(
            "\n".join([f"mask      {output}", *(f"DICOM     {file}" for file in dicom_files(dicom_out)), said(size)]),
            mask=str(output),
            probability=None if probability is None else str(probability),
            dicom=dicom_files(dicom_out),
            **size,
            notes=[*volume.notes, *notes],
            model={
                "name": segmenter.name,
                "kind": segmenter.kind,
                "sha256": segmenter.sha256,
                "synthetic": segmenter.synthetic,
            },
            flips=flips,
            largest=largest,
        )


def _dicom(mask: "Mask", source: "SourceSeries", folder: Path, network: str, sha256: str) -> tuple[str, ...]:
    """Write the haematoma as SEG where there is one; notes."""
    from deepradiomics.ich.patient.dicom import write_haematoma

    if not mask.labels_present():
        return ("No DICOM SEG was written: nothing was found, and a SEG without a region is none.",)
    return write_haematoma(mask, source, folder, network=network, version=sha256[:16]).notes


def said(size: dict[str, object]) -> str:
    """Volume, ABC/2 and parts for a person."""
    abc, parts = size["abc"], size["lesions"]
    many = isinstance(parts, list) and len(parts) > 1
    lines = [f"volume    {size['volume_ml']:.2f} mL"]
    if isinstance(abc, dict):
        product = " × ".join(f"{abc[key]:.1f}" for key in ("a_mm", "b_mm", "c_mm"))
        of_largest = ", of the largest part" if many else ""
        lines.append(f"ABC/2     {size['abc2_ml']:.2f} mL ({product} mm{of_largest})")
    if isinstance(parts, list) and many:
        lines.append("parts     " + ", ".join(f"{part['ml']:.2f} mL" for part in parts))
    return "\n".join(lines)
