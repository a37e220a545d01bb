"""The nodes of a lens's result and those of its case view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class LensNodes:
    """The nodes of one lens.

    Attributes
    ----------
    shift
        Table node with a row per modality and feature, largest ΔE first; it refers to the other nodes.
    family
        Table node with a row per family, image type and modality.
    charts
        Plot chart nodes: "explained" (ΔE of the two features that gained most, lost most and are most stable),
        "shift" (ΔI, likewise) and "r2" (per modality, before and after).
    folder_item
        The subject-hierarchy item ID of the folder that holds them all.
    warnings
        What the fit says of its numbers; leakage first.
    """

    shift: Any
    family: Any
    charts: Mapping[str, Any]
    folder_item: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class CaseNodes:
    """The nodes of the case view.

    Attributes
    ----------
    case_id, modality, feature
        What is shown.
    volumes
        Volume nodes by modality, in the order of the lens.
    rois
        Segmentation nodes by modality: the region on that modality's own grid; a modality outside it has none.
    map
        The volume node of the feature's map; NaN, which Slicer draws as transparent, outside the region.
    folder_item
        The subject-hierarchy item ID of the folder that holds them.
    note
        What must be said of the region, such as "not a reader's contour"; empty otherwise.
    missing
        A sentence for each image that is found nowhere.
    """

    case_id: str
    modality: str
    feature: str
    volumes: Mapping[str, Any]
    rois: Mapping[str, Any]
    map: Any
    folder_item: int
    note: str = ""
    missing: tuple[str, ...] = ()
