"""``deepradiomics fingerprint apply``: one case, a manifest, or a folder of cases through a trained model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from deepradiomics.cli.apply_case import ApplyOptions, apply_case, files_in, verdicts
from deepradiomics.cli.batch import apply_batch, cases_of
from deepradiomics.cli.cases import case_name, roi_box, view_paths
from deepradiomics.cli.options import CaseId, DeviceName, JsonLines, OutputFolder, existing_file
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import Session, running
from deepradiomics.errors import InputError
from deepradiomics.words import OUTSIDE, count


def apply(
    output: OutputFolder,
    bundle: Annotated[
        str, typer.Option("--bundle", "-b", help="Folder of the model, or 'sample'.", show_default=False)
    ],
    view: Annotated[
        list[str] | None, typer.Option("--view", help="NAME=PATH, once a view: --view sagittal=knee.nii.gz")
    ] = None,
    manifest: Annotated[Path | None, typer.Option("--manifest", help="Batch: CSV of cases.")] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="Batch: a folder of case folders.")] = None,
    mask: Annotated[Path | None, typer.Option("--mask", help="Label map in the case's space.")] = None,
    roi_label: Annotated[int | None, typer.Option("--roi-label", help="Label of the mask that is the region.")] = None,
    roi: Annotated[
        str | None, typer.Option("--roi-box", help="JSON file, or cx,cy,cz,sx,sy,sz (LPS millimetres).")
    ] = None,
    registration: Annotated[
        str | None, typer.Option("--registration", help="off, reference or template (the bundle's choice by default).")
    ] = None,
    backend: Annotated[str | None, typer.Option("--backend", help="Of the registration: auto, cpu or gpu.")] = None,
    inference: Annotated[str, typer.Option("--inference", help="paper, masked or soft.")] = "paper",
    case_id: CaseId = None,
    device: DeviceName = "auto",
    scene: Annotated[bool, typer.Option("--scene/--no-scene", help="Write scene.mrb for 3D Slicer.")] = True,
    json_lines: JsonLines = False,
) -> None:
    """Predict, and show the features behind the prediction and where they lie.

    Writes prediction.json, fingerprint.csv, relevance.nii.gz, gradcam.nii.gz, report.html and scene.mrb; a batch
    writes one such folder a case and batch.csv. Cases that are finished are skipped, so a batch can be run again.
    """
    with running(json_lines) as session:
        if sum((bool(view), manifest is not None, folder is not None)) != 1:
            raise InputError(
                "give the input in exactly one way: --view NAME=PATH (once a view), --manifest CSV or --folder DIR."
            )
        if view and mask is not None and roi_label is None:
            raise InputError("--mask: say which of its labels is the region of interest, with --roi-label.")
        if roi_label is not None and view and mask is None:
            raise InputError("--roi-label: it names a label of a mask, so --mask is needed as well.")
        check_output(output)
        paths = view_paths(view or [])
        if mask is not None:
            existing_file(mask, "--mask")
        options = ApplyOptions(
            bundle_folder(bundle), roi_box(roi), roi_label, registration, backend, inference, device, scene  # type: ignore[arg-type]
        )  # fmt: skip
        if paths:
            first = next(iter(paths))
            prediction = apply_case(
                case_id or case_name(paths[first], first), paths, mask, output, options, session, session.progress
            )
            files = files_in(output)
            session.result(
                "\n".join([*verdicts(prediction), "", *_remarks(prediction), prediction.get("disclaimer", ""), *files]),
                folder=str(output),
                files=files,
                prediction=prediction,
            )
            return
        if mask is not None:
            raise InputError("--mask: in a batch the masks come from the manifest's column 'mask'.")
        _batch(manifest, folder, output, options, session)


def _remarks(prediction: Mapping[str, Any]) -> list[str]:
    notes = [f"- {note}" for note in prediction.get("notes") or ()]
    return ["Notes:", *notes, ""] if notes else []


def _batch(manifest: Path | None, folder: Path | None, output: Path, options: ApplyOptions, session: Session) -> None:
    outcomes = apply_batch(cases_of(manifest, folder), output, options, session)
    by_status = {status: [one for one in outcomes if one.status == status] for status in ("done", "skipped", "failed")}
    counts = ", ".join(f"{len(ones)} {status}" for status, ones in by_status.items())
    failed = {one.id: one.message for one in by_status["failed"]}
    far = sum(bool((one.prediction or {}).get("outside_training_cohort")) for one in outcomes)
    if far:
        counts += f"; {far} {OUTSIDE}, without a class"
    lines = [f"{count(len(outcomes), 'case')}: {counts}", *(f"  {name}: {why}" for name, why in failed.items())]
    if failed:
        session.fail(f"{len(failed)} of {count(len(outcomes), 'case')} failed: {', '.join(failed)}.", 1)
    session.result(
        "\n".join([*lines, str(output / "batch.csv")]),
        folder=str(output),
        files=[str(output / "batch.csv")],
        cases={one.id: one.status for one in outcomes},
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
