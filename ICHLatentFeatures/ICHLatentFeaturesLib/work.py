"""What each kind of run does: files written for the child, words of its command line, how the result is shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.errors import InputError
from deepradiomics.scene.runner import FOLDER_ATTRIBUTE, Work, keep

from . import commands, inputs
from .bundles import bundle_of


def apply(
    ct: Any,
    bundle: Path | str | None,
    *,
    segmentation: Any = None,
    segment_id: str | None = None,
    segmenter: Path | str | None = None,
    flips: bool = False,
    largest: bool = False,
    lesions: str | None = None,
    followup: Any = None,
    followup_segmentation: Any = None,
    followup_segment_id: str | None = None,
    clinical: str = "",
    case_id: str | None = None,
    device: str = "auto",
    output_folder: Path | str | None = None,
) -> Work:
    """A model applied to one patient; its nodes are `deepradiomics.scene.ich_case.IchNodes`."""
    model = bundle_of(bundle)
    if segmentation is not None and segmenter is not None:
        raise InputError("segmentation and segmenter: give one of them, each gives the haematoma.")
    if followup_segmentation is not None and followup is None:
        raise InputError("followup_segmentation: give followup=… as well, the CT it belongs to.")
    name = case_name(case_id, ct)
    lay: list[Any] = []  # where the CT lay when the run began

    def build(folder: Path) -> Sequence[str]:
        from deepradiomics.scene.map_place import reference_place

        image = inputs.write_ct(ct, folder / "ct.nrrd", "ct")
        lay.append(reference_place(ct))
        mask = inputs.write_haematoma(segmentation, segment_id, ct, folder / "mask.nrrd")
        later = later_mask = None
        if followup is not None:
            later = inputs.write_ct(followup, folder / "followup.nrrd", "followup")
            later_mask = inputs.write_haematoma(
                followup_segmentation, followup_segment_id, followup, folder / "followup_mask.nrrd"
            )
        return commands.apply_arguments(
            model, image, folder / "result", mask=mask, model=_absolute(segmenter), flips=flips, largest=largest,
            lesions=lesions, followup=later, followup_mask=later_mask, clinical=clinical, case_id=name,
            device=device,
        )  # fmt: skip

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        sources = {"followup": followup, "outline": segmentation, "followup_outline": followup_segmentation}
        return show_case(folder, ct, sources, lay[-1], verified=True)

    return Work(
        build, show, keep=lambda folder: keep(folder / "result", name, output_folder), images=(ct,),
        sources=(followup, segmentation, followup_segmentation),
    )  # fmt: skip


def expansion(
    baseline: Any,
    followup: Any,
    *,
    baseline_segmentation: Any = None,
    baseline_segment_id: str | None = None,
    followup_segmentation: Any = None,
    followup_segment_id: str | None = None,
    segmenter: Path | str | None = None,
    flips: bool = False,
    largest: bool = False,
    backend: str = "auto",
    case_id: str | None = None,
    device: str = "auto",
    output_folder: Path | str | None = None,
) -> Work:
    """Growth between two CTs, without an outcome model; its nodes are `scene.ich_expansion.ExpansionNodes`."""
    if segmenter is None and (baseline_segmentation is None or followup_segmentation is None):
        raise InputError("give both segmentations, or segmenter=… (a network's folder), which segments what has none.")
    name = case_name(case_id, baseline)
    lay: list[Any] = []

    def build(folder: Path) -> Sequence[str]:
        from deepradiomics.scene.map_place import reference_place

        first = inputs.write_ct(baseline, folder / "ct.nrrd", "baseline")
        later = inputs.write_ct(followup, folder / "followup.nrrd", "followup")
        lay.append(reference_place(baseline))
        mask = inputs.write_haematoma(baseline_segmentation, baseline_segment_id, baseline, folder / "mask.nrrd")
        later_mask = inputs.write_haematoma(
            followup_segmentation, followup_segment_id, followup, folder / "followup_mask.nrrd"
        )
        return commands.expansion_arguments(
            first, later, folder / "result", baseline_mask=mask, followup_mask=later_mask, model=_absolute(segmenter),
            flips=flips, largest=largest, backend=backend, case_id=name, device=device,
        )  # fmt: skip

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        from deepradiomics.scene.ich_expansion import show_expansion

        nodes = show_expansion(folder, baseline, slicer.mrmlScene, place=lay[-1], followup=followup, verified=True)
        nodes.table.SetAttribute(FOLDER_ATTRIBUTE, str(folder))
        return nodes

    return Work(
        build, show, keep=lambda folder: keep(folder / "result", f"{name}-expansion", output_folder),
        images=(baseline,), sources=(followup, baseline_segmentation, followup_segmentation),
    )  # fmt: skip


def experiment(
    manifest: Path | str,
    output: Path | str,
    *,
    external: Path | str | None = None,
    encoder: Path | str | None = None,
    autoencoder: Path | str | None = None,
    preset: str = "paper",
    search: str = "fixed",
    covariates: Sequence[str] = (),
    workers: int = 1,
    allow_leakage: bool = False,
    device: str = "auto",
    seed: int = 0,
) -> Work:
    """Inputs and classifiers compared on a cohort; its nodes are `scene.ich_experiment.ExperimentNodes`."""
    if not str(manifest) or not str(output):
        raise InputError("manifest and output: name the cohort's CSV file, and the folder for the results.")
    out = Path(output).absolute()

    def build(folder: Path) -> Sequence[str]:
        return commands.experiment_arguments(
            Path(manifest).absolute(), out, external=_absolute(external), encoder=_absolute(encoder),
            autoencoder=_absolute(autoencoder), preset=preset, search=search, covariates=covariates, workers=workers,
            allow_leakage=allow_leakage, device=device, seed=seed,
        )  # fmt: skip

    return Work(build, lambda event, folder: open_experiment(out))


def case_name(case_id: str | None, ct: Any) -> str:
    """What results call a patient: the name that is given, else the CT's."""
    return (case_id or "").strip() or (ct.GetName() if ct is not None else "") or "case"


