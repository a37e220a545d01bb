"""``deepradiomics dicom REQUEST -o DIR``: what 3D Slicer's panels start to write a finished result as DICOM."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.images.dicom_out import check_dicom_out
from deepradiomics.cli.inputs import existing_file
from deepradiomics.cli.options import JsonLines, OutputFolder
from deepradiomics.cli.session import running


def dicom(
    request: Annotated[Path, typer.Argument(help="Request of a panel (JSON).", show_default=False)],
    output: OutputFolder,
    json_lines: JsonLines = False,
) -> None:
    """Write regions and features of a finished result as DICOM SEG and SR; the panels' button starts this."""
    with running(json_lines) as session:
        existing_file(request, "request")
        check_dicom_out(output, ())
        session.progress(0.0, "reading the series")
        from deepradiomics.dicom_out.request import Request

        written = Request.read(request).fulfil(output)
        for note in written.notes:
            session.note(note)
        session.progress(1.0, "done")
        files = [str(file) for file in written.files]
        session.result("\n".join(files), files=files)
