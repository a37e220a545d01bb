"""``deepradiomics ich apply``: haematoma, features, risks and explanations of one patient."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from deepradiomics.cli.cases import case_name
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import (
    CaseId,
    DeviceName,
    JsonLines,
    OutputFolder,
    Threads,
    existing_file,
    existing_model,
)
from deepradiomics.cli.outputs import check_output, staged
from deepradiomics.cli.scene_child import write_scene
from deepradiomics.cli.session import Session, running
from deepradiomics.devices import checked_device
from deepradiomics.errors import InputError
from deepradiomics.words import OUTSIDE, count

REPORT_FILE, SCENE_FILE = "report.html", "scene.mrb"


def apply(
    bundle: Annotated[Path, typer.Argument(help="Folder 'bundle' of 'ich experiment'.", show_default=False)],
    ct: Annotated[
        Path, typer.Argument(help="Baseline head CT in HU: a file, or a folder of DICOM.", show_default=False)
    ],
    output: OutputFolder,
    mask: Annotated[
        Path | None, typer.Option("--mask", help="Mask of the haematoma.  (default: the bundle segments it)")
    ] = None,
    label: Annotated[int | None, typer.Option("--label", help="Label of the haematoma in the mask.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Segment with this instead: a bundle, or an nnU-Net v2 model folder.")
    ] = None,
    flips: Annotated[bool, typer.Option("--flips", help="Segment with test-time flips.")] = False,
    largest: Annotated[
        bool, typer.Option("--largest", help="Keep the largest component of the segmentation only.")
    ] = False,
    lesions: Annotated[
        str | None, typer.Option("--lesions", help="Of several: all, largest or each.  (default: the bundle's)")
    ] = None,
    followup: Annotated[
        Path | None, typer.Option("--followup", help="Follow-up CT: the expansion is measured.")
    ] = None,
    followup_mask: Annotated[Path | None, typer.Option("--followup-mask", help="Haematoma in the follow-up.")] = None,
    clinical: Annotated[str | None, typer.Option("--clinical", help="Covariates of the bundle: age=70,sex=F")] = None,
    case_id: CaseId = None,
    device: DeviceName = "auto",
    threads: Threads = None,
    scene: Annotated[bool, typer.Option("--scene/--no-scene", help="Write scene.mrb for 3D Slicer.")] = True,
    json_lines: JsonLines = False,
) -> None:
    """Outline and measure the haematoma, predict each outcome, and show where the risk comes from.

    Writes ich.json, segmentation.nii.gz (1 haematoma, 2 ring), gradcam.nii.gz, features.csv, shap.csv, report.html and
    scene.mrb; with a follow-up also expansion.json, expansion.nii.gz and followup_registered.nii.gz. For research; not
    a medical device.
    """
    with running(json_lines) as session:
        if not bundle.is_dir():
            raise InputError(f"bundle {bundle}: this folder does not exist. Name the folder 'bundle' of an experiment.")
        if not ct.exists():
            raise InputError(f"CT {ct}: this file or folder does not exist.")
        if mask is not None and (model is not None or flips or largest):
            raise InputError(
                "--mask and --model, --flips, --largest: with a mask nothing is segmented; leave them out."
            )
        if label is not None and mask is None:
            raise InputError("--label: it names a label of a mask, so --mask is needed as well.")
        if followup_mask is not None and followup is None:
            raise InputError("--followup-mask: it belongs to a follow-up CT; give --followup as well.")
        for name, path in (("--mask", mask), ("--followup-mask", followup_mask)):
            if path is not None:
                existing_file(path, name)
        if model is not None:
            existing_model(Path(model))
        checked_device(device)
        if followup is not None and not followup.exists():
            raise InputError(f"--followup {followup}: this file or folder does not exist.")
        covariates = clinical_values(clinical)
        check_output(output)
        record = _applied(
            bundle, ct, mask, followup, followup_mask, output, session, scene=scene,
            options={
                "label": label, "model": model, "flips": flips, "largest": largest, "lesions": lesions,
                "clinical": covariates, "case_id": case_id or case_name(ct, "ct"), "device": device, "threads": threads,
            },
        )  # fmt: skip
        files = files_in(output)
        session.result(
            "\n".join([*verdicts(record), "", *_remarks(record), record["disclaimer"], *files]),
            folder=str(output),
            files=files,
            case=record,
        )


def _applied(
    bundle: Path,
    ct: Path,
    mask: Path | None,
    followup: Path | None,
    followup_mask: Path | None,
    output: Path,
    session: Session,
    *,
    scene: bool,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Do the work and write the folder; return ich.json's content."""
    session.progress(0.0, "loading")
    ready_kernels(session)
    from deepradiomics.cohort.synthetic import is_synthetic_image, shows_real_head
    from deepradiomics.files import read_json
    from deepradiomics.ich.apply import apply_case
    from deepradiomics.ich.case_result import CASE_FILES, JSON_FILE, write_case
    from deepradiomics.images import read_mask, read_volume

    case = apply_case(
        bundle,
        read_volume(ct),
        read_mask(mask) if mask is not None else None,
        followup=read_volume(followup) if followup is not None else None,
        followup_mask=read_mask(followup_mask) if followup_mask is not None else None,
        synthetic_image=is_synthetic_image(ct),
        real_head=shows_real_head(ct),
        command=command_line({"mask": mask, "followup": followup, "followup-mask": followup_mask}, options),
        progress=lambda fraction, message: session.progress(0.85 * fraction, message),
        **options,
    )
    with staged(output) as folder:
        session.progress(0.85, "writing tables and maps")
        write_case(case, folder)
        session.progress(0.88, "writing the report")
        from deepradiomics.results.ich_case_report import write_case_report

        write_case_report(folder, case.ct)
        if scene:
            session.progress(0.92, "writing the scene")
            problem = write_scene(folder, {"ct": ct})
            if problem:
                session.warn(problem)
        written = {path.name for path in folder.iterdir()}
        record = dict(read_json(folder / JSON_FILE))
    for name in (*CASE_FILES, REPORT_FILE, SCENE_FILE):  # what an earlier run left would contradict the rest
        if name not in written:
            (output / name).unlink(missing_ok=True)
    session.progress(1.0, "done")
    return record


