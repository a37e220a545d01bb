"""How many grey levels the chosen settings give in the chosen region, counted as the engine counts them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slicer.i18n import tr as _

from deepradiomics.errors import DeepRadiomicsError
from deepradiomics.radiomics.region.inputs import load
from deepradiomics.radiomics.region.preprocess import prepare_region
from deepradiomics.radiomics.region.region import discretise
from deepradiomics.radiomics.settings.settings import Settings
from deepradiomics.scene.nodes.volumes import volume_from_node

from ..regions import Regions, one_region, regions_of
from .feature_sets import missing_package

FEWEST, MOST = 8, 256  # beyond these textures say little
AT_ONCE_VOXELS = 20_000_000  # of all segments' images; more are counted when the user asks for it
NAMED_REGIONS = 4
BINARY = "Binary labelmap"


def prepared_regions(volume: Any, settings: Settings, region: Mapping[str, Any], *, together: bool) -> dict[str, Any]:
    """The regions by name as the engine cuts them out: normalised, resampled and re-segmented.

    Parameters
    ----------
    volume
        Scalar volume node.
    region
        `roi`, or `segmentation` and `segment_ids`, and `patch_grid`, as :func:`..regions.regions_of` takes them.
    together
        The regions are one, as for maps.

    Raises
    ------
    DeepRadiomicsError
        The volume holds no image, the region is empty or cannot be used with these settings.
    """
    image = volume_from_node(volume)
    regions = regions_of(image, **region)
    if together:
        regions = Regions((one_region(regions),), {1: _("region")}, {})
    prepared = {}
    for mask in regions.masks:
        inputs = load(image, mask, settings)
        for label in mask.labels_present():
            prepared[label] = prepare_region(inputs, settings.with_label(label)).region
    named: dict[str, Any] = {}
    for label in sorted(prepared):
        name = regions.names.get(label) or str(label)
        named[name if name not in named else f"{name} ({label})"] = prepared[label]
    return named


class GreyLevelCount:
    """Counts again only what has changed: a new bin width needs no new resampling."""

    def __init__(self) -> None:
        self._key: Any = None
        self._prepared: dict[str, Any] | str = {}

    def knows(self, volume: Any, settings: Settings, region: Mapping[str, Any], *, together: bool) -> bool:
        """Whether this region has been prepared already, as these settings do it."""
        return bool(_key(volume, settings, region, together) == self._key)

    def sentence(self, volume: Any, settings: Settings, region: Mapping[str, Any], *, together: bool) -> str:
        """The count in a sentence, with a warning below 8 and above 256; or why there is none."""
        if not self.knows(volume, settings, region, together=together):
            self._key = _key(volume, settings, region, together)
            self._prepared = self._attempt(volume, settings, region, together)
        if isinstance(self._prepared, str):
            return self._prepared
        try:
            return levels_sentence(
                {name: len(discretise(prepared, settings).grey_levels) for name, prepared in self._prepared.items()}
            )
        except DeepRadiomicsError as error:
            return str(error)
        except ModuleNotFoundError as error:
            return missing_package(error)

    def _attempt(
        self, volume: Any, settings: Settings, region: Mapping[str, Any], together: bool
    ) -> dict[str, Any] | str:
        try:
            return prepared_regions(volume, settings, region, together=together)
        except DeepRadiomicsError as error:
            return str(error)
        except ModuleNotFoundError as error:
            return missing_package(error)
        except (MemoryError, RuntimeError, ValueError) as error:
            return _("The grey levels could not be counted: {reason}").format(reason=error)


def levels_sentence(levels: Mapping[str, int]) -> str:
    """Levels by region in a sentence.

    >>> levels_sentence({"lesion": 5})
    'Grey levels: lesion 5. Fewer than 8: take a smaller bin width, or textures say little.'
    """
    if not levels:
        return ""
    counts = list(levels.values())
    if len(levels) <= NAMED_REGIONS:
        text = ", ".join(f"{name} {count}" for name, count in levels.items())
    else:
        text = _("{least} to {most} in {regions} regions").format(
            least=min(counts), most=max(counts), regions=len(counts)
        )
    sentence = _("Grey levels: {levels}.").format(levels=text)
    if min(counts) < FEWEST:
        advice = _("Fewer than {fewest}: take a smaller bin width, or textures say little.")
        sentence += " " + advice.format(fewest=FEWEST)
    if max(counts) > MOST:
        sentence += " " + _("More than {most}: take a larger bin width, or textures say little.").format(most=MOST)
    return sentence


def _key(volume: Any, settings: Settings, region: Mapping[str, Any], together: bool) -> tuple[Any, ...]:
    """What decides a prepared region; bins, features and filtered images do not."""
    prepared_by = replace(settings, bin_width=25, bin_count=None, features=(), image_types=(), notes=())
    return _state(volume), prepared_by, together, _region_state(region)


def _state(node: Any) -> tuple[Any, ...]:
    """What changes when a node's voxels, segments or place do."""
    if node is None:
        return ()
    times = [node.GetMTime()]
    data = node.GetImageData() if hasattr(node, "GetImageData") else None
    if data is not None:
        times.append(data.GetMTime())
    if hasattr(node, "GetSegmentation"):
        segments = node.GetSegmentation()
        for index in range(segments.GetNumberOfSegments()):
            voxels = segments.GetNthSegment(index).GetRepresentation(BINARY)
            times += [segments.GetNthSegment(index).GetMTime(), voxels.GetMTime() if voxels is not None else 0]
    parent = node.GetParentTransformNode()
    return (node.GetID(), *times, parent.GetTransformToWorldMTime() if parent is not None else 0)


def _region_state(region: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        (name, _state(value) if hasattr(value, "GetMTime") else tuple(value or ()))
        for name, value in sorted(region.items())
    )
