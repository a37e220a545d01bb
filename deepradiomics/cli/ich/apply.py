"""``deepradiomics ich apply``: haematoma, features, risks and explanations of one patient."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepradiomics.cli.cases import case_name
from deepradiomics.cli.groups import with_groups
from deepradiomics.cli.images.dicom_out import DicomOut, check_dicom_out, checked_source, dicom_files
from deepradiomics.cli.inputs import existing_model
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import CaseId, FollowupLabel, FollowupMask, JsonLines, Lesions, MaskFile, OutputFolder
from deepradiomics.cli.outputs import check_output, staged
from deepradiomics.cli.reading import ReadingOptions, mask_of_option, note_all, readable
from deepradiomics.cli.scene_child import write_scene
from deepradiomics.cli.session import Session, running
from deepradiomics.cli.shared_groups import CaseRunOptions, SegmentationOptions
from deepradiomics.devices import checked_device
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json
from deepradiomics.words import OUTSIDE, count

if TYPE_CHECKING:
    from deepradiomics.dicom_out import SourceSeries
    from deepradiomics.ich.patient.result import IchCase

REPORT_FILE, SCENE_FILE = "report.html", "scene.mrb"


@dataclass(frozen=True)
class PatientFiles:
    """The images of one patient, and what is known of the patient."""

    ct: Annotated[
        Path, typer.Argument(help="Baseline head CT in HU: a file, or a folder of DICOM.", show_default=False)
    ]
    mask: MaskFile = None
    followup: Annotated[Path | None, typer.Option("--followup", help="Follow-up CT: the expansion is measured.")] = None
    followup_mask: FollowupMask = None
    followup_label: FollowupLabel = None
    clinical: Annotated[str | None, typer.Option("--clinical", help="Covariates of the bundle: age=70,sex=F")] = None
    case_id: CaseId = None
    lesions: Lesions = None

    def check(self, reading: ReadingOptions, segmentation: SegmentationOptions) -> None:
        """Refuse what does not fit together, or is not there.

        Raises:
            InputError: the message names the options.
        """
        if not self.ct.exists():
            raise InputError(f"CT {self.ct}: this file or folder does not exist.")
        if self.mask is not None and segmentation.given:
            raise InputError(
                f"--mask and {segmentation.given}: with a mask nothing is segmented; leave out one or the other."
            )
        if reading.options and self.mask is None and self.followup_mask is None:
            raise InputError(f"{reading.options}: it belongs to a mask, so --mask is needed as well.")
        if self.followup_label is not None and self.followup_mask is None:
            raise InputError("--followup-label: it names a label of --followup-mask, which is needed as well.")
        if self.followup_mask is not None and self.followup is None:
            raise InputError("--followup-mask: it belongs to a follow-up CT; give --followup as well.")
        for name, path in (("--mask", self.mask), ("--followup-mask", self.followup_mask)):
            if path is not None:
                readable(path, name)
        if segmentation.segmenter is not None:
            existing_model(segmentation.segmenter)
        if self.followup is not None and not self.followup.exists():
            raise InputError(f"--followup {self.followup}: this file or folder does not exist.")


@dataclass(frozen=True)
class RunOptions(CaseRunOptions):
    """How the patient is run, and what is written beside the result."""

    dicom_out: DicomOut = None


@with_groups
def apply(
    bundle: Annotated[Path, typer.Argument(help="Folder 'bundle' of 'ich experiment'.", show_default=False)],
    output: OutputFolder,
    reading: ReadingOptions,
    patient: PatientFiles,
    segmentation: SegmentationOptions,
    run: RunOptions,
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
        patient.check(reading, segmentation)
        ct, dicom_out = patient.ct, run.dicom_out
        checked_device(run.device)
        covariates = clinical_values(patient.clinical)
        chosen = reading.reading()
        check_output(output)
        check_dicom_out(dicom_out, [("CT", ct)])
        session.progress(0.0, "loading")
        ready_kernels(session)
        from deepradiomics.cohort.synthetic import is_synthetic_image, shows_real_head
        from deepradiomics.ich.patient.request import PatientRequest
        from deepradiomics.ich.patient.run import apply_case

        image, later, later_mask = chosen.read_volume(ct), None, None
        source = None if dicom_out is None else checked_source(dicom_out, ct, image)
        if patient.followup is not None:
            later = chosen.read_volume(patient.followup)
            if patient.followup_mask is not None:
                later_mask = mask_of_option(chosen, patient.followup_mask, "--followup-mask", later)
        request = PatientRequest(
            image, None if patient.mask is None else mask_of_option(chosen, patient.mask, "--mask", image),
            chosen.label, chosen.segment, chosen.all_labels, later, later_mask, patient.followup_label,
            segmentation.segmenter, segmentation.flips, segmentation.largest, patient.lesions, covariates,
            patient.case_id or case_name(ct, "ct"), is_synthetic_image(ct), shows_real_head(ct),
        )  # fmt: skip
        case = apply_case(
            bundle,
            request,
            device=run.device,
            threads=run.threads,
            progress=lambda fraction, message: session.progress(0.85 * fraction, message),
        )
        if choices := chosen.to_dict():
            case = replace(case, record={**case.record, "reading": choices})
        if source is not None and dicom_out is not None:
            case = with_dicom(case, source, dicom_out)
        record = _written(case, output, session)
        if run.scene:  # beside the finished result: who stops the scene keeps the rest
            session.progress(0.92, "writing the scene")
            problem = write_scene(output, {"ct": ct})
            if problem:
                session.warn(problem)
        session.progress(1.0, "done")
        files = [*files_in(output), *dicom_files(dicom_out)]
        note_all(session, record["notes"])
        session.result(
            "\n".join([*verdicts(record), "", record["disclaimer"], *files]),
            folder=str(output),
            files=files,
            case=record,
        )


def _written(case: "IchCase", output: Path, session: Session) -> dict[str, Any]:
    """Write the folder, but for the scene; return ich.json's content."""
    from deepradiomics.ich.patient.result import CASE_FILES, JSON_FILE, write_case
    from deepradiomics.reports.ich.case_report import write_case_report

    with staged(output) as folder:
        session.progress(0.85, "writing tables and maps")
        write_case(case, folder)
        session.progress(0.88, "writing the report")
        write_case_report(folder, case.ct)
        written = {path.name for path in folder.iterdir()}
        record = dict(read_json(folder / JSON_FILE))
    for name in (*CASE_FILES, REPORT_FILE, SCENE_FILE):  # what an earlier run left would contradict the rest
        if name not in written:
            (output / name).unlink(missing_ok=True)
    return record


