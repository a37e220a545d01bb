"""What each kind of run does: files written for the child, its command line, how the result is shown.

Options that are not parameters here are those of the command, by the same names (`scene.runs.arguments`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.errors import InputError
from deepradiomics.options import check_keys
from deepradiomics.scene.job.runner import FOLDER_ATTRIBUTE, Work
from deepradiomics.scene.nodes.map_place import reference_place
from deepradiomics.scene.runs.arguments import absolute, arguments
from deepradiomics.scene.runs.dicom_export import ich_dicom_request, why_not_volume
from deepradiomics.scene.runs.dicom_work import dicom_work
from deepradiomics.scene.runs.node_files import write_image, write_segment
from deepradiomics.scene.show.ich.case import show_ich_case
from deepradiomics.scene.show.ich.expansion import show_expansion
from deepradiomics.scene.show.ich.experiment import show_experiment
from deepradiomics.scene.tree.result_folder import kind_of

from .bundles import bundle_of

NETWORK = ("flips", "largest")  # options of the network that segments
APPLY = (*NETWORK, "lesions", "clinical", "device")
EXPANSION = (*NETWORK, "backend", "device")
EXPERIMENT = ("preset", "search", "covariates", "workers", "allow_leakage", "device", "seed")


def apply(
    ct: Any,
    bundle: Path | str | None,
    *,
    segmentation: Any = None,
    segment_id: str | None = None,
    segmenter: Path | str | None = None,
    followup: Any = None,
    followup_segmentation: Any = None,
    followup_segment_id: str | None = None,
    case_id: str | None = None,
    **options: Any,
) -> Work:
    """A model applied to one patient; its nodes are `deepradiomics.scene.show.ich.case.IchNodes`."""
    check_keys("ich apply", options, APPLY)
    if segmentation is not None and segmenter is not None:
        raise InputError("segmentation and segmenter: give one of them, each gives the haematoma.")
    if followup_segmentation is not None and followup is None:
        raise InputError("followup_segmentation: give followup=… as well, the CT it belongs to.")
    model, name = bundle_of(bundle), case_name(case_id, ct)
    places: list[Any] = []  # where the CT lay when the run began

    def build(folder: Path) -> Sequence[str]:
        image = write_image(ct, folder / "ct.nrrd", "ct")
        places.append(reference_place(ct))
        mask = _haematoma(segmentation, segment_id, ct, folder / "mask.nrrd")
        later = later_mask = None
        if followup is not None:
            later = write_image(followup, folder / "followup.nrrd", "followup")
            later_mask = _haematoma(followup_segmentation, followup_segment_id, followup, folder / "followup_mask.nrrd")
        return arguments(
            ["ich", "apply", model, image, "--no-scene"],
            out=folder / "result",
            mask=mask,
            segmenter=absolute(segmenter),
            followup=later,
            followup_mask=later_mask,
            case_id=name,
            **_segmenting(options, needed=mask is None),
        )

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        sources = {"followup": followup, "outline": segmentation, "followup_outline": followup_segmentation}
        return show_case(folder, ct, sources, places[-1], verified=True)

    return Work(build, show, kept_as=name, images=(ct,), sources=(followup, segmentation, followup_segmentation))


def dicom(risk: Any, ct: Any, database: Any) -> Work:
    """A patient's haematoma and its features as DICOM files in a new folder."""
    result = risk.GetAttribute(FOLDER_ATTRIBUTE)
    reason = why_not_volume(ct, database) or ("" if result else "The files of this result are gone. Run again.")
    if reason:
        raise InputError(reason)
    name = risk.GetName().removeprefix("Risk: ")
    return dicom_work(name, lambda folder: ich_dicom_request(Path(result), ct, database, folder))


