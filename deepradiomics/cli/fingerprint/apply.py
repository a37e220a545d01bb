"""``deepradiomics fingerprint apply``: one case, a manifest, or a folder of cases through a trained model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.cases import case_name, roi_box, view_paths
from deepradiomics.cli.fingerprint.apply_case import ApplyOptions, apply_case, files_in, verdicts
from deepradiomics.cli.fingerprint.batch import apply_batch, cases_of
from deepradiomics.cli.groups import with_groups
from deepradiomics.cli.options import (
    MANIFEST_HELP,
    BackendName,
    CaseId,
    DeviceName,
    JsonLines,
    MaskFile,
    OutputFolder,
    Scene,
    Views,
)
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import ReadingOptions, note_all, note_cases, readable
from deepradiomics.cli.session import Session, running
from deepradiomics.errors import InputError
from deepradiomics.words import OUTSIDE, count


@dataclass(frozen=True)
class SourceOptions:
    """One case, or many, and the region of interest of one."""

    view: Views = None
    manifest: Annotated[Path | None, typer.Option("--manifest", help=MANIFEST_HELP)] = None
    folder: Annotated[Path | None, typer.Option("--folder", help="Many cases: a folder of case folders.")] = None
    mask: MaskFile = None
    roi_box: Annotated[
        str | None, typer.Option("--roi-box", help="JSON file, or cx,cy,cz,sx,sy,sz (LPS millimetres).")
    ] = None
    case_id: CaseId = None

    def check(self, reading: ReadingOptions) -> None:
        """Refuse what does not fit together, or is not there.

        Raises:
            InputError: the message names the options.
        """
        if sum((bool(self.view), self.manifest is not None, self.folder is not None)) != 1:
            raise InputError(
                "give the input in exactly one way: --view NAME=PATH (once per view), --manifest CSV or --folder DIR."
            )
        if reading.options and self.view and self.mask is None:
            raise InputError(f"{reading.options}: it belongs to a mask, so --mask is needed as well.")
        if self.mask is not None and self.roi_box is not None:
            raise InputError("--roi-box and --mask: give one of them, each defines the region of interest.")
        if self.mask is not None:
            readable(self.mask, "--mask")
            if not self.view:
                raise InputError("--mask: in a batch the masks come from the manifest's column 'mask'.")


@dataclass(frozen=True)
class ModelOptions:
    """How the model is applied; what is not named is the model's own choice."""

    registration: Annotated[
        str | None, typer.Option("--registration", help="off, reference or template.  (default: the bundle's choice)")
    ] = None
    backend: BackendName = None
    inference: Annotated[str, typer.Option("--inference", help="paper, masked or soft.")] = "paper"
    device: DeviceName = "auto"
    scene: Scene = True


@with_groups
def apply(
    bundle: Annotated[str, typer.Argument(help="Folder of the model, or 'sample'.", show_default=False)],
    output: OutputFolder,
    reading: ReadingOptions,
    source: SourceOptions,
    model: ModelOptions,
    json_lines: JsonLines = False,
) -> None:
    """Predict, and show the features behind the prediction and where they lie.

    Writes prediction.json, fingerprint.csv, relevance.nii.gz, gradcam.nii.gz, report.html and scene.mrb; a batch
    writes one such folder per case, and batch.csv. Cases that are finished are skipped, so a batch can be run again.
    """
    with running(json_lines) as session:
        source.check(reading)
        check_output(output)
        paths = view_paths(source.view or [])
        options = ApplyOptions(
            bundle_folder(bundle),
            roi_box(source.roi_box),
            reading.reading(),
            bool(paths),
            model.registration,
            model.backend,
            model.inference,  # type: ignore[arg-type]
            model.device,
            model.scene,
        )
        if paths:
            first = next(iter(paths))
            prediction = apply_case(
                source.case_id or case_name(paths[first], first),
                paths,
                source.mask,
                output,
                options,
                session,
                session.progress,
            )
            files = files_in(output)
            note_all(session, prediction.get("notes") or ())
            session.result(
                "\n".join([*verdicts(prediction), "", prediction.get("disclaimer", ""), *files]),
                folder=str(output),
                files=files,
                prediction=prediction,
            )
            return
        _batch(source.manifest, source.folder, output, options, session)


def _batch(manifest: Path | None, folder: Path | None, output: Path, options: ApplyOptions, session: Session) -> None:
    outcomes = apply_batch(cases_of(manifest, folder), output, options, session)
    by_status = {
        status: [outcome for outcome in outcomes if outcome.status == status]
        for status in ("done", "skipped", "failed")
    }
    counts = ", ".join(f"{len(ones)} {status}" for status, ones in by_status.items())
    failed = {outcome.id: outcome.message for outcome in by_status["failed"]}
    far = sum(bool((outcome.prediction or {}).get("outside_training_cohort")) for outcome in outcomes)
    if far:
        counts += f"; {far} {OUTSIDE}, without a class"
    lines = [f"{count(len(outcomes), 'case')}: {counts}", *(f"  {name}: {why}" for name, why in failed.items())]
    note_cases(session, {outcome.id: (outcome.prediction or {}).get("notes") or () for outcome in outcomes})
    if failed:
        session.fail(f"{len(failed)} of {count(len(outcomes), 'case')} failed: {', '.join(failed)}.", 1)
    session.result(
        "\n".join([*lines, str(output / "batch.csv")]),
        folder=str(output),
        files=[str(output / "batch.csv")],
        cases={outcome.id: outcome.status for outcome in outcomes},
        failed=failed,
    )
    if failed:
        raise typer.Exit(1)


def bundle_folder(name: str) -> Path:
    """Return the folder of a bundle; ``sample`` is the model that comes with DeepRadiomics."""
    if name == "sample":
        from deepradiomics.samples import sample_bundle

        return sample_bundle()
    return Path(name)