def with_dicom(case: "IchCase", source: "SourceSeries", folder: Path) -> "IchCase":
    """Write regions and features as DICOM; the case with the notes on what was written."""
    from deepradiomics.ich.patient.dicom import write_case_dicom

    notes = [*case.record["notes"], *write_case_dicom(case, source, folder).notes]
    return replace(case, record={**case.record, "notes": notes})


def clinical_values(text: str | None) -> dict[str, str]:
    """Split ``"age=70,sex=F"`` into names and values; what they mean is up to the bundle.

    Raises:
        InputError: a part is not NAME=VALUE, or a name comes twice.
    """
    values: dict[str, str] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        name, equals, value = (text.strip() for text in part.partition("="))
        if not (name and equals and value):
            raise InputError(f"--clinical {part.strip()}: expected NAME=VALUE, for example age=70.")
        if name in values:
            raise InputError(f"--clinical {name}: this covariate is given twice ({values[name]} and {value}).")
        values[name] = value
    return values


def files_in(folder: Path) -> list[str]:
    """Return the result files that are there, in the order a person opens them."""
    from deepradiomics.ich.patient.result import CASE_FILES

    return [str(folder / name) for name in (REPORT_FILE, *CASE_FILES, SCENE_FILE) if (folder / name).is_file()]


def verdicts(record: Mapping[str, Any]) -> list[str]:
    """Return the volume and one line per outcome: ``Expansion > 6 mL: 0.310 (above the threshold 0.240; …)``.

    Outside the training cohort the side of the threshold is not reported.
    """
    from deepradiomics.reports.ich.words import abc2_title

    volumes = record["volumes"]
    outside = bool(record.get("outside_training_cohort"))
    lines = [
        f"haematoma: {volumes['haematoma_ml']:.2f} mL ({abc2_title(record)} {volumes['abc2_ml']:.2f} mL), "
        f"{count(len(volumes['lesions']), 'region')}"
    ]
    for outcome in record["outcomes"].values():
        side = "above" if outcome["positive"] else "below"
        verdict = f"{OUTSIDE}; threshold" if outside else f"{side} the threshold"
        lines.append(
            f"{outcome['title']}: {outcome['probability']:.3f} ({verdict} {outcome['threshold']:.3f}; "
            f"{outcome['base_rate']:.0%} of {outcome['n_training']} training patients)"
        )
    if record.get("followup"):
        lines.append(f"expansion measured: {record['followup']['expansion_ml']:+.2f} mL")
    return lines
