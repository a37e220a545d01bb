"""``deepradiomics ich train-segmenter MANIFEST -o RUN``: a network learns to find haematomas."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.groups import with_groups
from deepradiomics.cli.inputs import existing_file, existing_model
from deepradiomics.cli.options import Folds, Init, JsonLines, Missing, OutputFolder
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import ReadingOptions, note_cases
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import TrainingOptions


@dataclass(frozen=True)
class NetworkOptions:
    """Which network is trained, how many of them, and from where they start."""

    scales: Annotated[
        str | None, typer.Option("--scales", help="dual (128³ and 64³, the default) or single.", show_default=False)
    ] = None
    folds: Folds = None
    init: Init = None


@with_groups
def train_segmenter(
    manifest: Annotated[Path, typer.Argument(help="CSV of cases: id, patient, image, mask, split ….")],
    output: OutputFolder,
    reading: ReadingOptions,
    run: TrainingOptions,
    network: NetworkOptions,
    missing: Missing = "refuse",
    json_lines: JsonLines = False,
) -> None:
    """Train a dual-scale U-Net (or its single-scale twin) on head CTs with drawn haematomas; a stopped run is resumed.

    Writes bundle/, metrics.json (Dice of the held-out cases), examples.png, splits.csv, history.csv and checkpoints/.
    With --folds one network is trained for each fold, on the patients outside it, with these files in a folder of its
    own, and manifest.csv names in its column encoder, for every patient, the network that did not see them; give that
    manifest to 'ich train-autoencoder --folds' and then to 'ich experiment'. A network for other patients is
    trained by a run of its own without --folds.
    """
    with running(json_lines) as session:
        check_output(output)
        run.check()
        existing_file(manifest, "manifest")
        chosen = reading.reading()
        if network.init is not None:
            existing_model(Path(network.init), "--init")
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort.manifest import read_manifest
        from deepradiomics.ich.cohort.manifest import ICH_COLUMNS
        from deepradiomics.ich.segmenter.config import SegmenterConfig
        from deepradiomics.ich.segmenter.run import SegmenterRequest
        from deepradiomics.ich.segmenter.run import train_segmenter as compute

        config = run.of(SegmenterConfig).updated({} if network.scales is None else {"scales": network.scales})
        cohort = read_manifest(manifest, need_labels=False, more=ICH_COLUMNS).read_as(chosen)
        result = compute(
            SegmenterRequest(cohort, config, seed=run.seed, folds=network.folds, init=network.init, missing=missing),  # type: ignore[arg-type]
            output,
            resume=run.resume,
            device=run.device,
            cache=run.cache,
            progress=session.progress,
        )
        session.progress(1.0, "done")
        for _, reason in result.dropped:
            session.warn(f"left out: {reason}")
        for remark in result.metrics["warnings"]:
            session.warn(remark)
        note_cases(session, result.notes)
        lines = [f"bundle    {folder}" for folder in result.bundles]
        lines += [] if result.manifest is None else [f"manifest  {result.manifest}"]
        lines.append(
            f"Dice      {result.metrics['mean']:.3f} ± {result.metrics['sd']:.3f} "
            f"({len(result.metrics['cases'])} cases, {result.metrics['held_out']})"
        )
        session.result(
            "\n".join(lines),
            bundles=[str(folder) for folder in result.bundles],
            manifest=None if result.manifest is None else str(result.manifest),
            metrics=result.metrics,
            dropped=dict(result.dropped),
        )
