"""``deepradiomics phantom ich``: a synthetic cohort of head CTs with haematomas, follow-up, outcome and truth."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.options import JsonLines, OutputFolder, Seed
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import running
from deepradiomics.errors import InputError
from deepradiomics.words import count


class Size(StrEnum):
    """Grids of the stacks."""

    SMALL = "small"
    CLINICAL = "clinical"


def ich(
    output: OutputFolder,
    cases: Annotated[int, typer.Option("--cases", "-n", min=1, help="Number of synthetic patients.")] = 60,
    seed: Seed = 0,
    size: Annotated[Size, typer.Option(help="small: 2 × 2 × 3 mm; clinical: 0.5 × 0.5 × 5 mm.")] = Size.SMALL,
    followup: Annotated[bool, typer.Option(help="Also draw the CT of about a day later, and its mask.")] = True,
    head: Annotated[
        Path | None, typer.Option("--head", help="A real head CT without haemorrhage to put the haematomas into.")
    ] = None,
    json_lines: JsonLines = False,
) -> None:
    """Write a synthetic cohort: head CTs with haematomas, masks, follow-up, expansion (mL), mRS, age, sex, site.

    truth.csv tells what was planted. The images are computed, not acquired (with --head only the haematomas are: the
    head is a real person's); nothing learned from them means anything clinically.
    """
    with running(json_lines) as session:
        check_output(output)
        if head is not None and not head.exists():
            raise InputError(f"--head {head}: this file or folder does not exist.")
        session.progress(0.0, "drawing heads")
        from deepradiomics.images import read_volume
        from deepradiomics.phantoms.ich import write_ich_cohort

        real = None if head is None else read_volume(head)
        if real is not None:
            from deepradiomics.prepare.hu import check_hu

            for note in check_hu(real, case=f"--head {head}"):
                session.warn(note)
        manifest = write_ich_cohort(
            output, cases, seed, followup=followup, size=size.value, progress=session.progress,
            head=real,
        )  # fmt: skip
        session.progress(1.0, "done")
        drawn = count(cases, "synthetic head") if real is None else f"{count(cases, 'synthetic case')} in a real head"
        session.result(
            f"{drawn}\n{manifest}", manifest=str(manifest), cases=cases, synthetic=True, real_head=real is not None
        )
