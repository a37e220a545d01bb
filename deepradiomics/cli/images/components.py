"""``deepradiomics components IMAGE MASK -o PARTS.seg.nrrd``: regions made of a region, with names.

Every method takes them by ``--segment``.

::

    lesion ─┬─ lesion 1, lesion 2, …                              its connected parts
            └─ lesion 1 ring 0-5 mm, lesion 2 ring 0-5 mm, …      with --ring 5
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepradiomics.cli.groups import with_groups
from deepradiomics.cli.inputs import ring_mm
from deepradiomics.cli.options import JsonLines, Ring, RingWithin
from deepradiomics.cli.outputs import check_output, same_file
from deepradiomics.cli.reading import LabelsInTurn, mask_of_option, note_all, readable
from deepradiomics.cli.session import running
from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.cohort.regions.shapes import RegionShapes, Shaped

SUFFIX = ".seg.nrrd"


@dataclass(frozen=True)
class PartOptions:
    """What is made of a region."""

    minimum_mm3: Annotated[
        float, typer.Option("--minimum-mm3", help="Parts smaller than this are left out, with a note.")
    ] = 0.0
    whole: Annotated[bool, typer.Option("--whole", help="Do not take a region apart: a --ring around all of it.")] = (
        False
    )
    ring: Ring = None
    ring_within: RingWithin = None

    def shapes(self) -> "RegionShapes":
        """The same as the computing side takes it.

        Raises:
            InputError: options say nothing, or contradict each other.
        """
        if not 0 <= self.minimum_mm3 < float("inf"):
            raise InputError(f"--minimum-mm3: expected a volume from 0 on, got {self.minimum_mm3:g}.")
        if self.ring_within is not None and self.ring is None:
            raise InputError("--ring-within: it cuts the shell of --ring; say how wide that is, for example --ring 5.")
        if self.whole and self.ring is None:
            raise InputError("--whole: without --ring nothing is made of the region. Add --ring, or leave --whole out.")
        if self.whole and self.minimum_mm3:
            raise InputError("--minimum-mm3: it is about connected parts, which --whole does not make. Leave one out.")
        from deepradiomics.cohort.regions.shapes import RegionShapes

        return RegionShapes(not self.whole, ring_mm(self.ring), self.ring_within, minimum_mm3=self.minimum_mm3)


@with_groups
def components(
    image: Annotated[
        Path, typer.Argument(help="Image: NIfTI, NRRD, MHA or a folder of DICOM files.", show_default=False)
    ],
    mask: Annotated[
        Path, typer.Argument(help="Label map, Slicer segmentation, DICOM SEG or RTSTRUCT.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Segmentation to write, a .seg.nrrd: it keeps names and overlaps.",
            show_default=False,
        ),
    ],
    files: LabelsInTurn,
    parts: PartOptions,
    json_lines: JsonLines = False,
) -> None:
    """Make each connected part of a region a region of its own, or the ring around it, and write them by name.

    Parts are called "<name> 1" (the largest), "<name> 2", ...; rings "<name> 1 ring 0-5 mm". Every command that takes
    a mask takes one of them by --segment NAME.
    """
    with running(json_lines) as session:
        if not output.name.endswith(SUFFIX):
            raise InputError(
                f"--output {output}: expected a name that ends in {SUFFIX}, which keeps names and overlaps."
            )
        check_output(output.absolute().parent)
        shapes = parts.shapes()
        for what, path in (("IMAGE", image), ("MASK", mask), ("--ring-within", parts.ring_within)):
            if path is not None and same_file(output, readable(path, what)):
                raise InputError(f"--output {output}: this is the file of {what}, which would be lost. Choose another.")
        session.progress(0.0, "loading")
        from deepradiomics.images import write_mask

        reading = replace(files.reading(), label=files.label, segment=files.segment, all_labels=files.all_labels)
        volume = reading.read_volume(image)
        drawn = mask_of_option(reading, mask, "MASK", volume)
        chosen = reading.chosen(drawn)
        session.progress(0.3, "taking the region apart" if not parts.whole else "drawing the ring")
        shaped = shapes.of(drawn, chosen.labels, volume, reading)
        write_mask(shaped.mask, output)
        notes = list(dict.fromkeys([*volume.notes, *chosen.notes, *shaped.mask.notes, *shaped.notes]))
        session.progress(1.0, "done")
        note_all(session, notes)
        for reason in shaped.skipped.values():
            session.warn(reason)
        regions = _regions(shaped)
        lines = [f"label {region['label']:<4} {region['name']}: {region['volume_mm3']:.6g} mm³" for region in regions]
        session.result(
            "\n".join([*lines, str(output)]),
            mask=str(output),
            regions=regions,
            notes=notes,
            skipped=list(shaped.skipped.values()),
        )


def _regions(shaped: "Shaped") -> list[dict[str, Any]]:
    """Label, name and size of each region that was made."""
    names, voxel_mm3 = shaped.mask.segment_names, 1.0
    for spacing in shaped.mask.geometry.spacing_mm:
        voxel_mm3 *= spacing
    counts = {label: int(shaped.mask.region(label).sum()) for label in shaped.labels}
    return [
        {"label": label, "name": names.get(label, ""), "voxels": count, "volume_mm3": count * voxel_mm3}
        for label, count in counts.items()
    ]
