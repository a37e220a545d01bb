"""A run that writes a result as DICOM, in a child process as every run: a new folder, and notes on its assumptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.files.names import file_stem
from deepradiomics.scene.job.runner import Work

if TYPE_CHECKING:
    from deepradiomics.dicom_out.request import Request


def dicom_work(name: str, request: Callable[[Path], Request]) -> Work:
    """The run; it shows its new folder below the option ``output_folder``, and the notes.

    Parameters
    ----------
    name
        What the result is called; the folder's name.
    request
        Given the job's folder, writes there what the child needs (`deepradiomics.scene.runs.dicom_export`).
    """

    def build(folder: Path) -> Sequence[str]:
        return ["dicom", str(request(folder).write(folder)), "-o", str(folder / "result")]

    def show(event: Mapping[str, Any], folder: Path) -> tuple[Path, tuple[str, ...]]:
        return folder, tuple(map(str, event.get("notes", ())))

    return Work(build, show, kept_as=file_stem(f"{name} DICOM"))
