"""The scene of a result folder as a reader of it opens it: the result's nodes, in layouts that every Slicer has."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.images import Volume
from deepradiomics.scene.nodes.volumes import node_from_volume
from deepradiomics.scene.show.features import show_features
from deepradiomics.scene.show.fingerprint import show_fingerprint
from deepradiomics.scene.show.ich.case import BRAIN_WINDOW_HU, jump_to_haematoma, show_ich_case
from deepradiomics.scene.show.ich.expansion import show_expansion
from deepradiomics.scene.show.ich.experiment import show_experiment
from deepradiomics.scene.show.lens.case import show_case
from deepradiomics.scene.show.lens.result import show_lens
from deepradiomics.scene.show.maps import show_maps
from deepradiomics.scene.views.layouts import (
    scene_layouts,
    show_case_in_slicers_views,
    show_table_and_chart,
    show_tables,
)
from deepradiomics.scene.views.overlay import set_window, show_in_slices
from deepradiomics.scene.views.slices import add_slice_views, fit_slices


def fill(headless: Any, folder: Path, kind: str, volumes: dict[str, Volume]) -> None:
    """Show a result of whatever kind but a lens in an empty scene, with the volumes that it was computed on."""
    scene = headless.scene
    logics = add_slice_views(scene, headless.application_logic)
    nodes = {}
    for view, volume in volumes.items():
        nodes[view] = node_from_volume(volume, scene, name=view)  # a file's own name may identify a patient
        nodes[view].CreateDefaultDisplayNodes()
    if kind.startswith("ich-"):
        _fill_haemorrhage(scene, folder, kind, nodes, logics)
        return
    if kind == "fingerprint":
        show_fingerprint(folder, nodes, scene)
    elif kind == "maps":
        show_maps(folder, next(iter(nodes.values()), None), scene)
    else:
        show_features(folder, nodes, scene)
        if nodes:
            show_in_slices(scene, background=next(iter(nodes.values())))
    fit_slices(logics)


def _fill_haemorrhage(scene: Any, folder: Path, kind: str, nodes: dict[str, Any], logics: tuple[Any, ...]) -> None:
    """One patient, a comparison of two CTs, or an experiment."""
    ct, followup = nodes.get("ct"), nodes.get("followup")
    for node in nodes.values():
        set_window(node, *BRAIN_WINDOW_HU)
    with scene_layouts(scene):
        if kind == "ich-experiment":
            experiment = show_experiment(folder, scene)
            show_table_and_chart(scene, experiment.tables["summary"], next(iter(experiment.charts.values()), None))
        elif kind == "ich-expansion":
            expansion = show_expansion(folder, ct, scene, followup=followup)
            show_table_and_chart(scene, expansion.table, None)
            fit_slices(logics)
        else:
            case = show_ich_case(folder, ct, scene, nodes={"followup": followup})
            first = next(iter(case.charts.values()), {})
            show_table_and_chart(scene, case.risk, first.get("groups"))
            fit_slices(logics)
            jump_to_haematoma(case, [logic.GetSliceNode() for logic in logics])


def fill_lens(scene: Any, folder: Path, kind: str, views: dict[str, Path]) -> None:
    """A lens, or one of its cases, in layouts that every Slicer has: the reader need not have the extension."""
    if kind == "lens" and views:
        raise InputError(f"--view {next(iter(views))}: a lens has no images; give them with the folder of a case")
    with scene_layouts(scene):
        if kind == "lens":
            show_tables(scene, show_lens(folder, scene))
            return
        case = show_case(folder, scene, files=views, layout=False)
        show_case_in_slicers_views(scene, case)
        for sentence in case.missing:
            print(f"note: {sentence}", file=sys.stderr)
