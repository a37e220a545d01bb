"""`python -m deepradiomics.scene OUTDIR --view NAME=PATH …`: write a result folder as a Slicer scene (scene.mrb).

The command line starts this as a child, so that it never loads Slicer's libraries itself. Exit codes: 0 written;
2 the user can mend it (message on stderr, no traceback, no half-written file).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.files import atomic_file


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, write the scene, return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m deepradiomics.scene", description="Write a result as a Slicer scene."
    )
    parser.add_argument(
        "folder",
        type=Path,
        metavar="OUTDIR",
        help="output folder of fingerprint apply, extract, maps, lens fit, lens case, ich apply, ich experiment or ich "
        "expansion",
    )
    parser.add_argument(
        "--view",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="the volume a view was read from (NIfTI, NRRD, MHA, DICOM folder); repeat for each view",
    )
    parser.add_argument("--output", type=Path, help="scene to write (default: OUTDIR/scene.mrb)")
    options = parser.parse_args(arguments)
    output = options.output or options.folder / "scene.mrb"
    try:
        write_scene(options.folder, parse_views(options.view), output)
    except DeepRadiomicsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(output)
    return 0


def parse_views(texts: Sequence[str]) -> dict[str, Path]:
    """["sagittal=a.nii.gz"] -> {"sagittal": Path("a.nii.gz")}. Raises InputError for another form or a repetition."""
    views: dict[str, Path] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise InputError(f"--view {text!r}: expected NAME=PATH, e.g. sagittal=knee.nii.gz")
        if name in views:
            raise InputError(f"--view {name} is given twice")
        views[name] = Path(path)
    return views


def write_scene(folder: Path, views: dict[str, Path], output: Path) -> None:
    """Build the scene of a result folder, with the volumes in `views`, and write it whole or not at all."""
    from deepradiomics.images import read_volume
    from deepradiomics.scene.headless import headless_slicer
    from deepradiomics.scene.result_folder import kind_of

    if output.suffix != ".mrb":
        raise InputError(f"--output {output}: a scene file ends in .mrb")
    kind = kind_of(folder)
    of_lens = kind in ("lens", "lens-case")  # which reads its images itself
    if kind == "ich-experiment" and views:
        raise InputError(f"--view {next(iter(views))}: an experiment has no images; leave it out")
    if kind.startswith("ich-") and (unknown := sorted(set(views) - {"ct", "followup"})):
        raise InputError(f"--view {unknown[0]}: the images of this result are ct and followup")
    volumes = {} if of_lens else {view: read_volume(path) for view, path in views.items()}
    with tempfile.TemporaryDirectory(prefix="deepradiomics-scene-") as temporary:
        slicer_folder = Path(temporary) / "slicer"
        slicer_folder.mkdir()
        with headless_slicer(slicer_folder) as headless:
            if of_lens:
                _fill_lens(headless.scene, folder, kind, views)
            else:
                _fill(headless, folder, kind, volumes)
            bundle = Path(temporary) / "scene.mrb"  # the archive's inner folder is named after the file
            headless.save_mrb(bundle)
        with atomic_file(output) as part:
            shutil.copyfile(bundle, part)


def _fill(headless: Any, folder: Path, kind: str, volumes: dict[str, Any]) -> None:
    from deepradiomics.scene.slices import add_slice_views, fit_slices
    from deepradiomics.scene.volumes import node_from_volume

    scene = headless.scene
    logics = add_slice_views(scene, headless.application_logic)
    nodes = {}
    for view, volume in volumes.items():
        nodes[view] = node_from_volume(volume, scene, name=view)  # a file's own name may identify a patient
        nodes[view].CreateDefaultDisplayNodes()
    if kind == "fingerprint":
        from deepradiomics.scene.fingerprint import show_fingerprint

        show_fingerprint(folder, nodes, scene)
    elif kind == "maps":
        from deepradiomics.scene.maps import show_maps

        show_maps(folder, next(iter(nodes.values()), None), scene)
    elif kind.startswith("ich-"):
        _fill_haemorrhage(scene, folder, kind, nodes, logics)
        return
    else:
        from deepradiomics.scene.features import show_features
        from deepradiomics.scene.overlay import show_in_slices

        show_features(folder, nodes, scene)
        if nodes:
            show_in_slices(scene, background=next(iter(nodes.values())))
    fit_slices(logics)


def _fill_haemorrhage(scene: Any, folder: Path, kind: str, nodes: dict[str, Any], logics: tuple[Any, ...]) -> None:
    """One patient, a comparison of two CTs, or an experiment."""
    from deepradiomics.scene.ich_case import BRAIN_WINDOW_HU
    from deepradiomics.scene.layouts import scene_layouts, show_table_and_chart
    from deepradiomics.scene.overlay import set_window
    from deepradiomics.scene.slices import fit_slices

    ct, followup = nodes.get("ct"), nodes.get("followup")
    for node in nodes.values():
        set_window(node, *BRAIN_WINDOW_HU)
    with scene_layouts(scene):
        if kind == "ich-experiment":
            from deepradiomics.scene.ich_experiment import show_experiment

            made = show_experiment(folder, scene)
            show_table_and_chart(scene, made.tables["summary"], next(iter(made.charts.values()), None))
        elif kind == "ich-expansion":
            from deepradiomics.scene.ich_expansion import show_expansion

            grown = show_expansion(folder, ct, scene, followup=followup)
            show_table_and_chart(scene, grown.table, None)
            fit_slices(logics)
        else:
            from deepradiomics.scene.ich_case import jump_to_haematoma, show_ich_case

            shown = show_ich_case(folder, ct, scene, nodes={"followup": followup})
            first = next(iter(shown.charts.values()), {})
            show_table_and_chart(scene, shown.risk, first.get("groups"))
            fit_slices(logics)
            jump_to_haematoma(shown, [logic.GetSliceNode() for logic in logics])


def _fill_lens(scene: Any, folder: Path, kind: str, views: dict[str, Path]) -> None:
    """A lens, or one of its cases, in layouts that every Slicer has: the reader need not have the extension."""
    from deepradiomics.scene.layouts import scene_layouts, show_case_in_slicers_views, show_tables
    from deepradiomics.scene.lens import show_lens
    from deepradiomics.scene.lens_case import show_case

    if kind == "lens" and views:
        raise InputError(f"--view {next(iter(views))}: a lens has no images; give them with the folder of a case")
    with scene_layouts(scene):
        if kind == "lens":
            show_tables(scene, show_lens(folder, scene))
        else:
            case = show_case(folder, scene, files=views, layout=False)
            show_case_in_slicers_views(scene, case)
            for sentence in case.missing:
                print(f"note: {sentence}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