def clinical_values(text: str | None) -> dict[str, str]:
    """Split ``"age=70,sex=F"`` into names and values; what they mean is up to the bundle.

    Raises:
        InputError: a part is not NAME=VALUE, or a name comes twice.
    """
    found: dict[str, str] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        name, equals, value = (one.strip() for one in part.partition("="))
        if not (name and equals and value):
            raise InputError(f"--clinical {part.strip()}: expected NAME=VALUE, for example age=70.")
        if name in found:
            raise InputError(f"--clinical {name}: this covariate is given twice ({found[name]} and {value}).")
        found[name] = value
    return found


def command_line(files: Mapping[str, Path | None], options: Mapping[str, Any]) -> str:
    """The command for the record, without names of files and the patient: ``… ich apply BUNDLE CT --mask FILE``."""
    words = ["deepradiomics ich apply BUNDLE CT"]
    words += [f"--{name} FILE" for name, path in files.items() if path is not None]
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if name == "clinical":
            words += [f"{option} {','.join(f'{one}={given}' for one, given in value.items())}"] if value else []
        elif name == "model":
            words += [f"{option} FOLDER"] if value else []
        elif value is True:
            words.append(option)
        elif value not in (None, False) and name != "case_id":
            words.append(f"{option} {value}")
    return " ".join(words)


def files_in(folder: Path) -> list[str]:
    """Return the result files that are there, in the order a person opens them."""
    from deepradiomics.ich.case_result import CASE_FILES

    return [str(folder / name) for name in (REPORT_FILE, *CASE_FILES, SCENE_FILE) if (folder / name).is_file()]


def verdicts(record: Mapping[str, Any]) -> list[str]:
    """Return the volume and one line an outcome: ``Expansion > 6 mL: 0.310 (above the threshold 0.240; …)``.

    Outside the training cohort no side of the threshold is told.
    """
    from deepradiomics.results.ich_words import abc2_title

    volumes = record["volumes"]
    outside = bool(record.get("outside_training_cohort"))
    lines = [
        f"haematoma: {volumes['haematoma_ml']:.2f} mL ({abc2_title(record)} {volumes['abc2_ml']:.2f} mL), "
        f"{count(len(volumes['lesions']), 'region')}"
    ]
    for one in record["outcomes"].values():
        side = "above" if one["positive"] else "below"
        verdict = f"{OUTSIDE}; threshold" if outside else f"{side} the threshold"
        lines.append(
            f"{one['title']}: {one['probability']:.3f} ({verdict} {one['threshold']:.3f}; "
            f"{one['base_rate']:.0%} of {one['n_training']} training patients)"
        )
    if record.get("followup"):
        lines.append(f"expansion measured: {record['followup']['expansion_ml']:+.2f} mL")
    return lines


def _remarks(record: Mapping[str, Any]) -> list[str]:
    notes = [f"- {note}" for note in record.get("notes") or ()]
    return ["Notes:", *notes, ""] if notes else []
