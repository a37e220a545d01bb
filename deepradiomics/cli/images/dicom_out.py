"""``--dicom-out DIR``: whether DICOM can be written is found out before anything is computed."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepradiomics.cli.outputs import check_output, same_file
from deepradiomics.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    from deepradiomics.dicom_out import SourceSeries
    from deepradiomics.images import Volume

DicomOut = Annotated[
    Path | None,
    typer.Option(
        "--dicom-out",
        help="Also write regions and features as DICOM (SEG, and SR by TID 1500) into this folder; the image must be "
        "DICOM. These files hold the patient's name.",
        show_default=False,
    ),
]


def check_dicom_out(folder: Path | None, images: Iterable[tuple[str, Path]]) -> None:
    """Find out whether DICOM can be written of images.

    Args:
        folder: of ``--dicom-out``; None: nothing is asked.
        images: what messages call each image, and where it is.

    Raises:
        MissingDependencyError: highdicom is not installed.
        InputError: the folder cannot be written to, or an image is no DICOM.
    """
    if folder is None:
        return
    from deepradiomics.dicom_out import why_not

    if reason := why_not():
        raise MissingDependencyError(f"--dicom-out: {reason}")
    check_output(folder, "--dicom-out")
    given = [(name, path) for name, path in images if path.exists()]
    for name, path in given:
        if same_file(folder, path if path.is_dir() else path.parent):
            raise InputError(
                f"--dicom-out {folder}: this is the folder of the {name}, to whose series our files would be added. "
                "Choose another folder."
            )
    others = [name for name, path in given if not _is_dicom(path)]
    if others:
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        raise InputError(
            f"--dicom-out: {', '.join(others[:5])}{more}: no DICOM. Regions and features refer to the DICOM images "
            "that they are of; give the series itself, or leave --dicom-out out."
        )


def checked_source(folder: Path, path: Path, volume: "Volume") -> "SourceSeries":
    """Find the files that an image was read from; before anything is computed.

    Raises:
        InputError: DICOM files are in the folder already, or the image's files cannot be referred to.
    """
    from deepradiomics.dicom_out import check_free, read_source

    check_free(folder)
    return read_source(path, volume)


def dicom_files(folder: Path | None) -> list[str]:
    """Return the DICOM files that were written into the folder of ``--dicom-out``."""
    if folder is None:
        return []
    from deepradiomics.dicom_out.case import MEASUREMENTS_FILE, SEGMENTATION_FILE

    return [str(folder / name) for name in (SEGMENTATION_FILE, MEASUREMENTS_FILE) if (folder / name).is_file()]


def _is_dicom(path: Path) -> bool:
    from deepradiomics.images.dicom import is_dicom

    files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
    return any(is_dicom(file) for file in files)
