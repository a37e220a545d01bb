"""``deepradiomics ich report DIR``: draw an experiment, or a patient's results, again."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.groups import with_groups
from deepradiomics.cli.options import BaselineCt, JsonLines
from deepradiomics.cli.reading import ImageOptions, note_all
from deepradiomics.cli.session import running
from deepradiomics.errors import InputError

_RECORDS = {"experiment.json": "ich-experiment", "ich.json": "ich-case"}


@with_groups
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of 'ich experiment' or of 'ich apply'.", show_default=False)],
    reading: ImageOptions,
    ct: BaselineCt = None,
    json_lines: JsonLines = False,
) -> None:
    """Draw the figures and the report again from the folder alone; nothing is computed.

    An experiment gets figures/*.png and report.html, a patient's folder report.html.
    """
    with running(json_lines) as session:
        kind = kind_of(folder)
        if kind == "ich-experiment":
            if ct is not None:
                raise InputError("--ct: this is an experiment's folder; a CT belongs to a patient's. Leave --ct out.")
            from deepradiomics.reports.ich.report import write_experiment

            files = write_experiment(folder, progress=session.progress)
        else:
            if ct is None:
                raise InputError(
                    f"{folder}: results of 'ich apply' do not hold the CT. Give it with --ct, or its slices and maps "
                    "could not be drawn."
                )
            session.progress(0.0, "reading the CT")
            from deepradiomics.reports.ich.case_report import write_case_report

            volume = reading.reading().read_volume(ct)
            note_all(session, volume.notes)
            session.progress(0.2, "drawing")
            files = [write_case_report(folder, volume)]
        session.progress(1.0, "done")
        session.result("\n".join(map(str, files)), folder=str(folder), kind=kind, files=[str(file) for file in files])


def kind_of(folder: Path) -> str:
    """What a folder of results is, by the record that it holds.

    Raises:
        InputError: it is missing, or it holds neither record.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: this folder does not exist.")
    for name, kind in _RECORDS.items():
        if (folder / name).is_file():
            return kind
    raise InputError(
        f"{folder}: expected a folder of 'ich experiment' (with experiment.json) or of 'ich apply' (with ich.json); "
        "it holds neither."
    )
