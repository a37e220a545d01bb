"""`python -m deepradiomics.scene OUTDIR --view NAME=PATH …`: write a result folder as a Slicer scene (scene.mrb).

The command line starts this as a child, so that it never loads Slicer's libraries itself. Exit codes: 0 written;
2 the user can fix it (message on stderr, no traceback, no half-written file).
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.files.atomic import atomic_file, read_json
from deepradiomics.images import VIEWS
from deepradiomics.images.reading import Reading
from deepradiomics.scene.job.headless import headless_slicer
from deepradiomics.scene.tree.result_folder import kind_of


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
    if threading.current_thread() is threading.main_thread():  # elsewhere Python refuses
        with contextlib.suppress(OSError, ValueError):  # temporary files go when we are asked to end
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
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
    if output.suffix != ".mrb":
        raise InputError(f"--output {output}: a scene file ends in .mrb")
    kind = kind_of(folder)
    of_lens = kind in ("lens", "lens-case")  # which reads its images itself
    if kind == "ich-experiment" and views:
        raise InputError(f"--view {next(iter(views))}: an experiment has no images; leave it out")
    if kind.startswith("ich-") and (unknown := sorted(set(views) - {"ct", "followup"})):
        raise InputError(f"--view {unknown[0]}: the images of this result are ct and followup")
    reading = _reading_of(folder)
    volumes = (
        {}
        if of_lens
        else {view: reading.read_volume(path, plane=view if view in VIEWS else None) for view, path in views.items()}
    )
    with tempfile.TemporaryDirectory(prefix="deepradiomics-scene-") as temporary:
        slicer_folder = Path(temporary) / "slicer"
        slicer_folder.mkdir()
        with headless_slicer(slicer_folder) as headless:
            from deepradiomics.scene.fill import fill, fill_lens  # Slicer's libraries can be imported from here on

            if of_lens:
                fill_lens(headless.scene, folder, kind, views)
            else:
                fill(headless, folder, kind, volumes)
            bundle = Path(temporary) / "scene.mrb"  # the archive's inner folder is named after the file
            headless.save_mrb(bundle)
        with atomic_file(output) as part:
            shutil.copyfile(bundle, part)


def _reading_of(folder: Path) -> Reading:
    """How the images of a result were read, as its record says."""
    for name in ("prediction.json", "ich.json", "expansion.json"):
        if (folder / name).is_file():
            stored = read_json(folder / name)
            return Reading.from_dict((stored.get("reading") if isinstance(stored, dict) else None) or {})
    return Reading()
