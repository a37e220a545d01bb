"""``deepradiomics pretrain MANIFEST -o RUN``: an encoder learns from images alone."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.groups import with_groups
from deepradiomics.cli.inputs import existing_file
from deepradiomics.cli.options import Init, JsonLines, OutputFolder
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import ReadingOptions, note_cases
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import CohortOptions, TrainingOptions


@with_groups
def pretrain(
    manifest: Annotated[Path, typer.Argument(help="CSV of cases: id, patient, view_<modality> …, mask_<roi> ….")],
    output: OutputFolder,
    reading: ReadingOptions,
    run: TrainingOptions,
    cohort: CohortOptions,
    init: Init = None,
    json_lines: JsonLines = False,
) -> None:
    """Pre-train a 3D ConvNeXt-V2 as a masked autoencoder; a run that was stopped is resumed.

    Labels are not used, and cases of the split test are left out. Writes encoder/ (the bundle), history.csv,
    splits.csv, reconstruction.png, run.json and checkpoints/ into the output folder.
    """
    with running(json_lines) as session:
        check_output(output)
        existing_file(manifest, "manifest")
        chosen = reading.reading()
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort.manifest import read_manifest
        from deepradiomics.lens.encoders.config import EncoderConfig
        from deepradiomics.lens.encoders.pretrain.run import PretrainRequest
        from deepradiomics.lens.encoders.pretrain.run import pretrain as compute

        config = run.of(EncoderConfig, "pretraining")
        cases = read_manifest(manifest, need_labels=False).read_as(chosen)
        result = compute(
            PretrainRequest(cases, config, roi=cohort.centre, seed=run.seed, init=init, missing=cohort.missing),  # type: ignore[arg-type]
            output,
            resume=run.resume,
            device=run.device,
            cache=run.cache,
            progress=session.progress,
        )
        session.progress(1.0, "done")
        for _, reason in result.dropped:
            session.warn(f"left out: {reason}")
        for remark in result.metrics.get("warnings", ()):
            session.warn(remark)
        note_cases(session, result.notes)
        session.result(
            f"encoder         {result.encoder}\nhistory         {result.history}\n"
            f"reconstruction  {result.out / 'reconstruction.png'}",
            encoder=str(result.encoder),
            history=str(result.history),
            reconstruction=str(result.out / "reconstruction.png"),
            metrics=result.metrics,
            dropped=dict(result.dropped),
        )
