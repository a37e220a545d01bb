"""Sample data: a synthetic knee in three views, made on the spot, and a real knee MR from its public origin."""

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.images import read_volume
from deepradiomics.scene.nodes.volumes import node_from_volume
from deepradiomics.scene.panel.samples import SYNTHETIC, offer_sample
from deepradiomics.scene.views.overlay import show_over

SEED = 7


def register_sample_data() -> None:
    """Offer both knees in the Sample Data module."""
    offer_sample("SyntheticKnee", load_synthetic_knee, __file__)
    offer_sample("KneeMR", load_knee_mr, __file__)


def load_synthetic_knee() -> list[Any]:
    """Add the three views of one synthetic knee to the scene; returns their volume nodes (sagittal, coronal, axial)."""
    from deepradiomics.phantoms.knee.cohort import knee_exam

    views = knee_exam(SEED).case.views
    names = {
        "sagittal": _("Synthetic knee, sagittal"),
        "coronal": _("Synthetic knee, coronal"),
        "axial": _("Synthetic knee, axial"),
    }
    return [_add(views[view], name, SYNTHETIC) for view, name in names.items()]


def load_knee_mr() -> list[Any]:
    """Download a real sagittal knee MR (3 MB of anonymised DICOM files) and add it to the scene."""
    from deepradiomics.samples import knee_mri_download

    folder = Path(slicer.app.temporaryPath) / "DeepRadiomics" / "knee_mri"
    folder.mkdir(parents=True, exist_ok=True)
    sample = knee_mri_download(folder, fetch=_fetch)
    return [_add(read_volume(sample.path), _("Knee MR, sagittal"), sample.origin)]


def _fetch(url: str, sha256: str, target: Path) -> Path:
    """Slicer's own download, which checks the sum."""
    if not slicer.util.downloadFile(url, str(target), checksum=f"SHA256:{sha256}"):
        raise DeepRadiomicsError(f"{url} could not be downloaded, or is not the file expected. Check the network.")
    return target


def _add(volume: Any, name: str, origin: str) -> Any:
    node = node_from_volume(volume, slicer.mrmlScene, name)
    node.CreateDefaultDisplayNodes()
    node.SetDescription(origin)
    show_over(slicer.mrmlScene, node)
    return node