def show_case(folder: Path, ct: Any, sources: Mapping[str, Any], place: Any = None, *, verified: bool = False) -> Any:
    """Show a folder of `ich apply` in the scene; its table of risks remembers the folder."""
    from deepradiomics.scene.ich_case import show_ich_case

    nodes = show_ich_case(folder, ct, slicer.mrmlScene, place=place, nodes=sources, verified=verified)
    nodes.risk.SetAttribute(FOLDER_ATTRIBUTE, str(folder))
    return nodes


def open_experiment(folder: Path) -> Any:
    """Show a folder of `ich experiment` in the scene; its summary remembers the folder."""
    from deepradiomics.scene.ich_experiment import show_experiment

    nodes = show_experiment(folder, slicer.mrmlScene)
    nodes.tables["summary"].SetAttribute(FOLDER_ATTRIBUTE, str(folder))
    return nodes


def open_result(folder: Path | str, ct: Any = None) -> Any:
    """Show a result folder of any kind that this module makes, over its own CT.

    `ct` is that CT; None looks for it in the scene, then beside the files. Another image is refused.
    """
    from deepradiomics.scene.ich_expansion import show_expansion
    from deepradiomics.scene.result_folder import kind_of

    folder = Path(folder).absolute()
    kind = kind_of(folder)
    if kind == "ich-case":
        return show_case(folder, ct, {})
    if kind == "ich-experiment":
        return open_experiment(folder)
    if kind == "ich-expansion":
        return show_expansion(folder, ct, slicer.mrmlScene)
    raise InputError(f"{folder} holds a result of kind '{kind}': open it with the module that made it.")


def _absolute(path: Path | str | None) -> Path | None:
    return Path(path).absolute() if path else None
