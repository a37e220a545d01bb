"""Why an input that panels share cannot be used, as the one sentence that says what to do; None where it can.

Everything here is quick enough to be asked at each touch of a control, and needs nothing that Slicer does not bundle.
"""

import os
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.networks.bundle import INFO_FILE, load_info
from deepradiomics.scene.nodes.atomic import nodes_of_class
from deepradiomics.scene.nodes.regions import is_placed
from deepradiomics.scene.nodes.volumes import check_image, volumes_of_scene

SEGMENTER = "ich-segmenter"  # kind of the bundles that outline
_INSIDE = ("", "bundle", "encoder")  # where a segmenter lies in the folder of a run or an experiment
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


def why_not_file(path: str, sentence: str) -> str | None:
    """Of a file that must be there; `sentence` says that it is not."""
    return None if Path(path or "-").is_file() else sentence


def why_not_folder(path: str, sentence: str) -> str | None:
    """Of a folder that must be there; `sentence` says that it is not."""
    return None if Path(path or "-").is_dir() else sentence


def why_not_box(roi: Any) -> str | None:
    """Of the ROI box that is the region."""
    if roi is None:
        return _("Choose or create the ROI box.")
    return None if is_placed(roi) else _("Draw the ROI box in a slice view.")


def why_not_segments(segmentation: Any, missing: str) -> str | None:
    """Of a segmentation that has the region; `missing` says that none is chosen."""
    if segmentation is None:
        return missing
    if segmentation.GetSegmentation().GetNumberOfSegments() == 0:
        return _("The segmentation has no segment.")
    return None


def why_not_output(folder: str, missing: str | None) -> str | None:
    """Of a folder for results, which need not exist yet.

    `missing` says that none is named; None where none is needed.
    """
    if not folder:
        return missing
    path = Path(folder).absolute()
    existing = next(parent for parent in (path, *path.parents) if os.path.lexists(parent))
    if not existing.is_dir():
        return _("{path} is a file, not a folder: choose another folder for the results.").format(path=existing)
    if not os.access(existing, os.W_OK | os.X_OK):
        return _("Nothing can be written in {path}: choose another folder for the results.").format(path=existing)
    return None


def sentence(text: str) -> str:
    """A message as a sentence of a panel: it begins with a capital and ends with a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
