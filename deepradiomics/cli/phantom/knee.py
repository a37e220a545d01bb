"""``deepradiomics phantom knee``: a synthetic knee cohort with planted lesions and their truth."""

from deepradiomics.cli.options import Cases, JsonLines, OutputFolder, Seed
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import running
from deepradiomics.words import count


def knee(
    output: OutputFolder,
    cases: Cases = 40,
    seed: Seed = 0,
    json_lines: JsonLines = False,
) -> None:
    """Write a synthetic knee cohort: three views per case, labels of three tasks, truth.csv, manifest.csv.

    The images are computed, not acquired; nothing learned from them means anything clinically.
    """
    with running(json_lines) as session:
        check_output(output)
        session.progress(0.0, "drawing knees")
        from deepradiomics.phantoms.knee.cohort import write_knee_cohort

        manifest = write_knee_cohort(output, cases, seed, progress=session.progress)
        session.progress(1.0, "done")
        session.result(
            f"{count(cases, 'synthetic knee')}\n{manifest}", manifest=str(manifest), cases=cases, synthetic=True
        )
