"""Why an input that panels share cannot be used, as the one sentence that says what to do; None where it can.

Everything here is quick enough to be asked at each touch of a control, and needs nothing that Slicer does not bundle.
"""

import os
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.networks.bundle import INFO_FILE, WEIGHTS_FILE, load_info
from deepradiomics.scene.atomic import nodes_of_class
from deepradiomics.scene.volumes import check_image, volumes_of_scene

SEGMENTER = "ich-segmenter"  # kind of the bundles that outline
_INSIDE = ("", "bundle", "segmenter")  # where a segmenter lies in the folder of a run or an experiment
_NNUNET_FILES = ("plans.json", "dataset.json")


def why_not_image(node: Any, missing: str, *, flat: bool = False) -> str | None:
    """Of a volume node, or of none, which `missing` says. `flat`: one slice is enough.

    Colour images and images over time are not among the volumes to choose from: where the scene has nothing else, the
    sentence says so.
    """
    if node is None:
        scene = slicer.mrmlScene
        others = [] if volumes_of_scene(scene) else nodes_of_class(scene, "vtkMRMLVectorVolumeNode")
        return f"{missing} {why_not_image(others[0], '', flat=flat) or ''}".strip() if others else missing
    try:
        check_image(node, flat=flat)
    except DeepRadiomicsError as error:
        return sentence(str(error))
    return None


def why_not_bundle(folder: Path | str, kind: str) -> str | None:
    """Of a bundle's folder: nothing there, damaged, or of another kind. The weights are checked when they are read."""
    try:
        actual = load_info(folder).get("kind")
    except DeepRadiomicsError as error:
        return str(error)
    if actual == kind:
        return None
    return _("{folder} holds a model of kind '{actual}', not '{kind}': choose another folder.").format(
        folder=folder, actual=actual, kind=kind
    )


def bundle_state(folder: Path | str | None) -> tuple[str, ...]:
    """What changes when another folder is named or a file of the bundle there is put in place, removed or changed."""
    if folder is None:
        return ()
    files = (Path(folder) / INFO_FILE, Path(folder) / WEIGHTS_FILE)
    return (str(folder), *(str(file.stat().st_mtime_ns) if file.is_file() else "" for file in files))


def why_not_segmenter(folder: str) -> str | None:
    """Of the folder of a network that outlines: a bundle, a run that holds one, or a model folder of nnU-Net v2."""
    if not Path(folder or "-").is_dir():
        return _("Choose the network's folder.")
    if all((Path(folder) / name).is_file() for name in _NNUNET_FILES):
        return None
    for name in _INSIDE:
        if (Path(folder) / name / INFO_FILE).is_file():
            return why_not_bundle(Path(folder) / name, SEGMENTER)
    return _(
        "{folder} holds neither a segmentation bundle (bundle.json) nor a model of nnU-Net v2 (plans.json, "
        "dataset.json): choose another folder."
    ).format(folder=folder)


def why_not_output(folder: str, missing: str | None) -> str | None:
    """Of a folder for results, which need not exist yet.

    `missing` says that none is named; None where none is needed.
    """
    if not folder:
        return missing
    path = Path(folder).absolute()
    there = next(each for each in (path, *path.parents) if os.path.lexists(each))
    if not there.is_dir():
        return _("{path} is a file, not a folder: choose another folder for the results.").format(path=there)
    if not os.access(there, os.W_OK | os.X_OK):
        return _("Nothing can be written in {path}: choose another folder for the results.").format(path=there)
    return None


def sentence(text: str) -> str:
    """A message as a sentence of a panel: it begins with a capital and ends with a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
