"""``deepradiomics lens report OUT1 [OUT2 …] -o DIR``: the tables and figures of one lens, or of several together."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.lens.output import check_report_output
from deepradiomics.cli.options import JsonLines, OutputFolder
from deepradiomics.cli.outputs import check_output, staged
from deepradiomics.cli.session import running


def report(
    results: Annotated[
        list[Path], typer.Argument(help="Result folders of 'lens fit', one a task.", show_default=False)
    ],
    output: OutputFolder,
    case: Annotated[
        list[Path] | None, typer.Option("--case", help="Folder of 'lens case' to show in figure 3; may be repeated.")
    ] = None,
    json_lines: JsonLines = False,
) -> None:
    """Draw lens results again, several tasks side by side as in the paper's table 1.

    Writes table1 and tableA1 (CSV and Markdown), figure2 and figure3 (PNG and SVG), and report.html.
    """
    with running(json_lines) as session:
        check_output(output)
        check_report_output(output, results)
        session.progress(0.0, "reading the results")
        from deepradiomics.lens.result import LensResult

        lenses = [LensResult.read(folder) for folder in results]
        from deepradiomics.reports.lens.outputs import write_outputs

        session.progress(0.1, "drawing")
        unchanged = [result.folder for result in lenses if result.folder.resolve() == output.resolve()]
        if unchanged:  # its own tables are what is drawn
            files = write_outputs(lenses, output, cases=case or ())
        else:
            with staged(output) as folder:
                written = write_outputs(lenses, folder, cases=case or ())
                files = [output / file.relative_to(folder) for file in written]
        session.progress(1.0, "done")
        session.result(
            "\n".join(str(file) for file in files),
            folder=str(output),
            files=[str(file) for file in files],
            tasks=[result.task for result in lenses],
        )
