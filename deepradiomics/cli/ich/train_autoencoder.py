"""``deepradiomics ich train-autoencoder MANIFEST -o RUN``: a VAE-GAN learns what haematomas look like."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from deepradiomics.cli.groups import with_groups
from deepradiomics.cli.inputs import existing_file
from deepradiomics.cli.options import Folds, JsonLines, Missing, OutputFolder
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import ReadingOptions, note_cases
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import TrainingOptions


@dataclass(frozen=True)
class NetworkOptions:
    """How many networks are trained, and what they see."""

    folds: Folds = None
    masked: Annotated[
        bool | None,
        typer.Option("--masked/--unmasked", help="Show only the dilated haematoma, or its surroundings too."),
    ] = None


@with_groups
def train_autoencoder(
    manifest: Annotated[Path, typer.Argument(help="CSV of cases: id, patient, image (CT), mask (haematoma).")],
    output: OutputFolder,
    reading: ReadingOptions,
    run: TrainingOptions,
    network: NetworkOptions,
    missing: Missing = "refuse",
    json_lines: JsonLines = False,
) -> None:
    """Train a VAE-GAN on crops around haematomas; a run that was stopped is resumed.

    Labels are not used. Writes bundle/, history.csv, splits.csv, reconstruction.png, run.json and checkpoints/; with
    --folds one network for each fold as well, fold-1/ …, and manifest.csv, whose column autoencoder names for every
    patient the network that did not see them (its other columns, encoder too, are those of MANIFEST).
    """
    with running(json_lines) as session:
        check_output(output)
        run.check()
        existing_file(manifest, "manifest")
        chosen = reading.reading()
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort.manifest import read_manifest
        from deepradiomics.ich.autoencoder.config import AutoencoderConfig
        from deepradiomics.ich.autoencoder.run import AutoencoderRequest
        from deepradiomics.ich.autoencoder.run import train_autoencoder as compute
        from deepradiomics.ich.cohort.manifest import ICH_COLUMNS

        config = run.of(AutoencoderConfig).updated(
            {} if network.masked is None else {"recipe": {"masked": network.masked}}
        )
        cohort = read_manifest(manifest, need_labels=False, more=ICH_COLUMNS).read_as(chosen)
        result = compute(
            AutoencoderRequest(cohort, config, seed=run.seed, folds=network.folds, missing=missing),  # type: ignore[arg-type]
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
        picture = result.out / "reconstruction.png"
        lines = [f"bundle          {result.bundle}", f"history         {result.history}", f"reconstruction  {picture}"]
        files = {"bundle": result.bundle, "history": result.history, "reconstruction": picture}
        if result.manifest is not None:
            lines.append(f"manifest        {result.manifest}")
            files["manifest"] = result.manifest
        lines.append(_summary(result.metrics))
        fields = {name: str(file) for name, file in files.items()}
        session.result("\n".join(lines), **fields, metrics=result.metrics, dropped=dict(result.dropped))


def _summary(metrics: Any) -> str:
    active = metrics["active"]
    return (
        f"active units    {active['active']} of {active['units']} ({active['share']:.0%})\n"
        f"error           {metrics['error_hu']:.1f} HU (mean image: {metrics['mean_image_error_hu']:.1f}), in lesions "
        f"{metrics['lesion_error_hu']:.1f} HU (mean image: {metrics['lesion_mean_image_error_hu']:.1f}), "
        f"on {metrics['held_out']} cases kept from training"
    )
