"""Whether the chosen CT can be one in Hounsfield units: shown below its selector before anything runs."""

from html import escape
from typing import Any

from slicer.i18n import tr as _

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Volume
from deepradiomics.prepare.head.hu import check_hu
from deepradiomics.scene.nodes.volumes import volume_from_node

MOST_VOXELS = 3_000_000  # every n-th voxel of a larger image is looked at: the panel must not wait
NOTES_SHOWN = 3


class HuCheck:
    """The check of the chosen image, made once for each state of it."""

    def __init__(self) -> None:
        self._state: tuple | None = None
        self.problem = ""
        self.text = ""  # rich text

    def read(self, node: Any) -> None:
        """Look at the image of a volume node, or at none."""
        image = node.GetImageData() if node is not None else None
        state = (node.GetID(), image.GetMTime(), node.GetMTime()) if image is not None else None
        if state != self._state:
            self._state = state
            self.problem, self.text = plausibility(node) if image is not None else ("", "")


def plausibility(node: Any) -> tuple[str, str]:
    """What makes the image unusable (empty: nothing), and the remark to show, as rich text."""
    try:
        notes = check_hu(thinned(volume_from_node(node)))
    except InputError as error:
        problem = str(error).removeprefix(f"{node.GetName()}: ")
        return problem, f'<span style="color:#c0392b">{escape(problem)}</span>'
    if not notes:
        return "", escape(_("Grey levels are plausible Hounsfield units."))
    shown = [escape(note) for note in notes[:NOTES_SHOWN]]
    more = len(notes) - len(shown)
    if more:
        shown.append(escape(_("and {count} more, see the report").format(count=more)))
    return "", '<span style="color:#b9770e">' + "<br>".join(shown) + "</span>"


def thinned(volume: Any) -> Any:
    """Every n-th voxel in the plane where the image is large; its extent stays."""
    step = 1
    while volume.voxels.size / step**2 > MOST_VOXELS:
        step += 1
    if step == 1:
        return volume
    voxels, grid = volume.voxels[:, ::step, ::step], volume.geometry
    spacing = (grid.spacing_mm[0] * step, grid.spacing_mm[1] * step, grid.spacing_mm[2])
    size = voxels.shape[::-1]
    return Volume(voxels, Geometry(size, spacing, grid.origin_mm, grid.direction), name=volume.name)
