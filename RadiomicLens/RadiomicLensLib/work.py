"""What each kind of run does: files written for the child, its command line, how the result is shown."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import atomic_folder, content_hash, sha256_file, write_json
from deepradiomics.lens.config import LensConfig
from deepradiomics.scene.job.runner import FOLDER_ATTRIBUTE, Work
from deepradiomics.scene.nodes.map_place import reference_place
from deepradiomics.scene.runs.arguments import absolute, arguments
from deepradiomics.scene.runs.node_files import write_image
from deepradiomics.scene.runs.scene_cohort import SceneCase, given_cases, shared, write_cohort, write_region
from deepradiomics.scene.show.lens.case import show_case
from deepradiomics.scene.show.lens.result import show_lens

SCENE_CASES = "cases"  # in the output folder: the scene's images, for the case view of another day
FIT = ("task_name", "layer", "device", "seed")
"""Options of the command; all others are those of `LensConfig`."""


def fit(
    manifest: Path | str | None = None,
    cases: Mapping[str, Mapping[str, Any]] | Sequence[SceneCase] | None = None,
    pre: Path | str | None = None,
    ft: Path | str | None = None,
    output: Path | str | None = None,
    *,
    finetune: Path | str | None = None,
    resume: bool = True,
    **options: Any,
) -> Work:
    """A lens fitted on a cohort; its nodes are `deepradiomics.scene.show.lens.result.LensNodes`."""
    if (manifest is None) == (cases is None):
        raise InputError("give the cohort in one way: manifest=… (CSV file) or cases=… (volumes of the scene).")
    if finetune is not None:
        frozen, tuned = encoders_of_run(Path(finetune).absolute())
        pre, ft = pre or frozen, ft or tuned
    if not pre or not ft:
        raise InputError("give both encoders, pre=… and ft=…, or finetune=… (a fine-tuning's folder, which has both).")
    if not output:
        raise InputError("output: name the folder for the lens.")
    out = Path(output).absolute()
    of_command = {name: options.pop(name) for name in FIT if name in options}
    config = configuration(options)
    in_scene = _scene_cases(cases, config["roi"]) if cases is not None else ()

    def build(folder: Path) -> Sequence[str]:
        write_json(folder / "config.json", config)
        source = absolute(manifest) or _written(in_scene, config, folder / "cases", out)
        return arguments(
            ["lens", "fit", source, "--resume" if resume else "--no-resume"],
            out=out,
            pre=_source(pre),
            ft=_source(ft),
            config=folder / "config.json",
            finetune=absolute(finetune),
            **of_command,
        )

    return Work(build, lambda event, folder: open_result(out))


def case(
    result: Path | str | None,
    case_id: str,
    modality: str,
    feature: str,
    *,
    volumes: Mapping[str, Any] | None = None,
    roi: tuple[Any, str] | None = None,
    lens: Any = None,
    preset: str = "paper",
) -> Work:
    """One feature's map of one case; its nodes are `deepradiomics.scene.show.lens.case.CaseNodes`.

    `volumes` (by modality) and `roi` (segmentation node, segment ID) are of the scene; without them the case's files
    are read. Volumes without `roi` take the ellipsoid in the middle of the image, which is no reader's contour. `lens`
    are the nodes of the lens, shown below the images; without a `result` the features are computed as the `preset`
    says.
    """
    if result is None and not volumes:
        raise InputError("there is no lens in the scene: fit one, open(result_folder), or give result=… or volumes=….")
    places: dict[str, Any] = {}  # where the volumes lay when the run began

    def build(folder: Path) -> Sequence[str]:
        call = ["lens", "case", *(["--preset", preset] if result is None else [Path(result).absolute()])]
        region: dict[str, Any] = {}
        for number, (name, node) in enumerate((volumes or {}).items()):
            call += ["--view", f"{name}={write_image(node, folder / f'view{number}.nrrd', name)}"]
            places[name] = reference_place(node)
        if volumes:
            region = {"roi": "ellipsoid"} if roi is None else {"mask": write_region(*roi, volumes, folder / "roi.nrrd")}
        return arguments(call, out=folder / "result", case_id=case_id, modality=modality, feature=feature, **region)

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        return show_case(
            folder / "result",
            slicer.mrmlScene,
            volumes,
            lens=lens,
            places=places or None,
            verified=bool(volumes),
            region=_still_there(roi),
        )

    images = [*(volumes or {}).values(), *([lens.shift] if lens is not None else [])]
    return Work(build, show, images=images, sources=() if roi is None else (roi[0],))


def open_result(folder: Path | str) -> Any:
    """Show a result folder of `lens fit` in the scene; its table node remembers the folder."""
    nodes = show_lens(Path(folder), slicer.mrmlScene)
    nodes.shift.SetAttribute(FOLDER_ATTRIBUTE, str(Path(folder).absolute()))
    return nodes


def encoders_of_run(folder: Path) -> tuple[str, str]:
    """Folders of the encoder before and after a fine-tuning."""
    return str(folder / "frozen" / "encoder"), str(folder / "tuned" / "encoder")


def configuration(options: Mapping[str, Any]) -> dict[str, Any]:
    """A lens's configuration from a preset and what differs from it (`deepradiomics.lens.config.LensConfig`).

    Raises:
        InputError: an option is unknown (the nearest known one is named), or a value is out of range.
    """
    chosen = dict(options)
    if "params" in chosen and Path(chosen["params"]).is_file():
        chosen["params"] = str(Path(chosen["params"]).absolute())  # the child works elsewhere
    return LensConfig.from_dict(chosen).to_dict()


def _still_there(roi: tuple[Any, str] | None) -> Any | None:
    """The region's segmentation node, unless the user removed it during the run."""
    return roi[0] if roi is not None and slicer.mrmlScene.IsNodePresent(roi[0]) else None


def _source(encoder: Path | str | None) -> str:
    """A path made absolute; "module:function" as it is."""
    text = str(encoder)
    return str(Path(text).absolute()) if Path(text).exists() else text


def _scene_cases(cases: Any, roi: str) -> tuple[SceneCase, ...]:
    return given_cases(cases, roi) if isinstance(cases, Mapping) else tuple(cases)


def _written(cases: Sequence[SceneCase], config: Mapping[str, Any], folder: Path, out: Path) -> Path:
    """Write the scene's cases into a folder of the output that is named by their content; returns the manifest.

    The same images find the same folder, so that a stopped fit resumes; other images leave the files of an earlier
    lens alone, also when the fit refuses to take its place.
    """
    modalities = tuple(config["modalities"]) or tuple(shared([case.volumes for case in cases]))
    manifest = write_cohort(cases, modalities, config["roi"], folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = content_hash({path.relative_to(folder).as_posix(): sha256_file(path) for path in files})
    target = out / SCENE_CASES / content[:12]
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(target) as stage:
            shutil.copytree(folder, stage, dirs_exist_ok=True)
    return target / manifest.name
