"""Saved scenes, one a kind of result, and inputs for each panel: written where everything is installed.

Usage: python -m Testing.slicer.bare.scenes FOLDER

SYNTHETIC results. FOLDER then holds <kind>.mrb, scenes.json (kind → name of the table that a panel shows) and inputs/.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deepradiomics.images import Geometry, Mask, write_mask

INDEX_FILE = "scenes.json"


def write_scenes(folder: Path) -> dict[str, str]:
    """Write all; returns the kinds with the names of their tables ("" where no panel shows one by itself)."""
    from deepradiomics.scene.job.headless import headless_slicer

    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, str] = {}
    for kind, show in KINDS.items():
        with tempfile.TemporaryDirectory() as temporary, headless_slicer(Path(temporary)) as headless:
            table = show(folder / "results" / kind, headless.scene)
            headless.save_mrb(folder / f"{kind}.mrb")
            tables[kind] = table.GetName() if table is not None else ""
    write_inputs(folder / "inputs")
    (folder / INDEX_FILE).write_text(json.dumps(tables, indent=1), encoding="utf-8")
    return tables


def write_inputs(folder: Path) -> None:
    """A model for each module that takes one, a manifest, encoders, a parameter file."""
    from Testing.slicer.fake_child import write_bundle
    from Testing.slicer.panel_ich.driving import write_model

    write_bundle(folder / "fingerprint-bundle")
    write_model(folder / "ich-model")
    for stage in ("frozen", "tuned"):
        bundle = write_bundle(folder / "finetuning" / stage / "encoder")
        about = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
        (bundle / "bundle.json").write_text(json.dumps(about | {"kind": "encoder"}), encoding="utf-8")
    rows = ["id,view_t2,view_adc,mask_gland"]
    for case in ("a", "b", "c"):
        cells = [f"{case}_{name}.nrrd" for name in ("t2", "adc", "gland")]
        for cell in cells:
            (folder / cell).touch()
        rows.append(",".join([case, *cells]))
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "parameters.yaml").write_text(
        "setting:\n  binWidth: 25\nimageType:\n  Original: {}\nfeatureClass:\n  firstorder:\n", encoding="utf-8"
    )


def _fingerprint(folder: Path, scene: Any) -> Any:
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.show.fingerprint import show_fingerprint
    from Testing.slicer.synthetic_result import make_result

    result = make_result(folder)
    nodes = {view: node_from_volume(volume, scene, view) for view, volume in result.volumes.items()}
    return show_fingerprint(result.folder, nodes, scene).fingerprint


def _features(folder: Path, scene: Any) -> Any:
    from deepradiomics.scene.show.features import show_features
    from Testing.slicer.fake_child import write_features

    folder.mkdir(parents=True)
    mask = _mask(folder / "mask.nrrd")
    write_features(["extract", "", str(mask), "-o", str(folder / "features.csv")])
    return show_features(folder, None, scene).features


def _maps(folder: Path, scene: Any) -> Any:
    from deepradiomics.scene.show.maps import show_maps
    from Testing.slicer.fake_child import write_maps

    folder.mkdir(parents=True)
    mask, names = _mask(folder / "mask.nrrd"), folder / "names.txt"
    names.write_text("original_glcm_Contrast\noriginal_firstorder_Entropy\n", encoding="utf-8")
    write_maps(["maps", "", str(mask), "--features", f"@{names}", "-o", str(folder / "maps")])
    return show_maps(folder / "maps", None, scene).table


def _lens(folder: Path, scene: Any) -> Any:
    from deepradiomics.scene.show.lens.result import show_lens
    from Testing.unit.reports.fake_lens import write_fake_lens

    return show_lens(write_fake_lens(folder), scene).shift


def _lens_case(folder: Path, scene: Any) -> Any:
    from deepradiomics.scene.show.lens.case import show_case
    from deepradiomics.scene.show.lens.result import nodes_of

    shift = _lens(folder, scene)
    show_case(folder / "case", scene, lens=nodes_of(shift))
    return shift


def _ich_case(folder: Path, scene: Any) -> Any:
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.show.ich.case import show_ich_case
    from Testing.slicer.ich_result import make_ich_case

    result = make_ich_case(folder)
    return show_ich_case(result.folder, node_from_volume(result.ct, scene, "head"), scene).risk


def _ich_expansion(folder: Path, scene: Any) -> Any:
    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.show.ich.expansion import show_expansion
    from Testing.slicer.ich_result import make_expansion, make_ich_case

    result = make_ich_case(folder / "case")
    grown = make_expansion(folder / "expansion", result.followup, result.change)
    show_expansion(grown, node_from_volume(result.ct, scene, "head"), scene)
    return None


def _ich_experiment(folder: Path, scene: Any) -> Any:
    from deepradiomics.scene.show.ich.experiment import show_experiment
    from Testing.slicer.ich_result import make_experiment

    show_experiment(make_experiment(folder), scene)
    return None


def _mask(path: Path) -> Path:
    """Two labels in a small box."""
    import numpy as np

    geometry = Geometry((14, 12, 10), (1.0, 1.2, 2.0), (-7.0, -7.0, -10.0))
    labels = np.zeros(geometry.shape, np.uint8)
    labels[2:8, 2:10, 2:7], labels[2:8, 2:10, 7:12] = 1, 2
    write_mask(Mask(labels, geometry, segments={1: "core", 2: "rim"}), path)
    return path


KINDS: dict[str, Callable[[Path, Any], Any]] = {
    "fingerprint": _fingerprint, "features": _features, "maps": _maps, "lens": _lens, "lens-case": _lens_case,
    "ich-case": _ich_case, "ich-expansion": _ich_expansion, "ich-experiment": _ich_experiment,
}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(write_scenes(Path(sys.argv[1]))))
