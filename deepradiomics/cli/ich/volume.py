"""``deepradiomics ich volume MASK``: how large a haematoma is."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deepradiomics.cli.groups import with_groups
from deepradiomics.cli.images.segment import said
from deepradiomics.cli.options import BaselineCt, JsonLines
from deepradiomics.cli.reading import ReadingOptions, note_all, readable
from deepradiomics.cli.session import running


@with_groups
def volume(
    mask: Annotated[Path, typer.Argument(help="Mask of the haematoma: a file, or a folder of DICOM (SEG).")],
    reading: ReadingOptions,
    ct: BaselineCt = None,
    json_lines: JsonLines = False,
) -> None:
    """Tell a haematoma's volume in mL, its connected parts, and the ABC/2 estimate (Kothari 1996) for comparison.

    With --merge-labels the labels count together, and one row per label gives the volume of each. --ct is the CT that
    an RTSTRUCT was drawn on, which has no grid of its own.
    """
    with running(json_lines) as session:
        readable(mask, "mask")
        chosen = reading.reading()
        from deepradiomics.ich.haematoma.volume import size_record, sizes_by_label

        image = None if ct is None else chosen.read_volume(readable(ct, "--ct"))
        labels = chosen.read_mask(mask) if image is None else chosen.read_drawn(mask, image)
        region = chosen.region(labels)
        size = size_record(region)
        remarks = list(size.pop("notes"))
        rows = sizes_by_label(labels) if chosen.all_labels else []
        note_all(session, region.notes)
        for text in remarks:
            session.warn(text)
        session.result(
            "\n".join([said(size), *_label_lines(rows)]),
            mask=str(mask),
            label=None if chosen.all_labels else chosen.chosen(labels).labels[0],
            **size,
            labels=rows,
            notes=[*region.notes, *remarks],
        )


def _label_lines(rows: list[dict[str, Any]]) -> list[str]:
    return [f"label {row['label']:<4}{row['volume_ml']:.2f} mL  {row['name']}".rstrip() for row in rows]