def expansion(
    baseline: Any,
    followup: Any,
    *,
    baseline_segmentation: Any = None,
    baseline_segment_id: str | None = None,
    followup_segmentation: Any = None,
    followup_segment_id: str | None = None,
    segmenter: Path | str | None = None,
    case_id: str | None = None,
    **options: Any,
) -> Work:
    """Expansion between two CTs, without an outcome model; its nodes are `scene.show.ich.expansion.ExpansionNodes`."""
    check_keys("ich expansion", options, EXPANSION)
    complete = baseline_segmentation is not None and followup_segmentation is not None
    if segmenter is None and not complete:
        raise InputError("give both segmentations, or segmenter=… (a network's folder), which segments what has none.")
    name = case_name(case_id, baseline)
    places: list[Any] = []

    def build(folder: Path) -> Sequence[str]:
        first = write_image(baseline, folder / "ct.nrrd", "baseline")
        later = write_image(followup, folder / "followup.nrrd", "followup")
        places.append(reference_place(baseline))
        return arguments(
            ["ich", "expansion", first, later],
            out=folder / "result",
            case_id=name,
            baseline_mask=_haematoma(baseline_segmentation, baseline_segment_id, baseline, folder / "mask.nrrd"),
            followup_mask=_haematoma(
                followup_segmentation, followup_segment_id, followup, folder / "followup_mask.nrrd"
            ),
            segmenter=None if complete else absolute(segmenter),
            **_segmenting(options, needed=not complete),
        )

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        nodes = show_expansion(folder, baseline, slicer.mrmlScene, place=places[-1], followup=followup, verified=True)
        nodes.table.SetAttribute(FOLDER_ATTRIBUTE, str(folder))
        return nodes

    return Work(
        build,
        show,
        kept_as=f"{name}-expansion",
        images=(baseline,),
        sources=(followup, baseline_segmentation, followup_segmentation),
    )


def experiment(
    manifest: Path | str,
    output: Path | str,
    *,
    external: Path | str | None = None,
    encoder: Path | str | None = None,
    autoencoder: Path | str | None = None,
    **options: Any,
) -> Work:
    """Inputs and classifiers compared on a cohort; its nodes are `scene.show.ich.experiment.ExperimentNodes`."""
    check_keys("ich experiment", options, EXPERIMENT)
    if not str(manifest) or not str(output):
        raise InputError("manifest and output: name the cohort's CSV file, and the folder for the results.")
    started = arguments(
        ["ich", "experiment", absolute(manifest)],
        out=Path(output).absolute(),
        external=absolute(external),
        encoder=absolute(encoder),
        autoencoder=absolute(autoencoder),
        resume=True,
        **options,
    )
    return Work(lambda folder: started, lambda event, folder: open_experiment(Path(output).absolute()))


def case_name(case_id: str | None, ct: Any) -> str:
    """What results call a patient: the name that is given, else the CT's."""
    return (case_id or "").strip() or (ct.GetName() if ct is not None else "") or "case"


def show_case(folder: Path, ct: Any, sources: Mapping[str, Any], place: Any = None, *, verified: bool = False) -> Any:
    """Show a folder of `ich apply` in the scene; its table of risks remembers the folder."""
    nodes = show_ich_case(folder, ct, slicer.mrmlScene, place=place, nodes=sources, verified=verified)
    nodes.risk.SetAttribute(FOLDER_ATTRIBUTE, str(folder))
    return nodes


def open_experiment(folder: Path) -> Any:
    """Show a folder of `ich experiment` in the scene; its summary remembers the folder."""
    nodes = show_experiment(folder, slicer.mrmlScene)
    nodes.tables["summary"].SetAttribute(FOLDER_ATTRIBUTE, str(folder))
    return nodes


def open_result(folder: Path | str, ct: Any = None) -> Any:
    """Show a result folder of any kind that this module makes, over its own CT.

    `ct` is that CT; None looks for it in the scene, then beside the files. Another image is refused.
    """
    folder = Path(folder).absolute()
    kind = kind_of(folder)
    if kind == "ich-case":
        return show_case(folder, ct, {})
    if kind == "ich-experiment":
        return open_experiment(folder)
    if kind == "ich-expansion":
        return show_expansion(folder, ct, slicer.mrmlScene)
    raise InputError(f"{folder} holds a result of kind '{kind}': open it with the module that made it.")


def _haematoma(segmentation: Any, segment_id: str | None, ct: Any, path: Path) -> Path | None:
    return None if segmentation is None else write_segment(segmentation, segment_id, ct, path)


def _segmenting(options: Mapping[str, Any], *, needed: bool) -> dict[str, Any]:
    """The options of a command, without those of the network where nothing is segmented."""
    return {name: value for name, value in options.items() if needed or name not in NETWORK}
