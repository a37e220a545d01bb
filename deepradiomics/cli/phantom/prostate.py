"""``deepradiomics phantom prostate``: a synthetic prostate cohort in three modalities, with what drives its labels."""

from deepradiomics.cli.options import Cases, JsonLines, OutputFolder, PhantomSize, Seed, Size
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import running
from deepradiomics.words import count


def prostate(
    output: OutputFolder,
    cases: Cases = 60,
    seed: Seed = 0,
    size: PhantomSize = Size.SMALL,
    json_lines: JsonLines = False,
) -> None:
    """Write a synthetic prostate cohort: T2, high-b and ADC on their own grids, gland and lesion masks, grade, volume.

    T2 has voxels of 1 × 1 × 3 mm (small), or 0.5 × 0.5 × 3 mm and the whole pelvis (clinical). truth.csv tells what was
    planted, truth_drivers.csv which radiomic attribute drives each label. The images are
    computed, not acquired; nothing learned from them means anything clinically.
    """
    with running(json_lines) as session:
        check_output(output)
        session.progress(0.0, "drawing prostates")
        from deepradiomics.phantoms.prostate.cohort import write_prostate_cohort

        manifest = write_prostate_cohort(output, cases, seed, size=size.value, progress=session.progress)
        session.progress(1.0, "done")
        session.result(
            f"{count(cases, 'synthetic prostate')}\n{manifest}", manifest=str(manifest), cases=cases, synthetic=True
        )
