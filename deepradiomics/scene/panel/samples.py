"""Sample data of the modules: how they are offered in Slicer's Sample Data module, and how a sample says what it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

CATEGORY = "DeepRadiomics"
SYNTHETIC = "SYNTHETIC: made by DeepRadiomics, not a patient"
"""Description of the nodes of a synthetic sample."""


def offer_sample(name: str, load: Callable[[], list[Any]], module_file: str) -> None:
    """Offer a sample in the Sample Data module; `load` adds it to the scene and returns its volume nodes.

    Its picture is the icon of the module that `module_file`, a file of its library, belongs to.
    """
    import SampleData

    module = Path(module_file).resolve().parents[1]
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=name,
        uris="",
        fileNames="",
        nodeNames=name,
        customDownloader=lambda source: load(),
        thumbnailFileName=str(module / "Resources" / "Icons" / f"{module.name}.png"),
    )
