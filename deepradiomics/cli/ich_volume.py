"""``deepradiomics ich volume MASK``: how large a haematoma is."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.options import JsonLines, existing_file
from deepradiomics.cli.segment import said
from deepradiomics.cli.session import running


def volume(
    mask: Annotated[Path, typer.Argument(help="Mask of the haematoma.")],
    label: Annotated[int, typer.Option("--label", help="Label of the haematoma in the mask.")] = 1,
    json_lines: JsonLines = False,
) -> None:
    """Tell a haematoma's volume in mL, its connected parts, and the ABC/2 estimate (Kothari 1996) for comparison."""
    with running(json_lines) as session:
        existing_file(mask, "mask")
        from deepradiomics.ich.volume import size_record
        from deepradiomics.images import read_mask

        found = read_mask(mask)
        found.region(label)  # a label that is not there is told with those that are
        size = size_record(found, label)
        notes = list(size.pop("notes"))
        for note in notes:
            session.warn(note)
        session.result(said(size), mask=str(mask), label=label, **size, notes=notes)
