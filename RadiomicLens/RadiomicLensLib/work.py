"""What each kind of run does: files written for the child, words of its command line, how the result is shown."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.errors import InputError
from deepradiomics.scene.runner import FOLDER_ATTRIBUTE, Work
from deepradiomics.scene.scene_cohort import SceneCase, given_cases, shared, write_cohort, write_region

from . import commands

SCENE_CASES = "cases"  # in the output folder: the scene's images, for the case view of another day


def fit(
    manifest: Path | str | None = None,
    cases: Mapping[str, Mapping[str, Any]] | Sequence[SceneCase] | None = None,
    pre: Path | str | None = None,
    ft: Path | str | None = None,
    output: Path | str | None = None,
    *,
    finetune: Path | str | None = None,
    task: str = "",
    layer: str = "",
    device: str = "auto",
    seed: int = 0,
    resume: bool = True,
    **options: Any,
) -> Work:
    """A lens fitted on a cohort; its nodes are `deepradiomics.scene.lens.LensNodes`."""
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
    config = configuration(options)
    in_scene = _scene_cases(cases, config["roi"]) if cases is not None else ()

    def build(folder: Path) -> Sequence[str]:
        from deepradiomics.files import write_json

        write_json(folder / "config.json", config)
        source = (
            Path(manifest).absolute() if manifest is not None else _written(in_scene, config, folder / "cases", out)
        )
        return commands.fit_arguments(
            source, _source(pre), _source(ft), out, config=folder / "config.json",
            finetune=Path(finetune).absolute() if finetune is not None else None,
            task=task, layer=layer, device=device, seed=seed, resume=resume,
        )  # fmt: skip

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
    """One feature's map of one case; its nodes are `deepradiomics.scene.lens_case.CaseNodes`.

    `volumes` (by modality) and `roi` (segmentation node, segment ID) are of the scene; without them the case's files
    are read. Volumes without `roi` take the ellipsoid that we draw. `lens` are the nodes of the lens, shown below the
    images; without a `result` the features are computed as the `preset` says.
    """
    if result is None and not volumes:
        raise InputError("there is no lens in the scene: fit one, open(result_folder), or give result=… or volumes=….")
    lay: dict[str, Any] = {}  # where the volumes lay when the run began

    def build(folder: Path) -> Sequence[str]:
        views, mask = {}, None
        if volumes:
            from deepradiomics.images import write_volume
            from deepradiomics.scene.map_place import reference_place
            from deepradiomics.scene.volumes import image_for_run

            for number, (name, node) in enumerate(volumes.items()):
                views[name] = write_volume(image_for_run(node), folder / f"view{number}.nrrd")
                lay[name] = reference_place(node)
            mask = write_region(*roi, volumes, folder / "roi.nrrd") if roi is not None else None
        return commands.case_arguments(
            Path(result).absolute() if result is not None else None, case_id, modality, feature, folder / "result",
            views=views, mask=mask, preset=preset,
        )  # fmt: skip

    def show(event: Mapping[str, Any], folder: Path) -> Any:
        from deepradiomics.scene.lens_case import show_case

        return show_case(
            folder / "result", slicer.mrmlScene, volumes, lens=lens, places=lay or None, verified=bool(volumes),
            region=_still_there(roi),
        )  # fmt: skip

    images = [*(volumes or {}).values(), *([lens.shift] if lens is not None else [])]
    return Work(build, show, images=images, sources=() if roi is None else (roi[0],))


def open_result(folder: Path | str) -> Any:
    """Show a result folder of `lens fit` in the scene; its table node remembers the folder."""
    from deepradiomics.scene.lens import show_lens

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
    from deepradiomics.lens.config import LensConfig

    given = dict(options)
    if "params" in given and Path(given["params"]).is_file():
        given["params"] = str(Path(given["params"]).absolute())  # the child works elsewhere
    return LensConfig.from_dict(given).to_dict()


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

    The same images find the same folder, so that a stopped fit goes on; other images leave the files of an earlier
    lens alone, also when the fit refuses to take its place.
    """
    from deepradiomics.files import atomic_folder, content_hash, sha256_file

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
