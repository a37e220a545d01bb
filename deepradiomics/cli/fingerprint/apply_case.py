"""One case through a model: prediction, fingerprint, heat maps, report and scene in one folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deepradiomics import __version__
from deepradiomics.cli.cases import load
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.outputs import staged
from deepradiomics.cli.scene_child import write_scene
from deepradiomics.cli.session import Session
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import content_hash, sha256_file
from deepradiomics.files.sealed import write_sealed
from deepradiomics.progress import Progress
from deepradiomics.words import OUTSIDE, title_of

if TYPE_CHECKING:
    from deepradiomics.images.reading import Reading
    from deepradiomics.prepare import Box

REGISTRATIONS = ("off", "reference", "template")
BACKENDS = ("auto", "cpu", "gpu")
INFERENCES = ("paper", "masked", "soft")
REQUEST = "request_sha256"  # of prediction.json: by it a batch knows whether a finished case is the one asked for
FILES = "files_sha256"  # of prediction.json: of the files beside it, by which a batch knows that they are unchanged
RESULT_FILES = ("report.html", "fingerprint.csv", "prediction.json", "relevance.nii.gz", "gradcam.nii.gz", "scene.mrb")


def _plain_reading() -> "Reading":
    from deepradiomics.images.reading import Reading

    return Reading()


@dataclass(frozen=True)
class ApplyOptions:
    """How a model is applied; None leaves the choice to the bundle.

    Args:
        bundle: folder of the model.
        roi: region of interest, a box in the reference view's space.
        reading: how images and masks are read, and which labels of a mask are the region.
        mask_is_region: a case's mask is its region, also where no label is named; else only where one is.
        registration: off, reference or template.
        backend: auto, cpu or gpu, of the registration.
        inference: paper, masked or soft.
        device: auto, cpu, cuda or mps.
        scene: write scene.mrb as well.
    """

    bundle: Path
    roi: "Box | None" = None
    reading: "Reading" = field(default_factory=_plain_reading)
    mask_is_region: bool = False
    registration: str | None = None
    backend: str | None = None
    inference: Literal["paper", "masked", "soft"] = "paper"
    device: str = "auto"
    scene: bool = True

    def __post_init__(self) -> None:
        for option, value, allowed in (
            ("--registration", self.registration, REGISTRATIONS),
            ("--backend", self.backend, BACKENDS),
            ("--inference", self.inference, INFERENCES),
        ):
            if value is not None and value not in allowed:
                raise InputError(f"{option}: expected one of {', '.join(allowed)}, got {value!r}.")
        if self.roi is not None and self.reading.names_labels:
            raise InputError("--roi-box and --label: give one of them, each defines the region of interest.")
        if not self.bundle.is_dir():
            raise InputError(
                f"bundle {self.bundle}: this folder does not exist. Name the folder with bundle.json and "
                "model.safetensors, or 'sample' for the model that comes with DeepRadiomics."
            )


def apply_case(
    case_id: str,
    views: Mapping[str, Path],
    mask: Path | None,
    output: Path,
    options: ApplyOptions,
    session: Session,
    progress: Progress,
) -> dict[str, Any]:
    """Apply the model to one case and write its folder; return prediction.json's content."""
    progress(0.0, "loading")
    with_region = mask is not None and (options.mask_is_region or options.reading.names_labels)
    case = load(case_id, views, mask if with_region else None, options.reading)
    request = request_hash(views, mask if with_region else None, options)
    ready_kernels(session)
    from deepradiomics.fingerprint.apply.result import write_result
    from deepradiomics.fingerprint.apply.run import FingerprintRequest, apply_fingerprint
    from deepradiomics.reports.fingerprint.report import write_report

    asked = FingerprintRequest(
        case,
        options.roi,
        1 if with_region else None,
        options.registration,  # type: ignore[arg-type]
        options.backend,  # type: ignore[arg-type]
        options.inference,
    )
    result = apply_fingerprint(
        asked,
        options.bundle,
        device=options.device,
        progress=lambda fraction, message: progress(0.8 * fraction, message),
    )
    result = replace(result, prediction={**result.prediction, **_reading(options), REQUEST: request})
    with staged(output) as folder:
        progress(0.8, "writing tables and heat maps")
        write_result(result, folder)
        progress(0.85, "writing the report")
        write_report(result, folder / "report.html")
        files = {name: sha256_file(folder / name) for name in RESULT_FILES if (folder / name).is_file()}
        files.pop("prediction.json")  # which vouches for itself
        write_sealed(folder / "prediction.json", {**result.prediction, FILES: files})
        written = {one.name for one in folder.iterdir()}
    for name in RESULT_FILES:  # what an earlier run left here and this one did not make would contradict the rest
        if name not in written:
            (output / name).unlink(missing_ok=True)
    if options.scene:  # beside the finished result: who stops the scene keeps the rest
        progress(0.9, "writing the scene")
        problem = write_scene(output, views)
        if problem:
            session.warn(f"{case_id}: {problem}")
    progress(1.0, "done")
    return dict(result.prediction)


def _reading(options: ApplyOptions) -> dict[str, Any]:
    """What prediction.json holds of the way in which the files were read, where a choice was made."""
    choices = options.reading.to_dict()
    return {"reading": choices} if choices else {}


def request_hash(views: Mapping[str, Path], mask: Path | None, options: ApplyOptions) -> str:
    """Hash of all that decides a prediction: the files' contents, the region, the options and the software.

    Raises:
        InputError: a file is missing or cannot be read.
    """
    from deepradiomics.cohort.contents import image_hash

    weights = options.bundle / "model.safetensors"
    return content_hash(
        __version__,
        {view: image_hash(path) for view, path in views.items()},
        None if mask is None else image_hash(mask),
        None if options.roi is None else options.roi.to_dict(),
        options.reading.to_dict(),
        sha256_file(weights) if weights.is_file() else "",
        [options.registration, options.backend, options.inference],
    )


def files_in(folder: Path) -> list[str]:
    """Return the result files that are there, in the order a person opens them."""
    return [str(folder / name) for name in RESULT_FILES if (folder / name).is_file()]


def verdicts(prediction: Mapping[str, Any]) -> list[str]:
    """Return one line per task: ``Acl: 0.81 (threshold 0.47), predicted 1, fingerprint 312 of 2568 features``.

    Outside the training cohort no class is told.
    """
    lines = []
    outside = bool(prediction.get("outside_training_cohort"))
    for name, task in prediction["tasks"].items():
        classes = task["classes"]
        chosen = classes[task["predicted"]] if task["predicted"] < len(classes) else task["predicted"]
        if task["type"] == "binary":
            threshold = task["decision_threshold"]
            limit = f" (threshold {threshold:.3f})" if threshold is not None else ""
            score = f"{task['probability']:.3f}{limit}"
        else:
            score = ", ".join(f"{c} {p:.3f}" for c, p in zip(classes, task["probabilities"], strict=True))
        verdict = OUTSIDE if outside else f"predicted {chosen}"
        title = title_of(name, str(task.get("title") or ""))
        lines.append(f"{title}: {score}, {verdict}, fingerprint {task['selected']} of {task['pool']} features")
    return lines
