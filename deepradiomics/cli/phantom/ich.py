"""``deepradiomics phantom ich``: a synthetic cohort of head CTs with haematomas, follow-up, outcome and truth."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.options import Cases, JsonLines, OutputFolder, PhantomSize, Seed, Size
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import note_all
from deepradiomics.cli.session import running
from deepradiomics.errors import InputError
from deepradiomics.words import count


def ich(
    output: OutputFolder,
    cases: Cases = 60,
    seed: Seed = 0,
    size: PhantomSize = Size.SMALL,
    with_followup: Annotated[
        bool,
        typer.Option("--with-followup/--without-followup", help="Also draw the CT of about a day later, and its mask."),
    ] = True,
    head: Annotated[
        Path | None, typer.Option("--head", help="A real head CT without haemorrhage to put the haematomas into.")
    ] = None,
    json_lines: JsonLines = False,
) -> None:
    """Write a synthetic cohort: head CTs with haematomas, masks, follow-up, expansion (mL), mRS, age, sex, site.

    Voxels are 2 × 2 × 3 mm (small) or 0.5 × 0.5 × 5 mm (clinical). truth.csv tells what was planted. The images are
    computed, not acquired (with --head only the haematomas are: the head is a real person's); nothing learned
    from them means anything clinically.
    """
    with running(json_lines) as session:
        check_output(output)
        if head is not None and not head.exists():
            raise InputError(f"--head {head}: this file or folder does not exist.")
        session.progress(0.0, "drawing heads")
        from deepradiomics.images import read_volume
        from deepradiomics.phantoms.ich.cohort import write_ich_cohort

        real = None if head is None else read_volume(head)
        if real is not None:
            from deepradiomics.prepare.head.hu import check_hu

            note_all(session, real.notes)
            for note in check_hu(real, case=f"--head {head}"):
                session.warn(note)
        manifest = write_ich_cohort(
            output, cases, seed, followup=with_followup, size=size.value, progress=session.progress, head=real
        )
        session.progress(1.0, "done")
        drawn = count(cases, "synthetic head") if real is None else f"{count(cases, 'synthetic case')} in a real head"
        session.result(
            f"{drawn}\n{manifest}", manifest=str(manifest), cases=cases, synthetic=True, real_head=real is not None
        )
