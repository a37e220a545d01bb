"""One case through a model: prediction, fingerprint, heat maps, report and scene in one folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deepradiomics.cli.cases import load
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.outputs import staged
from deepradiomics.cli.scene_child import write_scene
from deepradiomics.cli.session import Session
from deepradiomics.errors import InputError
from deepradiomics.progress import Progress
from deepradiomics.words import OUTSIDE, title_of

if TYPE_CHECKING:
    from deepradiomics.prepare import Box

REGISTRATIONS = ("off", "reference", "template")
BACKENDS = ("auto", "cpu", "gpu")
INFERENCES = ("paper", "masked", "soft")
RESULT_FILES = (
    "report.html", "fingerprint.csv", "prediction.json", "relevance.nii.gz", "gradcam.nii.gz", "scene.mrb"
)  # fmt: skip


@dataclass(frozen=True)
class ApplyOptions:
    """How a model is applied; None leaves the choice to the bundle.

    Args:
        bundle: folder of the model.
        roi: region of interest, a box in the reference view's space.
        roi_label: or the label of the mask that is the region.
        registration: off, reference or template.
        backend: auto, cpu or gpu, of the registration.
        inference: paper, masked or soft.
        device: auto, cpu, cuda or mps.
        scene: write scene.mrb as well.
    """

    bundle: Path
    roi: "Box | None" = None
    roi_label: int | None = None
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
        if self.roi is not None and self.roi_label is not None:
            raise InputError("--roi-box and --roi-label: give one of them, each defines the region of interest.")
        if not self.bundle.is_dir():
            raise InputError(
                f"--bundle {self.bundle}: this folder does not exist. Name the folder with bundle.json and "
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
    case = load(case_id, views, mask)
    ready_kernels(session)
    from deepradiomics.fingerprint.apply import apply
    from deepradiomics.fingerprint.result import write_result
    from deepradiomics.results.report import write_report

    result = apply(
        case,
        options.bundle,
        roi=options.roi,
        roi_label=options.roi_label,
        registration=options.registration,  # type: ignore[arg-type]
        registration_backend=options.backend,  # type: ignore[arg-type]
        inference=options.inference,
        device=options.device,
        progress=lambda fraction, message: progress(0.8 * fraction, message),
    )
    with staged(output) as folder:
        progress(0.8, "writing tables and heat maps")
        write_result(result, folder)
        progress(0.85, "writing the report")
        write_report(result, folder / "report.html")
        if options.scene:
            progress(0.9, "writing the scene")
            problem = write_scene(folder, views)
            if problem:
                session.warn(f"{case_id}: {problem}")
        written = {one.name for one in folder.iterdir()}
    for name in RESULT_FILES:  # what an earlier run left here and this one did not make would contradict the rest
        if name not in written:
            (output / name).unlink(missing_ok=True)
    progress(1.0, "done")
    return dict(result.prediction)


def files_in(folder: Path) -> list[str]:
    """Return the result files that are there, in the order a person opens them."""
    return [str(folder / name) for name in RESULT_FILES if (folder / name).is_file()]


def verdicts(prediction: Mapping[str, Any]) -> list[str]:
    """Return one line a task: ``Acl: 0.81 (threshold 0.47), predicted 1, fingerprint 312 of 2568 features``.

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
